import type { HostId } from '../../node/base/ids.ts';
import type { HeldAdvert, HeldAdverts } from '../../node/mesh/rules/adverts.ts';

/** The adverts of one of ten thousand hosts: what all of them held at first, which is kept once, and what came since. */
export class LayeredAdverts implements HeldAdverts {
  readonly #base: ReadonlyMap<HostId, HeldAdvert>;
  readonly #since = new Map<HostId, HeldAdvert | undefined>();
  #size: number;

  constructor(base: ReadonlyMap<HostId, HeldAdvert>) {
    this.#base = base;
    this.#size = base.size;
  }

  get size(): number {
    return this.#size;
  }

  get(hostId: HostId): HeldAdvert | undefined {
    return this.#since.has(hostId) ? this.#since.get(hostId) : this.#base.get(hostId);
  }

  set(hostId: HostId, held: HeldAdvert): void {
    if (this.get(hostId) === undefined) this.#size += 1;
    this.#since.set(hostId, held);
  }

  delete(hostId: HostId): boolean {
    if (this.get(hostId) === undefined) return false;
    this.#size -= 1;
    this.#since.set(hostId, undefined);
    return true;
  }

  *values(): Generator<HeldAdvert> {
    for (const [hostId, held] of this.#base) if (!this.#since.has(hostId)) yield held;
    for (const held of this.#since.values()) if (held !== undefined) yield held;
  }
}
