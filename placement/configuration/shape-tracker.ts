import type { GuestShape } from './configuration.ts';
import { shapesMax } from './configuration.ts';

/**
 * Learns which guest shapes are common from the requests that pass by, for `PlacementConfiguration.shapes`. Counts fade by
 * half every `halfLifeRequests`, so the list follows the times. Bounded: rare shapes are dropped when the table is full.
 */
export class ShapeTracker {
  readonly #counts = new Map<string, { readonly vcpus: number; readonly memoryMib: number; count: number }>();
  readonly #halfLifeRequests: number;
  #sinceFade = 0;
  #total = 0;

  /** @param halfLifeRequests requests after which an old one counts half. */
  constructor(halfLifeRequests = 50_000) {
    this.#halfLifeRequests = halfLifeRequests;
  }

  /** Requests seen, ever. */
  get total(): number {
    return this.#total;
  }

  note(needs: { readonly vcpus: number; readonly memoryMib: number }): void {
    this.#total++;
    const key = `${needs.vcpus}/${needs.memoryMib}`;
    const known = this.#counts.get(key);
    if (known !== undefined) known.count++;
    else this.#counts.set(key, { vcpus: needs.vcpus, memoryMib: needs.memoryMib, count: 1 });
    if (++this.#sinceFade >= this.#halfLifeRequests || this.#counts.size > tableMax) this.#fade();
  }

  /** The commonest shapes, commonest first, weights adding up to 1. */
  shapes(): readonly GuestShape[] {
    const top = [...this.#counts.values()]
      .filter((s) => s.vcpus > 0 && s.memoryMib > 0)
      .sort((a, b) => b.count - a.count || a.memoryMib - b.memoryMib || a.vcpus - b.vcpus)
      .slice(0, shapesMax);
    const sum = top.reduce((total, s) => total + s.count, 0);
    return top.map((s) => ({ vcpus: s.vcpus, memoryMib: s.memoryMib, weight: s.count / sum }));
  }

  /** Halves all counts and forgets what has become rare. */
  #fade(): void {
    this.#sinceFade = 0;
    for (const [key, shape] of this.#counts) {
      shape.count /= 2;
      if (shape.count < 1) this.#counts.delete(key);
    }
  }
}

/** Shapes counted at a time; many times what `shapes` returns. */
const tableMax = 1024;
