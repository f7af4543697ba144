/**
 * Who is there and who is not: SWIM (Das, Gupta, Motivala, 2002) with the improvements of Lifeguard (Dadgar, Phillips,
 * Currey, 2017) and the fixed observers of Rapid (Suresh et al., 2018). Pure: time, random numbers, answers and health
 * updates are handed in; what is to be done comes out.
 *
 * Each host is watched by a few others (observer-rings.ts), which probe it in turn, one each period (watch-plan.ts). No
 * answer: three more observers and two hosts that do not watch it are asked to probe it. Nobody reached it: it is
 * suspected, and the mesh is told, with the word of each of those who saw nothing. When they are enough (suspicion.ts) it
 * has a short time to say that it is alive; then it counts as dead. A host whose kernel answers has far longer.
 * Lifeguard: a host that gets no answers suspects itself first, and probes slower and more patiently (local health); a
 * suspicion that others share ends sooner; the suspect is told to its face.
 *
 * What comes of it is a hint: place nothing on a host that is dead. It never moves a guest, a claim or a vote.
 */
import type { HostId } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';
import { AccusationBudget } from './accusation-budget.ts';
import {
  type DetectorAction,
  type DetectorOptions,
  detectorOptions,
  type HelperAnswer,
  type ProbeOutcome,
} from './detector-options.ts';
import {
  type Condition,
  compareIncarnation,
  type DetectorUpdate,
  type Evidence,
  type Incarnation,
} from './health-update.ts';
import { type Member, MemberTable } from './member-table.ts';
import { ObserverRings } from './observer-rings.ts';
import { Suspicion } from './suspicion.ts';
import { WatchPlan } from './watch-plan.ts';

/** A probe that ends so much later than its time shows that this agent stood still: it means nothing. Unit: ms. */
const lateMsMax = 500;
/** An incarnation beyond this was not counted up: no host refutes more than once a millisecond for ten thousand years. */
const incarnationMax = 2 ** 48;

/** Time between two refutations of one accuser, ms. */
const refutationPauseMs = 2_000;

/** A probe that is under way. */
interface Flight {
  readonly startedMs: number;
  readonly timeoutMs: number;
  evidence: Evidence;
}

/** What has happened here so far. */
export interface DetectorCounts {
  /** Accusations that this host made. */
  readonly suspicions: number;
  /** Times that this host said that it is alive after all. */
  readonly refutations: number;
  /** Hosts that came to count as dead here. */
  readonly downs: number;
}

/** The detector of one host. */
export class Detector {
  readonly #self: HostId;
  readonly #random: Prng;
  readonly #options: DetectorOptions;
  readonly #table: MemberTable;
  readonly #plan: WatchPlan;
  readonly #budget: AccusationBudget;
  readonly #flights = new Map<HostId, Flight>();
  readonly #urgent = new Set<HostId>();
  readonly #suspects = new Set<Member>();
  readonly #counts = { suspicions: 0, refutations: 0, downs: 0 };
  /** When an accusation by a host is refuted again; the latest by each. */
  readonly #refutedUntilMs = new Map<HostId, number>();
  /** When this host last asked another because their digests differed. */
  #askedMs = Number.NEGATIVE_INFINITY;
  /** Whether the host that probed this one last held others for dead. */
  #isBehind = false;
  #own: Incarnation;
  /** 0: this host gets the answers that it should. Up to `healthMax`: the fault may be here. */
  #health = 0;
  /** Whether other hosts are usable than when it was last found out whom this one watches. */
  #isStale = true;
  #ownObservers: readonly HostId[] = [];
  #actions: DetectorAction[] = [];

  /** @param epoch this start of the agent, as in its adverts. */
  constructor(self: HostId, epoch: number, random: Prng, options: DetectorOptions = detectorOptions) {
    this.#self = self;
    this.#own = { epoch, incarnation: 0 };
    this.#random = random;
    this.#options = options;
    this.#table = new MemberTable(self);
    this.#plan = new WatchPlan(options.periodMs, random);
    this.#budget = new AccusationBudget(options.accusationsMax, options.accusationsWithinMs);
  }

  /** How a host looks from here. This host itself is alive. */
  conditionOf(hostId: HostId): Condition {
    return this.#table.conditionOf(hostId);
  }

  /** Who accuses a host that is suspect or dead, and of what. */
  accusationsOf(hostId: HostId): readonly DetectorUpdate[] {
    return this.#table.find(hostId)?.suspicion?.accusations ?? [];
  }

  /** 0 is well; see `DetectorOptions.healthMax`. */
  get localHealth(): number {
    return this.#health;
  }

  get counts(): DetectorCounts {
    return { ...this.#counts };
  }

  /** Hosts that this one watches now. */
  get watched(): number {
    return this.#plan.size;
  }

  /** What this host says of itself. */
  ownHealthUpdate(): DetectorUpdate {
    return { ...this.#own, about: this.#self, from: this.#self, kind: 'alive' };
  }

  /** All members, this host among them. */
  setMembers(hostIds: readonly HostId[]): void {
    const members = new Set(hostIds).add(this.#self);
    if (!this.#table.rings.isOf(members)) this.setRings(new ObserverRings(members));
  }

  /** All members, this host among them, where somebody has their rings already. */
  setRings(rings: ObserverRings): void {
    const isMember = (hostId: HostId): boolean => rings.has(hostId);
    this.#table.setRings(rings);
    this.#budget.retain(isMember);
    for (const member of this.#suspects) if (!isMember(member.hostId)) this.#suspects.delete(member);
    for (const hostId of this.#refutedUntilMs.keys()) if (!isMember(hostId)) this.#refutedUntilMs.delete(hostId);
    for (const hostId of this.#flights.keys()) if (!isMember(hostId)) this.#flights.delete(hostId);
    this.#isStale = true;
  }

  /** Time has passed. Call it several times a period. `nowMs` is monotonic. */
  tick(nowMs: number): readonly DetectorAction[] {
    this.#endSuspicions(nowMs);
    this.#renewPlan(nowMs);
    let left = this.#options.probesPerTick;
    for (const hostId of this.#urgent) {
      if (left <= 0) break;
      this.#urgent.delete(hostId);
      if (this.#probe(hostId, nowMs)) left--;
    }
    for (let hostId = this.#plan.nextDue(nowMs); hostId !== undefined && left > 0; left--) {
      this.#plan.begun(hostId, nowMs);
      this.#probe(hostId, nowMs);
      hostId = this.#plan.nextDue(nowMs);
    }
    return this.#taken();
  }

  /** When `tick` has something to do next, ms, as things stand; never before `nowMs`. */
  nextTickMs(nowMs: number): number {
    if (this.#urgent.size > 0 || this.#isStale) return nowMs;
    let firstMs = this.#plan.firstDueMs;
    for (const member of this.#suspects) firstMs = Math.min(firstMs, this.#judgedNextMs(member));
    return Math.max(nowMs, firstMs);
  }

  /**
   * A direct probe has ended.
   * @param nextInMs when the target wants to be probed next by this host; absent: it did not say.
   */
  probed(target: HostId, outcome: ProbeOutcome, nowMs: number, nextInMs?: number): readonly DetectorAction[] {
    const flight = this.#flights.get(target);
    this.#flights.delete(target);
    const member = this.#table.get(target);
    if (member === undefined) return [];
    if (outcome === 'reached') {
      this.#changeLocalHealth(-1);
      if (nextInMs !== undefined) {
        this.#plan.after(target, nextInMs + this.#health * this.#options.periodMs, nowMs);
      }
      this.#reached(member);
      return this.#taken();
    }
    const isLate = flight !== undefined && nowMs - flight.startedMs > flight.timeoutMs + lateMsMax;
    if (outcome === 'unknown' || isLate) {
      // This agent stood still: what it did not hear meanwhile says nothing of others.
      this.#changeLocalHealth(1);
      this.#plan.after(target, this.#options.periodMs, nowMs);
      return this.#taken();
    }
    if (member.condition === 'dead') return [];
    // Its kernel has answered before: that it does not now may be a lost packet. It is looked at once more.
    if (
      outcome === 'unreachable' &&
      !member.isLookedAtTwice &&
      member.suspicion?.evidenceOf(this.#self) === 'stalled'
    ) {
      member.isLookedAtTwice = true;
      this.#urgent.add(target);
      return this.#taken();
    }
    member.isLookedAtTwice = false;
    const helpers = this.#isAccusedByOthers(member) ? [] : this.#helpersFor(target);
    if (helpers.length === 0) {
      if (!this.#isAccusedByOthers(member)) this.#changeLocalHealth(1);
      this.#accuse(member, outcome, [], nowMs);
    } else {
      const timeoutMs = this.#options.indirectMs * (this.#health + 1);
      this.#flights.set(target, { startedMs: nowMs, timeoutMs, evidence: outcome });
      this.#actions.push({ kind: 'probe-indirectly', target, helpers, timeoutMs });
    }
    return this.#taken();
  }

  /** The helpers have answered, or their time is over. */
  probedIndirectly(target: HostId, answers: readonly HelperAnswer[], nowMs: number): readonly DetectorAction[] {
    const flight = this.#flights.get(target);
    this.#flights.delete(target);
    const member = this.#table.get(target);
    if (member === undefined || member.condition === 'dead') return [];
    if (answers.some(({ kind }) => kind === 'reached')) {
      this.#reached(member);
      return this.#taken();
    }
    if (flight === undefined || nowMs - flight.startedMs > flight.timeoutMs + lateMsMax) {
      this.#changeLocalHealth(1);
      return this.#taken();
    }
    // A helper that answered shows that this host is heard: then it is the target that is not there. When none does, the
    // fault may be here, and nobody is accused. (Lifeguard counts each that does not answer. When half of the hosts are
    // gone that would make all the others slow just then.)
    if (answers.every(({ kind }) => kind === 'no-answer')) {
      this.#changeLocalHealth(1);
      this.#suspectSilently(member, flight.evidence, nowMs);
      return this.#taken();
    }
    const words: DetectorUpdate[] = [];
    for (const answer of answers) {
      if (answer.kind === 'not-reached' && answer.accusation !== undefined) words.push(answer.accusation);
    }
    this.#accuse(member, flight.evidence, words, nowMs);
    return this.#taken();
  }

  /** What this host says of one that it probed on another's behalf and did not reach; undefined: nothing can be said. */
  witness(target: HostId, outcome: ProbeOutcome): DetectorUpdate | undefined {
    const member = this.#table.find(target);
    if (member === undefined || outcome === 'reached' || outcome === 'unknown') return undefined;
    return { ...member.known, about: target, from: this.#self, kind: 'suspect', evidence: outcome };
  }

  /** Whether a health update is worth checking its signature, which costs more than all else. It is not believed yet. */
  isNews(update: DetectorUpdate): boolean {
    return this.#table.isNews(update);
  }

  /** Whether who made an update, which has been checked, may say so much: else it is neither heard nor passed on. */
  allows(update: DetectorUpdate, nowMs: number): boolean {
    return update.kind === 'alive' || this.#budget.allows(update, nowMs);
  }

  /** A health update has come, signed and checked. */
  heard(update: DetectorUpdate, nowMs: number): readonly DetectorAction[] {
    if (update.about === this.#self) {
      this.#refute(update, nowMs);
      return this.#taken();
    }
    const member = this.#table.get(update.about);
    if (member === undefined) return [];
    if (update.kind === 'alive') {
      if (update.from === update.about && this.#table.isNews(update)) this.#alive(member, update, update);
      return this.#taken();
    }
    // Only what the host has said of itself can be held against it: nobody else raises its incarnation.
    if (compareIncarnation(update, member.known) !== 0 || member.condition === 'dead') return [];
    if (!this.#table.rings.has(update.from) || update.from === this.#self) {
      // This host's own word comes back signed, in the message that it was passed on with.
      if (update.from === this.#self && member.suspicion !== undefined) member.suspicion.add(update);
      return [];
    }
    if (!this.allows(update, nowMs)) return [];
    this.#accusedBy(member, update, nowMs);
    return this.#taken();
  }

  /** An advert of this start of a host's agent has come: a higher epoch shows that it has been started again. */
  advertised(hostId: HostId, epoch: number): readonly DetectorAction[] {
    const member = this.#table.get(hostId);
    if (member !== undefined && (epoch > member.known.epoch || member.condition === 'unknown')) {
      if (epoch >= member.known.epoch) this.#alive(member, { epoch, incarnation: 0 }, undefined);
    }
    return this.#taken();
  }

  /**
   * A host has probed this one, so it is there. When it does not look alive from here it is probed next, and told what it
   * is suspected of: after an isolation the mesh comes back as fast as it asks, not as fast as this host dares to.
   * Returns when it should probe this host next, ms; undefined: it does not watch this one.
   * @param digest of what it holds; absent: it did not say.
   */
  contacted(hostId: HostId, nowMs: number, digest?: number): number | undefined {
    const member = this.#table.get(hostId);
    if (member?.condition === 'unknown') this.#become(member, 'alive');
    if (member?.condition === 'suspect' || member?.condition === 'dead') this.#urgent.add(hostId);
    // It holds others for dead than this host does: perhaps this one has missed something. It asks, once a period.
    if (digest !== undefined) this.#isBehind = (digest ^ this.#table.digest()) >>> 16 !== 0;
    if (this.#isBehind && nowMs >= this.#askedMs + this.#options.periodMs) {
      this.#askedMs = nowMs;
      this.#urgent.add(hostId);
    }
    return this.#plan.slotOf(hostId, this.#ownObservers, nowMs);
  }

  /** See `MemberTable.digest`. */
  digest(): number {
    return this.#table.digest();
  }

  /** Marks of those held for dead, to be sent with a probe, when this host has found that it misses some; else none. */
  deadMarks(): readonly number[] {
    return this.#isBehind ? this.#table.deadMarks() : [];
  }

  /** What another host with that digest, and with these marks of the dead, may have missed. */
  updatesFor(digest: number, marks: readonly number[]): readonly DetectorUpdate[] {
    return this.#table.updatesFor(digest, marks);
  }

  #jury(target: HostId): ReturnType<MemberTable['juryOf']> {
    return this.#table.juryOf(target, this.#options.accusersMin);
  }

  #endSuspicions(nowMs: number): void {
    for (const member of this.#suspects) {
      if (nowMs < this.#judgedNextMs(member)) continue;
      this.#judge(member, nowMs);
      if (nowMs >= member.endsMs) this.#become(member, 'dead');
      else if (this.#shouldLook(member, nowMs)) this.#urgent.add(member.hostId);
    }
  }

  /** Whether to probe a suspect: again, where this host accuses it; or where others still have to accuse it. */
  #shouldLook({ suspicion, hostId, lookedMs }: Member, nowMs: number): boolean {
    const { retryPeriods, periodMs, stalledSilenceMs } = this.#options;
    if (suspicion === undefined || nowMs - lookedMs < retryPeriods * periodMs) return false;
    if (suspicion.evidenceOf(this.#self) !== undefined) return true;
    const waitMs = suspicion.isSeen('unreachable') ? periodMs : stalledSilenceMs;
    return nowMs - suspicion.startedMs >= waitMs && this.#isAsked(suspicion, hostId);
  }

  /** Whether it is for this host to look at a suspect: it watches it, or is the next one from outside. */
  #isAsked(suspicion: Suspicion, target: HostId): boolean {
    const jury = this.#jury(target);
    if (jury.observers.includes(this.#self)) return true;
    if (!suspicion.lacksUninvolved(jury)) return false;
    const isUsable = (hostId: HostId): boolean => this.#table.isUsable(hostId);
    const { rings } = this.#table;
    return rings.uninvolvedIn(target, isUsable, this.#options.uninvolved, jury.observers).includes(this.#self);
  }

  /** When it is looked again whether a suspicion is over. Others may be gone meanwhile who had to accuse too. */
  #judgedNextMs({ endsMs, judgedMs }: Member): number {
    return Math.min(endsMs, judgedMs + this.#options.retryPeriods * this.#options.periodMs);
  }

  #judge(member: Member, nowMs: number): void {
    const endsMs = member.suspicion?.endsMs(this.#jury(member.hostId), this.#options.suspicion);
    member.endsMs = endsMs ?? Number.POSITIVE_INFINITY;
    member.judgedMs = nowMs;
  }

  #renewPlan(nowMs: number): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    const isUsable = (hostId: HostId): boolean => this.#table.isUsable(hostId);
    this.#plan.setSubjects(this.#table.rings.subjectsOf(this.#self, isUsable), nowMs);
    this.#ownObservers = this.#table.rings.observersOf(this.#self, isUsable);
    // Whom it watches now in the place of others, and who is suspected, it looks at at once.
    for (const { hostId, suspicion } of this.#suspects) {
      if (suspicion?.isSeen('unreachable') !== true || suspicion.evidenceOf(this.#self) !== undefined) continue;
      if (this.#plan.watches(hostId)) this.#urgent.add(hostId);
    }
  }

  /** False: it is being probed already, or is no member. */
  #probe(target: HostId, nowMs: number): boolean {
    const member = this.#table.get(target);
    if (member === undefined || this.#flights.has(target)) return false;
    const timeoutMs = this.#options.probeMs * (this.#health + 1);
    this.#flights.set(target, { startedMs: nowMs, timeoutMs, evidence: 'stalled' });
    const { condition, known } = member;
    const suspicion: DetectorUpdate | undefined =
      condition === 'suspect' || condition === 'dead'
        ? { ...known, about: target, from: this.#self, kind: condition }
        : undefined;
    member.lookedMs = nowMs;
    this.#actions.push({ kind: 'probe', target, timeoutMs, suspicion });
    return true;
  }

  /** Some of the target's observers, and some who do not watch it. */
  #helpersFor(target: HostId): readonly HostId[] {
    const isAble = (hostId: HostId): boolean =>
      hostId !== this.#self && hostId !== target && this.#table.isUsable(hostId);
    const observers = [...this.#table.rings.observersOf(target, isAble)];
    shuffle(observers, this.#random);
    const others = this.#table.rings.uninvolvedIn(target, isAble, this.#options.uninvolved);
    return [...observers.slice(0, this.#options.helpers), ...others.filter((hostId) => !observers.includes(hostId))];
  }

  /** A probe got through. What the mesh was told of is for the suspect to refute, so that all agree; the rest is over. */
  #reached(member: Member): void {
    const isOwnAlone = member.condition === 'suspect' && !this.#isAccusedByOthers(member) && !member.isTold;
    if (member.condition !== 'unknown' && !isOwnAlone) return;
    member.suspicion = undefined;
    this.#become(member, 'alive');
  }

  #alive(member: Member, { epoch, incarnation }: Incarnation, word: DetectorUpdate | undefined): void {
    member.known = { epoch, incarnation };
    member.suspicion = undefined;
    member.isTold = false;
    member.refutation = word;
    this.#urgent.delete(member.hostId);
    this.#table.changed(member);
    this.#become(member, 'alive');
  }

  #isAccusedByOthers({ suspicion }: Member): boolean {
    return suspicion !== undefined && suspicion.size > (suspicion.evidenceOf(this.#self) === undefined ? 0 : 1);
  }

  /** This host does not reach a member, and perhaps nobody: it keeps that to itself. */
  #suspectSilently(member: Member, evidence: Evidence, nowMs: number): void {
    this.#hold(member, this.#accusation(member, evidence), nowMs);
  }

  /** This host's own probes have failed, and it is heard: it says so, unless enough others do. */
  #accuse(member: Member, evidence: Evidence, words: readonly DetectorUpdate[], nowMs: number): void {
    const isEnough = member.suspicion?.isEnough(this.#jury(member.hostId), evidence) === true;
    const isAccused = this.#isAccusedByOthers(member);
    const isSeenGone = member.suspicion?.isSeen('unreachable') === true;
    const accusation = this.#accusation(member, evidence);
    const isNew = this.#hold(member, accusation, nowMs);
    for (const word of words) {
      if (word.about === member.hostId && compareIncarnation(word, member.known) === 0) this.#hold(member, word, nowMs);
    }
    if (member.isTold ? !isNew : isEnough) return;
    // Of a stall one word is enough to suspect, unless others have seen no kernel answer: who has seen one contradicts.
    const suspectedMs = nowMs - (member.suspicion?.startedMs ?? nowMs);
    const isQuiet = isAccused && !isSeenGone && suspectedMs < this.#options.stalledSilenceMs;
    if (evidence === 'stalled' && isQuiet && !member.isTold) return;
    member.isTold = true;
    this.#counts.suspicions++;
    // Of a host that is only stalled one word is enough to suspect it.
    const secondedBy = words.filter((word) => word.evidence === 'unreachable');
    this.#actions.push({ kind: 'tell', update: accusation, secondedBy });
  }

  #accusation(member: Member, evidence: Evidence): DetectorUpdate {
    return { ...member.known, about: member.hostId, from: this.#self, kind: 'suspect', evidence };
  }

  /** Holds an accusation against a member. False: nothing new. */
  #hold(member: Member, accusation: DetectorUpdate, nowMs: number): boolean {
    const wasUsable = this.#table.isUsable(member.hostId);
    member.suspicion ??= new Suspicion(nowMs);
    const isNew = member.suspicion.add(accusation);
    this.#become(member, 'suspect');
    if (isNew) this.#judge(member, nowMs);
    if (wasUsable !== this.#table.isUsable(member.hostId)) this.#isStale = true;
    return isNew;
  }

  /** Another host accuses a member: who watches it looks too, and so does who is next to be asked from outside. */
  #accusedBy(member: Member, update: DetectorUpdate, nowMs: number): void {
    this.#hold(member, update, nowMs);
    const { suspicion, hostId } = member;
    if (suspicion === undefined || suspicion.evidenceOf(this.#self) === 'unreachable') return;
    const isUrgent = update.evidence === 'unreachable' && !suspicion.isEnough(this.#jury(hostId), 'unreachable');
    if (isUrgent && this.#isAsked(suspicion, hostId)) this.#urgent.add(hostId);
  }

  #refute(update: DetectorUpdate, nowMs: number): void {
    if (update.kind === 'alive' || update.from === this.#self || update.incarnation > incarnationMax) return;
    if (!this.allows(update, nowMs)) return;
    const order = compareIncarnation(update, this.#own);
    if (order < 0) {
      // Refuted before. But who speaks of an earlier start has not heard of this one, and is told, once.
      if (update.epoch < this.#own.epoch && this.#own.incarnation === 0)
        this.#sayAlive({ ...this.#own, incarnation: 1 });
      return;
    }
    // Who accuses again at once may be lying, and alone can do no harm; others who see the same are heard.
    if (nowMs < (this.#refutedUntilMs.get(update.from) ?? Number.NEGATIVE_INFINITY)) return;
    this.#refutedUntilMs.set(update.from, nowMs + refutationPauseMs);
    this.#sayAlive({ epoch: update.epoch, incarnation: update.incarnation + 1 });
    // Another host suspects this one: perhaps it is slow.
    this.#changeLocalHealth(1);
  }

  #sayAlive(own: Incarnation): void {
    this.#own = own;
    this.#counts.refutations++;
    this.#actions.push({ kind: 'tell', update: this.ownHealthUpdate(), secondedBy: [] });
  }

  #become(member: Member, condition: Condition): void {
    if (member.condition === condition) return;
    const wasDead = member.condition === 'dead';
    member.condition = condition;
    if (condition === 'suspect') this.#suspects.add(member);
    else this.#suspects.delete(member);
    if (condition === 'dead') this.#counts.downs++;
    if (condition === 'dead' || wasDead) this.#table.changed(member);
    this.#isStale = true;
    this.#actions.push({ kind: 'condition', hostId: member.hostId, condition });
  }

  #changeLocalHealth(change: number): void {
    this.#health = Math.min(this.#options.healthMax, Math.max(0, this.#health + change));
  }

  #taken(): readonly DetectorAction[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
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
