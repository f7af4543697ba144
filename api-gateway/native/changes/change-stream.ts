/** One client's stream of changes: bounded, and ended with the right to it. */
import type { Clock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { Change, ChangeFeed } from './change-feed.ts';

/** Revisions that wait for a slow reader; past it the stream ends, and the reader goes on from where it was. */
const queuedMax = 1_000;
/** Longest that a stream goes without asking again whether its reader may see it, milliseconds. */
const recheckMs = 1_000;
/** A line goes out this often at least, milliseconds: proxies cut silent connections after a minute. */
const aliveMs = 15_000;

/** What a stream says, in turn. */
export type StreamItem =
  /** First: where it begins. `isReset`: what came before is not known any more, so everything is to be read again. */
  | { readonly kind: 'begin'; readonly revision: number; readonly isReset: boolean }
  | { readonly kind: 'changes'; readonly revision: number; readonly changes: readonly Change[] }
  | { readonly kind: 'alive' };

/** What of the changes is told, and how long. */
interface StreamOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** After which revision; undefined: from now on. */
  readonly afterRevision: number | undefined;
  sees(change: Change): boolean;
  /** Throws when the right to it has ended. */
  recheck(): Promise<void>;
}

/**
 * Ends by throwing: the signal's reason, `STALE` when the reader is too slow, and what `recheck` throws, which is asked before each
 * item and every second in between.
 */
export async function* changeStream(feed: ChangeFeed, options: StreamOptions): AsyncGenerator<StreamItem> {
  const { clock, signal } = options;
  signal.throwIfAborted();
  const queue: StreamItem[] = [];
  let wake = (): void => {};
  let isDue = false;
  let hasOverflowed = false;
  const take = (revision: number, changes: readonly Change[]): void => {
    const seen = changes.filter((change) => options.sees(change));
    if (seen.length === 0 || hasOverflowed) return;
    if (queue.length >= queuedMax) hasOverflowed = true;
    else queue.push({ kind: 'changes', revision, changes: seen });
    wake();
  };
  const { revision } = feed;
  const { listening, isReset } = listen(feed, options.afterRevision, take);
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort, { once: true });
  let sinceAliveMs = 0;
  const timer = clock.setInterval(() => {
    isDue = true;
    sinceAliveMs += recheckMs;
    wake();
  }, recheckMs);
  try {
    yield { kind: 'begin', revision: isReset ? revision : (options.afterRevision ?? revision), isReset };
    for (;;) {
      signal.throwIfAborted();
      if (isDue || queue.length > 0) await options.recheck();
      isDue = false;
      const next = queue.shift();
      if (next !== undefined) {
        sinceAliveMs = 0;
        yield next;
      } else if (hasOverflowed) {
        throw new ShoalError('STALE', 'The reader fell behind; it goes on from the last id that it has seen.');
      } else if (sinceAliveMs >= aliveMs) {
        sinceAliveMs = 0;
        yield { kind: 'alive' };
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    listening.close();
    timer.cancel();
    signal.removeEventListener('abort', onAbort);
  }
}

/** Where the history does not reach back that far, the stream begins now and says so. */
function listen(
  feed: ChangeFeed,
  afterRevision: number | undefined,
  take: (revision: number, changes: readonly Change[]) => void,
): { readonly listening: { close(): void }; readonly isReset: boolean } {
  try {
    return { listening: feed.listen(afterRevision, take), isReset: false };
  } catch (caught) {
    if (!ShoalError.is(caught, 'STALE')) throw caught;
    return { listening: feed.listen(undefined, take), isReset: true };
  }
}
