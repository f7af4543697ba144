/** Keeps the log small: drops what is applied and what nobody needs any more, one compaction at a time. */

import { buggify, coverageMark } from '../../base/buggify/buggify.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import type { LogStore } from '../../store/index.ts';
import type { RaftLoopOptions } from './options.ts';

const buggifyCompactNow = buggify('raft-loop.compact-now', 'the log is compacted though it is small');
const markCompactionHeldBack = coverageMark('compaction-held-back', 'a log is not compacted, for somebody needs it');
const markLogCompacted = coverageMark('log-compacted', 'a log was compacted');

interface CompactionDeps {
  readonly logger: Logger;
  /** The last entry that no live follower and no snapshot on its way needs; Infinity: all may go. */
  readonly neededIndex: () => number;
  /** Is told up to which entry the log is about to be dropped. */
  readonly compacting: (index: number) => void;
}

/** Given the sizes of `RaftLoopOptions` (`logBytesMax`, `logBytesKept`, `logBytesHard`); asked once a tick. */
export class Compaction {
  readonly #options: RaftLoopOptions;
  readonly #store: LogStore;
  readonly #deps: CompactionDeps;
  #isUnderWay = false;

  constructor(options: RaftLoopOptions, store: LogStore, deps: CompactionDeps) {
    this.#options = options;
    this.#store = store;
    this.#deps = deps;
  }

  /** Begins when the log is large and something of it may go. Returns when it has ended; undefined: nothing was begun. */
  beginIfLarge(): Promise<void> | undefined {
    const { logBytesMax, logBytesKept, logBytesHard } = this.#options;
    const { logBytes } = this.#store;
    if (this.#isUnderWay) return undefined;
    const isEager = buggifyCompactNow();
    if (logBytes <= logBytesMax && !isEager) return undefined;
    let index = this.#store.compactionIndex(isEager ? 0 : logBytesKept);
    if (logBytes <= logBytesHard) index = Math.min(index, this.#deps.neededIndex());
    if (index < this.#store.firstIndex()) {
      markCompactionHeldBack();
      return undefined;
    }
    markLogCompacted();
    this.#isUnderWay = true;
    this.#deps.logger.info({ index, logBytes }, 'compacting the log');
    this.#deps.compacting(index);
    return this.#store.compact(index).finally(() => {
      this.#isUnderWay = false;
    });
  }
}
