import type { HostColumns } from '../columns/host-columns.ts';
import type { CandidateList } from './candidate-index.ts';
import type { RequestClass, RoomNeeds } from './request-class.ts';

/**
 * One index for all classes that differ in how much room they need and in nothing else: flavors, mostly. A cloud has
 * hundreds of flavors; with an index for each, every changed host is scored hundreds of times. Where no weigher reads the
 * guest's size (strategy `spread`), the score is the same for all of them, so one tree serves.
 *
 * Method: as candidate-index.ts, a tree with sixteen children a node; each node also knows the most room that any passing
 * host below has, in each resource. A search goes down best score first and leaves out what cannot beat the candidates
 * found or has not the room. The answer is exact. When the best-scored hosts lack the one resource that is asked for, the
 * search has to look at many blocks: `collect` tells how many, and the caller gives such a class an index of its own.
 */
export class SharedIndex {
  readonly #columns: HostColumns;
  /** Compiled without bounds on room. */
  readonly #requestClass: RequestClass;
  #cursor = 0;
  #layoutVersion = -1;
  #leaves: Float64Array = new Float64Array(0);
  /** The columns of the basic resources, as of `#layoutVersion`. */
  #vcpusRoom: Float64Array = new Float64Array(0);
  #memoryRoomMib: Float64Array = new Float64Array(0);
  #diskRoomGib: Float64Array = new Float64Array(0);
  /** From level 1 up; the last has one node. */
  #levels: Level[] = [];
  rebuilds = 0;
  rescored = 0;

  constructor(columns: HostColumns, requestClass: RequestClass) {
    this.#columns = columns;
    this.#requestClass = requestClass;
  }

  /** Memory that an index over `slots` takes. */
  static bytesFor(slots: number): number {
    return slots * 11 + 1024;
  }

  /** Catches up with the change log. Call before reading. */
  refresh(): void {
    const columns = this.#columns;
    const pending = columns.changeCount - this.#cursor;
    if (pending === 0 && this.#layoutVersion === columns.layoutVersion) return;
    if (this.#layoutVersion !== columns.layoutVersion || pending > columns.slotsMax / 4) {
      this.#rebuild();
      return;
    }
    const { changes, changeMask, lastChange, changeCount } = columns;
    for (let i = this.#cursor; i < changeCount; i++) {
      const slot = changes[i & changeMask] ?? 0;
      if (lastChange[slot] !== i) continue;
      this.rescored++;
      this.#leaves[slot] = this.#requestClass.scoreOf(slot);
      let node = slot;
      for (let level = 0; level < this.#levels.length; level++) {
        node >>= blockBits;
        if (!this.#rescan(level, node)) break;
      }
    }
    this.#cursor = changeCount;
  }

  /** A slot's score; -Infinity when it does not pass or has not the room. */
  scoreOf(slot: number, needs: RoomNeeds): number {
    return this.#hasRoom(slot, needs) ? (this.#leaves[slot] ?? Number.NEGATIVE_INFINITY) : Number.NEGATIVE_INFINITY;
  }

  /** Puts the best hosts with enough room into `into`, leaving out `skip`. Returns how many blocks it looked at. */
  collect(into: CandidateList, skip: ReadonlySet<number> | undefined, needs: RoomNeeds): number {
    const top = this.#levels.length - 1;
    const root = this.#levels[top];
    if (root === undefined || !admits(root, 0, into, needs)) return 0;
    const best = root.slots[0] ?? 0;
    if (into.width === 1 && this.#hasRoom(best, needs) && (skip === undefined || !skip.has(best))) {
      // Nearly always: the best of all has the room.
      into.insert(root.scores[0] ?? 0, best);
      return 1;
    }
    return this.#visit(top, 0, into, skip, needs);
  }

  #visit(
    level: number,
    node: number,
    into: CandidateList,
    skip: ReadonlySet<number> | undefined,
    needs: RoomNeeds,
  ): number {
    const first = node << blockBits;
    const last = first + blockSize;
    if (level === 0) {
      const leaves = this.#leaves;
      for (let slot = first; slot < last; slot++) {
        const score = leaves[slot] ?? Number.NEGATIVE_INFINITY;
        if (score === Number.NEGATIVE_INFINITY || !into.admits(score, slot)) continue;
        if (this.#hasRoom(slot, needs) && (skip === undefined || !skip.has(slot))) into.insert(score, slot);
      }
      return 1;
    }
    const below = this.#levels[level - 1];
    if (below === undefined) return 0;
    let visited = 1;
    // Children in the order of their best: pick the next best after the one before, until none can better the list.
    let beforeScore = Number.POSITIVE_INFINITY;
    let beforeRank = -1;
    for (;;) {
      let next = -1;
      let nextScore = Number.NEGATIVE_INFINITY;
      let nextRank = 0;
      for (let child = first; child < last; child++) {
        const score = below.scores[child] ?? Number.NEGATIVE_INFINITY;
        if (score < nextScore || score === Number.NEGATIVE_INFINITY || score > beforeScore) continue;
        const childRank = below.ranks[child] ?? 0;
        if (score === beforeScore && childRank <= beforeRank) continue;
        if (score === nextScore && childRank >= nextRank) continue;
        next = child;
        nextScore = score;
        nextRank = childRank;
      }
      if (next < 0 || !into.admits(nextScore, below.slots[next] ?? 0)) return visited;
      beforeScore = nextScore;
      beforeRank = nextRank;
      if (hasRoomBelow(below, next, needs)) visited += this.#visit(level - 1, next, into, skip, needs);
    }
  }

  #hasRoom(slot: number, needs: RoomNeeds): boolean {
    return (
      (this.#vcpusRoom[slot] ?? 0) >= needs.vcpus &&
      (this.#memoryRoomMib[slot] ?? 0) >= needs.memoryMib &&
      (this.#diskRoomGib[slot] ?? 0) >= needs.diskGib
    );
  }

  #rebuild(): void {
    const columns = this.#columns;
    this.#requestClass.relayout();
    this.rebuilds++;
    this.#layoutVersion = columns.layoutVersion;
    const { vcpus, memoryMib, diskGib } = columns.resources;
    this.#vcpusRoom = vcpus.room;
    this.#memoryRoomMib = memoryMib.room;
    this.#diskRoomGib = diskGib.room;
    this.#cursor = columns.changeCount;
    if (this.#leaves.length !== columns.slotsMax) {
      this.#leaves = new Float64Array(columns.slotsMax);
      this.#levels = [];
      let nodes = columns.slotsMax;
      do {
        nodes = Math.ceil(nodes / blockSize);
        this.#levels.push(new Level(nodes === 1 ? 1 : Math.ceil(nodes / blockSize) * blockSize));
      } while (nodes > 1);
    }
    for (let slot = 0; slot < columns.slotsUsed; slot++) this.#leaves[slot] = this.#requestClass.scoreOf(slot);
    this.#leaves.fill(Number.NEGATIVE_INFINITY, columns.slotsUsed);
    let below = columns.slotsMax;
    for (let level = 0; level < this.#levels.length; level++) {
      for (let node = 0; node < below >> blockBits; node++) this.#rescan(level, node);
      below = this.#levels[level]?.scores.length ?? 0;
    }
  }

  /** Works a node out from its children. True when it changed. */
  #rescan(level: number, node: number): boolean {
    const to = this.#levels[level];
    if (to === undefined) return false;
    const first = node << blockBits;
    const last = first + blockSize;
    const { rank } = this.#columns;
    const below = level === 0 ? undefined : this.#levels[level - 1];
    const scores = below === undefined ? this.#leaves : below.scores;
    const vcpusRooms = below === undefined ? this.#vcpusRoom : below.vcpus;
    const memoryRooms = below === undefined ? this.#memoryRoomMib : below.memory;
    const diskRooms = below === undefined ? this.#diskRoomGib : below.disk;
    let best = Number.NEGATIVE_INFINITY;
    let bestSlot = first;
    let bestRank = 0;
    let vcpus = Number.NEGATIVE_INFINITY;
    let memory = Number.NEGATIVE_INFINITY;
    let disk = Number.NEGATIVE_INFINITY;
    for (let child = first; child < last; child++) {
      const score = scores[child] ?? Number.NEGATIVE_INFINITY;
      if (score === Number.NEGATIVE_INFINITY) continue;
      const childVcpus = vcpusRooms[child] ?? 0;
      const childMemory = memoryRooms[child] ?? 0;
      const childDisk = diskRooms[child] ?? 0;
      if (childVcpus > vcpus) vcpus = childVcpus;
      if (childMemory > memory) memory = childMemory;
      if (childDisk > disk) disk = childDisk;
      if (score < best) continue;
      const slot = below === undefined ? child : (below.slots[child] ?? 0);
      const slotRank = (below === undefined ? rank[child] : below.ranks[child]) ?? 0;
      if (score > best || slotRank < bestRank) {
        best = score;
        bestSlot = slot;
        bestRank = slotRank;
      }
    }
    if (
      to.scores[node] === best &&
      to.slots[node] === bestSlot &&
      to.vcpus[node] === vcpus &&
      to.memory[node] === memory &&
      to.disk[node] === disk
    ) {
      return false;
    }
    to.scores[node] = best;
    to.slots[node] = bestSlot;
    to.ranks[node] = rank[bestSlot] ?? 0;
    to.vcpus[node] = vcpus;
    to.memory[node] = memory;
    to.disk[node] = disk;
    return true;
  }
}

/** One level of inner nodes: the best below each, and the most room below each. */
class Level {
  readonly scores: Float64Array;
  readonly slots: Int32Array;
  /** Of `slots`, copied so that comparing neighbours touches no other memory. */
  readonly ranks: Uint32Array;
  readonly vcpus: Float64Array;
  readonly memory: Float64Array;
  readonly disk: Float64Array;

  constructor(nodes: number) {
    this.scores = new Float64Array(nodes).fill(Number.NEGATIVE_INFINITY);
    this.slots = new Int32Array(nodes);
    this.ranks = new Uint32Array(nodes);
    this.vcpus = new Float64Array(nodes).fill(Number.NEGATIVE_INFINITY);
    this.memory = new Float64Array(nodes).fill(Number.NEGATIVE_INFINITY);
    this.disk = new Float64Array(nodes).fill(Number.NEGATIVE_INFINITY);
  }
}

function admits(level: Level, node: number, into: CandidateList, needs: RoomNeeds): boolean {
  const score = level.scores[node] ?? Number.NEGATIVE_INFINITY;
  return (
    score !== Number.NEGATIVE_INFINITY && into.admits(score, level.slots[node] ?? 0) && hasRoomBelow(level, node, needs)
  );
}

function hasRoomBelow(level: Level, node: number, needs: RoomNeeds): boolean {
  return (
    (level.vcpus[node] ?? 0) >= needs.vcpus &&
    (level.memory[node] ?? 0) >= needs.memoryMib &&
    (level.disk[node] ?? 0) >= needs.diskGib
  );
}

const blockBits = 4;
const blockSize = 1 << blockBits;
