/**
 * What becomes of a log in doubt (trust.ts says when it is, and why this is enough): the doubt is noted on disk, the term
 * leaps out of reach of forgotten votes, and once an entry of a leader elected after the leap is held as committed, the
 * doubt is lifted. Each step is durable before the next.
 */

import { failpoint, reached } from '../../base/buggify/buggify.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { nobody, type RawNode } from '../../raft/index.ts';
import type { Doubt, LogStore } from '../../store/index.ts';

interface RepairDeps {
  readonly store: LogStore;
  readonly logger: Logger;
  /** Lets something run on its own; its failure ends the loop. */
  readonly background: (work: Promise<void>) => void;
  /** Forgets the core, before the doubt is noted: what it was about to do rests on a log that cannot be believed. */
  readonly dropCore: () => void;
  /** The leap is durable: the loop may go on with a new core. */
  readonly leapt: () => void;
  /** This member votes again. */
  readonly lifted: () => void;
}

/** The steps from doubt to trust. Each returns at once and writes in the background; the loop begins them. */
export class Repair {
  readonly #deps: RepairDeps;
  /** A leap, or the end of a doubt, is on its way to disk; neither begins before the other has ended. */
  #isWriting = false;

  constructor(deps: RepairDeps) {
    this.#deps = deps;
  }

  /** There is a reason to doubt the log. `heardTerm` is the highest term that its finder has told. */
  begin(found: Omit<Doubt, 'raisedTerm'>, heardTerm: number): void {
    const { store, logger, background, dropCore } = this.#deps;
    reached('own-log-doubted');
    logger.error({ ...found }, 'this log holds less than this member has promised; it does not vote until repaired');
    dropCore();
    background(store.setDoubt({ ...found, raisedTerm: 0 }).then(() => this.leap(heardTerm)));
  }

  /** Leaps out of reach of forgotten votes. Without effect when the log is not in doubt, or has leapt since it is. */
  leap(heardTerm: number): void {
    const { store, background, leapt } = this.#deps;
    if (this.#isWriting || store.doubt?.raisedTerm !== 0) return;
    this.#isWriting = true;
    background(
      store.raiseTerm(heardTerm).then(() => {
        this.#isWriting = false;
        leapt();
      }),
    );
  }

  /** A doubtful node that holds a committed entry of a leader elected after its leap has everything that was committed. */
  liftIfRepaired({ raft }: RawNode): void {
    const { store, logger, background, lifted } = this.#deps;
    const { doubt } = store;
    if (doubt === undefined || doubt.raisedTerm === 0 || raft.leader === nobody) return;
    if (raft.term <= doubt.raisedTerm || raft.log.term(raft.log.committed) !== raft.term) return;
    if (store.lastIndex() < raft.log.committed || this.#isWriting) return;
    this.#isWriting = true;
    background(
      store.setDoubt(undefined).then(() => {
        this.#isWriting = false;
        reached('doubt-lifted');
        failpoint('doubt.lifted');
        logger.info({ was: doubt.reason, index: raft.log.committed }, 'the log is repaired; this member votes again');
        lifted();
      }),
    );
  }
}
