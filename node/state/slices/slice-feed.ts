/**
 * The side of a slice that gives: what a replica tells those who hold slices of its state. It keeps no rows for them and no
 * copies of changes, only the keys of which each has yet to hear; rows are read when they are sent. One that takes too little
 * to keep up has its keys dropped, and is repaired by digests when it takes again.
 */
import { assert } from '../../base/assert.ts';
import type { DigestValue } from '../digest.ts';
import type { KeyValue, StateEvent, StateReader } from '../types.ts';
import { SliceCover } from './slice-cover.ts';
import type { SliceDelta } from './slice-delta.ts';
import { bucketDigests, bucketOf, differingBuckets } from './slice-digests.ts';
import { coveredBy, sliceOf } from './slice-of.ts';
import { namedBy, type SliceTerm } from './slice-terms.ts';

/** What a feed keeps and sends, at most. */
interface FeedBounds {
  /** Keys that one subscriber may have yet to hear of; beyond it is repaired by digests. */
  readonly pendingKeysMax: number;
  /** Keys of recent changes that are remembered for those who resume. */
  readonly recentKeysMax: number;
  /** A piece of a delta takes about so much, and one row. Unit: bytes. */
  readonly pieceBytes: number;
}

/** 65,536 keys of changes take about 6 MB. */
const defaultBounds: FeedBounds = { pendingKeysMax: 4096, recentKeysMax: 65_536, pieceBytes: 64 * 1024 };

/** One subscriber, as the feed knows it. Opaque. */
export class Subscriber {
  readonly terms = new Set<SliceTerm>();
  readonly pending = new Set<string>();
  /** Buckets that the next piece clears. */
  cleared: SliceDelta['cleared'];
  /** The last revision it was told to have. */
  told = 0;
  termsNumber = 0;
  /** What it lacks is not known: it must send its digests. */
  isLost = true;
  /** The pieces of a repair or of new terms are on their way. Their keys are bounded by the slice. */
  isRepaired = false;
  /** The last piece was not the last of its delta. */
  isInPieces = false;
  readonly #pendingMax: number;

  constructor(pendingMax: number) {
    this.#pendingMax = pendingMax;
  }

  /** It must hear of a key. */
  touch(key: string): void {
    if (this.isLost) return;
    this.pending.add(key);
    if (this.pending.size > this.#pendingMax && !this.isRepaired) this.lose();
  }

  lose(): void {
    this.isLost = true;
    this.isRepaired = false;
    this.isInPieces = false;
    this.pending.clear();
    this.cleared = undefined;
  }
}

interface Change {
  readonly revision: number;
  readonly keys: readonly string[];
}

/** See above. The state is asked through `reader`, which is current whenever the feed is called. */
export class SliceFeed {
  readonly #reader: StateReader;
  readonly #bounds: FeedBounds;
  readonly #cover = new SliceCover<Subscriber>();
  readonly #subscribers = new Set<Subscriber>();
  readonly #recent: Change[] = [];
  #recentKeys = 0;
  /** Changes after this revision are in `#recent`. */
  #recentSince: number;

  constructor(reader: StateReader, bounds: Partial<FeedBounds> = {}) {
    this.#reader = reader;
    this.#bounds = { ...defaultBounds, ...bounds };
    this.#recentSince = reader.revision;
  }

  get subscriberCount(): number {
    return this.#subscribers.size;
  }

  get termCount(): number {
    return this.#cover.termCount;
  }

  /**
   * Somebody subscribes who has a slice whole in `held` at `revision` (0: it has nothing) and asks for more. It is told what
   * has changed since, where that is known; otherwise it must send digests (`isLost`).
   * @param termsNumber the subscriber's last change of terms.
   * @param knownSince what has changed after this revision is known here; a state that came as a snapshot has no history.
   */
  subscribe(
    held: Iterable<SliceTerm>,
    asked: Iterable<SliceTerm>,
    revision: number,
    termsNumber: number,
    knownSince = 0,
  ): Subscriber {
    const subscriber = new Subscriber(this.#bounds.pendingKeysMax);
    this.#subscribers.add(subscriber);
    for (const term of held) this.#add(subscriber, term);
    const since = Math.max(this.#recentSince, knownSince);
    if (revision === 0) {
      // It has nothing, and is sent all that it asks for.
      subscriber.isLost = false;
    } else if (revision >= since && revision <= this.#reader.revision) {
      subscriber.isLost = false;
      subscriber.told = revision;
      for (const change of this.#recent) {
        if (change.revision <= revision) continue;
        for (const key of change.keys) this.#catchUp(subscriber, key);
      }
    }
    this.change(subscriber, asked, [], termsNumber);
    return subscriber;
  }

  /** It has gone. */
  unsubscribe(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    for (const term of subscriber.terms) this.#cover.remove(subscriber, term, this.#reader);
  }

  /** It follows other terms from now on; `number` comes back with the delta that has what they cover. */
  change(subscriber: Subscriber, add: Iterable<SliceTerm>, remove: Iterable<SliceTerm>, number: number): void {
    for (const term of remove) {
      if (!subscriber.terms.delete(term)) continue;
      this.#cover.remove(subscriber, term, this.#reader);
      // Pieces that it keeps apart may hold rows of that term, of whose changes it would not hear.
      if (subscriber.isInPieces) subscriber.lose();
    }
    for (const term of add) {
      if (subscriber.terms.has(term)) continue;
      this.#add(subscriber, term);
      if (subscriber.isLost) continue;
      // However many: they are of its slice, and each is sent once.
      subscriber.isRepaired = true;
      for (const { key, value } of coveredBy(this.#reader, term)) {
        subscriber.touch(key);
        const named = namedBy(term, key, value);
        if (named !== undefined) subscriber.touch(named);
      }
    }
    subscriber.termsNumber = number;
  }

  /**
   * What has changed since the last call, in all; the reader has it already, and is at `revision`. Returns those who must hear of
   * it: the others cost nothing.
   */
  applied(revision: number, events: readonly StateEvent[]): ReadonlySet<Subscriber> {
    const concerned = new Set<Subscriber>();
    const touch = (subscriber: Subscriber, key: string): void => {
      subscriber.touch(key);
      concerned.add(subscriber);
    };
    for (const { key, value } of events) this.#cover.changed(key, value, touch);
    if (events.length > 0) this.#remember({ revision, keys: events.map(({ key }) => key) });
    return concerned;
  }

  /** A lost subscriber has sent the digests of its slice: what differs is told by the pieces that follow. */
  repair(subscriber: Subscriber, digests: readonly DigestValue[]): void {
    const buckets = digests.length;
    const rows = sliceOf(this.#reader, subscriber.terms);
    const numbers = differingBuckets(bucketDigests(rows.values(), buckets), digests);
    subscriber.isLost = false;
    subscriber.isRepaired = true;
    subscriber.pending.clear();
    subscriber.cleared = { buckets, numbers };
    // However many: they are of a slice, and each is sent once.
    for (const key of rows.keys()) if (numbers.has(bucketOf(key, buckets))) subscriber.pending.add(key);
  }

  /**
   * The next piece for a subscriber; undefined: it has all there is at the reader's revision, or is lost.
   * @param isProgressDue a piece without rows is wanted where only the revision has advanced.
   */
  next(subscriber: Subscriber, isProgressDue: boolean): SliceDelta | undefined {
    const { revision } = this.#reader;
    if (subscriber.isLost || !this.#subscribers.has(subscriber)) return undefined;
    const { cleared, pending } = subscriber;
    if (pending.size === 0 && cleared === undefined && !(isProgressDue && revision >= subscriber.told))
      return undefined;
    const puts: KeyValue[] = [];
    const deletes: string[] = [];
    let bytes = 0;
    for (const key of pending) {
      if (bytes >= this.#bounds.pieceBytes) break;
      pending.delete(key);
      // Of a term that was given up meanwhile.
      if (!this.#cover.covers(subscriber, key) && this.#reader.get(key) !== undefined) continue;
      const row = this.#reader.get(key);
      if (row === undefined) deletes.push(key);
      else puts.push(row);
      bytes += key.length + (row?.value.length ?? 0) + 16;
    }
    subscriber.cleared = undefined;
    const isWhole = pending.size === 0;
    subscriber.isInPieces = !isWhole;
    if (isWhole) {
      subscriber.told = revision;
      subscriber.isRepaired = false;
    }
    const { termsNumber } = subscriber;
    return { revision, puts, deletes, isWhole, termsNumber, ...(cleared === undefined ? {} : { cleared }) };
  }

  #add(subscriber: Subscriber, term: SliceTerm): void {
    subscriber.terms.add(term);
    this.#cover.add(subscriber, term, this.#reader);
  }

  /** Of a key that has changed before somebody subscribed. What it named then, the subscriber itself sees. */
  #catchUp(subscriber: Subscriber, key: string): void {
    if (!this.#cover.covers(subscriber, key)) return;
    subscriber.touch(key);
    const row = this.#reader.get(key);
    const named = row === undefined ? undefined : namedBy(subscriber.terms.has(key) ? key : '/', key, row.value);
    if (named !== undefined) subscriber.touch(named);
  }

  #remember(change: Change): void {
    assert((this.#recent.at(-1)?.revision ?? 0) < change.revision, 'revisions only grow');
    this.#recent.push(change);
    this.#recentKeys += change.keys.length;
    // Half of it at once: to move the array for each change would cost more.
    const { recentKeysMax } = this.#bounds;
    if (this.#recentKeys <= recentKeysMax) return;
    let dropped = 0;
    for (const oldest of this.#recent) {
      if (this.#recentKeys <= recentKeysMax / 2) break;
      dropped += 1;
      this.#recentKeys -= oldest.keys.length;
      this.#recentSince = oldest.revision;
    }
    this.#recent.splice(0, dropped);
  }
}
