/** The transport of a member that is alone: there is nobody to send to. */
import { ShoalError } from '../../../../node/base/errors.ts';
import type { Presence, RaftTransport, SnapshotPart } from '../../../../node/consensus/transport/transport.ts';
import type { TransactionOutcome } from '../../../../node/state/types.ts';

/** See above. */
export class NoTransport implements RaftTransport {
  attach(): void {}

  send(): void {}

  async presence(): Promise<Presence> {
    return 'closed';
  }

  async forwardPropose(): Promise<TransactionOutcome> {
    throw nobody();
  }

  async forwardReadIndex(): Promise<number> {
    throw nobody();
  }

  // biome-ignore lint/correctness/useYield: it only refuses.
  async *fetchSnapshot(): AsyncGenerator<SnapshotPart, void, undefined> {
    throw nobody();
  }
}

function nobody(): ShoalError {
  return new ShoalError('UNAVAILABLE', 'There is no other member.');
}
