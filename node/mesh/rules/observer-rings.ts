/**
 * Who watches whom. Each host is watched by up to `observersPerHost` others, the same ones as long as the members are the
 * same, so that a host keeps few connections however many hosts there are (Rapid: Suresh et al., 2018, section 4.1).
 *
 * The members stand on rings, on each in another order that follows from their ids alone; on each ring a host is watched
 * by the one after it. A union of random rings is an expander: cut off any part, and many of its edges cross the cut.
 * A host that is not there is passed over: the next one on the ring watches in its place, and it itself is still watched,
 * so that its return is seen. In a small mesh everybody watches everybody.
 */
import type { HostId } from '../../base/ids.ts';

/** Rings, and so the most hosts that watch one. Three accusers must be left when half of these are gone. */
export const observersPerHost = 8;
/** Up to so many members everybody watches everybody: on so few places rings would give some host too few observers. */
const smallMeshMax = 16;

/** One more ring, of those who are asked to look at a host that its observers accuse. */
const uninvolvedRing = observersPerHost;

type Test = (hostId: HostId) => boolean;

/** The rings of one set of members. Not changed once made; detectors of one simulation share it. */
export class ObserverRings {
  readonly hostIds: readonly HostId[];
  readonly #index: ReadonlyMap<HostId, number>;
  /** Per ring: the members in its order. */
  readonly #orders: readonly Uint32Array[];
  /** Per ring: the place of each member in it. */
  readonly #places: readonly Uint32Array[];

  /** @param hostIds all members; order and repetitions mean nothing. */
  constructor(hostIds: Iterable<HostId>) {
    this.hostIds = [...new Set(hostIds)].sort();
    this.#index = new Map(this.hostIds.map((hostId, index) => [hostId, index]));
    const orders: Uint32Array[] = [];
    const places: Uint32Array[] = [];
    for (let ring = 0; ring <= observersPerHost; ring++) {
      const keys = Uint32Array.from(this.hostIds, (hostId) => ringKey(hostId, ring));
      const order = Uint32Array.from(this.hostIds, (_, index) => index);
      order.sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
      const place = new Uint32Array(order.length);
      for (const [at, index] of order.entries()) place[index] = at;
      orders.push(order);
      places.push(place);
    }
    this.#orders = orders;
    this.#places = places;
  }

  get size(): number {
    return this.hostIds.length;
  }

  has(hostId: HostId): boolean {
    return this.#index.has(hostId);
  }

  /** Whether these are exactly the members. */
  isOf(hostIds: ReadonlySet<HostId>): boolean {
    return hostIds.size === this.size && this.hostIds.every((hostId) => hostIds.has(hostId));
  }

  /** Those who watch a host, in the order of the rings; nobody twice, and only hosts that `isUsable` says yes to. */
  observersOf(target: HostId, isUsable: Test): readonly HostId[] {
    if (!this.has(target)) return [];
    if (this.size <= smallMeshMax) return this.hostIds.filter((hostId) => hostId !== target && isUsable(hostId));
    const observers = new Set<HostId>();
    for (let ring = 0; ring < observersPerHost; ring++) {
      this.#walk(target, ring, 1, (hostId) => {
        if (!isUsable(hostId)) return true;
        observers.add(hostId);
        return false;
      });
    }
    return [...observers];
  }

  /**
   * Those whom a host watches: on each ring those before it, up to and with the first that is usable, who would watch the
   * ones before. `self` is in `observersOf(x)` for each of these, when both have the same picture of who is usable.
   */
  subjectsOf(self: HostId, isUsable: Test): readonly HostId[] {
    if (!this.has(self)) return [];
    if (this.size <= smallMeshMax) return this.hostIds.filter((hostId) => hostId !== self);
    const subjects = new Set<HostId>();
    for (let ring = 0; ring < observersPerHost; ring++) {
      this.#walk(self, ring, -1, (hostId) => {
        subjects.add(hostId);
        return !isUsable(hostId);
      });
    }
    return [...subjects];
  }

  /**
   * Up to `count` usable hosts that do not watch `target` now: the same ones wherever the pictures are the same.
   * @param observers as `observersOf` says, where it has been asked already.
   */
  uninvolvedIn(
    target: HostId,
    isUsable: Test,
    count: number,
    observers = this.observersOf(target, isUsable),
  ): readonly HostId[] {
    if (this.size <= smallMeshMax) return [];
    const found: HostId[] = [];
    this.#walk(target, uninvolvedRing, 1, (hostId) => {
      if (isUsable(hostId) && !observers.includes(hostId)) found.push(hostId);
      return found.length < count;
    });
    return found;
  }

  /** All others, from a host's place on a ring forwards or backwards, as long as `visit` says to go on. */
  #walk(from: HostId, ring: number, step: 1 | -1, visit: (hostId: HostId) => boolean): void {
    const order = this.#orders[ring];
    const index = this.#index.get(from);
    const start = index === undefined ? undefined : this.#places[ring]?.[index];
    if (order === undefined || start === undefined) return;
    for (let n = 1; n < order.length; n++) {
      const hostId = this.hostIds[order[(start + step * n + order.length) % order.length] ?? -1];
      if (hostId !== undefined && !visit(hostId)) return;
    }
  }
}

/** Where a host stands on a ring: the same on every host. Ids are hexadecimal digits of a hash; the ring mixes them. */
function ringKey(hostId: HostId, ring: number): number {
  let key = Math.imul(ring + 1, 0x9e3779b1) >>> 0;
  for (let at = 0; at < hostId.length; at += 8) {
    key ^= Number.parseInt(hostId.slice(at, at + 8), 16) >>> 0;
    key = Math.imul(key ^ (key >>> 16), 0x85ebca6b) >>> 0;
    key = Math.imul(key ^ (key >>> 13), 0xc2b2ae35) >>> 0;
    key = (key ^ (key >>> 16)) >>> 0;
  }
  return key;
}
