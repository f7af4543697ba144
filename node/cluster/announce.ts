/**
 * A host whose addresses have changed. Its record says where others reach it, but to write the record it needs a quorum, and
 * members that know only the old addresses never reach it to give it one. So it tells the others itself: its certificate
 * proves that the addresses are its own; they use them at once, and a member that has a quorum writes the record.
 */
import { shoal } from '../../proto/messages.ts';
import { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import { type WantedHost, wantedHost } from '../mesh/join/wanted-host.ts';
import { instanceHeader } from '../mesh/peers/instance.ts';
import type { PeerClients } from '../mesh/peers/peer-client.ts';
import type { PeerCall } from '../mesh/peers/peer-server.ts';
import type { ServiceDependencies } from '../services/kit/dependencies.ts';
import { transact } from '../services/kit/transact.ts';
import { hostTable } from '../state/tables/index.ts';
import type { HostDirectory } from './host-directory.ts';
import type { Moves } from './moves.ts';

/** Time for one member to answer: a commit, while there may be an election, milliseconds. */
const answerMsMax = 3_000;
/** Members told at the same time. */
const atOnceMax = 16;

/**
 * Answers `Announce`. `learned` is called when a host is reached elsewhere than was known. `moves` refuses those that are copies
 * of a host that is where it was; absent: nobody is refused.
 */
export function announceHandler(
  services: ServiceDependencies,
  directory: HostDirectory,
  learned: () => void,
  moves?: Pick<Moves, 'mustHaveMoved'>,
): (request: shoal.v1.AnnounceRequest, call: PeerCall) => Promise<shoal.v1.IAnnounceResponse> {
  return async ({ host }, call) => {
    const wanted = wantedHost(host);
    if (wanted.id !== call.caller) {
      throw new ShoalError('IDENTITY_MISMATCH', 'A host announces its own addresses only.', {
        facts: { caller: call.caller, announced: wanted.id },
      });
    }
    await moves?.mustHaveMoved(call.caller, wanted.peerAddress, call.header(instanceHeader));
    if (directory.learn(wanted.id, { peerAddress: wanted.peerAddress, gossipAddress: wanted.gossipAddress })) {
      services.logger.info(
        { hostId: wanted.id, peerAddress: wanted.peerAddress, vtepIp: wanted.vtepIp },
        'a host is reached under another address',
      );
      learned();
    }
    if (!services.state.status().hasQuorum) return { recorded: false };
    await recordHost(services, wanted, call.signal);
    return { recorded: true };
  };
}

/** Tells every other member where this host is reached. Returns how many heard it, and whether one has recorded it. */
export async function announce(
  peers: PeerClients,
  members: readonly HostId[],
  host: shoal.v1.IHost,
  signal: AbortSignal,
): Promise<{ readonly heard: number; readonly recorded: boolean }> {
  let heard = 0;
  let recorded = false;
  for (let at = 0; at < members.length; at += atOnceMax) {
    const answers = await Promise.allSettled(
      members
        .slice(at, at + atOnceMax)
        .map((member) =>
          peers.to(member).call((calls) => calls.announce({ host }, { timeoutMs: answerMsMax, signal })),
        ),
    );
    for (const answer of answers) {
      if (answer.status !== 'fulfilled') continue;
      heard += 1;
      recorded ||= answer.value.recorded;
    }
  }
  return { heard, recorded };
}

/** Writes what a host says of itself into its record. */
async function recordHost(services: ServiceDependencies, wanted: WantedHost, signal: AbortSignal): Promise<void> {
  await transact(services, { signal }, ({ reader, change }) => {
    const row = hostTable.must(reader, wanted.id);
    const next = new shoal.v1.Host({ ...row.record, ...wanted });
    if (JSON.stringify(next) !== JSON.stringify(row.record)) hostTable.update(change, row, next);
  });
}
