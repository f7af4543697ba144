/**
 * Virtual time: a heap of things to do, by time and then by the order in which they were asked for. Nothing in the
 * simulator happens outside of it, so one seed gives one order.
 *
 * Between two things the loop yields a macrotask, so that every promise which the first has settled has run its course
 * before the second begins. Node drains promises between two immediates of one round of its loop, so these are asked for
 * many at a time: a round of the loop for each thing would cost more than most things do.
 */
import { assert } from '../../node/base/assert.ts';

/** One run of an agent's process. What it asked for does not happen once it is dead, and happens later while it pauses. */
export class Life {
  readonly name: string;
  isAlive = true;
  /** The process does nothing before this moment (stopped, swapped out, a long collection). Virtual ms. */
  pausedUntilMs = 0;
  readonly #died = Promise.withResolvers<void>();

  constructor(name: string) {
    this.name = name;
  }

  /** Resolves when it ends. */
  get died(): Promise<void> {
    return this.#died.promise;
  }

  end(): void {
    this.isAlive = false;
    this.#died.resolve();
  }
}

/** A thing to do. */
interface Pending {
  /** Moves when the life pauses. */
  atMs: number;
  readonly order: number;
  readonly run: () => void;
  readonly life: Life | undefined;
  isCancelled: boolean;
}

/** First in, first out. */
class Queue {
  #items: Pending[] = [];
  #at = 0;

  get size(): number {
    return this.#items.length - this.#at;
  }

  get first(): Pending | undefined {
    return this.#items[this.#at];
  }

  push(item: Pending): void {
    this.#items.push(item);
  }

  drop(): void {
    this.#at += 1;
    if (this.#at < this.#items.length) return;
    this.#items = [];
    this.#at = 0;
  }
}

/** Things that may wait at a time: far more than any cluster of ours has; more means that something multiplies. */
const pendingMax = 1_000_000;
/** Macrotasks asked for at a time. What else waits for Node's loop (a signal, a message of a worker) waits no longer. */
const immediatesAtOnce = 128;

export class Schedule {
  nowMs = 0;
  /** Things done so far. */
  events = 0;
  /** The life whose thing is being done, and what follows from it until the next one. */
  running: Life | undefined;
  readonly #heap: Pending[] = [];
  /** What is to be done at this moment, and was asked for at this moment: a third of all, and the heap is dear. */
  readonly #now = new Queue();
  #order = 0;

  /** Things that wait, cancelled ones included. */
  get size(): number {
    return this.#heap.length + this.#now.size;
  }

  /** Has `run` called after `delayMs` (>= 0), unless `life` has ended by then. */
  after(delayMs: number, run: () => void, life?: Life): Pending {
    assert(delayMs >= 0 && Number.isFinite(delayMs), () => `a delay of ${delayMs} ms`);
    const pending = { atMs: this.nowMs + delayMs, order: this.#order, run, life, isCancelled: false };
    this.#order += 1;
    if (delayMs === 0) this.#now.push(pending);
    else this.#push(pending);
    return pending;
  }

  /** Resolves after `delayMs`. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Does everything up to `untilMs`, then stands there. `shouldStop` is asked before each thing. */
  async runUntil(untilMs: number, shouldStop: () => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      let isOver = false;
      const one = (): void => {
        if (isOver) return;
        try {
          isOver = shouldStop() || !this.#doNext(untilMs);
          if (isOver) resolve();
        } catch (error) {
          isOver = true;
          reject(error);
        }
      };
      const round = (): void => {
        one();
        if (isOver) return;
        for (let count = 1; count < immediatesAtOnce; count += 1) setImmediate(one);
        setImmediate(round);
      };
      round();
    });
    if (!shouldStop()) this.nowMs = untilMs;
  }

  /** Does the next thing that is due by `untilMs`. False: there is none. */
  #doNext(untilMs: number): boolean {
    for (;;) {
      const next = this.#takeNext(untilMs);
      if (next === undefined) return false;
      if (next.isCancelled || next.life?.isAlive === false) continue;
      this.nowMs = next.atMs;
      if (next.life !== undefined && next.life.pausedUntilMs > this.nowMs) {
        next.atMs = next.life.pausedUntilMs;
        this.#push(next);
        continue;
      }
      this.events += 1;
      this.running = next.life;
      next.run();
      return true;
    }
  }

  #takeNext(untilMs: number): Pending | undefined {
    const later = this.#heap[0];
    const now = this.#now.first;
    if (now !== undefined && (later === undefined || isBefore(now, later))) {
      if (now.atMs > untilMs) return undefined;
      this.#now.drop();
      return now;
    }
    if (later === undefined || later.atMs > untilMs) return undefined;
    this.#pop();
    return later;
  }

  #push(pending: Pending): void {
    const heap = this.#heap;
    assert(this.size < pendingMax, 'the simulated world has too much to do');
    heap.push(pending);
    let at = heap.length - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(pending, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = pending;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      let below = heap[child];
      const right = heap[child + 1];
      if (right !== undefined && below !== undefined && isBefore(right, below)) {
        below = right;
        child += 1;
      }
      if (below === undefined || !isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Pending, b: Pending): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
