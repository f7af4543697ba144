/** The memberships that were applied anywhere, by the index that made them. */
import { type Membership, MembershipChecker } from '../checkers/consensus.ts';
import type { Report } from '../checkers/invariants.ts';

/** One of them. */
interface KnownMembership {
  readonly index: number;
  readonly membership: Membership;
  /** When the first member applied it. Virtual ms. */
  readonly sinceMs: number;
}

/** Who votes, as the first member that applies an index has it; each change goes to the checker once. */
export class Memberships {
  /** Newest last. */
  readonly #known: KnownMembership[] = [];
  readonly #checker: MembershipChecker;
  readonly #nowMs: () => number;

  constructor(report: Report, nowMs: () => number) {
    this.#checker = new MembershipChecker(report);
    this.#nowMs = nowMs;
  }

  /** Undefined: nothing was applied yet. */
  get newest(): KnownMembership | undefined {
    return this.#known.at(-1);
  }

  /** A member has applied `index`, and votes so. Returns whether that is new. */
  note(index: number, { voters, votersOutgoing }: Membership): boolean {
    const last = this.newest?.membership;
    const isSame =
      last !== undefined &&
      last.voters.join() === voters.join() &&
      last.votersOutgoing.join() === votersOutgoing.join();
    if (isSame || index <= (this.newest?.index ?? -1)) return false;
    this.#known.push({ index, membership: { voters, votersOutgoing }, sinceMs: this.#nowMs() });
    this.#checker.applied(index, { voters, votersOutgoing });
    return true;
  }

  /** Memberships that may have decided the entry at `index`: a change counts only from when its entry is applied. */
  before(index: number): readonly Membership[] {
    return this.#known
      .filter((known) => known.index < index)
      .slice(-3)
      .map(({ membership }) => membership);
  }
}
