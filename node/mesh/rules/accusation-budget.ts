import type { HostId } from '../../base/ids.ts';
import type { DetectorUpdate } from './health-update.ts';

/** How often each member may accuse others in a span of time: one that accuses all keeps all busy refuting it. */
export class AccusationBudget {
  readonly #accusationsMax: number;
  readonly #withinMs: number;
  readonly #spent = new Map<HostId, { readonly accusations: Set<string>; endsMs: number }>();

  constructor(accusationsMax: number, withinMs: number) {
    this.#accusationsMax = accusationsMax;
    this.#withinMs = withinMs;
  }

  /** Whether an accusation may be heard now. The same one again within the span costs nothing. */
  allows({ from, about, epoch, incarnation, kind, evidence }: DetectorUpdate, nowMs: number): boolean {
    const accusation = `${about} ${epoch} ${incarnation} ${kind} ${evidence}`;
    const spent = this.#spent.get(from);
    if (spent === undefined || nowMs >= spent.endsMs) {
      this.#spent.set(from, { accusations: new Set([accusation]), endsMs: nowMs + this.#withinMs });
      return true;
    }
    if (spent.accusations.has(accusation)) return true;
    if (spent.accusations.size >= this.#accusationsMax) return false;
    spent.accusations.add(accusation);
    return true;
  }

  /** Forgets those who are no members any more. */
  retain(isMember: (hostId: HostId) => boolean): void {
    for (const hostId of this.#spent.keys()) if (!isMember(hostId)) this.#spent.delete(hostId);
  }
}
