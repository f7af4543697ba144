/**
 * Who is there and who is not: SWIM (Das, Gupta, Motivala, 2002) with the improvements of Lifeguard (Dadgar, Phillips,
 * Currey, 2017). Pure: time, random numbers, answers and health updates are handed in; what is to be done comes out.
 *
 * Each period one member is probed, in a shuffled round. No answer: three others are asked to probe it. Still none: it is
 * suspected, and the mesh is told. A suspected member has some time to say that it is alive; then it counts as dead.
 * Lifeguard: a host that gets no answers suspects itself first, and probes slower and more patiently (local health); a
 * suspicion that others share ends sooner than a lonely one; the suspect is told to its face.
 *
 * What comes of it is a hint. It lowers a host's weight in placement; it never moves a guest, a claim or a vote.
 */
import type { HostId } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';

/** How a host looks from here. "unknown": nothing has been heard of it since this agent started. */
export type Condition = 'alive' | 'suspect' | 'dead' | 'unknown';

/** How suspect a suspected host is to placement: chosen only when nobody else is left. */
const suspicionOfSuspect = 0.5;

/** What a condition means to placement: a hint, no more. */
export function livenessOf(condition: Condition): { readonly up: boolean; readonly suspicion: number } {
  return { up: condition !== 'dead', suspicion: condition === 'suspect' ? suspicionOfSuspect : 0 };
}

/** Which claim about a host is the newer: start of its agent, then the number of times it has refuted. */
interface Incarnation {
  readonly epoch: number;
  readonly incarnation: number;
}

/** What one host says of another. "alive" comes from the host itself only. Checked before it comes here. */
export interface DetectorUpdate extends Incarnation {
  readonly about: HostId;
  readonly from: HostId;
  readonly kind: 'suspect' | 'alive' | 'dead';
}

/** What the detector wants done. */
export type DetectorAction =
  /** Probe `target` and report with `probed`. With `suspicion` it is told what it is suspected of. */
  | {
      readonly kind: 'probe';
      readonly target: HostId;
      readonly timeoutMs: number;
      readonly suspicion: DetectorUpdate | undefined;
    }
  /** Ask each of `helpers` to probe `target` and report with `probedIndirectly`. */
  | {
      readonly kind: 'probe-indirectly';
      readonly target: HostId;
      readonly helpers: readonly HostId[];
      readonly timeoutMs: number;
    }
  /** Tell the mesh. */
  | { readonly kind: 'tell'; readonly update: DetectorUpdate }
  /** A host looks different from here now. */
  | { readonly kind: 'condition'; readonly hostId: HostId; readonly condition: Condition };

/** What a helper answered: it reached the target, it did not, or it did not answer itself. */
export type HelperAnswer = 'reached' | 'not-reached' | 'no-answer';

/** Settings. The relations that must hold are asserted by `DetectorOptions`' users in tests only: these are constants. */
export interface DetectorOptions {
  /** One probe each, ms. */
  readonly periodMs: number;
  /** Time for a direct probe, ms; less than half a period, so that helpers have time too. */
  readonly probeMs: number;
  /** Time for a helper's probe, its own to the target included, ms. */
  readonly indirectMs: number;
  readonly helpers: number;
  /** Shortest suspicion: this many periods, times log10 of the number of members. */
  readonly suspicionPeriods: number;
  /** A suspicion that nobody shares lasts this many times longer. */
  readonly lonelySuspicionFactor: number;
  /** Others that must share a suspicion for the shortest time. */
  readonly confirmations: number;
  /** Worst local health: periods and times are up to this many plus one times longer. */
  readonly healthMax: number;
  /** Every so many periods one of the dead is probed instead, so that a healed partition is noticed. */
  readonly deadEvery: number;
}

/**
 * What an agent runs with: the LAN defaults of HashiCorp's memberlist, which implements SWIM with Lifeguard. But a
 * direct probe has 400 ms instead of 500, so that helpers get an answer within the same period.
 */
export const detectorOptions: DetectorOptions = {
  periodMs: 1_000,
  probeMs: 400,
  indirectMs: 900,
  helpers: 3,
  suspicionPeriods: 4,
  lonelySuspicionFactor: 6,
  confirmations: 2,
  healthMax: 8,
  deadEvery: 4,
};

interface Member {
  readonly hostId: HostId;
  condition: Condition;
  known: Incarnation;
  suspicion: { readonly startedMs: number; readonly by: Set<HostId>; isCertain: boolean } | undefined;
}

/** The detector of one host. */
export class Detector {
  readonly #self: HostId;
  readonly #random: Prng;
  readonly #options: DetectorOptions;
  readonly #members = new Map<HostId, Member>();
  #own: Incarnation;
  /** 0: this host gets the answers that it should. Up to `healthMax`: the fault may be here. */
  #health = 0;
  #round: HostId[] = [];
  #deadRound: HostId[] = [];
  readonly #urgent = new Set<HostId>();
  #periods = 0;
  #periodDueMs = 0;
  #actions: DetectorAction[] = [];

  /** @param epoch this start of the agent, as in its adverts. */
  constructor(self: HostId, epoch: number, random: Prng, options: DetectorOptions = detectorOptions) {
    this.#self = self;
    this.#own = { epoch, incarnation: 0 };
    this.#random = random;
    this.#options = options;
  }

  /** How a host looks from here. This host itself is alive. */
  conditionOf(hostId: HostId): Condition {
    return hostId === this.#self ? 'alive' : (this.#members.get(hostId)?.condition ?? 'unknown');
  }

  /** 0 is well; see `DetectorOptions.healthMax`. */
  get localHealth(): number {
    return this.#health;
  }

  /** What this host says of itself. */
  ownHealthUpdate(): DetectorUpdate {
    return { ...this.#own, about: this.#self, from: this.#self, kind: 'alive' };
  }

  /** All members but this host. */
  setMembers(hostIds: readonly HostId[]): void {
    const wanted = new Set(hostIds.filter((hostId) => hostId !== this.#self));
    for (const hostId of this.#members.keys()) if (!wanted.has(hostId)) this.#members.delete(hostId);
    for (const hostId of wanted) {
      if (this.#members.has(hostId)) continue;
      this.#members.set(hostId, {
        hostId,
        condition: 'unknown',
        known: { epoch: 0, incarnation: 0 },
        suspicion: undefined,
      });
      // Into the round at a place of chance, as SWIM has it: nobody can tell when a newcomer will be probed first.
      this.#round.splice(this.#random.below(this.#round.length + 1), 0, hostId);
    }
  }

  /** Time has passed. Call it several times a period. `nowMs` is monotonic. */
  tick(nowMs: number): readonly DetectorAction[] {
    for (const member of this.#members.values()) {
      if (member.suspicion === undefined || member.condition !== 'suspect') continue;
      if (nowMs - member.suspicion.startedMs < this.#suspicionMs(member)) continue;
      this.#become(member, 'dead');
      this.#tell(member, 'dead');
    }
    // Somebody who is known to be there is worth a probe at once, once a tick, however slow this host has made itself.
    if (nowMs >= this.#periodDueMs || this.#urgent.size > 0) {
      this.#periodDueMs = nowMs + this.#options.periodMs * (this.#health + 1);
      this.#probeNext();
    }
    return this.#taken();
  }

  /** A direct probe has ended. */
  probed(target: HostId, isReached: boolean, nowMs: number): readonly DetectorAction[] {
    const member = this.#members.get(target);
    if (member === undefined) return [];
    if (isReached) {
      this.#changeLocalHealth(-1);
      this.#reached(member);
    } else if (member.condition !== 'dead') {
      const helpers = this.#helpersFor(target);
      if (helpers.length === 0) {
        this.#changeLocalHealth(1);
        this.#suspect(member, nowMs);
      } else {
        const timeoutMs = this.#options.indirectMs * (this.#health + 1);
        this.#actions.push({ kind: 'probe-indirectly', target, helpers, timeoutMs });
      }
    }
    return this.#taken();
  }

  /** The helpers have answered, or their time is over. */
  probedIndirectly(target: HostId, answers: readonly HelperAnswer[], nowMs: number): readonly DetectorAction[] {
    const member = this.#members.get(target);
    if (member === undefined) return [];
    if (answers.includes('reached')) {
      this.#reached(member);
    } else {
      // A helper that answered shows that this host is heard: then it is the target that is not there. One that did not
      // answer either is a hint that the fault is here.
      this.#changeLocalHealth(answers.filter((answer) => answer === 'no-answer').length);
      this.#suspect(member, nowMs);
    }
    return this.#taken();
  }

  /** A health update has come, signed and checked. */
  heard(update: DetectorUpdate, nowMs: number): readonly DetectorAction[] {
    if (update.about === this.#self) {
      this.#refute(update);
      return this.#taken();
    }
    const member = this.#members.get(update.about);
    if (member === undefined) return [];
    const order = compareIncarnation(update, member.known);
    switch (update.kind) {
      case 'alive':
        if (update.from !== update.about) break;
        if (order > 0 || (order === 0 && member.condition === 'unknown')) this.#alive(member, update);
        break;
      case 'suspect':
      case 'dead':
        if (order < 0 || (order === 0 && member.condition === 'dead')) break;
        if (order > 0) member.suspicion = undefined; // Of the past: the host has refuted it meanwhile.
        this.#suspectedBy(member, update, nowMs);
        break;
    }
    return this.#taken();
  }

  /** An advert of this start of a host's agent has come: a higher epoch shows that it has been started again. */
  advertised(hostId: HostId, epoch: number): readonly DetectorAction[] {
    const member = this.#members.get(hostId);
    if (member !== undefined && (epoch > member.known.epoch || member.condition === 'unknown')) {
      if (epoch >= member.known.epoch) this.#alive(member, { epoch, incarnation: 0 });
    }
    return this.#taken();
  }

  /**
   * A host has probed this one, so it is there. When it does not look alive from here it is probed next, and told what it
   * is suspected of: after an isolation the mesh comes back as fast as it asks, not as fast as this host dares to.
   */
  contacted(hostId: HostId): void {
    const condition = this.#members.get(hostId)?.condition;
    if (condition === 'suspect' || condition === 'dead') this.#urgent.add(hostId);
  }

  #probeNext(): void {
    this.#periods++;
    const dead = this.#periods % this.#options.deadEvery === 0 ? this.#next('dead') : undefined;
    const member = this.#nextUrgent() ?? dead ?? this.#next('living') ?? this.#next('dead');
    if (member === undefined) return;
    this.#actions.push({
      kind: 'probe',
      target: member.hostId,
      timeoutMs: this.#options.probeMs * (this.#health + 1),
      suspicion:
        member.condition === 'suspect' || member.condition === 'dead'
          ? { ...member.known, about: member.hostId, from: this.#self, kind: member.condition }
          : undefined,
    });
  }

  #nextUrgent(): Member | undefined {
    for (const hostId of this.#urgent) {
      this.#urgent.delete(hostId);
      const member = this.#members.get(hostId);
      if (member?.condition === 'suspect' || member?.condition === 'dead') return member;
    }
    return undefined;
  }

  /** The next of a round, which is shuffled again at its end: each is probed within one round, no two in step. */
  #next(kind: 'living' | 'dead'): Member | undefined {
    const isMine = (member: Member | undefined): member is Member =>
      member !== undefined && (member.condition === 'dead') === (kind === 'dead');
    for (const isRenewed of [false, true]) {
      if (isRenewed) {
        const round = [...this.#members.values()].filter(isMine).map(({ hostId }) => hostId);
        shuffle(round, this.#random);
        if (kind === 'dead') this.#deadRound = round;
        else this.#round = round;
      }
      const round = kind === 'dead' ? this.#deadRound : this.#round;
      for (let hostId = round.pop(); hostId !== undefined; hostId = round.pop()) {
        const member = this.#members.get(hostId);
        if (isMine(member)) return member;
      }
    }
    return undefined;
  }

  #helpersFor(target: HostId): readonly HostId[] {
    const able = [...this.#members.values()]
      .filter(({ hostId, condition }) => hostId !== target && condition === 'alive')
      .map(({ hostId }) => hostId);
    shuffle(able, this.#random);
    return able.slice(0, this.#options.helpers);
  }

  /** A probe got through. It clears what is only "unknown"; a suspicion is for the suspect to refute, so that all agree. */
  #reached(member: Member): void {
    if (member.condition === 'unknown') this.#become(member, 'alive');
  }

  #alive(member: Member, incarnation: Incarnation): void {
    member.known = { epoch: incarnation.epoch, incarnation: incarnation.incarnation };
    member.suspicion = undefined;
    this.#become(member, 'alive');
  }

  /** This host's own probes have failed. Of a suspicion that others had first it becomes one more witness, once. */
  #suspect(member: Member, nowMs: number): void {
    if (member.condition === 'dead') return;
    member.suspicion ??= { startedMs: nowMs, by: new Set(), isCertain: false };
    this.#become(member, 'suspect');
    const { by } = member.suspicion;
    if (by.has(this.#self) || by.size > this.#options.confirmations) return;
    by.add(this.#self);
    this.#tell(member, 'suspect');
  }

  /** Another host suspects a member, or holds it for dead, which is taken for a suspicion that needs no more witnesses. */
  #suspectedBy(member: Member, update: DetectorUpdate, nowMs: number): void {
    member.known = { epoch: update.epoch, incarnation: update.incarnation };
    member.suspicion ??= { startedMs: nowMs, by: new Set(), isCertain: false };
    this.#become(member, 'suspect');
    member.suspicion.by.add(update.from);
    if (update.kind === 'dead') member.suspicion.isCertain = true;
  }

  #refute(update: DetectorUpdate): void {
    // Of an earlier incarnation: refuted before, or, of an earlier start, by the next advert.
    if (update.kind === 'alive' || compareIncarnation(update, this.#own) < 0) return;
    this.#own = { epoch: update.epoch, incarnation: update.incarnation + 1 };
    // Another host suspects this one: perhaps it is slow.
    this.#changeLocalHealth(1);
    this.#actions.push({ kind: 'tell', update: this.ownHealthUpdate() });
  }

  #become(member: Member, condition: Condition): void {
    if (member.condition === condition) return;
    member.condition = condition;
    if (condition === 'dead') member.suspicion = undefined;
    this.#actions.push({ kind: 'condition', hostId: member.hostId, condition });
  }

  #tell(member: Member, kind: 'suspect' | 'dead'): void {
    this.#actions.push({
      kind: 'tell',
      update: { ...member.known, about: member.hostId, from: this.#self, kind },
    });
  }

  #changeLocalHealth(change: number): void {
    this.#health = Math.min(this.#options.healthMax, Math.max(0, this.#health + change));
  }

  /**
   * How long a suspicion lasts: from the longest, when nobody shares it, down to the shortest, when enough others do, with
   * the logarithm of their number (Lifeguard, section IV-B). In a mesh too small for them it is the shortest at once.
   */
  #suspicionMs(member: Member): number {
    const { periodMs, suspicionPeriods, lonelySuspicionFactor, confirmations } = this.#options;
    const size = this.#members.size + 1;
    const shortestMs = suspicionPeriods * Math.max(1, Math.log10(size)) * periodMs;
    if (size - 2 < confirmations || member.suspicion?.isCertain) return shortestMs;
    const longestMs = lonelySuspicionFactor * shortestMs;
    const others = Math.max(0, (member.suspicion?.by.size ?? 1) - 1);
    const share = Math.log(others + 1) / Math.log(confirmations + 1);
    return Math.max(shortestMs, longestMs - (longestMs - shortestMs) * share);
  }

  #taken(): readonly DetectorAction[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
}

/** Negative when `a` is the older. */
function compareIncarnation(a: Incarnation, b: Incarnation): number {
  return a.epoch !== b.epoch ? a.epoch - b.epoch : a.incarnation - b.incarnation;
}

function shuffle<T>(items: T[], random: Prng): void {
  for (let last = items.length - 1; last > 0; last--) {
    const at = random.below(last + 1);
    const [one, other] = [items[last], items[at]];
    if (one === undefined || other === undefined) continue;
    items[last] = other;
    items[at] = one;
  }
}
