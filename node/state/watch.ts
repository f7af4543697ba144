/**
 * Who hears what. Events go to watchers in the order of revisions, none left out; a watcher that was away resumes from the
 * revision it has seen, as long as the history reaches back that far.
 */
import { ShoalError } from '../base/errors.ts';
import type { StateEvent } from './types.ts';

/** Events kept for watchers that resume: minutes of a busy cell. */
export const historyEventsMax = 100_000;
/** Bytes of values kept for the same, so that few large values cannot fill the memory. */
export const historyBytesMax = 64 * 1024 * 1024;

interface WatchOptions {
  /** Empty: everything. */
  readonly prefix: string;
  /** Events after this revision; default: the hub's revision. May lie ahead: the watcher then hears from there on. */
  readonly afterRevision?: number;
}

type WatchListener = (events: readonly StateEvent[]) => void;

interface Watcher {
  readonly prefix: string;
  readonly afterRevision: number;
  readonly listener: WatchListener;
}

/** What one revision changed. */
interface Batch {
  readonly revision: number;
  readonly events: readonly StateEvent[];
  readonly bytes: number;
}

/** Delivers in the same turn as `publish` and `watch` are called: a listener must be quick. */
export class WatchHub {
  readonly #onListenerError: (error: unknown) => void;
  readonly #watchers = new Set<Watcher>();
  /** In the order of revisions. Entries below `#historyStart` have been forgotten. */
  #history: Batch[] = [];
  #historyStart = 0;
  #historyEvents = 0;
  #historyBytes = 0;
  /** Events up to this revision may have been forgotten. */
  #floorRevision: number;
  #revision: number;

  /**
   * @param revision the state's revision now: what came before cannot be watched.
   * @param onListenerError hears what a listener threw; the other listeners are called all the same.
   */
  constructor(revision: number, onListenerError: (error: unknown) => void) {
    this.#revision = revision;
    this.#floorRevision = revision;
    this.#onListenerError = onListenerError;
  }

  /** The last revision published. */
  get revision(): number {
    return this.#revision;
  }

  /** Changes after this revision are known, each with all its keys. */
  get knownSince(): number {
    return this.#floorRevision;
  }

  /** Number of open watches. */
  get watcherCount(): number {
    return this.#watchers.size;
  }

  /**
   * Opens a watch. What lies between `afterRevision` and now is delivered before this returns.
   * Throws `STALE` when that is no longer known: read again, then watch from what was read.
   */
  watch(options: WatchOptions, listener: WatchListener): { close(): void } {
    const afterRevision = options.afterRevision ?? this.#revision;
    if (afterRevision < this.#floorRevision) {
      throw new ShoalError('STALE', `Changes after revision ${afterRevision} are no longer known here.`, {
        facts: { afterRevision, oldestRevision: this.#floorRevision },
      });
    }
    const watcher: Watcher = { prefix: options.prefix, afterRevision, listener };
    for (let at = this.#firstAfter(afterRevision); at < this.#history.length; at += 1) {
      this.#deliver(watcher, this.#history[at]?.events ?? []);
    }
    this.#watchers.add(watcher);
    return { close: () => void this.#watchers.delete(watcher) };
  }

  /** Tells the watchers what one revision changed. Revisions only grow. */
  publish(revision: number, events: readonly StateEvent[]): void {
    this.#revision = revision;
    if (events.length === 0) return;
    let bytes = 0;
    for (const event of events) bytes += event.key.length + (event.value?.length ?? 0);
    this.#history.push({ revision, events, bytes });
    this.#historyEvents += events.length;
    this.#historyBytes += bytes;
    this.#trim();
    if (this.#watchers.size === 0) return;
    for (const watcher of [...this.#watchers]) {
      if (this.#watchers.has(watcher)) this.#deliver(watcher, events);
    }
  }

  /** Tells the watchers what a snapshot changed. History before it is forgotten, as it has gaps. */
  publishSnapshot(revision: number, events: readonly StateEvent[]): void {
    this.#revision = revision;
    this.#floorRevision = revision;
    this.#history = [];
    this.#historyStart = 0;
    this.#historyEvents = 0;
    this.#historyBytes = 0;
    for (const watcher of [...this.#watchers]) {
      if (this.#watchers.has(watcher)) this.#deliver(watcher, events);
    }
  }

  #deliver(watcher: Watcher, events: readonly StateEvent[]): void {
    const wanted = events.filter(
      (event) => event.revision > watcher.afterRevision && event.key.startsWith(watcher.prefix),
    );
    if (wanted.length === 0) return;
    try {
      watcher.listener(wanted);
    } catch (error) {
      this.#onListenerError(error);
    }
  }

  #trim(): void {
    while (this.#historyEvents > historyEventsMax || this.#historyBytes > historyBytesMax) {
      const oldest = this.#history[this.#historyStart];
      if (oldest === undefined) break;
      this.#historyStart += 1;
      this.#historyEvents -= oldest.events.length;
      this.#historyBytes -= oldest.bytes;
      this.#floorRevision = oldest.revision;
    }
    // Moving the array once in a while is cheaper than shifting it each time.
    if (this.#historyStart > 1024 && this.#historyStart * 2 > this.#history.length) {
      this.#history = this.#history.slice(this.#historyStart);
      this.#historyStart = 0;
    }
  }

  /** Position in the history of the first batch after `revision`. */
  #firstAfter(revision: number): number {
    let low = this.#historyStart;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#history[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
