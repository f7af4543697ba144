import type { HostColumns } from '../columns/host-columns.ts';
import type { RequestClass } from './request-class.ts';

/**
 * The exact best hosts of one request class, kept up to date.
 *
 * Method: a tournament tree with sixteen children a node over the score column. A leaf is a host's score; each inner node
 * knows its best leaf. A changed host costs one comparison when it was not its block's best and did not become it, and one
 * rescan of sixteen neighbouring numbers a level otherwise (five levels for a million hosts). The best k are found by branch and bound. A binary heap with a position table does the same work, but
 * touches scattered memory on every level; blocks of sixteen are two cache lines.
 *
 * Order: higher score first, then lower `rank`. It is total, so the index and a full scan always agree.
 */
export class CandidateIndex {
  readonly requestClass: RequestClass;
  readonly #columns: HostColumns;
  /** Change-log position up to which scores are current. */
  #cursor = 0;
  #layoutVersion = -1;
  /** Level 0: score by slot. Level n: best score by block of the level below. The last level has one entry. */
  #scores: Float64Array[] = [];
  /** Same shape, from level 1: the slot that has the score. Level 0 is empty. */
  #slots: Int32Array[] = [];
  /** Full rebuilds, for metrics and tests. */
  rebuilds = 0;
  /** Hosts scored again, for metrics and tests. */
  rescored = 0;

  constructor(columns: HostColumns, requestClass: RequestClass) {
    this.#columns = columns;
    this.requestClass = requestClass;
  }

  /** Memory that an index over `slots` takes. */
  static bytesFor(slots: number): number {
    return slots * 9 + 1024;
  }

  /** Catches up with the change log. Call before reading. */
  refresh(): void {
    const columns = this.#columns;
    const pending = columns.changeCount - this.#cursor;
    if (pending === 0 && this.#layoutVersion === columns.layoutVersion) return;
    // Past a quarter of all hosts a straight scan is quicker than single updates; past the ring's length it is a must.
    if (this.#layoutVersion !== columns.layoutVersion || pending > columns.slotsMax / 4) {
      this.#rebuild();
      return;
    }
    const { changes, changeMask, lastChange, changeCount } = columns;
    for (let i = this.#cursor; i < changeCount; i++) {
      const slot = changes[i & changeMask] ?? 0;
      if (lastChange[slot] !== i) continue;
      this.rescored++;
      this.#set(slot, this.requestClass.scoreOf(slot));
    }
    this.#cursor = changeCount;
  }

  /** A slot's score; -Infinity when it does not pass. */
  scoreOf(slot: number): number {
    return this.#scores[0]?.[slot] ?? Number.NEGATIVE_INFINITY;
  }

  /** Puts the best hosts into `into` (at most its `width`), leaving out `skip`. */
  collect(into: CandidateList, skip: ReadonlySet<number> | undefined): void {
    this.#visit(this.#scores.length - 1, 0, into, skip);
  }

  #visit(level: number, node: number, into: CandidateList, skip: ReadonlySet<number> | undefined): void {
    const below = level - 1;
    const scores = this.#scores[below];
    if (scores === undefined) return;
    const first = node << blockBits;
    const last = first + blockSize;
    if (below === 0) {
      for (let slot = first; slot < last; slot++) {
        const score = scores[slot] ?? Number.NEGATIVE_INFINITY;
        if (score === Number.NEGATIVE_INFINITY || !into.admits(score, slot)) continue;
        if (skip === undefined || !skip.has(slot)) into.insert(score, slot);
      }
      return;
    }
    const slots = this.#slots[below];
    if (slots === undefined) return;
    // The winner's child first: it sets the bar that prunes the others.
    const winner = (this.#slots[level]?.[node] ?? 0) >> (blockBits * below);
    if (winner >= first && winner < last) this.#visit(below, winner, into, skip);
    for (let child = first; child < last; child++) {
      if (child === winner) continue;
      const score = scores[child] ?? Number.NEGATIVE_INFINITY;
      if (score === Number.NEGATIVE_INFINITY || !into.admits(score, slots[child] ?? 0)) continue;
      this.#visit(below, child, into, skip);
    }
  }

  #rebuild(): void {
    const columns = this.#columns;
    this.requestClass.relayout();
    this.rebuilds++;
    this.#layoutVersion = columns.layoutVersion;
    this.#cursor = columns.changeCount;
    this.#shape(columns.slotsMax);
    const leaves = this.#scores[0];
    if (leaves === undefined) return;
    for (let slot = 0; slot < columns.slotsUsed; slot++) leaves[slot] = this.requestClass.scoreOf(slot);
    leaves.fill(Number.NEGATIVE_INFINITY, columns.slotsUsed);
    for (let level = 1; level < this.#scores.length; level++) {
      const blocks = (this.#scores[level - 1]?.length ?? 0) >> blockBits;
      for (let node = 0; node < blocks; node++) this.#rescan(level, node);
    }
  }

  #shape(slots: number): void {
    if (this.#scores[0]?.length === Math.max(blockSize, slots)) return;
    this.#scores = [];
    this.#slots = [];
    let length = Math.max(blockSize, slots);
    this.#scores.push(new Float64Array(length).fill(Number.NEGATIVE_INFINITY));
    this.#slots.push(new Int32Array(0));
    while (length > 1) {
      length = Math.ceil(length / blockSize);
      // Padded to whole blocks, so that a block's loop needs no end test.
      const padded = length === 1 ? 1 : Math.ceil(length / blockSize) * blockSize;
      this.#scores.push(new Float64Array(padded).fill(Number.NEGATIVE_INFINITY));
      this.#slots.push(new Int32Array(padded));
      length = padded === 1 ? 1 : padded;
    }
  }

  #set(slot: number, score: number): void {
    const leaves = this.#scores[0];
    if (leaves === undefined || leaves[slot] === score) return;
    leaves[slot] = score;
    const { rank } = this.#columns;
    let child = slot;
    // The block's best may pass from `slot` to another on the way up; what the parent compares is what the child now has.
    let value = score;
    let holder = slot;
    for (let level = 1; level < this.#scores.length; level++) {
      const node = child >> blockBits;
      const scores = this.#scores[level];
      const slots = this.#slots[level];
      if (scores === undefined || slots === undefined) return;
      const best = scores[node] ?? Number.NEGATIVE_INFINITY;
      const bestSlot = slots[node] ?? 0;
      if (bestSlot === slot) {
        if (value >= best && holder === slot) {
          scores[node] = value;
        } else {
          this.#rescan(level, node);
          value = scores[node] ?? Number.NEGATIVE_INFINITY;
          holder = slots[node] ?? 0;
        }
      } else if (value > best || (value === best && (rank[holder] ?? 0) < (rank[bestSlot] ?? 0))) {
        scores[node] = value;
        slots[node] = holder;
      } else {
        return;
      }
      child = node;
    }
  }

  #rescan(level: number, node: number): void {
    const below = this.#scores[level - 1];
    const belowSlots = this.#slots[level - 1];
    const scores = this.#scores[level];
    const slots = this.#slots[level];
    if (below === undefined || belowSlots === undefined || scores === undefined || slots === undefined) return;
    const { rank } = this.#columns;
    const first = node << blockBits;
    const leaf = level === 1;
    let bestScore = Number.NEGATIVE_INFINITY;
    let bestSlot = leaf ? first : (belowSlots[first] ?? 0);
    for (let child = first; child < first + blockSize; child++) {
      const score = below[child] ?? Number.NEGATIVE_INFINITY;
      if (score < bestScore || score === Number.NEGATIVE_INFINITY) continue;
      const slot = leaf ? child : (belowSlots[child] ?? 0);
      if (score > bestScore || (rank[slot] ?? 0) < (rank[bestSlot] ?? 0)) {
        bestScore = score;
        bestSlot = slot;
      }
    }
    scores[node] = bestScore;
    slots[node] = bestSlot;
  }
}

const blockBits = 4;
const blockSize = 1 << blockBits;

/** The best few slots seen so far, best first. Reused between decisions so that deciding allocates next to nothing. */
export class CandidateList {
  readonly slots: Int32Array;
  readonly scores: Float64Array;
  readonly #columns: HostColumns;
  length = 0;
  /** How many are wanted now. */
  width = 1;

  /** @param widthMax the most that will ever be wanted. */
  constructor(columns: HostColumns, widthMax: number) {
    this.#columns = columns;
    this.slots = new Int32Array(widthMax);
    this.scores = new Float64Array(widthMax);
  }

  /** Empties the list and sets how many are wanted (bounded by `widthMax`). */
  reset(width: number): void {
    this.length = 0;
    this.width = Math.min(width, this.slots.length);
  }

  /** Whether a host with this score would get in. */
  admits(score: number, slot: number): boolean {
    if (this.length < this.width) return true;
    return this.#precedes(score, slot, this.length - 1);
  }

  /** Inserts in order, dropping the last when full. The caller has asked `admits`. */
  insert(score: number, slot: number): void {
    let i = this.length < this.width ? this.length++ : this.length - 1;
    while (i > 0 && this.#precedes(score, slot, i - 1)) {
      this.slots[i] = this.slots[i - 1] ?? 0;
      this.scores[i] = this.scores[i - 1] ?? 0;
      i--;
    }
    this.slots[i] = slot;
    this.scores[i] = score;
  }

  #precedes(score: number, slot: number, i: number): boolean {
    const other = this.scores[i] ?? Number.NEGATIVE_INFINITY;
    if (score !== other) return score > other;
    const { rank } = this.#columns;
    return (rank[slot] ?? 0) < (rank[this.slots[i] ?? 0] ?? 0);
  }
}
