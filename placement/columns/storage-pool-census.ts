import type { StoragePool } from '../model/advert.ts';

/** Counts what hosts say of each storage pool: whether it is the same on all of them. Most hosts' word holds. */
export class StoragePoolCensus {
  readonly #counts = new Map<string, { shared: number; own: number }>();

  /** A host lists these now, and listed those before. */
  replace(before: readonly StoragePool[], after: readonly StoragePool[]): void {
    if (saysTheSame(before, after)) return;
    for (const pool of before) this.#count(pool, -1);
    for (const pool of after) this.#count(pool, 1);
  }

  /** Whether disks in the pool can be opened from every host that lists it; undefined: no host lists it. */
  isShared(name: string): boolean | undefined {
    const counts = this.#counts.get(name);
    return counts === undefined ? undefined : counts.shared > counts.own;
  }

  #count({ name, shared }: StoragePool, delta: 1 | -1): void {
    const counts = this.#counts.get(name) ?? { shared: 0, own: 0 };
    if (shared) counts.shared += delta;
    else counts.own += delta;
    if (counts.shared + counts.own > 0) this.#counts.set(name, counts);
    else this.#counts.delete(name);
  }
}

function saysTheSame(a: readonly StoragePool[], b: readonly StoragePool[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i]?.name !== b[i]?.name || a[i]?.shared !== b[i]?.shared) return false;
  return true;
}
