/**
 * For what is tried again and again: says that it fails once, then after pauses that grow, with how often it failed
 * meanwhile. A loop that logs each try buries everything else, and costs a disk.
 */
import type { Clock } from '../clock.ts';
import type { Logger } from './logger.ts';

/** The first pause between two lines of one thing, ms. Each further one is twice as long. */
const pauseMsMin = 15_000;
/** The longest, ms: an operator who looks finds a line. */
const pauseMsMax = 15 * 60_000;
/** What has not failed for so long, ms, after the time of its last pause, has ended; the next failure is a new one. */
const endedMs = 60_000;
/** Things remembered; beyond, the one that was met first is forgotten, and said again when it comes. */
const keysMax = 1_000;

interface Repeated {
  /** When it may be said again. Monotonic ms. */
  nextMs: number;
  pauseMs: number;
  lastMs: number;
  /** Times that it was not said since it was. */
  left: number;
}

/** A logger in front of which repeats are thinned out: pauses of 15 s, doubling up to 15 minutes, for each key. */
export class RepeatedLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #known = new Map<string, Repeated>();

  constructor(deps: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = deps.clock;
    this.#logger = deps.logger;
  }

  /** @param key what it is that repeats: the message, and of what or whom, without what differs from one try to the next. */
  warn(key: string, facts: object, message: string): void {
    this.#say('warn', key, facts, message);
  }

  /** As `warn`. */
  error(key: string, facts: object, message: string): void {
    this.#say('error', key, facts, message);
  }

  #say(level: 'warn' | 'error', key: string, facts: object, message: string): void {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#known.get(key);
    if (known === undefined || nowMs - known.lastMs > known.pauseMs + endedMs) {
      this.#remember(key, { nextMs: nowMs + pauseMsMin, pauseMs: pauseMsMin, lastMs: nowMs, left: 0 });
      this.#logger[level](facts, message);
      return;
    }
    known.lastMs = nowMs;
    if (nowMs < known.nextMs) {
      known.left += 1;
      return;
    }
    this.#logger[level]({ ...facts, timesSince: known.left + 1 }, message);
    known.left = 0;
    known.pauseMs = Math.min(pauseMsMax, known.pauseMs * 2);
    known.nextMs = nowMs + known.pauseMs;
  }

  #remember(key: string, repeated: Repeated): void {
    this.#known.delete(key);
    this.#known.set(key, repeated);
    for (const first of this.#known.keys()) {
      if (this.#known.size <= keysMax) break;
      this.#known.delete(first);
    }
  }
}
