/**
 * The accusations that are held against one host at one incarnation, and when they are enough to call it down.
 *
 * One accuser is never enough where there are others who could look: it may be slow, cut off or a liar. Enough are
 * `accusersMin` who watch the host, and one more who does not (in a small mesh: all who are left, if they are fewer).
 * How long the host then has to refute shrinks with the number of independent accusers (Lifeguard, section IV-B).
 */
import type { HostId } from '../../base/ids.ts';
import type { DetectorUpdate, Evidence } from './health-update.ts';

/** Accusations kept of one host. More would add nothing, and each is passed on to those who missed it. */
const accusationsMax = 12;

/** How long a suspicion lasts. Unit: ms. */
export interface SuspicionTimes {
  /** Time to refute when just enough say "unreachable", and when `dogpile` more do. */
  readonly unreachableMs: { readonly longest: number; readonly shortest: number };
  /** The same where the host's kernel answers, so that it is there and its agent is slow. */
  readonly stalledMs: { readonly longest: number; readonly shortest: number };
  /** Accusers beyond those needed for the shortest time. */
  readonly dogpile: number;
}

/** Who could accuse, by this host's picture. */
export interface Jury {
  /** Those who watch the host now. */
  readonly observers: readonly HostId[];
  /** Those who watch it when all are there: the same by everybody's picture, so that all count alike. */
  readonly involved: readonly HostId[];
  /** Whether anybody is left who does not watch the host. */
  readonly hasUninvolved: boolean;
  readonly accusersMin: number;
}

export class Suspicion {
  readonly startedMs: number;
  readonly #by = new Map<HostId, DetectorUpdate>();

  constructor(startedMs: number) {
    this.startedMs = startedMs;
  }

  get accusations(): readonly DetectorUpdate[] {
    return [...this.#by.values()];
  }

  get size(): number {
    return this.#by.size;
  }

  /** What a host has seen; undefined: it has not accused. */
  evidenceOf(hostId: HostId): Evidence | undefined {
    const accusation = this.#by.get(hostId);
    return accusation === undefined ? undefined : evidenceIn(accusation);
  }

  /** Whether the same host has said the same already. */
  holds(accusation: DetectorUpdate): boolean {
    return this.evidenceOf(accusation.from) === evidenceIn(accusation);
  }

  /** Whether somebody has seen this. */
  isSeen(evidence: Evidence): boolean {
    return this.#count(evidence) > 0;
  }

  /** Takes an accusation in, or what the same host says now. False: nothing new, or there are enough. */
  add(accusation: DetectorUpdate): boolean {
    const held = this.#by.get(accusation.from);
    if (held === undefined && this.#by.size >= accusationsMax) return false;
    // What was just made here is signed on its way out, and comes back so.
    const isSame = held !== undefined && evidenceIn(held) === evidenceIn(accusation);
    if (isSame && (held.signed !== undefined || accusation.signed === undefined)) return false;
    this.#by.set(accusation.from, accusation);
    return !isSame;
  }

  /** Forgets what hosts have said that are no members any more. */
  retain(isMember: (hostId: HostId) => boolean): void {
    for (const hostId of this.#by.keys()) if (!isMember(hostId)) this.#by.delete(hostId);
  }

  /** Whether those who have seen this are enough for the host to be called down, at once or later. */
  isEnough(jury: Jury, evidence: Evidence): boolean {
    return this.#missing(jury, this.#count(evidence), evidence) <= 0;
  }

  /** Whether nobody has accused yet who does not watch the host, and somebody could. */
  lacksUninvolved(jury: Jury): boolean {
    return jury.hasUninvolved && ![...this.#by.keys()].some((hostId) => !jury.involved.includes(hostId));
  }

  /** When the host counts as down unless it refutes, ms of the clock of `startedMs`; undefined: accusers are too few. */
  endsMs(jury: Jury, times: SuspicionTimes): number | undefined {
    const unreachable = this.#count('unreachable');
    // The kernel of a host that is gone answers nobody: where as many say that it does, it is there.
    const isGone = this.#missing(jury, unreachable, 'unreachable') <= 0 && unreachable > this.#count('stalled');
    const count = isGone ? unreachable : this.#count();
    const missing = this.#missing(jury, count, isGone ? 'unreachable' : undefined);
    if (missing > 0) return undefined;
    const { longest, shortest } = isGone ? times.unreachableMs : times.stalledMs;
    const share = Math.min(1, Math.log(1 - missing) / Math.log(times.dogpile + 1));
    return this.startedMs + longest - (longest - shortest) * share;
  }

  #count(evidence?: Evidence): number {
    if (evidence === undefined) return this.#by.size;
    let count = 0;
    for (const accusation of this.#by.values()) if (evidenceIn(accusation) === evidence) count++;
    return count;
  }

  /** How many accusers are missing; negative: so many more than needed. */
  #missing(jury: Jury, count: number, evidence?: Evidence): number {
    const { observers, involved, hasUninvolved, accusersMin } = jury;
    const needed = Math.max(1, Math.min(accusersMin, observers.length) + (hasUninvolved ? 1 : 0));
    const isConfirmed =
      !hasUninvolved ||
      [...this.#by.values()].some(
        (accusation) =>
          !involved.includes(accusation.from) && (evidence === undefined || evidenceIn(accusation) === evidence),
      );
    return isConfirmed ? needed - count : Math.max(1, needed - count);
  }
}

/** An earlier version says "dead" of whom it suspected for long enough, and does not say what it saw of a suspect. */
function evidenceIn(update: DetectorUpdate): Evidence {
  return update.evidence ?? (update.kind === 'dead' ? 'unreachable' : 'stalled');
}
