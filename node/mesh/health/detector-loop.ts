import { shoal } from '../../../proto/messages.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { Service } from '../../base/lifecycle.ts';
import type { Prng } from '../../base/prng.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { RepeatedLog } from '../../base/telemetry/repeated-log.ts';
import {
  type CheckedHealthUpdate,
  evidenceNumbers,
  healthUpdateKindNumbers,
  openHealthUpdate,
  signHealthUpdate,
} from '../gossip/advert-check.ts';
import type { Gossip, Verdict } from '../gossip/gossip.ts';
import type { HostIdentity } from '../identity/identity.ts';
import { isHostId } from '../identity/signature.ts';
import type { PeerCall, PeerHandlers } from '../peers/peer-server.ts';
import { Detector, type DetectorCounts } from '../rules/detector.ts';
import {
  type DetectorAction,
  type DetectorOptions,
  detectorOptions,
  type HelperAnswer,
  type ProbeOutcome,
} from '../rules/detector-options.ts';
import type { Condition, DetectorUpdate } from '../rules/health-update.ts';
import { type ProbeWire, probeHost } from './host-prober.ts';

/** How often the detector looks at the time, as a part of its period: each look may cost a suspicion so much more time. */
const ticksPerPeriod = 10;
/** Probes on others' behalf at a time: each member asks a few helpers, and only when something is wrong. */
const helpingMax = 64;
/** Time for a probe on another's behalf, ms: shorter than the asker waits, so that a "no" still gets there. */
const helpingMs = 400;
/** A helper that is so much later than its time stood still itself, and is no witness. Unit: ms. */
const helpingLateMs = 200;
/** Words of others in one message: those whom one host asks are five. */
const secondedByMax = 8;
/** Updates that one answer may bring. Those sent are fewer (rules/member-table.ts). */
const updatesMax = 300;

interface DetectorLoopDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Prng;
  readonly gossip: Pick<Gossip, 'publish' | 'subscribe'>;
  readonly identity: HostIdentity;
  readonly wire: ProbeWire;
}

interface DetectorLoopOptions {
  readonly meshId: string;
  readonly topic: string;
  /** This start of the agent, as in its adverts. */
  readonly epoch: number;
  /** Whether a host is a member, by the records as they are here. */
  isMember(hostId: HostId): boolean;
  /** A host looks different from here now. */
  onCondition(hostId: HostId, condition: Condition): void;
  readonly detector?: DetectorOptions;
}

/** An update and what others say of the same host. */
interface CheckedMessage {
  readonly update: CheckedHealthUpdate;
  readonly secondedBy: readonly CheckedHealthUpdate[];
}

/** Runs the detector: time, probes and health updates in, actions out. */
export class DetectorLoop implements Service {
  /** To be put into the peer server's handlers. */
  readonly peerHandlers: Pick<PeerHandlers, 'probe'>;
  readonly #deps: DetectorLoopDeps;
  readonly #repeated: RepeatedLog;
  readonly #options: DetectorLoopOptions;
  readonly #detector: Detector;
  readonly #stopping = new AbortController();
  readonly #checked = new WeakMap<Uint8Array, CheckedMessage>();
  #timer: Timer | undefined;
  #leave: (() => void) | undefined;
  #helping = 0;

  constructor(deps: DetectorLoopDeps, options: DetectorLoopOptions) {
    this.#deps = deps;
    this.#repeated = new RepeatedLog(deps);
    this.#options = options;
    this.#detector = new Detector(deps.identity.hostId, options.epoch, deps.random, options.detector);
    this.peerHandlers = { probe: (request, call) => this.#answer(request, call) };
  }

  async start(): Promise<void> {
    if (this.#timer !== undefined || this.#stopping.signal.aborted) return;
    this.#leave = this.#deps.gossip.subscribe(this.#options.topic, {
      validate: (data) => this.#validate(data),
      handle: (data) => this.#handle(data),
    });
    const { periodMs } = this.#options.detector ?? detectorOptions;
    this.#timer = this.#deps.clock.setInterval(() => {
      this.#run(this.#detector.tick(this.#nowMs()));
    }, periodMs / ticksPerPeriod);
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort(new ShoalError('CANCELLED', 'The agent is stopping.'));
    this.#timer?.cancel();
    this.#leave?.();
  }

  /** How a host looks from here. */
  conditionOf(hostId: HostId): Condition {
    return this.#detector.conditionOf(hostId);
  }

  /** Who accuses a host that is suspect or dead, and of what. */
  accusationsOf(hostId: HostId): readonly DetectorUpdate[] {
    return this.#detector.accusationsOf(hostId);
  }

  /** The local health multiplier of Lifeguard, for metrics: 0 is healthy, more is slow to answer. */
  get localHealth(): number {
    return this.#detector.localHealth;
  }

  /** For metrics. */
  get counts(): DetectorCounts {
    return this.#detector.counts;
  }

  /** All members; call it whenever they change. */
  setMembers(hostIds: readonly HostId[]): void {
    this.#detector.setMembers(hostIds);
  }

  /** A host's advert was new. */
  advertised(hostId: HostId, epoch: number): void {
    this.#run(this.#detector.advertised(hostId, epoch));
  }

  #nowMs(): number {
    return this.#deps.clock.monotonicMs();
  }

  #run(actions: readonly DetectorAction[]): void {
    if (this.#stopping.signal.aborted) return;
    for (const action of actions) {
      switch (action.kind) {
        case 'probe':
          this.#later(this.#probe(action.target, action.timeoutMs, action.suspicion), 'a probe');
          break;
        case 'probe-indirectly':
          this.#later(this.#probeIndirectly(action.target, action.helpers, action.timeoutMs), 'an indirect probe');
          break;
        case 'tell':
          this.#later(this.#tell(action.update, action.secondedBy), 'publishing a health update');
          break;
        case 'condition':
          this.#deps.logger.info(
            { hostId: action.hostId, condition: action.condition, accusers: this.#accusersOf(action.hostId) },
            'the condition of a host changed',
          );
          this.#options.onCondition(action.hostId, action.condition);
          break;
      }
    }
  }

  #accusersOf(hostId: HostId): readonly HostId[] {
    return this.#detector.accusationsOf(hostId).map(({ from }) => from);
  }

  #later(work: Promise<void>, what: string): void {
    work.catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) this.#repeated.warn(what, { error }, `${what} failed`);
    });
  }

  async #probe(target: HostId, timeoutMs: number, suspicion: DetectorUpdate | undefined): Promise<void> {
    const request = {
      digest: this.#detector.digest(),
      dead: [...this.#detector.deadMarks()],
      ...(suspicion === undefined ? {} : { suspicion: this.#signed(suspicion) }),
    };
    let outcome: ProbeOutcome = 'unknown';
    let nextInMs: number | undefined;
    try {
      const result = await probeHost(this.#deps, target, request, { timeoutMs, signal: this.#stopping.signal });
      ({ outcome } = result);
      if (result.outcome === 'reached' && result.answer !== undefined) {
        if (result.answer.nextInMs > 0) nextInMs = result.answer.nextInMs;
        // There may be more that this host has missed.
        if (this.#hearAnswer(result.answer) > 0) nextInMs = 0;
      }
    } finally {
      // What the detector waits for must come, whatever the answer was.
      this.#run(this.#detector.probed(target, outcome, this.#nowMs(), nextInMs));
    }
  }

  /** Returns how many updates were news. */
  #hearAnswer({ alive, updates }: shoal.v1.ProbeResponse): number {
    let news = 0;
    if (alive) this.#hear(openHealthUpdate(alive, this.#options.meshId));
    for (const signed of updates.slice(0, updatesMax)) {
      const update = openHealthUpdate(signed, this.#options.meshId, (found) => this.#isWanted(found));
      if (update === undefined) continue;
      news++;
      this.#hear(update);
    }
    return news;
  }

  async #probeIndirectly(target: HostId, helpers: readonly HostId[], timeoutMs: number): Promise<void> {
    const answers = await Promise.all(helpers.map((helper) => this.#askHelper(helper, target, timeoutMs)));
    this.#run(this.#detector.probedIndirectly(target, answers, this.#nowMs()));
  }

  async #askHelper(helper: HostId, target: HostId, timeoutMs: number): Promise<HelperAnswer> {
    const request = { targetHostId: target };
    try {
      const answer = await this.#deps.wire.probe(helper, request, { timeoutMs, signal: this.#stopping.signal });
      if (answer.reached) return { kind: 'reached' };
      if (!answer.accusation) return { kind: 'not-reached', accusation: undefined };
      const accusation = openHealthUpdate(answer.accusation, this.#options.meshId);
      const isItsOwn = accusation.from === helper && accusation.about === target && accusation.kind === 'suspect';
      return { kind: 'not-reached', accusation: isItsOwn ? accusation : undefined };
    } catch (caught) {
      if (!(caught instanceof ShoalError)) throw caught;
      return { kind: 'no-answer' };
    }
  }

  /** A probe from another host: of this one, or through it of a third. */
  async #answer(request: shoal.v1.ProbeRequest, call: PeerCall): Promise<shoal.v1.IProbeResponse> {
    if (request.targetHostId !== '') return this.#help(request.targetHostId, call.signal);
    const nextInMs = Math.ceil(this.#detector.contacted(call.caller, this.#nowMs(), request.digest ?? undefined) ?? 0);
    // An earlier version says nothing of what it holds, and does not read what others do.
    const updates = request.digest == null ? [] : this.#detector.updatesFor(request.digest, request.dead);
    const answer = {
      reached: true,
      nextInMs,
      updates: updates.flatMap(({ signed }) => (signed === undefined ? [] : [signed])),
    };
    if (!request.suspicion) return answer;
    const update = openHealthUpdate(request.suspicion, this.#options.meshId);
    if (update.from === call.caller) this.#hear(update);
    return { ...answer, alive: this.#signed(this.#detector.ownHealthUpdate()) };
  }

  async #help(target: string, signal: AbortSignal): Promise<shoal.v1.IProbeResponse> {
    if (!isHostId(target) || !this.#options.isMember(target)) {
      throw new ShoalError('INVALID_ARGUMENT', 'The host to probe is no member here.', { facts: { target } });
    }
    if (this.#helping >= helpingMax) throw new ShoalError('RATE_LIMITED', 'Too many probes on behalf of others.');
    this.#helping++;
    const startedMs = this.#nowMs();
    try {
      const { outcome } = await probeHost(this.#deps, target, {}, { timeoutMs: helpingMs, signal });
      if (outcome === 'reached') return { reached: true };
      const isLate = this.#nowMs() - startedMs > helpingMs + helpingLateMs;
      const accusation = isLate ? undefined : this.#detector.witness(target, outcome);
      return { reached: false, ...(accusation === undefined ? {} : { accusation: this.#signed(accusation) }) };
    } finally {
      this.#helping--;
    }
  }

  async #tell(update: DetectorUpdate, words: readonly DetectorUpdate[]): Promise<void> {
    const signed = this.#signed(update);
    const secondedBy = words.flatMap((word) => (word.signed === undefined ? [] : [word.signed]));
    const data = shoal.v1.SignedHealthUpdate.encode({ ...signed, secondedBy }).finish();
    // Signed, it can be passed on to those who miss it now.
    this.#run(this.#detector.heard({ ...update, signed }, this.#nowMs()));
    await this.#deps.gossip.publish(this.#options.topic, data);
  }

  #signed(update: DetectorUpdate): shoal.v1.SignedHealthUpdate {
    return signHealthUpdate(this.#deps.identity, {
      meshId: this.#options.meshId,
      aboutHostId: update.about,
      fromHostId: this.#deps.identity.hostId,
      epoch: update.epoch,
      incarnation: update.incarnation,
      kind: healthUpdateKindNumbers[update.kind],
      publishedMs: Math.floor(this.#deps.clock.nowMs()),
      ...(update.evidence === undefined ? {} : { evidence: evidenceNumbers[update.evidence] }),
    });
  }

  #isWanted(update: DetectorUpdate): boolean {
    return this.#options.isMember(update.from) && this.#detector.isNews(update);
  }

  #hear(update: CheckedHealthUpdate): void {
    if (!this.#options.isMember(update.from)) return;
    this.#run(this.#detector.heard(update, this.#nowMs()));
  }

  #validate(data: Uint8Array): Verdict {
    try {
      const message = this.#open(data);
      if (message === undefined) return 'ignore';
      this.#checked.set(data, message);
      return 'accept';
    } catch (caught) {
      if (!(caught instanceof ShoalError)) throw caught;
      this.#repeated.warn(`gossip ${caught.message}`, { error: caught }, 'a health update from gossip was refused');
      return 'reject';
    }
  }

  /** Undefined: nothing to hear in it, or its maker says too much. Throws for what nobody honest sends. */
  #open(data: Uint8Array): CheckedMessage | undefined {
    const { meshId } = this.#options;
    const message = decoded(data);
    if (message.secondedBy.length > secondedByMax) {
      throw new ShoalError('INVALID_ARGUMENT', 'A health update is seconded by too many.');
    }
    const update = openHealthUpdate(message, meshId, (news) => this.#isWanted(news));
    if (update === undefined || !this.#detector.allows(update, this.#nowMs())) return undefined;
    const secondedBy: CheckedHealthUpdate[] = [];
    for (const signed of message.secondedBy) {
      const word = openHealthUpdate(signed, meshId, (news) => news.about === update.about && this.#isWanted(news));
      if (word !== undefined) secondedBy.push(word);
    }
    return { update, secondedBy };
  }

  #handle(data: Uint8Array): void {
    const message = this.#checked.get(data) ?? this.#open(data);
    if (message === undefined) return;
    this.#hear(message.update);
    for (const word of message.secondedBy) this.#hear(word);
  }
}

function decoded(data: Uint8Array): shoal.v1.SignedHealthUpdate {
  try {
    return shoal.v1.SignedHealthUpdate.decode(data);
  } catch (caught) {
    throw new ShoalError('INVALID_ARGUMENT', 'A signed health update cannot be decoded.', { cause: caught });
  }
}
