/**
 * What Raft promises (Ongaro 2014, figure 3.2), checked from outside: from the messages that members send, and from what
 * they apply. Terms, indexes and hashes are all it knows.
 */
import type { Report } from './invariants.ts';

/** An entry as it is seen in a message. `hash` stands for type and bytes. */
interface SeenEntry {
  readonly index: number;
  readonly term: number;
  readonly hash: string;
}

/** One leader a term, log matching, leader completeness. */
export class ConsensusChecker {
  readonly #report: Report;
  readonly #leaders = new Map<number, number>();
  /** By index and term: the content, and the term of the entry before. */
  readonly #entries = new Map<string, { readonly hash: string; readonly previousTerm: number }>();
  /** By index: the entry's term, and one by which it was committed. */
  readonly #committed = new Map<number, { readonly term: number; readonly byTerm: number }>();
  #committedIndex = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** The last entry known committed. */
  get committedIndex(): number {
    return this.#committedIndex;
  }

  committedTerm(index: number): number | undefined {
    return this.#committed.get(index)?.term;
  }

  leads(node: number, term: number): void {
    const known = this.#leaders.get(term);
    if (known === undefined) this.#leaders.set(term, node);
    else if (known !== node) this.#report('one-leader-a-term', `members ${known} and ${node} both lead term ${term}`);
  }

  /** A leader of `leaderTerm` says that (`index`, `logTerm`) is followed by `entries`. */
  appends(leaderTerm: number, previous: { index: number; term: number }, entries: readonly SeenEntry[]): void {
    this.#againstCommitted(leaderTerm, previous.index, previous.term);
    let before = previous.term;
    for (const { index, term, hash } of entries) {
      const key = `${index}/${term}`;
      const known = this.#entries.get(key);
      if (known === undefined) this.#entries.set(key, { hash, previousTerm: before });
      else if (known.hash !== hash) this.#report('log-matching', `entry ${key} is not the same everywhere`);
      else if (known.previousTerm !== before) {
        this.#report('log-matching', `entry ${key} stands behind terms ${known.previousTerm} and ${before}`);
      }
      this.#againstCommitted(leaderTerm, index, term);
      // A leader's first entry tells where its log ended when it was elected.
      if (term === leaderTerm && before !== leaderTerm) {
        for (let at = index; at <= this.#committedIndex; at += 1) {
          const committed = this.#committed.get(at);
          if (committed === undefined || committed.byTerm >= leaderTerm) continue;
          this.#report(
            'leader-completeness',
            `the leader of term ${leaderTerm} began at ${index}, and lacks ${at}/${committed.term}`,
          );
          return;
        }
      }
      before = term;
    }
  }

  /**
   * A member has applied the entry, in its term `byTerm`. A leader's entry may be committed by a later one: leaders of the
   * terms between, whom nobody has heard of, need not have it.
   */
  committed(index: number, term: number, byTerm = term): void {
    const known = this.#committed.get(index);
    if (known !== undefined && known.term !== term) {
      this.#report('state-machine-safety', `entries of terms ${known.term} and ${term} were both applied at ${index}`);
      return;
    }
    this.#committed.set(index, { term, byTerm: Math.min(byTerm, known?.byTerm ?? byTerm) });
    this.#committedIndex = Math.max(this.#committedIndex, index);
  }

  #againstCommitted(leaderTerm: number, index: number, term: number): void {
    const committed = this.#committed.get(index);
    if (committed === undefined || committed.term === term || committed.byTerm >= leaderTerm) return;
    this.#report(
      'leader-completeness',
      `the leader of term ${leaderTerm} holds ${index}/${term}; ${index}/${committed.term} is committed`,
    );
  }
}

/** What a running member says of itself only grows. */
export class ProgressChecker {
  readonly #report: Report;
  readonly #seen = new Map<string, { commit: number; applied: number }>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** @param life names one run of one member, and changes when its core is made again. */
  observe(life: string, commit: number, applied: number): void {
    const seen = this.#seen.get(life);
    if (seen === undefined) {
      this.#seen.set(life, { commit, applied });
      return;
    }
    if (commit < seen.commit) this.#report('commit-monotonic', `${life}: commit index ${seen.commit}, then ${commit}`);
    if (applied < seen.applied) this.#report('reads-monotonic', `${life}: revision ${seen.applied}, then ${applied}`);
    seen.commit = commit;
    seen.applied = applied;
  }
}

/** A membership: two lists while it is joint. */
export interface Membership {
  readonly voters: readonly number[];
  readonly votersOutgoing: readonly number[];
}

/** Successive memberships cannot decide without one another. */
export class MembershipChecker {
  readonly #report: Report;
  readonly #byIndex = new Map<number, Membership>();
  #lastIndex = -1;

  constructor(report: Report) {
    this.#report = report;
  }

  /** A member has the membership `now` after applying `index`. Each change is told by every member that applies it. */
  applied(index: number, now: Membership): void {
    const text = (membership: Membership): string => `${membership.voters.join()}|${membership.votersOutgoing.join()}`;
    const known = this.#byIndex.get(index);
    if (known !== undefined) {
      if (text(known) !== text(now)) {
        this.#report('state-machine-safety', `memberships ${text(known)} and ${text(now)} at ${index}`);
      }
      return;
    }
    const before = this.#byIndex.get(this.#lastIndex);
    this.#byIndex.set(index, now);
    if (index < this.#lastIndex) return;
    this.#lastIndex = index;
    if (before === undefined || before.voters.length === 0 || quorumsIntersect(before, now)) return;
    this.#report('quorums-intersect', `memberships ${text(before)} and then ${text(now)}, at ${index}`);
  }
}

/** Whether each quorum of `a` has a member in common with each of `b`. A joint membership needs both its majorities. */
export function quorumsIntersect(a: Membership, b: Membership): boolean {
  const lists = (membership: Membership): readonly (readonly number[])[] =>
    [membership.voters, membership.votersOutgoing].filter((list) => list.length > 0);
  // It is enough that one list of `a` and one of `b` always meet.
  return lists(a).some((left) => lists(b).some((right) => majoritiesMeet(left, right)));
}

/** Any majority of `a` meets any majority of `b`: the smallest ones, chosen to avoid each other, do not fit side by side. */
function majoritiesMeet(a: readonly number[], b: readonly number[]): boolean {
  const common = a.filter((id) => b.includes(id)).length;
  const neededOf = (list: readonly number[]): number => Math.floor(list.length / 2) + 1;
  // Members that a majority must take from the common ones after taking all the others.
  const fromA = Math.max(0, neededOf(a) - (a.length - common));
  const fromB = Math.max(0, neededOf(b) - (b.length - common));
  return fromA + fromB > common;
}
