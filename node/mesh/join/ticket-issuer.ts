import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import { TransactionBuilder } from '../../state/table.ts';
import { hostTable, meshTable, ticketTable } from '../../state/tables/index.ts';
import type { StateClient } from '../../state/types.ts';
import { certificateFingerprint } from '../identity/authority.ts';
import { JoinTicket, ticketAddressesMax, ticketSecretBytes, ticketSecretHash } from './tickets.ts';

/** Shortest and longest life of a ticket, ms: one minute, seven days. */
const ticketLifeMsMin = 60_000;
const ticketLifeMsMax = 7 * 24 * 3_600_000;

/**
 * Makes a ticket for one new host. It names this agent first, then those that hold the whole state, then others.
 * Throws `INVALID_ARGUMENT` for a life out of range, and what the state throws; after `OUTCOME_UNKNOWN` make another one:
 * what may have been written is the hash of a secret that nobody knows.
 */
export async function issueTicket(
  deps: { readonly state: StateClient; readonly clock: Clock },
  options: { readonly lifeMs: number; readonly ownPeerAddress: string; readonly signal?: AbortSignal },
): Promise<{ readonly ticket: JoinTicket; readonly expiresMs: number }> {
  const { lifeMs, ownPeerAddress, signal } = options;
  if (!(lifeMs >= ticketLifeMsMin && lifeMs <= ticketLifeMsMax)) {
    throw new ShoalError('INVALID_ARGUMENT', 'A ticket lives from 60 seconds to 7 days.', { facts: { lifeMs } });
  }
  const reader = await deps.state.fresh(signal);
  const { record: mesh } = meshTable.must(reader, 'mesh');
  const { voters, learners } = deps.state.status();
  const replicas = new Set([...voters, ...learners]);
  const others = hostTable
    .list(reader)
    .map(({ record }) => record)
    .filter(({ peerAddress }) => peerAddress !== '' && peerAddress !== ownPeerAddress)
    // Only a host with a replica of the state can admit another.
    .sort((a, b) => Number(replicas.has(b.raftId)) - Number(replicas.has(a.raftId)))
    .map(({ peerAddress }) => peerAddress);
  const nowMs = deps.clock.nowMs();
  const fingerprint = certificateFingerprint(mesh.authorityCertificatePem);
  const ticket = new JoinTicket({
    meshId: mesh.meshId,
    fingerprint,
    addresses: [ownPeerAddress, ...others].slice(0, ticketAddressesMax),
    ticketId: randomUUID(),
    secret: randomBytes(ticketSecretBytes),
  });
  const expiresMs = nowMs + lifeMs;
  const builder = new TransactionBuilder();
  ticketTable.insert(builder, {
    id: ticket.ticketId,
    secretHash: ticketSecretHash(ticket.secret.reveal()),
    createdMs: nowMs,
    expiresMs,
    usedBy: '',
    usedMs: 0,
    authoritySha256: fingerprint,
  });
  const outcome = await deps.state.commit(builder.build(), signal === undefined ? {} : { signal });
  if (!outcome.succeeded) throw new ShoalError('CONFLICT', 'A ticket with a freshly drawn id exists already.');
  return { ticket, expiresMs };
}
