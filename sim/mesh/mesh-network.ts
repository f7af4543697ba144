/**
 * A network of many hosts on which small messages travel, in virtual time: for protocols at 1,000 and 10,000 hosts, where
 * the simulator of whole agents (sim/world) would take hours. Hosts are numbers from 0. Everything runs synchronously, so
 * what is driven on it must be pure code; the order of things follows from the seed alone.
 *
 * The network is no kinder than a real one: every message takes a time of its own, so that messages overtake one another,
 * and some are lost for good (over TCP they would only be late). A starved process takes messages in, and has its timers
 * run, only when it is scheduled again.
 */
import { assert } from '../../node/base/assert.ts';
import type { Prng } from '../../node/base/prng.ts';

/** How a network is. */
interface MeshNetworkOptions {
  /** Hosts, at least 1. */
  readonly hosts: number;
  readonly random: Prng;
  /** Time on the way, ms, uniform between the two. */
  readonly latencyMs: { readonly min: number; readonly max: number };
  /** Share of messages that is lost, 0 to 1. */
  readonly lossRate: number;
}

/** Something that will be done, unless it is cancelled before. */
interface MeshTimer {
  cancel(): void;
}

/** Messages and bytes of one host so far. */
interface MeshTraffic {
  readonly messagesSent: number;
  readonly bytesSent: number;
  readonly messagesReceived: number;
  readonly bytesReceived: number;
}

interface Pending {
  readonly atMs: number;
  /** Whose process does it; undefined: the world's. */
  readonly host: number | undefined;
  /** Starts of the host when it was asked for: what a dead process wanted is not done by its successor. */
  readonly life: number;
  run: (() => void) | undefined;
}

/** Things are ordered by slots of this length, and within one by the order in which they were asked for. Unit: ms. */
const slotMs = 0.25;
/** Slots of the wheel, 65 s; what is due later waits in a list that is gone through once a turn. */
const slotCount = 2 ** 18;

export class MeshNetwork {
  readonly hosts: number;
  nowMs = 0;
  /** Things done so far. */
  events = 0;
  #rule: (from: number, to: number) => boolean = () => false;
  readonly #options: MeshNetworkOptions;
  readonly #wheel: (Pending[] | undefined)[] = Array.from({ length: slotCount });
  #later: Pending[] = [];
  #slot = 0;
  /** Counts starts and ends of each host; it is up while even. */
  readonly #lives: Uint32Array;
  readonly #starvedUntilMs: Float64Array;
  readonly #messagesSent: Float64Array;
  readonly #bytesSent: Float64Array;
  readonly #messagesReceived: Float64Array;
  readonly #bytesReceived: Float64Array;

  constructor(options: MeshNetworkOptions) {
    assert(options.hosts >= 1, () => `a network of ${options.hosts} hosts`);
    this.#options = options;
    this.hosts = options.hosts;
    this.#lives = new Uint32Array(options.hosts);
    this.#starvedUntilMs = new Float64Array(options.hosts);
    this.#messagesSent = new Float64Array(options.hosts);
    this.#bytesSent = new Float64Array(options.hosts);
    this.#messagesReceived = new Float64Array(options.hosts);
    this.#bytesReceived = new Float64Array(options.hosts);
  }

  isUp(host: number): boolean {
    return (this.#lives[host] ?? 1) % 2 === 0;
  }

  /** Ends a host's process, or starts it. What the ended one had asked for, and what is on its way to it, is not done. */
  setUp(host: number, isUp: boolean): void {
    if (this.isUp(host) !== isUp) this.#lives[host] = (this.#lives[host] ?? 0) + 1;
  }

  /**
   * From now on nothing gets from one host to the other where `isCut` says so; asked for each message. One way: a cut may be
   * asymmetric. Default: everything does again.
   */
  cutWhere(isCut: (from: number, to: number) => boolean = () => false): void {
    this.#rule = isCut;
  }

  /** Whether nothing gets from one host to the other now. */
  isCut(from: number, to: number): boolean {
    return this.#rule(from, to);
  }

  /** A host's process gets no CPU for so long: it does nothing meanwhile, and then all that has come. */
  starve(host: number, forMs: number): void {
    this.#starvedUntilMs[host] = Math.max(this.#starvedUntilMs[host] ?? 0, this.nowMs + forMs);
  }

  /**
   * Sends a message. `arrive` is called at the far side, unless the message is lost, cut off, or either side is down.
   * @param bytes its size on the wire, headers included.
   */
  send(from: number, to: number, bytes: number, arrive: () => void): void {
    if (this.#options.random.chance(this.#options.lossRate)) {
      if (!this.isUp(from)) return;
      count(this.#messagesSent, from, 1);
      count(this.#bytesSent, from, bytes);
      return;
    }
    this.#deliver(from, to, bytes, 0, arrive);
  }

  #deliver(from: number, to: number, bytes: number, extraMs: number, arrive: () => void): void {
    if (!this.isUp(from)) return;
    count(this.#messagesSent, from, 1);
    count(this.#bytesSent, from, bytes);
    const { random, latencyMs } = this.#options;
    const delayMs = extraMs + latencyMs.min + random.float() * (latencyMs.max - latencyMs.min);
    if (this.isCut(from, to) || !this.isUp(to)) return;
    this.#at(this.nowMs + delayMs, to, () => {
      count(this.#messagesReceived, to, 1);
      count(this.#bytesReceived, to, bytes);
      arrive();
    });
  }

  /**
   * Sends a piece of a stream over TCP: as `send`, but what is lost is sent again, and comes so much later.
   * @param retransmitMs Linux waits 200 ms at least.
   */
  stream(from: number, to: number, bytes: number, arrive: () => void, retransmitMs = 200): void {
    if (!this.#options.random.chance(this.#options.lossRate)) {
      this.#deliver(from, to, bytes, 0, arrive);
      return;
    }
    // The first one is counted as sent, and does not come.
    count(this.#messagesSent, from, 1);
    count(this.#bytesSent, from, bytes);
    this.#deliver(from, to, bytes, retransmitMs, arrive);
  }

  /** Has `run` called after `delayMs` (>= 0), by the process of a host if one is named. */
  after(delayMs: number, run: () => void, host?: number): MeshTimer {
    assert(delayMs >= 0 && Number.isFinite(delayMs), () => `a delay of ${delayMs} ms`);
    const pending = this.#at(this.nowMs + delayMs, host, run);
    return {
      cancel: () => {
        pending.run = undefined;
      },
    };
  }

  /** Has `run` called again and again, first after `firstMs`; a host's ends with its process. */
  every(everyMs: number, run: () => void, options: { readonly host?: number; readonly firstMs?: number } = {}): void {
    assert(everyMs > 0, () => `every ${everyMs} ms`);
    const { host, firstMs = everyMs } = options;
    const again = (): void => {
      run();
      this.#at(this.nowMs + everyMs, host, again);
    };
    this.#at(this.nowMs + firstMs, host, again);
  }

  /** Does everything that is due by then. */
  runUntil(untilMs: number): void {
    const last = Math.floor(untilMs / slotMs);
    for (; this.#slot <= last; this.#slot += 1) {
      const at = this.#slot % slotCount;
      if (at === 0) this.#sortIn();
      const due = this.#wheel[at];
      if (due === undefined) continue;
      // What is asked for meanwhile, and is due at once, is appended to the same list.
      for (const pending of due) this.#do(pending);
      this.#wheel[at] = undefined;
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  /** What a host has sent and received so far, what arrived at a dead one left out. */
  traffic(host: number): MeshTraffic {
    return {
      messagesSent: this.#messagesSent[host] ?? 0,
      bytesSent: this.#bytesSent[host] ?? 0,
      messagesReceived: this.#messagesReceived[host] ?? 0,
      bytesReceived: this.#bytesReceived[host] ?? 0,
    };
  }

  /** All hosts' traffic together. */
  get totalTraffic(): MeshTraffic {
    return {
      messagesSent: sum(this.#messagesSent),
      bytesSent: sum(this.#bytesSent),
      messagesReceived: sum(this.#messagesReceived),
      bytesReceived: sum(this.#bytesReceived),
    };
  }

  #at(atMs: number, host: number | undefined, run: () => void): Pending {
    const pending: Pending = { atMs, host, life: host === undefined ? 0 : (this.#lives[host] ?? 0), run };
    this.#put(pending);
    return pending;
  }

  #put(pending: Pending): void {
    const slot = Math.max(this.#slot, Math.floor(pending.atMs / slotMs));
    if (slot >= this.#slot + slotCount - (this.#slot % slotCount)) {
      this.#later.push(pending);
      return;
    }
    const at = slot % slotCount;
    const due = this.#wheel[at];
    if (due === undefined) this.#wheel[at] = [pending];
    else due.push(pending);
  }

  /** A turn of the wheel begins: what was too far away may be within it now. */
  #sortIn(): void {
    const later = this.#later;
    this.#later = [];
    for (const pending of later) if (pending.run !== undefined) this.#put(pending);
  }

  #do(pending: Pending): void {
    const { host, life, run } = pending;
    if (run === undefined || (host !== undefined && this.#lives[host] !== life)) return;
    this.nowMs = Math.max(this.nowMs, pending.atMs);
    const starvedUntilMs = host === undefined ? 0 : (this.#starvedUntilMs[host] ?? 0);
    if (starvedUntilMs > this.nowMs) {
      this.#put({ ...pending, atMs: starvedUntilMs });
      return;
    }
    pending.run = undefined;
    this.events += 1;
    run();
  }
}

function count(counters: Float64Array, at: number, by: number): void {
  counters[at] = (counters[at] ?? 0) + by;
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
