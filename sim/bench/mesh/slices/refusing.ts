/** A peer that does nothing but feed slices. */
import { ShoalError } from '../../../../node/base/errors.ts';
import type { JoinHandlers, PeerHandlers } from '../../../../node/mesh/peers/peer-server.ts';

async function refuse(): Promise<never> {
  throw new ShoalError('NOT_IMPLEMENTED', 'The bench has no such part.');
}

// biome-ignore lint/correctness/useYield: it only refuses.
async function* refuseStream(): AsyncGenerator<never> {
  await refuse();
}

/** Refuses every call. */
export const refusingHandlers: PeerHandlers = {
  raft: refuse,
  forward: refuseStream,
  propose: refuse,
  readIndex: refuse,
  fetchSnapshot: refuseStream,
  claim: refuse,
  claimBatch: refuse,
  releaseClaim: refuse,
  fetchBlob: refuseStream,
  pullView: refuse,
  consoleLog: refuse,
  askGuest: refuse,
  console: refuseStream,
  probe: refuse,
  watchState: refuseStream,
  followSlice: refuseStream,
  relay: refuseStream,
  relayJoin: refuse,
  announce: refuse,
};

/** Lets nobody join. */
export const refusingJoin: JoinHandlers = { admit: () => {}, join: refuse, renew: refuse };
