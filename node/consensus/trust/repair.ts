/**
 * How a quarantined log is repaired (trust.ts says when a log is quarantined, and why these steps are enough): the
 * quarantine is written to disk, its term fence is raised out of reach of forgotten votes, and the quarantine is lifted
 * once an entry of a leader elected above the fence is committed here. Each step is durable before the next.
 */

import { coverageMark, failpoint } from '../../base/buggify/buggify.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { nobody, type RawNode } from '../../raft/index.ts';
import type { LogStore, Quarantine } from '../../store/index.ts';

const markOwnLogQuarantined = coverageMark(
  'own-log-quarantined',
  'a member learns from a peer that its log holds less than it promised',
);
const markQuarantineLifted = coverageMark('quarantine-lifted', 'a log is trusted again');
const failpointQuarantineLifted = failpoint('quarantine.lifted', 'a quarantine was lifted a moment ago');

interface RepairDeps {
  readonly store: LogStore;
  readonly logger: Logger;
  /** Lets something run on its own; its failure ends the loop. */
  readonly background: (work: Promise<void>) => void;
  /**
   * Forgets the core, before the quarantine is noted: what it was about to do rests on a log that cannot be believed.
   */
  readonly dropCore: () => void;
  /** A reason was found why this log may not be trusted; it is not noted on disk yet. */
  readonly quarantined: (found: Omit<Quarantine, 'raisedTerm'>) => void;
  /** The term fence is durable: the loop may resume with a new core. */
  readonly fenceRaised: () => void;
  /** This member votes again. */
  readonly lifted: () => void;
}

/** The steps from quarantine to trust. Each returns at once and writes in the background; the loop begins them. */
export class Repair {
  readonly #deps: RepairDeps;
  /** A term fence, or the end of a quarantine, is being written; neither begins before the other has ended. */
  #isWriting = false;

  constructor(deps: RepairDeps) {
    this.#deps = deps;
  }

  /** The log is quarantined. `heardTerm` is the highest term that its finder has told. */
  begin(found: Omit<Quarantine, 'raisedTerm'>, heardTerm: number): void {
    const { store, logger, background, quarantined, dropCore } = this.#deps;
    markOwnLogQuarantined();
    logger.error({ ...found }, 'this log holds less than this member has promised; it does not vote until repaired');
    quarantined(found);
    dropCore();
    background(store.setQuarantine({ ...found, raisedTerm: 0 }).then(() => this.raiseTermFence(heardTerm)));
  }

  /**
   * Raises the term out of reach of forgotten votes. Without effect when the log is not quarantined, or its fence is
   * raised.
   */
  raiseTermFence(heardTerm: number): void {
    const { store, background, fenceRaised } = this.#deps;
    if (this.#isWriting || store.quarantine?.raisedTerm !== 0) return;
    this.#isWriting = true;
    background(
      store.raiseTermFence(heardTerm).then(() => {
        this.#isWriting = false;
        fenceRaised();
      }),
    );
  }

  /**
   * A quarantined node that holds a committed entry of a leader elected above its term fence has everything that was
   * committed.
   */
  liftIfRepaired({ raft }: RawNode): void {
    const { store, logger, background, lifted } = this.#deps;
    const { quarantine } = store;
    if (quarantine === undefined || quarantine.raisedTerm === 0 || raft.leader === nobody) return;
    if (raft.term <= quarantine.raisedTerm || raft.log.term(raft.log.committed) !== raft.term) return;
    if (store.lastIndex() < raft.log.committed || this.#isWriting) return;
    this.#isWriting = true;
    background(
      store.setQuarantine(undefined).then(() => {
        this.#isWriting = false;
        markQuarantineLifted();
        failpointQuarantineLifted();
        logger.info(
          { was: quarantine.reason, index: raft.log.committed },
          'the log is repaired; this member votes again',
        );
        lifted();
      }),
    );
  }
}
