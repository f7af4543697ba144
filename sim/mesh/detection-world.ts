/**
 * The failure detectors of many hosts (node/mesh/rules/detector.ts) on the simulated network: production's rules, and
 * around them what production's loop does (node/mesh/health), in virtual time.
 *
 * Beside messages there are kernels. That of a host that is up answers a connection whatever its agent does: "listening"
 * for one that is starved, "closed" for one that has ended. That of a host that is gone answers nobody. Health updates
 * spread as gossipsub spreads them, along links of a random graph; what is lost on all of them is not sent again.
 */
import { must } from '../../node/base/assert.ts';
import type { HostId } from '../../node/base/ids.ts';
import { Prng } from '../../node/base/prng.ts';
import { Detector } from '../../node/mesh/rules/detector.ts';
import {
  type DetectorAction,
  detectorOptions,
  type HelperAnswer,
  type ProbeOutcome,
} from '../../node/mesh/rules/detector-options.ts';
import type { Condition, DetectorUpdate } from '../../node/mesh/rules/health-update.ts';
import { ObserverRings } from '../../node/mesh/rules/observer-rings.ts';
import { MeshNetwork } from './mesh-network.ts';

interface DetectionWorldOptions {
  readonly hosts: number;
  readonly seed: number;
  /** Share of messages that is lost for good, 0 to 1. Over TCP they would be some 200 ms late. */
  readonly lossRate: number;
  /** Hears when a host looks different to another. */
  readonly onCondition?: (by: number, about: number, condition: Condition) => void;
}

/** Time on the way, ms. */
const latencyMs = { min: 1, max: 20 };
/** How often production's loop looks at the time (node/mesh/health/detector-loop.ts). Unit: ms. */
const tickMs = detectorOptions.periodMs / 10;
/** See node/mesh/health. Unit: ms. */
const helpingMs = 400;
const helpingLateMs = 200;
const portAfter = 0.5;
/** See node/mesh/peers/port-probe.ts. */
const secondTryAfter = 0.4;
const ownDelayMsMax = 100;
/** Gossip: links of a host, as gossipsub's D. */
const gossipLinks = 8;
/** A probe or its answer with the headers of HTTP/2, TLS, TCP and IP (test/node/mesh/health/probe-cost.test.ts). Unit: bytes. */
export const probeWireBytes = 145;
/** A signed health update; what gossip adds to a message; a host that is named among the dead. Unit: bytes. */
const wireBytes = { probe: probeWireBytes, update: 235, gossip: 150, mark: 4 };

/** Stands for a signature: that there is one lets an update be passed on. */
const signed = {};

/** One question on its way. */
interface Asked {
  isOver: boolean;
  readonly startedMs: number;
}

export class DetectionWorld {
  readonly network: MeshNetwork;
  readonly ids: readonly HostId[];
  readonly rings: ObserverRings;
  readonly #random: Prng;
  readonly #options: DetectionWorldOptions;
  readonly #detectors: Detector[] = [];
  readonly #index: ReadonlyMap<HostId, number>;
  readonly #links: readonly (readonly number[])[];
  /** When each host's next tick is, and its timer. */
  readonly #ticks: ({ readonly atMs: number; readonly timer: ReturnType<MeshNetwork['after']> } | undefined)[] = [];
  readonly #phaseMs: number[];
  /** Hosts without power, whose kernels answer nobody. */
  readonly #gone = new Set<number>();
  readonly #epochs: number[];
  readonly #starvedUntilMs: number[] = [];
  /** Times that an agent was starved so far. */
  starvations = 0;

  constructor(options: DetectionWorldOptions) {
    this.#options = options;
    this.#random = new Prng(options.seed);
    const { hosts, lossRate } = options;
    this.network = new MeshNetwork({ hosts, random: this.#random.fork(), latencyMs, lossRate });
    this.ids = Array.from({ length: hosts }, () => this.#newId());
    this.#index = new Map(this.ids.map((hostId, host) => [hostId, host]));
    this.rings = new ObserverRings(this.ids);
    this.#links = randomLinks(hosts, this.#random.fork());
    this.#phaseMs = this.ids.map(() => this.#random.float() * tickMs);
    this.#epochs = this.ids.map(() => 1);
    for (let host = 0; host < hosts; host++) this.#startAgent(host);
  }

  /** Whether an agent gets CPU and has for so long. */
  isAwake(host: number, sinceMs: number): boolean {
    return this.network.isUp(host) && (this.#starvedUntilMs[host] ?? 0) <= this.network.nowMs - sinceMs;
  }

  detector(host: number): Detector {
    return must(this.#detectors[host], `host ${host}`);
  }

  conditionOf(by: number, about: number): Condition {
    return this.detector(by).conditionOf(must(this.ids[about], `host ${about}`));
  }

  advance(byMs: number): void {
    this.network.runUntil(this.network.nowMs + byMs);
  }

  /** A host's agent ends; with "gone", the host does. */
  stop(host: number, how: 'gone' | 'ended'): void {
    this.network.setUp(host, false);
    if (how === 'gone') this.#gone.add(host);
  }

  /** It is started again, and says so in its advert, as production does. */
  restart(host: number): void {
    this.#gone.delete(host);
    this.network.setUp(host, true);
    const epoch = (this.#epochs[host] ?? 0) + 1;
    this.#epochs[host] = epoch;
    this.#startAgent(host);
    const hostId = must(this.ids[host], 'a host');
    this.#spread(host, wireBytes.gossip + wireBytes.update, (to) => {
      this.#run(to, this.detector(to).advertised(hostId, epoch));
      return true;
    });
  }

  /** From now on each agent gets no CPU for `forMs` at a time, at moments of chance, so that `share` of them have none. */
  starveSome(share: number, forMs: number): void {
    const meanGapMs = (forMs * (1 - share)) / share;
    const gapMs = (): number => -Math.log(1 - this.#random.float()) * meanGapMs;
    const starve = (host: number): void => {
      this.network.starve(host, forMs);
      this.#starvedUntilMs[host] = this.network.nowMs + forMs;
      this.starvations++;
      this.network.after(forMs + gapMs(), () => starve(host));
    };
    for (let host = 0; host < this.ids.length; host++) this.network.after(gapMs(), () => starve(host));
  }

  /** A member, by its key, says something to all, true or not. */
  say(by: number, update: DetectorUpdate): void {
    this.#tell(by, { ...update, signed }, []);
  }

  #newId(): HostId {
    return Array.from({ length: 4 }, () => this.#random.uint32().toString(16).padStart(8, '0')).join('') as HostId;
  }

  #startAgent(host: number): void {
    const detector = new Detector(must(this.ids[host], 'a host'), this.#epochs[host] ?? 1, this.#random.fork());
    detector.setRings(this.rings);
    this.#detectors[host] = detector;
    this.#ticks[host] = undefined;
    this.#plan(host);
  }

  /** The next tick: at the next look at the time after the detector has something to do. */
  #plan(host: number): void {
    const nowMs = this.network.nowMs;
    const dueMs = this.detector(host).nextTickMs(nowMs);
    if (!Number.isFinite(dueMs)) return;
    const phaseMs = this.#phaseMs[host] ?? 0;
    const atMs =
      Math.max(Math.ceil((dueMs - phaseMs) / tickMs), Math.floor((nowMs - phaseMs) / tickMs) + 1) * tickMs + phaseMs;
    const planned = this.#ticks[host];
    if (planned !== undefined && planned.atMs <= atMs) return;
    planned?.timer.cancel();
    const timer = this.network.after(
      atMs - nowMs,
      () => {
        this.#ticks[host] = undefined;
        this.#run(host, this.detector(host).tick(this.network.nowMs));
      },
      host,
    );
    this.#ticks[host] = { atMs, timer };
  }

  #run(host: number, actions: readonly DetectorAction[]): void {
    for (const action of actions) {
      switch (action.kind) {
        case 'probe':
          this.#probe(host, action.target, action.timeoutMs, action.suspicion);
          break;
        case 'probe-indirectly':
          this.#askHelpers(host, action.target, action.helpers, action.timeoutMs);
          break;
        case 'tell':
          this.#tell(host, { ...action.update, signed }, action.secondedBy);
          break;
        case 'condition':
          this.#options.onCondition?.(host, this.#hostOf(action.hostId), action.condition);
          break;
      }
    }
    this.#plan(host);
  }

  #hostOf(hostId: HostId): number {
    return must(this.#index.get(hostId), 'a host of this mesh');
  }

  #probe(from: number, target: HostId, timeoutMs: number, suspicion: DetectorUpdate | undefined): void {
    let nextInMs: number | undefined;
    const heard: DetectorUpdate[] = [];
    const done = (outcome: ProbeOutcome): void => {
      const { nowMs } = this.network;
      const detector = this.detector(from);
      for (const update of heard) {
        if (detector.isNews(update) && update.from !== target) nextInMs = 0;
        this.#run(from, detector.heard(update, nowMs));
      }
      this.#run(from, detector.probed(target, outcome, nowMs, nextInMs));
    };
    const digest = this.detector(from).digest();
    const marks = this.detector(from).deadMarks();
    const bytes = (suspicion === undefined ? 0 : wireBytes.update) + marks.length * wireBytes.mark;
    this.#ask(from, target, timeoutMs, bytes, done, (to) => {
      const detector = this.detector(to);
      nextInMs = detector.contacted(must(this.ids[from], 'a host'), this.network.nowMs, digest);
      heard.push(...detector.updatesFor(digest, marks));
      if (suspicion !== undefined) {
        this.#run(to, detector.heard({ ...suspicion, signed }, this.network.nowMs));
        heard.push({ ...detector.ownHealthUpdate(), signed });
      }
      return heard.length * wireBytes.update;
    });
  }

  /** Sends a probe; `done` hears how it ended. `answer` is what the target does, and gives the bytes of its answer. */
  #ask(
    from: number,
    target: HostId,
    timeoutMs: number,
    bytes: number,
    done: (outcome: ProbeOutcome) => void,
    answer: (to: number) => number,
  ): void {
    const to = this.#hostOf(target);
    const asked: Asked = { isOver: false, startedMs: this.network.nowMs };
    const end = (outcome: ProbeOutcome): void => {
      if (asked.isOver) return;
      asked.isOver = true;
      look.cancel();
      done(outcome);
    };
    const look = this.network.after(
      timeoutMs * portAfter,
      () => {
        if (!asked.isOver) this.#lookAtPort(from, to, timeoutMs * (1 - portAfter), end);
      },
      from,
    );
    this.network.send(from, to, wireBytes.probe + bytes, () => {
      const answerBytes = wireBytes.probe + answer(to);
      this.network.send(to, from, answerBytes, () => end('reached'));
    });
  }

  #lookAtPort(from: number, to: number, timeoutMs: number, end: (outcome: ProbeOutcome) => void): void {
    const startedMs = this.network.nowMs;
    let state: 'stalled' | 'unreachable' | undefined;
    const tryOnce = (): void => {
      if (this.#gone.has(to) || this.network.isCut(from, to) || this.network.isCut(to, from)) return;
      if (this.#random.chance(this.#options.lossRate) || this.#random.chance(this.#options.lossRate)) return;
      const rttMs = 2 * latencyMs.min + 2 * this.#random.float() * (latencyMs.max - latencyMs.min);
      const isListening = this.network.isUp(to);
      const answered = (): void => {
        state = isListening ? 'stalled' : 'unreachable';
      };
      this.network.after(rttMs, answered, from);
    };
    tryOnce();
    this.network.after(timeoutMs * secondTryAfter, tryOnce, from);
    const deadline = (): void => {
      const isLate = this.network.nowMs - startedMs > timeoutMs + ownDelayMsMax;
      end(state ?? (isLate ? 'unknown' : 'unreachable'));
    };
    this.network.after(timeoutMs, deadline, from);
  }

  #askHelpers(from: number, target: HostId, helpers: readonly HostId[], timeoutMs: number): void {
    const answers = new Map<HostId, HelperAnswer>();
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      const all = helpers.map((helper): HelperAnswer => answers.get(helper) ?? { kind: 'no-answer' });
      this.#run(from, this.detector(from).probedIndirectly(target, all, this.network.nowMs));
    };
    const timer = this.network.after(timeoutMs, end, from);
    for (const helper of helpers) {
      const by = this.#hostOf(helper);
      this.network.send(from, by, wireBytes.probe, () => {
        this.#help(by, target, (answer) => {
          this.network.send(by, from, wireBytes.probe + wireBytes.update, () => {
            answers.set(helper, answer);
            if (answers.size === helpers.length) end();
          });
        });
      });
    }
  }

  #help(by: number, target: HostId, answer: (answer: HelperAnswer) => void): void {
    const startedMs = this.network.nowMs;
    const done = (outcome: ProbeOutcome): void => {
      if (outcome === 'reached') {
        answer({ kind: 'reached' });
        return;
      }
      const isLate = this.network.nowMs - startedMs > helpingMs + helpingLateMs;
      const accusation = isLate ? undefined : this.detector(by).witness(target, outcome);
      answer({ kind: 'not-reached', accusation: accusation === undefined ? undefined : { ...accusation, signed } });
    };
    this.#ask(by, target, helpingMs, 0, done, (to) => {
      this.detector(to).contacted(must(this.ids[by], 'a host'), this.network.nowMs);
      return 0;
    });
  }

  #tell(by: number, update: DetectorUpdate, secondedBy: readonly DetectorUpdate[]): void {
    this.#run(by, this.detector(by).heard(update, this.network.nowMs));
    const bytes = wireBytes.gossip + wireBytes.update * (1 + secondedBy.length);
    this.#spread(by, bytes, (to) => {
      const detector = this.detector(to);
      const { nowMs } = this.network;
      if (!detector.isNews(update) || !detector.allows(update, nowMs)) return false;
      for (const word of [update, ...secondedBy]) this.#run(to, detector.heard(word, nowMs));
      return true;
    });
  }

  /** One message of gossip. `hear` says whether a host passes it on; each hears it once. */
  #spread(by: number, bytes: number, hear: (to: number) => boolean): void {
    const seen = new Uint8Array(this.ids.length);
    seen[by] = 1;
    const passOn = (from: number, except: number): void => {
      for (const to of this.#links[from] ?? []) {
        if (to === except) continue;
        this.network.send(from, to, bytes, () => {
          if (seen[to] === 1) return;
          seen[to] = 1;
          if (hear(to)) passOn(to, from);
        });
      }
    };
    passOn(by, by);
  }
}

/** A random graph in which each host has about `gossipLinks` links. */
function randomLinks(hosts: number, random: Prng): readonly (readonly number[])[] {
  const links = Array.from({ length: hosts }, () => new Set<number>());
  if (hosts < 2) return links.map(() => []);
  for (let host = 0; host < hosts; host++) {
    for (let n = 0; n < Math.min(gossipLinks / 2, hosts - 1); ) {
      const other = random.below(hosts);
      if (other === host) continue;
      links[host]?.add(other);
      links[other]?.add(host);
      n++;
    }
  }
  return links.map((others) => [...others]);
}
