import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../base/clock.ts';
import { addressGroup } from './address-group.ts';
import type { ListenerLimits } from './limits.ts';

/** How often it is looked at which connections carried bytes, milliseconds. */
const sweepMs = 1000;

/** One connection that the guard counts. */
interface Held {
  readonly address: string;
  /** Bytes in both directions when last looked at. */
  bytes: number;
  activeMs: number;
  /** Requests under way, where the protocol tells. */
  requests: number;
}

/**
 * Bounds connections in number, in all and for each address. One more than fits never keeps a newcomer out while there is
 * an idle one: of the address that has too many, or else of all, the connection that was silent longest is cut. Idle is a
 * connection without a request under way.
 */
export class ConnectionGuard {
  readonly #clock: Clock;
  readonly #limits: ListenerLimits;
  readonly #isExempt: (address: string) => boolean;
  readonly #held = new Map<Socket, Held>();
  readonly #byAddress = new Map<string, Set<Socket>>();
  #sweep: Timer | undefined;
  #cut = 0;

  /** @param isExempt Addresses to which the bound for one address does not apply: trusted proxies. */
  constructor(clock: Clock, limits: ListenerLimits, isExempt: (address: string) => boolean) {
    this.#clock = clock;
    this.#limits = limits;
    this.#isExempt = isExempt;
  }

  /** Connections counted now. */
  get size(): number {
    return this.#held.size;
  }

  /** Connections cut or refused since the start, to keep within the bounds. */
  get cut(): number {
    return this.#cut;
  }

  /** Takes a new connection in, at the cost of an idle one where need be. False: there was none to cut. */
  admit(socket: Socket): boolean {
    const peer = socket.remoteAddress ?? '';
    const address = addressGroup(peer);
    const { connectionsMax, connectionsPerAddressMax } = this.#limits;
    const same = this.#byAddress.get(address);
    const isTooMany = same !== undefined && same.size >= connectionsPerAddressMax && !this.#isExempt(peer);
    if (isTooMany && !this.#cutLongestSilent(same)) return this.#refuse();
    if (this.#held.size >= connectionsMax && !this.#cutLongestSilent(this.#held.keys())) return this.#refuse();
    this.#held.set(socket, { address, bytes: 0, activeMs: this.#clock.monotonicMs(), requests: 0 });
    const siblings = this.#byAddress.get(address);
    if (siblings === undefined) this.#byAddress.set(address, new Set([socket]));
    else siblings.add(socket);
    socket.once('close', () => this.release(socket));
    this.#sweep ??= this.#clock.setInterval(() => this.#look(), sweepMs);
    return true;
  }

  /** Counts a connection no longer: it is closed, or has shown that it is a member's. */
  release(socket: Socket): void {
    const held = this.#held.get(socket);
    if (held === undefined) return;
    this.#held.delete(socket);
    const siblings = this.#byAddress.get(held.address);
    siblings?.delete(socket);
    if (siblings?.size === 0) this.#byAddress.delete(held.address);
    if (this.#held.size === 0) this.stop();
  }

  /** A request begins (`+1`) or has ended (`-1`) on a connection: it is not idle in between. */
  request(socket: Socket, change: 1 | -1): void {
    const held = this.#held.get(socket);
    if (held === undefined) return;
    held.requests += change;
    held.activeMs = this.#clock.monotonicMs();
  }

  stop(): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
  }

  #refuse(): false {
    this.#cut += 1;
    return false;
  }

  #cutLongestSilent(among: Iterable<Socket>): boolean {
    this.#look();
    let longest: Socket | undefined;
    let sinceMs = Number.POSITIVE_INFINITY;
    for (const socket of among) {
      const held = this.#held.get(socket);
      if (held === undefined || held.requests > 0 || held.activeMs >= sinceMs) continue;
      longest = socket;
      sinceMs = held.activeMs;
    }
    if (longest === undefined) return false;
    this.#cut += 1;
    // Now and not when its `close` comes: the newcomer takes its place.
    this.release(longest);
    longest.destroy();
    return true;
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [socket, held] of this.#held) {
      const bytes = socket.bytesRead + socket.bytesWritten;
      if (bytes === held.bytes) continue;
      held.bytes = bytes;
      held.activeMs = nowMs;
    }
  }
}
