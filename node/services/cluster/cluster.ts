/** The mesh as its operators see and steer it: status, hosts, tickets. */
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import { issueTicket } from '../../mesh/join/ticket-issuer.ts';
import { hostTable, meshTable, userTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { UnreadableRow } from '../../state/unreadable-rows.ts';
import { type HostRemovalDependencies, type Removal, removeHost } from '../compute/host-removal.ts';
import { preciousServers } from '../compute/takeover/lost-servers.ts';
import { freeRoom, withoutRoom } from '../compute/takeover/spare-room.ts';
import { defaultDomainId } from '../identity/directory.ts';
import { findDomain, findUser } from '../identity/identity.ts';
import { noFailures } from '../identity/password-log-in.ts';
import { Passwords } from '../identity/passwords.ts';
import type { RequestContext } from '../kit/context.ts';
import type { HostViews } from '../kit/dependencies.ts';
import { transact } from '../kit/transact.ts';
import { removeUnreadableRecord, unreadableRecords } from '../kit/unreadable-records.ts';
import { storagePools } from './storage-pools.ts';

/** Life of a ticket unless asked otherwise, seconds. */
const ticketTtlSecondsDefault = 3600;

/** A host with what gossip says of it. */
interface HostStatus {
  readonly host: shoal.v1.Host;
  readonly advert: shoal.v1.Advert | undefined;
  readonly condition: 'alive' | 'suspect' | 'dead' | 'unknown';
  /** Names of the hosts that accuse it of not answering, with what they have seen: "node2 (unreachable)". */
  readonly accusedBy: readonly string[];
  /** As `HostViews.clockOffsetMs`. */
  readonly clockOffsetMs: number | undefined;
  /** As `HostViews.keyUsedTwiceAt`. */
  readonly keyUsedTwiceAt: string | undefined;
  /** Names of its servers that are to come back elsewhere when it is lost, and would find no room there now. */
  readonly withoutSpareRoom: readonly string[];
}

/** This agent, as it tells others. */
interface SelfDescription {
  readonly hostId: HostId;
  readonly version: string;
  readonly peerAddress: string;
  /** What is wrong with the log or the state here, by part. */
  readonly troubles: () => Readonly<Record<string, string>>;
}

/** A new ticket's text: shown once, kept nowhere. */
interface IssuedTicket {
  readonly ticket: string;
  readonly ticketId: string;
  readonly expiresMs: number;
}

/** See above. Authorisation is the gateway's. */
export class ClusterService {
  readonly #deps: Omit<HostRemovalDependencies, 'hostViews'>;
  readonly #views: HostViews;
  readonly #self: SelfDescription;
  readonly #passwords = new Passwords();

  constructor(deps: Omit<HostRemovalDependencies, 'hostViews'>, views: HostViews, self: SelfDescription) {
    this.#deps = deps;
    this.#views = views;
    this.#self = self;
  }

  /** What this agent knows, at once, from nobody else. */
  status(): shoal.v1.GetStatusResponse {
    const reader = this.#deps.state.local;
    const status = this.#deps.state.status();
    const byRaftId = new Map(hostTable.list(reader).map((row) => [row.record.raftId, row.record]));
    const voter = (raftId: number, learner: boolean): shoal.v1.Voter =>
      new shoal.v1.Voter({
        raftId,
        learner,
        hostId: byRaftId.get(raftId)?.id ?? '',
        hostName: byRaftId.get(raftId)?.name ?? '',
        reachable: !status.missingVoters.includes(raftId),
      });
    return new shoal.v1.GetStatusResponse({
      meshId: meshTable.get(reader, 'mesh')?.record.meshId ?? '',
      hostId: this.#self.hostId,
      leaderHostId: byRaftId.get(status.leaderRaftId)?.id ?? '',
      hasQuorum: status.hasQuorum,
      term: status.term,
      commitIndex: status.commitIndex,
      appliedIndex: status.appliedIndex,
      voters: [
        ...status.voters.map((raftId) => voter(raftId, false)),
        ...status.learners.map((raftId) => voter(raftId, true)),
      ],
      version: this.#self.version,
      troubles: Object.values(this.#self.troubles()),
    });
  }

  /** Every host on record, by name. */
  hosts(reader: StateReader): readonly HostStatus[] {
    const adverts = new Map(this.#views.adverts().map((advert) => [advert.hostId, advert]));
    return hostTable
      .list(reader)
      .map(({ record }) => ({
        host: record,
        advert: adverts.get(record.id),
        condition: this.#views.condition(record.id),
        accusedBy: (this.#views.accusations?.(record.id) ?? []).map(({ from, evidence }) => {
          const name = hostTable.find(reader, from)?.record.name ?? from;
          return evidence === undefined ? name : `${name} (${evidence})`;
        }),
        clockOffsetMs: this.#views.clockOffsetMs?.(record.id),
        keyUsedTwiceAt: this.#views.keyUsedTwiceAt?.(record.id),
        withoutSpareRoom: withoutRoom(
          preciousServers(reader, record.id),
          [...adverts.values()].flatMap((advert) => {
            const takes = advert.hostId !== record.id && advert.enabled;
            return takes && this.#views.condition(advert.hostId) === 'alive' ? freeRoom(advert) : [];
          }),
        ),
      }))
      .sort((a, b) => (a.host.name < b.host.name ? -1 : 1));
  }

  /** Every storage pool, by name. */
  pools(reader: StateReader): readonly shoal.v1.StoragePoolView[] {
    return storagePools(reader, this.#views);
  }

  /** A ticket for one new host. `INVALID_ARGUMENT` for a life out of range; 0 is the default. */
  async createTicket(ttlSeconds: number, signal: AbortSignal): Promise<IssuedTicket> {
    const { ticket, expiresMs } = await issueTicket(this.#deps, {
      lifeMs: (ttlSeconds === 0 ? ticketTtlSecondsDefault : ttlSeconds) * 1000,
      ownPeerAddress: this.#self.peerAddress,
      signal,
    });
    return { ticket: ticket.encode(), ticketId: ticket.ticketId, expiresMs };
  }

  /** Lets a host take new servers, or not. Its servers stay as they are. */
  async setHostEnabled(hostId: string, enabled: boolean, reason: string, signal: AbortSignal): Promise<void> {
    await transact(this.#deps, { signal }, ({ reader, change }) => {
      const row = hostTable.must(reader, hostId);
      const next = new shoal.v1.Host({ ...row.record, disabled: !enabled, disabledReason: enabled ? '' : reason });
      hostTable.update(change, row, next);
    });
  }

  /**
   * A new password for a user whose old one is lost; all their tokens end. Written to this agent's log with who asked.
   * Throws `NOT_FOUND`, `INVALID_ARGUMENT` for an unusable password, and what the state throws.
   */
  async resetPassword(
    wanted: { readonly user: string; readonly domain: string; readonly password: string; readonly enable: boolean },
    context: Pick<RequestContext, 'signal' | 'requestId' | 'userId'>,
  ): Promise<shoal.v1.User> {
    const passwordHash = await this.#passwords.hash(wanted.password);
    const { logger, clock } = this.#deps;
    const user = await transact(this.#deps, context, ({ reader, change }) => {
      const domain =
        findDomain(reader, { id: wanted.domain || defaultDomainId }) ?? findDomain(reader, { name: wanted.domain });
      const named = { name: wanted.user, domain: { id: domain?.id ?? '' } };
      const found = findUser(reader, named) ?? findUser(reader, { id: wanted.user });
      if (found === undefined) {
        throw new ShoalError(
          'NOT_FOUND',
          `There is no user "${wanted.user}" in the domain "${wanted.domain || 'Default'}".`,
        );
      }
      const row = userTable.must(reader, found.id);
      const next = new shoal.v1.User({
        ...row.record,
        passwordHash,
        enabled: row.record.enabled || wanted.enable,
        tokensValidAfterMs: clock.nowMs(),
        // An agent whose clock is ahead issued tokens that look newer than this.
        tokenEpoch: row.record.tokenEpoch + 1,
        ...noFailures,
      });
      userTable.update(change, row, next);
      return next;
    });
    const { id: userId, name: userName, enabled } = user;
    logger.warn(
      { audit: 'reset-password', userId, userName, enabled, by: context.userId, requestId: context.requestId },
      'the password of a user was reset at this host',
    );
    return user;
  }

  /** Takes a host, by id or name, out of the mesh for good. Throws what `removeHost` throws. */
  async removeHost(
    host: string,
    options: { readonly force: boolean; readonly trusted: boolean },
    signal: AbortSignal,
  ): Promise<Removal> {
    return removeHost({ ...this.#deps, hostViews: this.#views }, { host, ...options, signal });
  }

  /** Draws a new mesh key and a new authority; returns the key's number. All tokens and unused tickets are void. */
  async rekey(signal: AbortSignal): Promise<number> {
    const epoch = await transact(this.#deps, { signal }, (attempt) => this.#deps.rekey(attempt, { trusted: false }));
    this.#deps.logger.warn({ epoch }, 'the mesh was re-keyed');
    return epoch;
  }

  /** Records that cannot be read, all of them. */
  unreadableRecords(reader: StateReader): readonly UnreadableRow[] {
    return unreadableRecords(reader);
  }

  /** Removes one of those. Throws what `removeUnreadableRecord` throws. */
  async removeUnreadableRecord(table: string, id: string, signal: AbortSignal): Promise<void> {
    await removeUnreadableRecord(this.#deps, table, id, signal);
  }
}
