/**
 * When each host that this one watches is probed next, and when it wants to be probed itself. The watched host sets the
 * times: it gives each of its observers a slot, so that one of them looks every period, however many there are.
 */
import type { HostId } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';
import { observersPerHost } from './observer-rings.ts';

/** The longest that a host may put off its observer, in periods of all observers. It hurts only itself. */
const putOffMax = 2;

export class WatchPlan {
  readonly #periodMs: number;
  readonly #random: Prng;
  readonly #dueMs = new Map<HostId, number>();

  constructor(periodMs: number, random: Prng) {
    this.#periodMs = periodMs;
    this.#random = random;
  }

  /** Those who are watched. A new one is probed at a moment of chance within one round. */
  setSubjects(subjects: readonly HostId[], nowMs: number): void {
    const wanted = new Set(subjects);
    for (const hostId of this.#dueMs.keys()) if (!wanted.has(hostId)) this.#dueMs.delete(hostId);
    const roundMs = Math.min(subjects.length, observersPerHost) * this.#periodMs;
    for (const hostId of wanted) {
      if (!this.#dueMs.has(hostId)) this.#dueMs.set(hostId, nowMs + this.#random.float() * roundMs);
    }
  }

  watches(hostId: HostId): boolean {
    return this.#dueMs.has(hostId);
  }

  get size(): number {
    return this.#dueMs.size;
  }

  /** The one that should be probed first; undefined: none is due. */
  nextDue(nowMs: number): HostId | undefined {
    let first: HostId | undefined;
    let firstMs = nowMs;
    for (const [hostId, dueMs] of this.#dueMs) {
      if (dueMs > firstMs) continue;
      first = hostId;
      firstMs = dueMs;
    }
    return first;
  }

  /** When the next one is due, ms; infinite when none is watched. */
  get firstDueMs(): number {
    let firstMs = Number.POSITIVE_INFINITY;
    for (const dueMs of this.#dueMs.values()) if (dueMs < firstMs) firstMs = dueMs;
    return firstMs;
  }

  /** A watched host is probed now; the next time is set when it answers, or else by chance about one round later. */
  begun(hostId: HostId, nowMs: number): void {
    const roundMs = Math.min(this.#dueMs.size, 2 * observersPerHost) * this.#periodMs;
    this.#set(hostId, nowMs + roundMs * (0.75 + this.#random.float() / 2));
  }

  /** Probes a watched host in `inMs`; not sooner than a period if that is what it asked for itself. */
  after(hostId: HostId, inMs: number, nowMs: number): void {
    const longestMs = putOffMax * observersPerHost * 2 * this.#periodMs;
    this.#set(hostId, nowMs + Math.min(Math.max(inMs, this.#periodMs), longestMs));
  }

  /**
   * When an observer that has just probed this host should do so again, ms from now: at its own slot, about a round away.
   * Undefined for one that does not watch this host by the picture from here.
   */
  slotOf(observer: HostId, observers: readonly HostId[], nowMs: number): number | undefined {
    const at = observers.indexOf(observer);
    if (at < 0) return undefined;
    const roundMs = observers.length * this.#periodMs;
    const inMs = (((at * this.#periodMs - nowMs) % roundMs) + roundMs) % roundMs;
    return inMs < roundMs / 2 ? inMs + roundMs : inMs;
  }

  #set(hostId: HostId, dueMs: number): void {
    if (this.#dueMs.has(hostId)) this.#dueMs.set(hostId, dueMs);
  }
}
