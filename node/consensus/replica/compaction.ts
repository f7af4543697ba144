/** Keeps the log small: drops what is applied and what nobody needs any more, one compaction at a time. */

import { maybe, reached } from '../../base/buggify/buggify.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import type { LogStore } from '../../store/index.ts';
import type { RaftLoopOptions } from './options.ts';

/** Given the sizes of `RaftLoopOptions` (`logBytesMax`, `logBytesKept`, `logBytesHard`); asked once a tick. */
export class Compaction {
  readonly #options: RaftLoopOptions;
  readonly #store: LogStore;
  readonly #logger: Logger;
  readonly #neededIndex: () => number;
  #isUnderWay = false;

  /** @param neededIndex the last entry that no live follower and no snapshot on its way needs; Infinity: all may go. */
  constructor(options: RaftLoopOptions, store: LogStore, logger: Logger, neededIndex: () => number) {
    this.#options = options;
    this.#store = store;
    this.#logger = logger;
    this.#neededIndex = neededIndex;
  }

  /** Begins when the log is large and something of it may go. Returns when it has ended; undefined: nothing was begun. */
  beginIfLarge(): Promise<void> | undefined {
    const { logBytesMax, logBytesKept, logBytesHard } = this.#options;
    const { logBytes } = this.#store;
    if (this.#isUnderWay) return undefined;
    const isEager = maybe('raft-loop.compact-now');
    if (logBytes <= logBytesMax && !isEager) return undefined;
    let index = this.#store.compactionIndex(isEager ? 0 : logBytesKept);
    if (logBytes <= logBytesHard) index = Math.min(index, this.#neededIndex());
    if (index < this.#store.firstIndex()) {
      reached('compaction-held-back');
      return undefined;
    }
    reached('log-compacted');
    this.#isUnderWay = true;
    this.#logger.info({ index, logBytes }, 'compacting the log');
    return this.#store.compact(index).finally(() => {
      this.#isUnderWay = false;
    });
  }
}
