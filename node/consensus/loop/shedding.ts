/**
 * Letting go of log and state, on a host that is no member any more and reads a slice: what it held is with the members. A
 * leader that makes it a member again finds one that has never had anything, and sends it a snapshot.
 *
 * Two things are kept, in the batch that lets go: term and vote, and where the log ended (`Head.shed`). A candidate that has
 * not heard of the change of members may still ask this host for its vote, and an empty log would give it to anybody: so it
 * does not vote until its log has come as far as before. And what the others remember of its log is not held against it: it
 * was not lost.
 */
import { coverageMark, failpoint } from '../../base/buggify/buggify.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { emptyDigest } from '../../state/digest.ts';
import type { WatchHub } from '../../state/watch.ts';
import type { LogStore } from '../../store/index.ts';
import type { RaftObserver } from '../replica/observer.ts';
import type { Replica } from '../replica/replica.ts';

const failpointBegun = failpoint('shed.begun', 'a host is about to shed its log and state');
const failpointOnDisk = failpoint('shed.on-disk', 'log and state are shed on disk, not in memory');
const markStateShed = coverageMark('state-shed', 'a host that is no member any more has shed log and state');

interface SheddingDeps {
  readonly store: LogStore;
  readonly replica: Replica;
  readonly hub: WatchHub;
  readonly logger: Logger;
  readonly observer: RaftObserver | undefined;
  /** Whether this node may do it now. */
  readonly mayBegin: () => boolean;
  /** Forgets the core: from here on nothing that a leader sends is taken. */
  readonly dropCore: () => void;
  /** Disk and memory are empty: there may be a core again. */
  readonly ended: () => void;
}

/** One at a time, and all of it or nothing: a kill leaves what was there, or an empty log. */
export class Shedding {
  readonly #deps: SheddingDeps;
  #isUnderWay = false;

  constructor(deps: SheddingDeps) {
    this.#deps = deps;
  }

  /** The log is being emptied: nothing else is written to it. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** Whether there is nothing to let go of. */
  get isDone(): boolean {
    const { store, replica } = this.#deps;
    return replica.appliedIndex === 0 && store.lastIndex() === 0;
  }

  /** Resolves false when this is not the moment, true once it is done. Throws `STORE_FAILED`. */
  async run(): Promise<boolean> {
    const { store, replica, hub, logger, observer, mayBegin, dropCore, ended } = this.#deps;
    if (this.#isUnderWay || !mayBegin()) return false;
    this.#isUnderWay = true;
    const { appliedIndex } = replica;
    observer?.shedding?.();
    dropCore();
    failpointBegun();
    await store.shedAll(emptyDigest);
    failpointOnDisk();
    replica.empty();
    hub.publishSnapshot(0, []);
    this.#isUnderWay = false;
    markStateShed();
    observer?.shedding?.();
    logger.info({ appliedIndex }, 'this host has shed the state that it held as a member');
    ended();
    return true;
  }
}
