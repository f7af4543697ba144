import { assert } from '../base/assert.ts';
import type { LogIndex } from './messages/messages.ts';

/** Slots of the ring at first; it doubles on demand, so that hundreds of idle learners cost little. */
const slotsInitial = 8;

/** The two limits of one follower's window; whichever is reached first closes it. */
export interface InflightLimits {
  /** Messages sent and not acknowledged. In [1, Infinity]. */
  readonly messagesMax: number;
  /** Their payload together. In (0, Infinity]. The last message may exceed it. Unit: bytes. */
  readonly bytesMax: number;
}

/**
 * The append messages on their way to one follower, oldest first, as a ring of (last index, bytes). An acknowledgement of
 * index i frees every message that ends at or below i.
 */
export class Inflights {
  readonly #limits: InflightLimits;
  #indexes: number[] = [];
  #sizes: number[] = [];
  #start = 0;
  #count = 0;
  #bytes = 0;

  constructor(limits: InflightLimits) {
    this.#limits = limits;
  }

  /** Messages on their way. */
  get count(): number {
    return this.#count;
  }

  /** Whether another message must wait. */
  get full(): boolean {
    return this.#count >= this.#limits.messagesMax || this.#bytes >= this.#limits.bytesMax;
  }

  /** Notes a message that ends at `lastIndex`. The caller has looked at `full`; indexes never shrink. */
  add(lastIndex: LogIndex, bytes: number): void {
    assert(!this.full, 'an append was sent through a full window');
    if (this.#count === this.#indexes.length) this.#grow();
    const slot = (this.#start + this.#count) % this.#indexes.length;
    this.#indexes[slot] = lastIndex;
    this.#sizes[slot] = bytes;
    this.#count++;
    this.#bytes += bytes;
  }

  /** Forgets every message that ends at or below `index`. */
  freeUpTo(index: LogIndex): void {
    while (this.#count > 0 && (this.#indexes[this.#start] as number) <= index) {
      this.#bytes -= this.#sizes[this.#start] as number;
      this.#start = (this.#start + 1) % this.#indexes.length;
      this.#count--;
    }
  }

  /** Forgets all. */
  reset(): void {
    this.#start = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  #grow(): void {
    const slots = Math.max(slotsInitial, this.#indexes.length * 2);
    const indexes = new Array<number>(slots).fill(0);
    const sizes = new Array<number>(slots).fill(0);
    for (let i = 0; i < this.#count; i++) {
      const slot = (this.#start + i) % this.#indexes.length;
      indexes[i] = this.#indexes[slot] as number;
      sizes[i] = this.#sizes[slot] as number;
    }
    this.#indexes = indexes;
    this.#sizes = sizes;
    this.#start = 0;
  }
}
