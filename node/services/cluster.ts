/** The mesh as its operators see and steer it: standing, hosts, tickets. */
import { randomBytes } from 'node:crypto';
import { shoal } from '../../proto/messages.ts';
import { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import { certificateFingerprint } from '../mesh/authority.ts';
import { JoinTicket, ticketAddressesMax, ticketSecretBytes, ticketSecretHash } from '../mesh/tickets.ts';
import { hostTable, meshTable, ticketTable } from '../state/tables/index.ts';
import type { StateReader } from '../state/types.ts';
import type { HostViews, ServiceDependencies } from './dependencies.ts';
import { transact } from './transact.ts';

/** Life of a ticket unless asked otherwise, seconds. */
export const ticketTtlSecondsDefault = 3600;
const ticketTtlSecondsMin = 60;
const ticketTtlSecondsMax = 7 * 24 * 3600;
/** Expired tickets removed with each new one, so that the table needs no sweeper. */
const expiredTicketsRemovedMax = 16;
/** An expired ticket is kept so long, so that whoever comes late is told that it expired, not that it never was. */
const expiredKeptMs = 7 * 24 * 3_600_000;

/** A host with what gossip says of it. */
export interface HostStanding {
  readonly host: shoal.v1.Host;
  readonly advert: shoal.v1.Advert | undefined;
  readonly condition: 'alive' | 'suspect' | 'dead' | 'unknown';
}

/** A new ticket's text: shown once, kept nowhere. */
export interface IssuedTicket {
  readonly ticket: string;
  readonly ticketId: string;
  readonly expiresMs: number;
}

/** See above. Authorisation is the gateway's. */
export class ClusterService {
  readonly #deps: ServiceDependencies;
  readonly #views: HostViews;
  readonly #self: { readonly hostId: HostId; readonly version: string };

  constructor(
    deps: ServiceDependencies,
    views: HostViews,
    self: { readonly hostId: HostId; readonly version: string },
  ) {
    this.#deps = deps;
    this.#views = views;
    this.#self = self;
  }

  /** What this agent knows, at once, from nobody else. */
  status(): shoal.v1.GetStatusResponse {
    const reader = this.#deps.state.local;
    const standing = this.#deps.state.standing();
    const byRaftId = new Map(hostTable.list(reader).map((row) => [row.record.raftId, row.record]));
    const voter = (raftId: number, learner: boolean): shoal.v1.Voter =>
      new shoal.v1.Voter({
        raftId,
        learner,
        hostId: byRaftId.get(raftId)?.id ?? '',
        hostName: byRaftId.get(raftId)?.name ?? '',
        reachable: !standing.missingVoters.includes(raftId),
      });
    return new shoal.v1.GetStatusResponse({
      meshId: meshTable.get(reader, 'mesh')?.record.meshId ?? '',
      hostId: this.#self.hostId,
      leaderHostId: byRaftId.get(standing.leaderRaftId)?.id ?? '',
      hasQuorum: standing.hasQuorum,
      term: standing.term,
      commitIndex: standing.commitIndex,
      appliedIndex: standing.appliedIndex,
      voters: [
        ...standing.voters.map((raftId) => voter(raftId, false)),
        ...standing.learners.map((raftId) => voter(raftId, true)),
      ],
      version: this.#self.version,
    });
  }

  /** Every host on record, by name. */
  hosts(reader: StateReader): readonly HostStanding[] {
    const adverts = new Map(this.#views.adverts().map((advert) => [advert.hostId, advert]));
    return hostTable
      .list(reader)
      .map(({ record }) => ({
        host: record,
        advert: adverts.get(record.id),
        condition: this.#views.condition(record.id),
      }))
      .sort((a, b) => (a.host.name < b.host.name ? -1 : 1));
  }

  /** A ticket for one new host. `INVALID_ARGUMENT` for a life out of range; 0 is the default. */
  async createTicket(ttlSeconds: number, signal: AbortSignal): Promise<IssuedTicket> {
    const seconds = ttlSeconds === 0 ? ticketTtlSecondsDefault : ttlSeconds;
    if (seconds < ticketTtlSecondsMin || seconds > ticketTtlSecondsMax) {
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `A ticket lives from ${ticketTtlSecondsMin} to ${ticketTtlSecondsMax} seconds, not ${seconds}.`,
      );
    }
    const nowMs = this.#deps.clock.nowMs();
    const expiresMs = nowMs + seconds * 1000;
    const secret = randomBytes(ticketSecretBytes);
    const ticketId = this.#deps.newId();
    const pinned = await transact(this.#deps, { signal }, ({ reader, change }) => {
      const mesh = meshTable.must(reader, 'mesh').record;
      ticketTable.insert(
        change,
        new shoal.v1.Ticket({ id: ticketId, secretHash: ticketSecretHash(secret), createdMs: nowMs, expiresMs }),
      );
      const expired = ticketTable.list(reader).filter((row) => row.record.expiresMs < nowMs - expiredKeptMs);
      for (const row of expired.slice(0, expiredTicketsRemovedMax)) ticketTable.remove(change, row);
      return {
        meshId: mesh.meshId,
        fingerprint: certificateFingerprint(mesh.authorityCertificatePem),
        addresses: this.#addresses(reader),
      };
    });
    return { ticket: new JoinTicket({ ...pinned, ticketId, secret }).encode(), ticketId, expiresMs };
  }

  /** Lets a host take new servers, or not. Its servers stay as they are. */
  async setHostEnabled(hostId: string, enabled: boolean, reason: string, signal: AbortSignal): Promise<void> {
    await transact(this.#deps, { signal }, ({ reader, change }) => {
      const row = hostTable.must(reader, hostId);
      const next = new shoal.v1.Host({ ...row.record, disabled: !enabled, disabledReason: enabled ? '' : reason });
      hostTable.update(change, row, next);
    });
  }

  /** Where a joiner may ask: this host first, then others that seem alive. */
  #addresses(reader: StateReader): string[] {
    const hosts = hostTable.list(reader).map((row) => row.record);
    const order = (host: shoal.v1.Host): number =>
      host.id === this.#self.hostId ? 0 : this.#views.condition(host.id) === 'dead' ? 2 : 1;
    return hosts
      .sort((a, b) => order(a) - order(b))
      .slice(0, ticketAddressesMax)
      .map((host) => host.peerAddress);
  }
}
