import { capacityOf, type ResourcePool } from '../model/advert.ts';
import { ScaleCounter } from './scale-counter.ts';

/**
 * One resource of all hosts: a column for each figure, a row (*slot*) for each host. `HostColumns` has one of these for
 * each resource class and is the only one that writes to it.
 */
export class ResourceColumn {
  /** What the machine has. */
  total: Float64Array;
  /** What guests may be given in all: less what is reserved, times the allocation ratio. */
  capacity: Float64Array;
  /** Capacity less what adverts say is used, less this agent's holds. May be negative after an over-count. */
  free: Float64Array;
  /** The most that one guest can have: free, and not more than the machine has. */
  room: Float64Array;
  /**
   * The power of two at or above the largest host's capacity: what "1" means to weighers. It depends on the hosts in the
   * view alone and moves only when the largest kind of host comes or goes.
   */
  scale = 1;
  #used: Float64Array;
  #held: Float64Array;
  readonly #scale = new ScaleCounter();

  constructor(slots: number) {
    this.total = new Float64Array(slots);
    this.capacity = new Float64Array(slots);
    this.free = new Float64Array(slots);
    this.room = new Float64Array(slots);
    this.#used = new Float64Array(slots);
    this.#held = new Float64Array(slots);
  }

  /** A host says what it has. Absent: none of this, which costs one look where it is the rule. */
  fill(slot: number, pool: ResourcePool | undefined): void {
    if (pool === undefined && this.total[slot] === 0) return;
    const capacity = pool === undefined ? 0 : capacityOf(pool);
    this.#scale.move(this.capacity[slot] ?? 0, capacity);
    this.total[slot] = pool?.total ?? 0;
    this.capacity[slot] = capacity;
    this.#used[slot] = pool?.used ?? 0;
    this.#refresh(slot);
  }

  /** `amount` more (or less, below 0) is on its way to the host. */
  hold(slot: number, amount: number): void {
    this.#held[slot] = (this.#held[slot] ?? 0) + amount;
    this.#refresh(slot);
  }

  /** The slot's host goes; its holds must have gone before. */
  vacate(slot: number): void {
    this.fill(slot, undefined);
  }

  #refresh(slot: number): void {
    const free = (this.capacity[slot] ?? 0) - (this.#used[slot] ?? 0) - (this.#held[slot] ?? 0);
    this.free[slot] = free;
    this.room[slot] = Math.min(free, this.total[slot] ?? 0);
  }

  /** Brings the scale up to date; true when it changed. */
  refreshScale(): boolean {
    const hasMoved = this.#scale.refresh();
    this.scale = this.#scale.value;
    return hasMoved;
  }

  /** Makes room for more slots. The columns are other arrays afterwards. */
  grow(slots: number): void {
    this.total = grown(this.total, slots);
    this.capacity = grown(this.capacity, slots);
    this.free = grown(this.free, slots);
    this.room = grown(this.room, slots);
    this.#used = grown(this.#used, slots);
    this.#held = grown(this.#held, slots);
  }
}

function grown(column: Float64Array, slots: number): Float64Array {
  const to = new Float64Array(slots);
  to.set(column);
  return to;
}
