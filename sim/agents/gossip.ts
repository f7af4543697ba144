/**
 * What one process of an agent hears of the other hosts, by production's rules: which advert wins
 * (node/mesh/rules/adverts.ts) and who is there (node/mesh/rules/detector.ts). What is not production code: how it
 * travels. Here everything that is told goes to all hosts straight, over the simulated network, and each host that
 * hears news passes it on to two others; views are compared by production's rules (node/mesh/rules/view-sync.ts), with
 * messages that may be lost where production has a stream. `by` stands for the signature, which nobody can forge and everybody checks as
 * node/mesh/gossip/advert-check.ts does.
 */

import type { HostGossip } from '../../node/agent/host-ports.ts';
import { sleep } from '../../node/base/clock.ts';
import { firstCell, type HostId } from '../../node/base/ids.ts';
import type { Prng } from '../../node/base/prng.ts';
import type { Logger } from '../../node/base/telemetry/logger.ts';
import { placementAdvert } from '../../node/cluster/advert-mapping.ts';
import { AdvertPublisher } from '../../node/mesh/gossip/advert-publisher.ts';
import { gossipTopic } from '../../node/mesh/gossip/gossip.ts';
import type { AdvertView } from '../../node/mesh/rules/adverts.ts';
import { Detector } from '../../node/mesh/rules/detector.ts';
import type { DetectorAction, HelperAnswer, ProbeOutcome } from '../../node/mesh/rules/detector-options.ts';
import { type Condition, type DetectorUpdate, livenessOf } from '../../node/mesh/rules/health-update.ts';
import { compareRows, differingRows, type ViewRow } from '../../node/mesh/rules/view-comparison.ts';
import { ViewSync } from '../../node/mesh/rules/view-sync.ts';
import { type HostAdvert, HostColumns } from '../../placement/index.ts';
import { shoal } from '../../proto/messages.ts';
import type { GossipChecker } from '../checkers/gossip.ts';
import type { WorldMark } from '../settings/points.ts';
import type { LifeClock } from '../world/clock.ts';
import { type Scale, scaleOf } from '../world/scale.ts';

/** What hosts tell of one another. */
export type HeardAdverts =
  | { readonly kind: 'advert'; readonly by: HostId; readonly advert: shoal.v1.Advert }
  | {
      readonly kind: 'health-update';
      readonly by: HostId;
      readonly update: DetectorUpdate;
      readonly secondedBy?: readonly DetectorUpdate[];
    }
  // The three steps of comparing views (node/mesh/gossip/view-exchange.ts).
  | { readonly kind: 'digest'; readonly by: HostId; readonly digest: Uint8Array }
  | { readonly kind: 'rows'; readonly by: HostId; readonly digest: Uint8Array; readonly rows: readonly ViewRow[] }
  | {
      readonly kind: 'swap';
      readonly by: HostId;
      readonly gives: readonly shoal.v1.Advert[];
      readonly wants: readonly HostId[];
    };

/** How often the detector looks at the time, in a small mesh and in a large one, where events are dear. Unit: ms. */
const tickMs = { small: 200, large: 1_000 };
/** Hosts that each hearer passes news on to; in a large mesh direct delivery is enough. */
const relays = { small: 2, large: 0 };
/** A probe on another's behalf, and how much later a helper is no witness (node/mesh/health/detector-loop.ts). Unit: ms. */
const helpingMs = 400;
const helpingLateMs = 200;
/** When the port is looked at, as a part of a probe's time (node/mesh/health/host-prober.ts). */
const portAfter = 0.5;

/** What comes back of a probe. */
interface ProbeAnswer {
  readonly isReached: boolean;
  /** The far side's own word that it is alive. */
  readonly alive: DetectorUpdate | undefined;
  /** What a helper has to say of whom it did not reach. */
  readonly accusation: DetectorUpdate | undefined;
  readonly nextInMs: number | undefined;
  /** What the asker may have missed. */
  readonly updates: readonly DetectorUpdate[];
}

/** Stands for what is signed: nothing here reads it. */
const unsigned = new shoal.v1.SignedAdvert({ advert: new Uint8Array(0) });
const unsignedUpdate = new shoal.v1.SignedHealthUpdate({ update: new Uint8Array(0) });
/** Adverts as placement reads them. All hosts hear the same object, so each is translated once. */
const translated = new WeakMap<shoal.v1.Advert, HostAdvert>();

interface SimGossipDeps {
  readonly self: HostId;
  /** All hosts of the mesh. */
  readonly hosts: readonly HostId[];
  /** This start of the agent. */
  readonly epoch: number;
  readonly clock: LifeClock;
  readonly logger: Logger;
  readonly random: Prng;
  /** What is held of the hosts' adverts; nothing at first. */
  readonly view: AdvertView;
  /** What this host tells of itself as of now. */
  readonly ownAdvert: () => shoal.v1.IAdvert;
  readonly checker: GossipChecker;
  /** Names this process. */
  readonly name: string;
  readonly send: (to: HostId, told: HeardAdverts) => void;
  /** Resolves with what the far side answers; rejects when it does not in time. */
  readonly ask: <T>(to: HostId, timeoutMs: number, work: (far: SimGossip) => Promise<T> | T) => Promise<T>;
  /** What the kernel at a host says of its agent's port. */
  readonly port: (to: HostId, timeoutMs: number) => Promise<'listening' | 'closed' | 'silent' | 'unknown'>;
  readonly reached: (mark: WorldMark) => void;
}

export class SimGossip implements HostGossip {
  readonly columns: HostColumns;
  readonly #deps: SimGossipDeps;
  readonly #publisher: AdvertPublisher;
  readonly #detector: Detector;
  readonly #sync: ViewSync;
  readonly #others: readonly HostId[];
  /** The advert that this host made last. */
  #own: shoal.v1.Advert | undefined;
  readonly #scale: Scale;
  readonly #thoughtDead = new Set<HostId>();

  constructor(deps: SimGossipDeps) {
    const { self, epoch, clock, logger, random, ownAdvert } = deps;
    this.#deps = deps;
    this.columns = new HostColumns({ seed: random.uint32() });
    this.#publisher = new AdvertPublisher(
      {
        clock,
        logger,
        gossip: { publish: async () => this.#publishOwn() },
        // `by` stands for the signature.
        identity: { hostId: self, publicKey: new Uint8Array(0), sign: () => new Uint8Array(0) },
      },
      {
        topic: gossipTopic('adverts', { meshId: 'mesh', cell: firstCell }),
        epoch,
        compose: ownAdvert,
        onAdvert: (signed) => this.#takeOwn(signed),
      },
    );
    this.#scale = scaleOf(deps.hosts.length);
    this.#sync = new ViewSync(random.fork(), clock.monotonicMs());
    this.#others = deps.hosts.filter((hostId) => hostId !== self);
    this.#detector = new Detector(deps.self, deps.epoch, deps.random);
    this.#detector.setMembers(deps.hosts);
  }

  async start(): Promise<void> {
    const { clock } = this.#deps;
    clock.setInterval(() => {
      this.#run(this.#detector.tick(clock.monotonicMs()));
      this.#compare();
    }, tickMs[this.#scale]);
    this.#sync.missed(clock.monotonicMs());
    await this.#publisher.start();
  }

  adverts(): readonly shoal.v1.Advert[] {
    return this.#deps.view.all().map(({ advert }) => advert);
  }

  /** What this host says of itself. */
  ownHealthUpdate(): DetectorUpdate {
    return this.#detector.ownHealthUpdate();
  }

  condition(hostId: string): Condition {
    return hostId === this.#deps.self ? 'alive' : this.#detector.conditionOf(hostId as HostId);
  }

  changed(): void {
    this.#publisher.changed();
  }

  freshOwnAdvert(): shoal.v1.SignedAdvert {
    return this.#publisher.fresh();
  }

  nextOwnAdvert(): { readonly epoch: number; readonly sequence: number } {
    return this.#publisher.next;
  }

  /** Something has come from another host. */
  hear(told: HeardAdverts): void {
    if (told.kind === 'advert' || told.kind === 'health-update') this.#hearNews(told);
    else this.#hearComparison(told);
  }

  #hearNews(told: Extract<HeardAdverts, { kind: 'advert' | 'health-update' }>): void {
    const isNews = told.kind === 'advert' ? this.#hearAdvert(told) : this.#hearHealthUpdate(told);
    if (!isNews) return;
    if (relays[this.#scale] === 0) return;
    const { random, self, hosts, send } = this.#deps;
    const others = hosts.filter((hostId) => hostId !== self && hostId !== told.by);
    for (let n = 0; n < relays[this.#scale] && others.length > 0; n += 1) {
      const [to] = others.splice(random.below(others.length), 1);
      if (to !== undefined) send(to, told);
    }
  }

  /** Begins to compare this host's view with another's, when it is time. */
  #compare(): void {
    const { self, view, clock, hosts, send } = this.#deps;
    const nowMs = clock.monotonicMs();
    const action = this.#sync.next(nowMs, this.#others, { held: view.size, members: hosts.length });
    if (action === undefined) return;
    send(action.with, { kind: 'digest', by: self, digest: view.digest });
    // Whether an answer comes is not waited for: the next comparison is with another host.
    this.#sync.ended(nowMs, { isComplete: true, newAdverts: 0 });
  }

  #hearComparison(told: Extract<HeardAdverts, { kind: 'digest' | 'rows' | 'swap' }>): void {
    const { self, view, clock, send } = this.#deps;
    if (told.kind === 'digest') {
      const rows = differingRows(view, told.digest);
      if (view.digest.some((byte, at) => byte !== told.digest[at]))
        send(told.by, { kind: 'rows', by: self, digest: view.digest, rows });
      return;
    }
    if (told.kind === 'rows') {
      const { wants, gives } = compareRows(view, told.digest, told.rows);
      if (wants.length + gives.length > 0)
        send(told.by, { kind: 'swap', by: self, gives: gives.map(({ advert }) => advert), wants });
      return;
    }
    let news = 0;
    for (const advert of told.gives) if (this.#take(advert)) news += 1;
    if (news > 0) this.#sync.missed(clock.monotonicMs());
    const gives = told.wants.flatMap((hostId) => view.get(hostId)?.advert ?? []);
    if (gives.length > 0) send(told.by, { kind: 'swap', by: self, gives, wants: [] });
  }

  accept({ advert }: shoal.v1.ISignedAdvert): boolean {
    return this.#take(shoal.v1.Advert.decode(advert ?? new Uint8Array(0)));
  }

  /** Takes an advert in. False: the one held is as new or newer. */
  #take(advert: shoal.v1.Advert): boolean {
    const { view, clock, checker, name, reached } = this.#deps;
    const hostId = advert.hostId as HostId;
    const held = {
      hostId,
      advert,
      signed: unsigned,
      takenMs: clock.monotonicMs(),
    };
    if (!view.merge(held)) {
      const known = view.get(hostId)?.advert;
      if (known !== undefined && (advert.epoch < known.epoch || advert.sequence < known.sequence))
        reached('old-advert-refused');
      return false;
    }
    checker.holds(name, advert);
    this.columns.upsert(asPlacementReads(advert));
    this.#looks(hostId, this.condition(hostId));
    this.#run(this.#detector.advertised(hostId, advert.epoch));
    return true;
  }

  /** Another host, which holds `digest` if it says so, asks whether this one is there. */
  answer(
    from: HostId,
    digest: number | undefined,
    suspicion: DetectorUpdate | undefined,
    marks: readonly number[] = [],
  ): ProbeAnswer {
    const nowMs = this.#deps.clock.monotonicMs();
    const nextInMs = this.#detector.contacted(from, nowMs, digest);
    const updates = digest === undefined ? [] : this.#detector.updatesFor(digest, marks);
    const answer = { isReached: true, alive: undefined, accusation: undefined, nextInMs, updates };
    if (suspicion === undefined) return answer;
    if (suspicion.from === from) this.#run(this.#detector.heard(suspicion, nowMs));
    return { ...answer, alive: this.#detector.ownHealthUpdate() };
  }

  /** Another host asks this one to probe a third. */
  async help(target: HostId): Promise<ProbeAnswer> {
    const { clock } = this.#deps;
    const startedMs = clock.monotonicMs();
    const { outcome } = await this.#ask(target, helpingMs, undefined);
    const isLate = clock.monotonicMs() - startedMs > helpingMs + helpingLateMs;
    const accusation = isLate ? undefined : this.#detector.witness(target, outcome);
    return { isReached: outcome === 'reached', alive: undefined, accusation, nextInMs: undefined, updates: [] };
  }

  #hearAdvert({ by, advert }: Extract<HeardAdverts, { kind: 'advert' }>): boolean {
    if (by === advert.hostId) return this.#take(advert);
    this.#deps.reached('forged-advert-refused');
    return false;
  }

  #hearHealthUpdate({ by, update, secondedBy }: Extract<HeardAdverts, { kind: 'health-update' }>): boolean {
    if (by !== update.from) return false;
    const nowMs = this.#deps.clock.monotonicMs();
    if (!this.#detector.isNews(update) || !this.#detector.allows(update, nowMs)) return false;
    for (const word of [update, ...(secondedBy ?? [])]) this.#run(this.#detector.heard(asSigned(word), nowMs));
    return true;
  }

  /** Takes in what this host has made of itself, whether or not it will be told to all. */
  #takeOwn(signed: shoal.v1.SignedAdvert): void {
    const advert = shoal.v1.Advert.decode(signed.advert);
    this.#deps.checker.said(this.#deps.self, advert);
    this.#own = advert;
    this.#take(advert);
  }

  #publishOwn(): void {
    if (this.#own !== undefined) this.#tell({ kind: 'advert', by: this.#deps.self, advert: this.#own });
  }

  #tell(told: HeardAdverts): void {
    const { hosts, self, send } = this.#deps;
    for (const hostId of hosts) if (hostId !== self) send(hostId, told);
  }

  #run(actions: readonly DetectorAction[]): void {
    const { self } = this.#deps;
    for (const action of actions) {
      switch (action.kind) {
        case 'probe':
          void this.#probe(action.target, action.timeoutMs, action.suspicion);
          break;
        case 'probe-indirectly':
          void this.#probeIndirectly(action.target, action.helpers, action.timeoutMs);
          break;
        case 'tell':
          this.#run(this.#detector.heard(asSigned(action.update), this.#deps.clock.monotonicMs()));
          this.#tell({ kind: 'health-update', by: self, update: action.update, secondedBy: action.secondedBy });
          break;
        case 'condition':
          this.#looks(action.hostId, action.condition);
          break;
      }
    }
  }

  async #probe(target: HostId, timeoutMs: number, suspicion: DetectorUpdate | undefined): Promise<void> {
    const { outcome, answer } = await this.#ask(target, timeoutMs, suspicion);
    const nowMs = this.#deps.clock.monotonicMs();
    if (answer?.alive !== undefined) this.#run(this.#detector.heard(answer.alive, nowMs));
    let nextInMs = answer?.nextInMs;
    for (const update of answer?.updates ?? []) {
      if (this.#detector.isNews(update)) nextInMs = 0;
      this.#run(this.#detector.heard(update, nowMs));
    }
    this.#run(this.#detector.probed(target, outcome, nowMs, nextInMs));
  }

  /** One probe, as production's (node/mesh/health/host-prober.ts). */
  async #ask(
    target: HostId,
    timeoutMs: number,
    suspicion: DetectorUpdate | undefined,
  ): Promise<{ readonly outcome: ProbeOutcome; readonly answer: ProbeAnswer | undefined }> {
    const { ask, self, clock, port } = this.#deps;
    const digest = this.#detector.digest();
    const marks = this.#detector.deadMarks();
    const call = ask(target, timeoutMs, (far) => far.answer(self, digest, suspicion, marks)).then(
      (answer) => answer,
      () => undefined,
    );
    const lookMs = timeoutMs * portAfter;
    const early = await Promise.race([call, sleep(clock, lookMs)]);
    if (early !== undefined) return { outcome: 'reached', answer: early };
    const [answer, state] = await Promise.all([call, port(target, timeoutMs - lookMs)]);
    if (answer !== undefined) return { outcome: 'reached', answer };
    if (state === 'unknown') return { outcome: 'unknown', answer: undefined };
    return { outcome: state === 'listening' ? 'stalled' : 'unreachable', answer: undefined };
  }

  async #probeIndirectly(target: HostId, helpers: readonly HostId[], timeoutMs: number): Promise<void> {
    const { ask, clock } = this.#deps;
    const answers = await Promise.all(
      helpers.map(async (helper): Promise<HelperAnswer> => {
        try {
          const { isReached, accusation } = await ask(helper, timeoutMs, (far) => far.help(target));
          if (isReached) return { kind: 'reached' };
          return { kind: 'not-reached', accusation: accusation === undefined ? undefined : asSigned(accusation) };
        } catch {
          return { kind: 'no-answer' };
        }
      }),
    );
    this.#run(this.#detector.probedIndirectly(target, answers, clock.monotonicMs()));
  }

  #looks(hostId: HostId, condition: Condition): void {
    const { reached } = this.#deps;
    if (condition === 'suspect') reached('host-suspected');
    if (condition === 'dead' && !this.#thoughtDead.has(hostId)) {
      this.#thoughtDead.add(hostId);
      reached('host-thought-dead');
    }
    if (condition === 'alive' && this.#thoughtDead.delete(hostId)) reached('host-back');
    this.columns.setLiveness(hostId, livenessOf(condition));
  }
}

/** `by` and `from` stand for the signature; that there is one lets a health update be passed on. */
function asSigned(update: DetectorUpdate): DetectorUpdate {
  return update.signed === undefined ? { ...update, signed: unsignedUpdate } : update;
}

function asPlacementReads(advert: shoal.v1.Advert): HostAdvert {
  let read = translated.get(advert);
  if (read === undefined) {
    read = placementAdvert(advert);
    translated.set(advert, read);
  }
  return read;
}
