import type { HostId } from '../../base/ids.ts';

/** How many hosts each member may accuse in a span of time: a member that accuses all keeps all busy refuting it. */
export class AccusationBudget {
  readonly #accusedMax: number;
  readonly #withinMs: number;
  readonly #spent = new Map<HostId, { readonly accused: Set<HostId>; endsMs: number }>();

  constructor(accusedMax: number, withinMs: number) {
    this.#accusedMax = accusedMax;
    this.#withinMs = withinMs;
  }

  /** Whether `from` may accuse `about` now. An accusation repeated within the span costs nothing. */
  allows(from: HostId, about: HostId, nowMs: number): boolean {
    const spent = this.#spent.get(from);
    if (spent === undefined || nowMs >= spent.endsMs) {
      this.#spent.set(from, { accused: new Set([about]), endsMs: nowMs + this.#withinMs });
      return true;
    }
    if (spent.accused.has(about)) return true;
    if (spent.accused.size >= this.#accusedMax) return false;
    spent.accused.add(about);
    return true;
  }

  /** Forgets those who are no members any more. */
  retain(isMember: (hostId: HostId) => boolean): void {
    for (const hostId of this.#spent.keys()) if (!isMember(hostId)) this.#spent.delete(hostId);
  }
}
