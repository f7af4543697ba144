import { timingSafeEqual } from 'node:crypto';
import { shoal } from '../../../proto/messages.ts';
import { parseAddress } from '../../base/address.ts';
import { assert } from '../../base/assert.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { indexKey, type Row, TransactionBuilder } from '../../state/table.ts';
import { levelInForce, levelOfMember } from '../../state/tables/feature-level.ts';
import { hostTable, meshKeyEpochTable, meshTable, removedHostTable, ticketTable } from '../../state/tables/index.ts';
import type { StateClient, StateReader } from '../../state/types.ts';
import { certificateFingerprint } from '../identity/authority.ts';
import { sealToHost } from '../identity/host-box.ts';
import type { HostIdentity } from '../identity/identity.ts';
import { type MeshKeyRing, meshKeyLabel, type NumberedKey } from '../identity/mesh-key-ring.ts';
import { tlsKeySha256 } from '../identity/peer-trust.ts';
import { openAuthority } from '../identity/rekey.ts';
import { verifySignature } from '../identity/signature.ts';
import type { JoinHandlers } from '../peers/peer-server.ts';
import { askPort } from '../peers/port-probe.ts';
import { FailureLimiter, joinFailureLimits, sourceOf } from './failure-limiter.ts';
import { isToldToWait, newcomersAwaited, toldToWait } from './join-door.ts';
import { joinContent, joinPurpose } from './join-proof.ts';
import type { JoinRelay } from './join-relay.ts';
import { freeTransitIndex, raftIdCounterKey } from './member-numbers.ts';
import { renewCertificate } from './renew-handler.ts';
import { isTicketId, ticketSecretBytes, ticketSecretHash } from './tickets.ts';
import { type WantedHost, wantedHost } from './wanted-host.ts';

/** Attempts at the transaction. Each lost race means that another host got in; a rack that boots at once is 64 wide. */
const attemptsMax = 64;

/** Time for a newcomer's host to say whether anything listens there, ms: two packets of a connection may get lost. */
const reachMsMax = 3_000;

/** How long a newcomer is kept waiting for those before it, ms: less than who relays it waits for an answer. */
const doorMsMax = 3_000;
/** How often it is looked whether it may come in, ms. */
const doorLookMs = 500;

/** Codes that mean "the newcomer did something wrong": they count against its address. */
const newcomersFault = [
  'TICKET_INVALID',
  'TICKET_USED',
  'TICKET_EXPIRED',
  'IDENTITY_MISMATCH',
  'INVALID_ARGUMENT',
] as const;

/** What admitting takes. */
interface JoinHandlerDeps {
  readonly state: StateClient;
  readonly keys: MeshKeyRing;
  /** This host. */
  readonly identity: HostIdentity;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Has a replica admit newcomers, where this host is none. Absent: it is one. */
  readonly relay?: Pick<JoinRelay, 'join'>;
  /** Whether a host has been heard by gossip. Newcomers wait while many before them have not been. */
  readonly isUp: (hostId: string) => boolean;
}

/**
 * Admits a host that shows a ticket. Spending the ticket and recording the host are one transaction: either both are in
 * the state or neither is. A host that asks again with the ticket it has spent gets the same answer again, so a lost
 * answer is no lost ticket.
 */
export class JoinHandler implements JoinHandlers {
  readonly #deps: JoinHandlerDeps;
  readonly #limiter: FailureLimiter;

  constructor(deps: JoinHandlerDeps) {
    this.#deps = deps;
    this.#limiter = new FailureLimiter(deps.clock, joinFailureLimits);
  }

  admit(remoteAddress: string): void {
    this.#limiter.check(sourceOf(remoteAddress));
  }

  /**
   * Throws `TICKET_INVALID`, `TICKET_USED`, `TICKET_EXPIRED`, `IDENTITY_MISMATCH` (the proof is not the host's),
   * `INVALID_ARGUMENT` (a field of the host record), `CONFLICT` (the name is another host's), `RATE_LIMITED` (others come first:
   * `isToldToWait`), and what the state or the relay throws.
   * After all but `OUTCOME_UNKNOWN` nothing has changed.
   */
  async join(
    request: shoal.v1.JoinRequest,
    remoteAddress: string,
    signal: AbortSignal,
  ): Promise<shoal.v1.IJoinResponse> {
    try {
      return await this.#join(request, remoteAddress, signal);
    } catch (caught) {
      if (ShoalError.is(caught, ...newcomersFault)) this.#limiter.failed(sourceOf(remoteAddress));
      const ticketId = isTicketId(request.ticketId) ? request.ticketId : 'malformed';
      if (caught instanceof ShoalError && isToldToWait(caught)) throw caught;
      this.#deps.logger.warn({ error: caught, remoteAddress, ticketId }, 'a host was not admitted');
      throw caught;
    }
  }

  /** As `renewCertificate`; who is refused counts as who shows a wrong ticket. */
  async renew(request: shoal.v1.RenewRequest, remoteAddress: string): Promise<shoal.v1.IRenewResponse> {
    try {
      return renewCertificate(this.#deps, request);
    } catch (caught) {
      if (ShoalError.is(caught, ...newcomersFault)) this.#limiter.failed(sourceOf(remoteAddress));
      throw caught;
    }
  }

  async #join(
    request: shoal.v1.JoinRequest,
    remoteAddress: string,
    signal: AbortSignal,
  ): Promise<shoal.v1.IJoinResponse> {
    const host = checkedRequest(request);
    const relayed = await this.#deps.relay?.join(request, remoteAddress, signal);
    if (relayed !== undefined) return relayed;
    await this.#mustBeReachable(host, remoteAddress);
    const doorEndsMs = this.#deps.clock.monotonicMs() + doorMsMax;
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const reader = await this.#deps.state.fresh(signal);
      const meshRow = meshTable.must(reader, 'mesh');
      const mesh = meshRow.record;
      if (request.meshId !== mesh.meshId) throw ticketInvalid();
      const ticket = this.#checkedTicket(reader, mesh, request, host);
      mustBeNewEnough(host, reader);
      // Before the commit: once the ticket is spent nothing may fail any more that could have been known.
      const current = this.#deps.keys.current(reader);
      const authority = openAuthority(this.#deps.keys, reader);
      const certificatePem = authority.issueHost(host.id, request.tlsPublicKey, this.#deps.clock.nowMs());
      if (removedHostTable.get(reader, host.id) !== undefined) {
        throw new ShoalError(
          'IDENTITY_MISMATCH',
          'This host was removed from the mesh and its key is void. Join with another, empty data folder; keep this one while it holds disks that you want.',
          { facts: { hostId: host.id } },
        );
      }
      const known = hostTable.get(reader, host.id);
      // One that is in the records already is only told again, or moves.
      if (known === undefined && (await this.#waitsAtDoor(reader, doorEndsMs, signal))) continue;
      const record =
        ticket.record.usedBy === host.id &&
        known !== undefined &&
        sameBytes(known.record.tlsKeySha256, tlsKeySha256(request.tlsPublicKey))
          ? known.record
          : await this.#record(
              { reader, meshRow, ticket, known, current },
              { ...host, tlsKeySha256: tlsKeySha256(request.tlsPublicKey) },
              signal,
            );
      if (record === undefined) continue;
      this.#deps.logger.info({ hostId: record.id, name: record.name, raftId: record.raftId }, 'a host has joined');
      const hosts = hostTable.list(this.#deps.state.local).map((row) => row.record);
      return {
        host: record,
        certificatePem,
        authorityCertificatePem: mesh.authorityCertificatePem,
        meshKey: current.key.reveal(),
        hosts,
      };
    }
    throw new ShoalError('PRECONDITION_CHANGED', 'The records kept changing while the host was being admitted.', {
      facts: { attempts: attemptsMax },
    });
  }

  /** Whether others come first, which has been waited for: look again. Throws `RATE_LIMITED` when that has taken too long. */
  async #waitsAtDoor(reader: StateReader, endsMs: number, signal: AbortSignal): Promise<boolean> {
    const { clock, isUp } = this.#deps;
    const hosts = hostTable.list(reader).map((row) => row.record);
    const newcomers = newcomersAwaited(hosts, isUp, clock.nowMs());
    if (newcomers === 0) return false;
    if (clock.monotonicMs() + doorLookMs > endsMs) throw toldToWait(newcomers);
    await sleep(clock, doorLookMs, signal);
    return true;
  }

  /**
   * Members call each other. Who comes from another address than it announces is asked there: an agent that does not run yet has
   * a host that says so. Behind NAT nobody does. Throws `INVALID_ARGUMENT`.
   */
  async #mustBeReachable({ peerAddress }: WantedHost, remoteAddress: string): Promise<void> {
    const source = sourceOf(remoteAddress).replace(/^::ffff:/, '');
    if (source === parseAddress(peerAddress).host) return;
    if ((await askPort(this.#deps.clock, peerAddress, reachMsMax)) !== 'silent') return;
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `This host says that it is reached at ${peerAddress}, comes from ${source}, and does not answer where it says. Members must ` +
        'reach each other: set advertiseAddress to an address that the others reach, open the port, or take the host out from ' +
        'behind the address translation (NAT).',
      { facts: { peerAddress, source } },
    );
  }

  /** The ticket, if it is this request's to use. */
  #checkedTicket(
    reader: StateReader,
    mesh: shoal.v1.Mesh,
    request: shoal.v1.JoinRequest,
    host: WantedHost,
  ): Row<shoal.v1.Ticket> {
    const ticket = ticketTable.get(reader, request.ticketId);
    // The same words for an unknown ticket and a wrong secret: a guesser learns nothing from the difference.
    if (ticket === undefined || !sameBytes(ticket.record.secretHash, ticketSecretHash(request.secret))) {
      throw ticketInvalid();
    }
    const { usedBy, expiresMs } = ticket.record;
    if (usedBy === host.id && hostTable.get(reader, host.id) !== undefined) return ticket;
    if (usedBy !== '') throw new ShoalError('TICKET_USED', 'The join ticket has been used.');
    // A former authority's key may be in wrong hands: who shows the ticket may have heard its secret there.
    if (!isOfPresentAuthority(ticket.record, mesh)) throw ticketInvalid();
    if (this.#deps.clock.nowMs() >= expiresMs) {
      throw new ShoalError('TICKET_EXPIRED', 'The join ticket has expired.', { facts: { expiresMs } });
    }
    return ticket;
  }

  /** Spends the ticket and writes the host's record. Undefined: somebody was faster, look again. */
  async #record(
    { reader, meshRow, ticket, known, current }: Admission,
    host: WantedHost & { readonly tlsKeySha256: Uint8Array },
    signal: AbortSignal,
  ): Promise<shoal.v1.Host | undefined> {
    const namesake = hostTable.one(reader, 'name', indexKey(host.name));
    if (namesake !== undefined && namesake.record.id !== host.id) {
      throw new ShoalError('CONFLICT', `Another host of this mesh is called ${host.name}.`, {
        facts: { name: host.name, hostId: namesake.record.id },
      });
    }
    const nowMs = this.#deps.clock.nowMs();
    const builder = new TransactionBuilder();
    ticketTable.update(builder, ticket, { ...ticket.record, usedBy: host.id, usedMs: nowMs });
    // Races with a re-keying, which seals the new key to the hosts that there are.
    meshTable.update(builder, meshRow, { ...meshRow.record, joins: meshRow.record.joins + 1 });
    handOver(builder, reader, meshRow.record.meshId, current, host);
    let record: shoal.v1.Host;
    if (known === undefined) {
      const rows = hostTable.list(reader).map((row) => row.record);
      const given = reader.counter(raftIdCounterKey);
      const raftId = Math.max(given, ...rows.map((row) => row.raftId)) + 1;
      // Both bounds at the wanted value: the transaction goes through only if the counter still was what was read.
      builder.add(raftIdCounterKey, raftId - given, { min: raftId, max: raftId });
      record = shoal.v1.Host.create({
        ...host,
        raftId,
        transitIndex: freeTransitIndex(rows),
        joinedMs: nowMs,
      });
      hostTable.insert(builder, record);
    } else {
      // The host joined before and comes with a new ticket: it keeps its numbers, and may have moved.
      record = shoal.v1.Host.create({ ...known.record, ...host });
      hostTable.update(builder, known, record);
    }
    const outcome = await this.#deps.state.commit(builder.build(), { signal });
    assert(
      outcome.refusal === undefined || outcome.refusal === 'counter-bounds',
      () => `the state refused a join as ${outcome.refusal}`,
    );
    return outcome.succeeded && outcome.refusal === undefined ? record : undefined;
  }
}

/** What an admission was decided on. */
interface Admission {
  readonly reader: StateReader;
  readonly meshRow: Row<shoal.v1.Mesh>;
  readonly ticket: Row<shoal.v1.Ticket>;
  readonly known: Row<shoal.v1.Host> | undefined;
  readonly current: NumberedKey;
}

/** Seals the present mesh key to the newcomer, beside the other members' copies. The first key lies in files alone. */
function handOver(
  builder: TransactionBuilder,
  reader: StateReader,
  meshId: string,
  { epoch, key }: NumberedKey,
  host: WantedHost,
): void {
  if (epoch === 0) return;
  const row = meshKeyEpochTable.must(reader, String(epoch));
  const sealed = sealToHost(host.publicKey, meshKeyLabel(meshId, epoch), key.reveal());
  const keys = row.record.keys.filter(({ hostId }) => hostId !== host.id);
  keys.push(new shoal.v1.SealedMeshKey({ hostId: host.id, sealed }));
  meshKeyEpochTable.update(builder, row, { ...row.record, keys });
}

/** Tickets of versions that did not note it were made under the first authority. */
function isOfPresentAuthority(ticket: shoal.v1.Ticket, mesh: shoal.v1.Mesh): boolean {
  if (ticket.authoritySha256.length === 0) return mesh.formerAuthorityCertificates.length === 0;
  return sameBytes(ticket.authoritySha256, certificateFingerprint(mesh.authorityCertificatePem));
}

/** Checks what can be checked without the state. */
function checkedRequest(request: shoal.v1.JoinRequest): WantedHost {
  if (!isTicketId(request.ticketId) || request.secret.length !== ticketSecretBytes) throw ticketInvalid();
  const host = wantedHost(request.host);
  if (!verifySignature(host.publicKey, joinPurpose, joinContent(request), request.proof)) {
    throw new ShoalError('IDENTITY_MISMATCH', 'The joining host has not proved that the host key is its own.');
  }
  return host;
}

/** Throws `CONFLICT` for a host whose agent cannot do what the mesh has been finalised for. */
function mustBeNewEnough(host: WantedHost, reader: StateReader): void {
  const [needed, can] = [levelInForce(reader), levelOfMember(host)];
  if (can >= needed) return;
  throw new ShoalError(
    'CONFLICT',
    `This mesh has been finalised for feature level ${needed}, which release ${host.version} cannot do: join with a newer one.`,
    { facts: { needed, can } },
  );
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function ticketInvalid(): ShoalError {
  return new ShoalError('TICKET_INVALID', 'The join ticket was never issued by this mesh.');
}
