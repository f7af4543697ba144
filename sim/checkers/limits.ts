/** Bounds that every running process keeps, and what a quarantined member may not say. */
import type { PeerMessage } from '../../node/consensus/transport/transport.ts';
import type { Report } from './invariants.ts';

/** Timers of one process, at most: loops, requests and their limits. */
export const timersMax = 5_000;
/** Batches on their way to a log's disk: the store keeps one in flight and gathers the next. */
const batchesMax = 1;

/** What waits in one process. */
interface QueuesPicture {
  readonly name: string;
  readonly timers: number;
  /** Batches given to the log's disk and not answered. */
  readonly batches: number;
}

export function checkQueues({ name, timers, batches }: QueuesPicture, report: Report): void {
  if (batches > batchesMax)
    report('bounded-queues', `${name} has ${batches} batches in flight; ${batchesMax} at a time is promised`);
  if (timers > timersMax) report('bounded-queues', `${name} has ${timers} timers`);
}

/** A member gives up its state, as another than the majority's. @param isDamaged something has damaged it. */
export function checkGivenUp(node: number, isDamaged: boolean, report: Report): void {
  if (!isDamaged) report('given-up-only-if-wrong', `member ${node} gives up a state that nothing has damaged`);
}

/** A member whose log is quarantined sends `message`. */
export function checkQuarantined(
  message: Pick<PeerMessage, 'type' | 'from' | 'term'> & { readonly reject?: boolean },
  report: Report,
): void {
  const { type, from, term, reject } = message;
  const told = `member ${from}, quarantined, sends ${type} in term ${term}`;
  const isYes = (type === 'MsgVoteResp' || type === 'MsgPreVoteResp') && reject !== true;
  if (isYes || type === 'MsgVote' || type === 'MsgPreVote') report('quarantined-log-does-not-vote', told);
}
