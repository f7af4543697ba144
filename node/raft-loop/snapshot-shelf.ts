/**
 * Snapshots for followers that are too far behind. A message of consensus names one; the follower then fetches its content
 * in chunks. A snapshot is a view of the state, which costs nothing until the state changes, so a few are kept while they
 * are of use, and the log is not compacted behind them.
 */

import { crc32c } from '../base/crc32c.ts';
import { ShoalError } from '../base/errors.ts';
import type { RaftId } from '../base/ids.ts';
import { maybe, reached } from '../base/maybe.ts';
import type { ConfState } from '../raft/index.ts';
import type { SnapshotPart, SnapshotRequest } from '../raft-transport.ts';
import { encodeSnapshot, snapshotChunkBytes } from '../state/snapshot.ts';
import type { StateView } from '../state/state-machine.ts';
import type { SnapshotPlace } from '../store/index.ts';

/** Views kept: one being fetched and one newer. */
const viewsMax = 2;
/** A view that nobody has fetched from for so long is dropped. Unit: milliseconds. */
const idleMsMax = 60_000;
/** A follower that does not fetch what it was told of for so long has not got the message. Unit: milliseconds. */
const fetchMsMax = 10_000;
/** Pieces where many are wanted of a small state (node/base/maybe.ts). Unit: bytes. */
const smallPieceBytes = 2 * 1024;
/** Entries behind which a view is not offered any more: the follower would lag at once. */
const lagMax = 10_000;

interface Shelved {
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

export class SnapshotShelf {
  readonly #take: () => { readonly place: SnapshotPlace; readonly view: StateView };
  readonly #nowMs: () => number;
  readonly #report: (peer: RaftId, arrived: boolean) => void;
  readonly #rest: () => Promise<void>;
  #shelved: Shelved[] = [];
  readonly #told = new Map<RaftId, Told>();

  /**
   * @param take the state as it is now.
   * @param report tells the core what became of a snapshot that a follower was told of.
   * @param rest resolves after other events have had their turn.
   */
  constructor(
    take: () => { readonly place: SnapshotPlace; readonly view: StateView },
    nowMs: () => number,
    report: (peer: RaftId, arrived: boolean) => void,
    rest: () => Promise<void>,
  ) {
    this.#take = take;
    this.#nowMs = nowMs;
    this.#report = report;
    this.#rest = rest;
  }

  /** The least index that some follower may still go on from. Infinity: none. */
  get neededIndex(): number {
    return Math.min(...this.#shelved.map((shelved) => shelved.place.index));
  }

  /** A snapshot to tell a follower of, given what is applied and where the log begins. */
  newest(appliedIndex: number, startIndex: number, confState: ConfState): SnapshotPlace {
    const newest = this.#shelved.at(-1);
    if (
      newest !== undefined &&
      !maybe('snapshot-shelf.take-anew') &&
      newest.place.index >= startIndex &&
      newest.place.index >= appliedIndex - lagMax &&
      sameMembers(newest.place.confState, confState)
    ) {
      newest.usedMs = this.#nowMs();
      reached('snapshot-view-shared');
      return newest.place;
    }
    const { place, view } = this.#take();
    this.#shelved.push({ place, view, usedMs: this.#nowMs() });
    if (this.#shelved.length > viewsMax) {
      reached('snapshot-view-pushed-out');
      this.#shelved.shift();
    }
    return place;
  }

  /** A follower is being told of a snapshot. */
  told(peer: RaftId): void {
    this.#told.set(peer, { sinceMs: this.#nowMs(), fetches: this.#told.get(peer)?.fetches ?? 0 });
  }

  /** The content of a snapshot, for `peer`. Throws `UNAVAILABLE` when none is of use. */
  async *serve(
    peer: RaftId,
    request: SnapshotRequest,
    signal: AbortSignal,
  ): AsyncGenerator<SnapshotPart, void, undefined> {
    const { resume } = request;
    const shelved =
      this.#shelved.find((one) => one.place.index === resume?.index) ??
      this.#shelved.findLast((one) => one.place.index >= request.indexMin);
    if (shelved === undefined) {
      throw new ShoalError('UNAVAILABLE', `No snapshot at or after ${request.indexMin} is to be had here.`);
    }
    const skipBytes = shelved.place.index === resume?.index ? resume.offsetBytes : 0;
    const told = this.#told.get(peer);
    if (told !== undefined) told.fetches += 1;
    let isWhole = false;
    try {
      yield* this.#parts(shelved, skipBytes, signal);
      isWhole = true;
    } finally {
      if (told !== undefined) {
        told.fetches -= 1;
        told.sinceMs = this.#nowMs();
        if (isWhole && this.#told.get(peer) === told) {
          this.#told.delete(peer);
          this.#report(peer, true);
        }
      }
    }
  }

  /** Drops what is of no use any more, and reports followers that never fetched. Call once a tick. */
  tick(): void {
    const nowMs = this.#nowMs();
    this.#shelved = this.#shelved.filter((shelved) => nowMs - shelved.usedMs < idleMsMax);
    for (const [peer, told] of this.#told) {
      if (told.fetches > 0 || nowMs - told.sinceMs < fetchMsMax) continue;
      this.#told.delete(peer);
      reached('snapshot-never-fetched');
      this.#report(peer, false);
    }
  }

  async *#parts(
    shelved: Shelved,
    skipBytes: number,
    signal: AbortSignal,
  ): AsyncGenerator<SnapshotPart, void, undefined> {
    let offsetBytes = 0;
    // One chunk is held back, so that the last can be marked.
    let held: SnapshotPart | undefined;
    const chunkBytes = maybe('snapshot-shelf.small-pieces') ? smallPieceBytes : snapshotChunkBytes;
    for (const chunk of encodeSnapshot(shelved.view, chunkBytes)) {
      if (signal.aborted) throw new ShoalError('CANCELLED', 'The peer gave up.', { cause: signal.reason });
      shelved.usedMs = this.#nowMs();
      if (held !== undefined) yield held;
      held = undefined;
      const from = Math.max(0, skipBytes - offsetBytes);
      if (from < chunk.length) {
        const data = from === 0 ? chunk : chunk.subarray(from);
        held = { place: shelved.place, offsetBytes: offsetBytes + from, data, crc32c: crc32c(data), isLast: false };
      }
      offsetBytes += chunk.length;
      // Lets other events have their turn between chunks, however fast the peer takes them.
      await this.#rest();
    }
    if (held !== undefined) yield { ...held, isLast: true, digest: shelved.view.digest };
  }
}

function sameMembers(a: ConfState, b: ConfState): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
