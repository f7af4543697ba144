/**
 * Snapshots for followers that are too far behind. A message of consensus names one; the follower then fetches its content
 * in chunks. A snapshot is a view of the state, which costs nothing until the state changes, so a few are kept while they
 * are of use, and the log is not compacted behind them.
 */

import { buggify, coverageMark } from '../../base/buggify/buggify.ts';
import { crc32c } from '../../base/crc32c.ts';
import { ShoalError } from '../../base/errors.ts';
import type { RaftId } from '../../base/ids.ts';
import type { ConfState } from '../../raft/index.ts';
import { encodeSnapshot, snapshotChunkBytes } from '../../state/snapshot.ts';
import type { StateView } from '../../state/state-machine.ts';
import type { SnapshotPlace } from '../../store/index.ts';
import type { Vouching } from '../replica/comparison.ts';
import type { SnapshotPart, SnapshotRequest } from '../transport/transport.ts';

const buggifyTakeAgain = buggify('snapshot-cache.take-again', 'a new snapshot is taken though one of use is there');
const markSnapshotViewShared = coverageMark('snapshot-view-shared', 'two offers name one snapshot');
const markSnapshotViewPushedOut = coverageMark(
  'snapshot-view-pushed-out',
  'a newer snapshot pushes out one that may be in use',
);
const markSnapshotNeverFetched = coverageMark('snapshot-never-fetched', 'a follower never fetched what it was told of');
const buggifySmallPieces = buggify('snapshot-cache.small-pieces', 'a snapshot travels in pieces of a few rows');
const markSnapshotHeldUntilCompared = coverageMark(
  'snapshot-held-until-compared',
  'the last piece of a snapshot waits until the state was compared with the others',
);

/** Views kept: one being fetched and one newer. */
const viewsMax = 2;
/** A view that nobody has fetched from for so long is dropped. Unit: milliseconds. */
const idleMsMax = 60_000;
/** A follower that does not fetch what it was told of for so long has not got the message. Unit: milliseconds. */
const fetchMsMax = 10_000;
/** Pieces where many are wanted of a small state (node/base/buggify/buggify.ts). Unit: bytes. */
const smallPieceBytes = 2 * 1024;
/** Entries behind which a view is not offered any more: the follower would lag at once. */
const lagMax = 10_000;

interface CachedSnapshot {
  readonly place: SnapshotPlace;
  readonly view: StateView;
  usedMs: number;
}

/** A follower that was told of a snapshot. */
interface Told {
  sinceMs: number;
  /** Fetches under way. */
  fetches: number;
}

interface SnapshotCacheDeps {
  /** The state as it is now. */
  readonly take: () => { readonly place: SnapshotPlace; readonly view: StateView };
  readonly nowMs: () => number;
  /** Tells the core what became of a snapshot that a follower was told of. */
  readonly report: (peer: RaftId, arrived: boolean) => void;
  /** Resolves after other events have had their turn. */
  readonly rest: () => Promise<void>;
  /** Whether the state of this replica at `revision` may be given away (../replica/comparison.ts). */
  readonly vouches: (revision: number) => Vouching;
}

/** The sending side of snapshots: at most two views are kept, each for a minute after its last use. */
export class SnapshotCache {
  readonly #deps: SnapshotCacheDeps;
  #cached: CachedSnapshot[] = [];
  readonly #told = new Map<RaftId, Told>();
  /** Called when `vouches` may answer otherwise. */
  #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(deps: SnapshotCacheDeps) {
    this.#deps = deps;
  }

  /** The least index that some follower may still go on from. Infinity: none. */
  get neededIndex(): number {
    return Math.min(...this.#cached.map((cached) => cached.place.index));
  }

  /** A snapshot to tell a follower of, given what is applied and where the log begins. */
  newest(appliedIndex: number, startIndex: number, confState: ConfState): SnapshotPlace {
    const newest = this.#cached.at(-1);
    if (
      newest !== undefined &&
      !buggifyTakeAgain() &&
      newest.place.index >= startIndex &&
      newest.place.index >= appliedIndex - lagMax &&
      sameMembers(newest.place.confState, confState)
    ) {
      newest.usedMs = this.#deps.nowMs();
      markSnapshotViewShared();
      return newest.place;
    }
    const { place, view } = this.#deps.take();
    this.#cached.push({ place, view, usedMs: this.#deps.nowMs() });
    if (this.#cached.length > viewsMax) {
      markSnapshotViewPushedOut();
      this.#cached.shift();
    }
    return place;
  }

  /** A follower is being told of a snapshot. */
  told(peer: RaftId): void {
    this.#told.set(peer, { sinceMs: this.#deps.nowMs(), fetches: this.#told.get(peer)?.fetches ?? 0 });
  }

  /** The content of a snapshot, for `peer`. Throws `UNAVAILABLE` when none is of use. */
  async *serve(
    peer: RaftId,
    request: SnapshotRequest,
    signal: AbortSignal,
  ): AsyncGenerator<SnapshotPart, void, undefined> {
    const { resume } = request;
    const cached =
      this.#cached.find((one) => one.place.index === resume?.index) ??
      this.#cached.findLast((one) => one.place.index >= request.indexMin);
    if (cached === undefined) {
      throw new ShoalError('UNAVAILABLE', `No snapshot at or after ${request.indexMin} is to be had here.`);
    }
    const skipBytes = cached.place.index === resume?.index ? resume.offsetBytes : 0;
    const told = this.#told.get(peer);
    if (told !== undefined) told.fetches += 1;
    let isWhole = false;
    try {
      yield* this.#parts(cached, skipBytes, signal);
      isWhole = true;
    } finally {
      if (told !== undefined) {
        told.fetches -= 1;
        told.sinceMs = this.#deps.nowMs();
        if (isWhole && this.#told.get(peer) === told) {
          this.#told.delete(peer);
          this.#deps.report(peer, true);
        }
      }
    }
  }

  /** What the replicas were found to hold has become known: a last piece may be waiting for it. */
  judged(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const goOn of waiting) goOn();
  }

  /** Nothing is given away any more: callers that wait hear so. */
  close(): void {
    this.#isClosed = true;
    this.judged();
  }

  /** Drops what is of no use any more, and reports followers that never fetched. Call once a tick. */
  tick(): void {
    // What ends a wait without a judgement (a new leader, a peer that gave up) is looked for here.
    this.judged();
    const nowMs = this.#deps.nowMs();
    this.#cached = this.#cached.filter((cached) => nowMs - cached.usedMs < idleMsMax);
    for (const [peer, told] of this.#told) {
      if (told.fetches > 0 || nowMs - told.sinceMs < fetchMsMax) continue;
      this.#told.delete(peer);
      markSnapshotNeverFetched();
      this.#deps.report(peer, false);
    }
  }

  async *#parts(
    cached: CachedSnapshot,
    skipBytes: number,
    signal: AbortSignal,
  ): AsyncGenerator<SnapshotPart, void, undefined> {
    let offsetBytes = 0;
    // One chunk is held back, so that the last can be marked.
    let held: SnapshotPart | undefined;
    const chunkBytes = buggifySmallPieces() ? smallPieceBytes : snapshotChunkBytes;
    for (const chunk of encodeSnapshot(cached.view, chunkBytes)) {
      if (signal.aborted) throw new ShoalError('CANCELLED', 'The peer gave up.', { cause: signal.reason });
      cached.usedMs = this.#deps.nowMs();
      if (held !== undefined) yield held;
      held = undefined;
      const from = Math.max(0, skipBytes - offsetBytes);
      if (from < chunk.length) {
        const data = from === 0 ? chunk : chunk.subarray(from);
        held = { place: cached.place, offsetBytes: offsetBytes + from, data, crc32c: crc32c(data), isLast: false };
      }
      offsetBytes += chunk.length;
      // Lets other events have their turn between chunks, however fast the peer takes them.
      await this.#deps.rest();
    }
    if (held === undefined) return;
    await this.#untilVouched(cached, signal);
    yield { ...held, isLast: true, digest: cached.view.digest };
  }

  /** Resolves when something was judged, or the peer has given up. */
  async #untilJudged(signal: AbortSignal): Promise<void> {
    let goOn = (): void => {};
    const judged = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    this.#waiting.push(goOn);
    // At once: the tick that would look may belong to a process that has ended.
    signal.addEventListener('abort', goOn, { once: true });
    await judged;
    signal.removeEventListener('abort', goOn);
  }

  /** Throws `UNAVAILABLE` when the state is not to be given away, and `CANCELLED`. */
  async #untilVouched(cached: CachedSnapshot, signal: AbortSignal): Promise<void> {
    for (;;) {
      if (signal.aborted) throw new ShoalError('CANCELLED', 'The peer gave up.', { cause: signal.reason });
      if (this.#isClosed) throw new ShoalError('CANCELLED', 'This agent stops.');
      const vouching = this.#deps.vouches(cached.place.index);
      if (vouching === 'yes') return;
      if (vouching === 'no')
        throw new ShoalError('UNAVAILABLE', 'The replicas were not found to hold the state of this host.');
      markSnapshotHeldUntilCompared();
      cached.usedMs = this.#deps.nowMs();
      await this.#untilJudged(signal);
    }
  }
}

function sameMembers(a: ConfState, b: ConfState): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
