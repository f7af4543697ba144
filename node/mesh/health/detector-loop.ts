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
  healthUpdateKindNumbers,
  openHealthUpdate,
  signHealthUpdate,
} from '../gossip/advert-check.ts';
import type { Gossip, Verdict } from '../gossip/gossip.ts';
import type { HostIdentity } from '../identity/identity.ts';
import { isHostId } from '../identity/signature.ts';
import type { PeerCall, PeerHandlers } from '../peers/peer-server.ts';
import {
  type Condition,
  Detector,
  type DetectorAction,
  type DetectorOptions,
  type DetectorUpdate,
  detectorOptions,
  type HelperAnswer,
} from '../rules/detector.ts';

/** How often the detector looks at the time, as a part of its period. */
const ticksPerPeriod = 5;
/** Probes on others' behalf at a time: each member asks three helpers a period at most, and only when something is wrong. */
const helpingMax = 64;
/** Time for a probe on another's behalf, ms: shorter than the asker waits, so that a "no" still gets there. */
const helpingMs = 500;

/** One probe over the wire: the seam that a simulator replaces. */
interface Prober {
  /** Rejects when the host does not answer in time. */
  probe(
    hostId: HostId,
    request: shoal.v1.IProbeRequest,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<shoal.v1.ProbeResponse>;
}

interface DetectorLoopDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Prng;
  readonly gossip: Gossip;
  readonly identity: HostIdentity;
  readonly prober: Prober;
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

/** Runs the detector: time, probes and health updates in, actions out. */
export class DetectorLoop implements Service {
  /** To be put into the peer server's handlers. */
  readonly peerHandlers: Pick<PeerHandlers, 'probe'>;
  readonly #deps: DetectorLoopDeps;
  readonly #repeated: RepeatedLog;
  readonly #options: DetectorLoopOptions;
  readonly #detector: Detector;
  readonly #stopping = new AbortController();
  readonly #checked = new WeakMap<Uint8Array, CheckedHealthUpdate>();
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
      this.#run(this.#detector.tick(this.#deps.clock.monotonicMs()));
    }, periodMs / ticksPerPeriod);
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    this.#leave?.();
  }

  /** How a host looks from here. */
  conditionOf(hostId: HostId): Condition {
    return this.#detector.conditionOf(hostId);
  }

  /** The local health multiplier of Lifeguard, for metrics: 0 is healthy, more is slow to answer. */
  get localHealth(): number {
    return this.#detector.localHealth;
  }

  /** All members; call it whenever they change. */
  setMembers(hostIds: readonly HostId[]): void {
    this.#detector.setMembers(hostIds);
  }

  /** A host's advert was new. */
  advertised(hostId: HostId, epoch: number): void {
    this.#run(this.#detector.advertised(hostId, epoch));
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
          this.#later(this.#tell(action.update), 'publishing a health update');
          break;
        case 'condition':
          this.#deps.logger.info(
            { hostId: action.hostId, condition: action.condition },
            'the condition of a host changed',
          );
          this.#options.onCondition(action.hostId, action.condition);
          break;
      }
    }
  }

  #later(work: Promise<void>, what: string): void {
    work.catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) this.#repeated.warn(what, { error }, `${what} failed`);
    });
  }

  async #probe(target: HostId, timeoutMs: number, suspicion: DetectorUpdate | undefined): Promise<void> {
    let isReached = false;
    try {
      const answer = await this.#deps.prober.probe(
        target,
        suspicion === undefined ? {} : { suspicion: this.#signed(suspicion) },
        { timeoutMs, signal: this.#stopping.signal },
      );
      isReached = answer.reached;
      if (answer.alive) this.#hear(openHealthUpdate(answer.alive, this.#options.meshId));
    } catch (caught) {
      if (!(caught instanceof ShoalError)) throw caught;
      this.#deps.logger.debug({ error: caught, target }, 'a host did not answer a probe');
    }
    this.#run(this.#detector.probed(target, isReached, this.#deps.clock.monotonicMs()));
  }

  async #probeIndirectly(target: HostId, helpers: readonly HostId[], timeoutMs: number): Promise<void> {
    const answers = await Promise.all(
      helpers.map(async (helper): Promise<HelperAnswer> => {
        try {
          const request = { targetHostId: target };
          const options = { timeoutMs, signal: this.#stopping.signal };
          return (await this.#deps.prober.probe(helper, request, options)).reached ? 'reached' : 'not-reached';
        } catch (caught) {
          if (!(caught instanceof ShoalError)) throw caught;
          return 'no-answer';
        }
      }),
    );
    this.#run(this.#detector.probedIndirectly(target, answers, this.#deps.clock.monotonicMs()));
  }

  /** A probe from another host: of this one, or through it of a third. */
  async #answer(request: shoal.v1.ProbeRequest, call: PeerCall): Promise<shoal.v1.IProbeResponse> {
    if (request.targetHostId !== '') return { reached: await this.#help(request.targetHostId, call.signal) };
    this.#detector.contacted(call.caller);
    if (!request.suspicion) return { reached: true };
    const update = openHealthUpdate(request.suspicion, this.#options.meshId);
    if (update.from === call.caller) this.#hear(update);
    return { reached: true, alive: this.#signed(this.#detector.ownHealthUpdate()) };
  }

  async #help(target: string, signal: AbortSignal): Promise<boolean> {
    if (!isHostId(target) || !this.#options.isMember(target)) {
      throw new ShoalError('INVALID_ARGUMENT', 'The host to probe is no member here.', { facts: { target } });
    }
    if (this.#helping >= helpingMax) throw new ShoalError('RATE_LIMITED', 'Too many probes on behalf of others.');
    this.#helping++;
    try {
      return (await this.#deps.prober.probe(target, {}, { timeoutMs: helpingMs, signal })).reached;
    } catch (caught) {
      if (!(caught instanceof ShoalError)) throw caught;
      return false;
    } finally {
      this.#helping--;
    }
  }

  async #tell(update: DetectorUpdate): Promise<void> {
    const { update: bytes, signature, publicKey } = this.#signed(update);
    const data = shoal.v1.SignedHealthUpdate.encode({ update: bytes, signature, publicKey }).finish();
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
    });
  }

  #hear(update: CheckedHealthUpdate): void {
    if (!this.#options.isMember(update.from)) return;
    this.#run(this.#detector.heard(update, this.#deps.clock.monotonicMs()));
  }

  #validate(data: Uint8Array): Verdict {
    try {
      const update = openHealthUpdate(decoded(data), this.#options.meshId);
      if (!this.#options.isMember(update.from)) return 'ignore';
      this.#checked.set(data, update);
      return 'accept';
    } catch (caught) {
      if (!(caught instanceof ShoalError)) throw caught;
      this.#repeated.warn(`gossip ${caught.message}`, { error: caught }, 'a health update from gossip was refused');
      return 'reject';
    }
  }

  #handle(data: Uint8Array): void {
    const update = this.#checked.get(data) ?? openHealthUpdate(decoded(data), this.#options.meshId);
    this.#hear(update);
  }
}

function decoded(data: Uint8Array): shoal.v1.SignedHealthUpdate {
  try {
    return shoal.v1.SignedHealthUpdate.decode(data);
  } catch (caught) {
    throw new ShoalError('INVALID_ARGUMENT', 'A signed health update cannot be decoded.', { cause: caught });
  }
}
