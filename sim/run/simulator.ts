/**
 * One run: a world from a seed, clients and faults in it, checkers around it. First safety under chaos; then everything is
 * healed and the cluster must converge in time. The first violation ends the run.
 */
import { setFaultInjector } from '../../node/base/buggify/buggify.ts';
import { ShoalError } from '../../node/base/errors.ts';
import { Prng } from '../../node/base/prng.ts';
import { type Invariant, invariants, type Promised, promises } from '../checkers/invariants.ts';
import { checkLinearizability } from '../checkers/linearizability.ts';
import { registerModel } from '../checkers/linearizability-models.ts';
import { checkRefusal } from '../checkers/patience.ts';
import { SecretChecker } from '../checkers/secrets.ts';
import { HostWorld } from '../cluster/host-world.ts';
import type { FaultKind, FaultWorld } from '../faults/fault.ts';
import { faults } from '../faults/index.ts';
import type { Mutant } from '../mutants/mutant.ts';
import { ConsensusObserver } from '../observers/consensus-observer.ts';
import { drawOptions } from '../settings/draw-options.ts';
import type { SimOptions, SimOverrides } from '../settings/options.ts';
import { factsText, Trace } from '../trace/trace.ts';
import type { Picture, Watcher } from '../trace/watcher.ts';
import { Working } from '../workload/client.ts';
import { RecordClient, type RecordOperation } from '../workload/records.ts';
import { secretOfGuests } from '../workload/tenant.ts';
import { SimDisk } from '../world/disk.ts';
import { SimFaultInjector } from '../world/fault-injector.ts';
import { idMaker } from '../world/ids.ts';
import { SimNetwork } from '../world/network.ts';
import { type Process, SimNode } from '../world/node.ts';
import { scaleOf } from '../world/scale.ts';
import { Schedule } from '../world/schedule.ts';
import { Trouble } from '../world/trouble.ts';

/** How a run ended. */
export type Verdict = 'passed' | 'crash' | 'safety' | 'liveness';

export interface SimResult {
  readonly options: SimOptions;
  readonly verdict: Verdict;
  /** Name of what does not hold; undefined when all does. */
  readonly violated: Invariant | Promised | 'crash' | undefined;
  /** In words. */
  readonly detail: string;
  readonly simulatedMs: number;
  readonly events: number;
  readonly traceLines: number;
  readonly traceDigest: string;
  readonly lastLines: readonly string[];
  /** What was reached how often: faults struck, elections, snapshots, repairs, operations by answer. */
  readonly reached: Readonly<Record<string, number>>;
}

export interface SimSettings {
  readonly overrides?: SimOverrides;
  readonly mutant?: Mutant;
  /** Takes each line of the trace. */
  readonly write?: (line: string) => void;
  /** Hears what an operator would want to know. */
  readonly watcher?: Watcher;
  /** Ends the run from outside: it is taken as passed as far as it came. */
  readonly isCancelled?: () => boolean;
}

/** Longest time for a new mesh of healthy hosts to become complete. Unit: ms. */
const setupMsMax = 60_000;
/** And for each host and each server that there is to be from the start. Unit: ms. */
const setupMsForHost = 100;
const setupMsForServer = 100;
/** What a healed world has for each promise. Unit: ms. */
const leaderMsMax = 10_000;
const convergeMsMax = 60_000;
/** Claims that nobody bound, restored by a restart, end after two minutes, and a pass of the host loop later. */
const hostsMsMax = 140_000;
/** How often it is asked whether a condition holds. Unit: ms. */
const pollMs = 50;
/** How often the world is looked at from outside, in a small one and in a large one, where a look is dear. Unit: ms. */
const lookMs = { small: 50, large: 1_000 };
/** Configurations that the search for an order may enter for one key. */
const configurationsMax = 200_000;
/** Events of one run: an endless loop in virtual time would never end otherwise. */
const eventsPerSimulatedSecondMax = 200_000;
/** Lines of trace that a failure is reported with. */
const reportLines = 60;

class Stop extends Error {}

/** Runs one seed. Never throws for what it finds. */
export async function simulate(seed: number, settings: SimSettings = {}): Promise<SimResult> {
  return new Simulator(drawOptions(seed, settings.overrides), settings).run();
}

class Simulator {
  readonly #options: SimOptions;
  readonly #settings: SimSettings;
  readonly #schedule = new Schedule();
  readonly #random: Prng;
  readonly #trace: Trace;
  readonly #network: SimNetwork;
  readonly #nodes: SimNode[] = [];
  readonly #hosts: HostWorld;
  readonly #trouble = new Trouble();
  readonly #injector: SimFaultInjector;
  readonly #reached: Record<string, number> = {};
  readonly #consensus: ConsensusObserver;
  readonly #clients: RecordClient[] = [];
  readonly #working: Working;
  readonly #ends: (() => void)[] = [];
  #isChaosOver = false;
  #isOver = false;
  #failure: { verdict: Verdict; violated: SimResult['violated']; detail: string } | undefined;

  constructor(options: SimOptions, settings: SimSettings) {
    this.#options = options;
    this.#settings = settings;
    this.#random = new Prng(options.seed);
    this.#working = new Working(this.#schedule);
    const report = (invariant: Invariant, detail: string): void => this.#violated(invariant, detail);
    const secrets = new SecretChecker(report);
    secrets.keeps(secretOfGuests);
    this.#trace = new Trace(
      () => this.#schedule.nowMs,
      (line) => {
        secrets.line(line);
        settings.write?.(line);
      },
    );
    const planted = settings.mutant?.command;
    this.#consensus = new ConsensusObserver({
      report,
      reached: (name) => this.#reach(name),
      onFailed: (error) => this.#crashed(error),
      nowMs: () => this.#schedule.nowMs,
      node: (raftId) => this.#nodes[raftId - 1],
      ...(planted === undefined ? {} : { command: (index, command) => planted(undefined, index, command) }),
    });
    this.#network = new SimNetwork({
      schedule: this.#schedule,
      random: this.#random.fork(),
      trace: this.#trace,
      onSend: (message) => this.#consensus.sent(message),
    });
    const newId = idMaker(this.#random.fork());
    for (let raftId = 1; raftId <= options.hosts; raftId += 1) this.#nodes.push(this.#makeNode(raftId, newId));
    this.#injector = new SimFaultInjector(
      {
        schedule: this.#schedule,
        random: this.#random.fork(),
        trace: this.#trace,
        nodes: this.#nodes,
        count: (name) => this.#reach(name),
      },
      { branches: options.unlikely, chance: options.unlikelyChance },
    );
    this.#hosts = new HostWorld(
      {
        schedule: this.#schedule,
        random: this.#random.fork(),
        trace: this.#trace,
        network: this.#network,
        nodes: this.#nodes,
        newId,
        report,
        reached: (name) => this.#reach(name),
        replay: () => this.#consensus.applied.replay,
        keysOf: (revision) => this.#consensus.applied.keysOf(revision),
        working: this.#working,
        trouble: this.#trouble,
        onFailed: (error) => this.#crashed(error),
        onOperation: (operation) => settings.watcher?.operation?.(operation),
        ...(settings.mutant === undefined ? {} : { planted: settings.mutant }),
      },
      options,
    );
  }

  async run(): Promise<SimResult> {
    const onRejection = (error: unknown): void => this.#crashed(error);
    process.on('unhandledRejection', onRejection);
    setFaultInjector(this.#injector);
    try {
      this.#trace.add('sim', `options ${factsText(this.#options)}`);
      this.#look();
      await this.#setUp();
      await this.#chaos();
      await this.#heal();
      this.#judgeHistories();
    } catch (error) {
      if (!(error instanceof Stop)) this.#crashed(error);
    } finally {
      this.#isOver = true;
      this.#settings.watcher?.placements?.(this.#hosts.placements());
      // Calls under way will never be answered: what they hold is let go.
      for (const node of this.#nodes) node.life?.end();
      setFaultInjector(undefined);
      process.off('unhandledRejection', onRejection);
    }
    const { verdict, violated, detail } = this.#failure ?? {
      verdict: 'passed' as const,
      violated: undefined,
      detail: '',
    };
    for (const { counts } of this.#clients) {
      for (const [name, count] of Object.entries(counts)) this.#reach(`operation ${name}`, count);
    }
    return {
      options: this.#options,
      verdict,
      violated,
      detail,
      simulatedMs: Math.round(this.#schedule.nowMs),
      events: this.#schedule.events,
      traceLines: this.#trace.lines,
      traceDigest: this.#trace.digest(),
      lastLines: this.#trace.last(reportLines, (line) => !line.includes(' hears MsgAppResp')),
      reached: Object.fromEntries(Object.entries(this.#reached).sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }

  // --- Phases --------------------------------------------------------------------------------------------------------

  /** A healthy mesh of all hosts. */
  async #setUp(): Promise<void> {
    for (const node of this.#nodes) node.boot();
    this.#background(this.#hosts.found());
    const { hosts, servers } = this.#options;
    const setupMs = setupMsMax + hosts * setupMsForHost + servers * setupMsForServer;
    await this.#until(setupMs, 'everybody-caught-up', () => this.#hosts.isFounded && this.#isComplete());
    if (servers > 0) await this.#until(setupMs, 'hosts-settled', () => this.#hosts.isSettled());
    this.#trace.add('sim', 'the mesh is complete');
    this.#settings.watcher?.phase?.('chaos', this.#schedule.nowMs);
  }

  async #chaos(): Promise<void> {
    const options = this.#options;
    this.#network.conditions = options.network;
    this.#injector.isActive = true;
    let number = 0;
    for (let client = 1; client <= options.clients; client += 1) {
      const made = new RecordClient(
        {
          schedule: this.#schedule,
          random: this.#random.fork(),
          trace: this.#trace,
          nodes: this.#nodes,
          applied: this.#consensus.applied,
          working: this.#working,
          isOver: () => this.#isChaosOver || this.#isOver,
          nextNumber: () => {
            number += 1;
            return number;
          },
          onFailed: (error) => this.#crashed(error),
          onOperation: (operation) => this.#settings.watcher?.operation?.(operation),
          onNotDone: (node, code, startedMs) => this.#notDone(node, code, startedMs),
          trouble: this.#trouble,
          reached: (mark) => this.#reach(`mark ${mark}`),
        },
        { name: `c${client}`, keys: options.keys, thinkMs: options.thinkMs },
      );
      this.#clients.push(made);
      this.#background(made.run());
    }
    this.#hosts.startTenants(() => this.#isChaosOver || this.#isOver);
    if (options.faults.length > 0) this.#background(this.#misfortune());
    await this.#runFor(options.chaosMs);
  }

  async #heal(): Promise<void> {
    this.#isChaosOver = true;
    this.#injector.isActive = false;
    for (const end of this.#ends.splice(0)) end();
    this.#network.heal();
    for (const node of this.#nodes) {
      node.disk.isFull = false;
      node.disk.slowFactor = 1;
      node.time.setRate(1);
      node.boot();
    }
    this.#trouble.heal();
    this.#hosts.heal();
    // A process that stands still cannot be healed; its pause is waited for.
    const pausedUntilMs = Math.max(0, ...this.#nodes.map((node) => node.life?.pausedUntilMs ?? 0));
    await this.#runFor(Math.max(0, pausedUntilMs - this.#schedule.nowMs));
    this.#trace.add('sim', 'everything is healed');
    this.#settings.watcher?.phase?.('healed', this.#schedule.nowMs);
    const healedMs = this.#schedule.nowMs;
    await this.#until(leaderMsMax, 'leader-after-heal', () => this.#hasLeader());
    const left = (): number => Math.max(0, healedMs + convergeMsMax - this.#schedule.nowMs);
    await this.#until(left(), 'operations-end', () => this.#working.count === 0);
    await this.#until(left(), 'log-repaired', () =>
      this.#nodes.every((node) => node.process !== undefined && node.process.loop.quarantine === undefined),
    );
    await this.#until(left(), 'everybody-caught-up', () => this.#isCaughtUp());
    await this.#until(left(), 'states-agree', () => this.#statesAgree());
    await this.#until(hostsMsMax, 'hosts-settled', () => this.#hosts.isSettled());
    this.#judgeStates();
    this.#hosts.judgeAfterQuiet();
    this.#mustGoOn();
  }

  // --- Driving time --------------------------------------------------------------------------------------------------

  async #runFor(ms: number): Promise<void> {
    await this.#schedule.runUntil(this.#schedule.nowMs + ms, () => this.#isStopped());
    this.#mustGoOn();
  }

  async #until(ms: number, promised: Promised, condition: () => boolean): Promise<void> {
    const endMs = this.#schedule.nowMs + ms;
    while (!condition()) {
      if (this.#schedule.nowMs >= endMs) {
        this.#fail('liveness', promised, `${promises[promised]}: not so. ${this.#statuses()}`);
        throw new Stop();
      }
      await this.#runFor(Math.min(pollMs, endMs - this.#schedule.nowMs));
    }
  }

  #isStopped(): boolean {
    if (this.#settings.isCancelled?.() === true) return true;
    const { events, nowMs } = this.#schedule;
    if (events > eventsPerSimulatedSecondMax * (nowMs / 1000 + 10)) {
      this.#crashed(new Error(`${events} events in ${nowMs} simulated ms: something runs in circles`));
    }
    return this.#failure !== undefined;
  }

  #mustGoOn(): void {
    if (this.#isStopped()) throw new Stop();
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => this.#crashed(error));
  }

  // --- Bad luck ------------------------------------------------------------------------------------------------------

  async #misfortune(): Promise<void> {
    const random = this.#random.fork();
    const { faultEveryMs, faultForMs, faults: names } = this.#options;
    const exponential = (mean: number): number => -Math.log(1 - random.float()) * mean;
    const world: FaultWorld = {
      nodes: this.#nodes,
      machines: this.#hosts.machines,
      network: this.#network,
      hosts: this.#hosts,
      trouble: this.#trouble,
      injector: this.#injector,
      random,
      racks: this.#options.racks,
      nowMs: () => this.#schedule.nowMs,
      count: (name) => this.#reach(name),
      voters: () => this.#consensus.memberships.newest?.membership.voters ?? [],
      mayDamage: (node) => this.#mayDamage(node),
      later: (delayMs, run) => {
        this.#schedule.after(delayMs, () => {
          if (!this.#isChaosOver) run();
        });
      },
    };
    while (!this.#isChaosOver && !this.#isOver) {
      await this.#schedule.sleep(exponential(faultEveryMs));
      if (this.#isChaosOver || this.#isOver) return;
      const name = random.pick(names);
      const forMs = exponential(faultForMs);
      const kind: FaultKind = faults[name];
      const struck = kind.strike(world, forMs);
      if (struck === undefined) continue;
      this.#reach(`fault ${name}`);
      this.#trace.add('fault', `${name} ${struck.detail}`);
      const { end } = struck;
      if (end === undefined) continue;
      let isEnded = false;
      const once = (): void => {
        if (isEnded) return;
        isEnded = true;
        this.#trace.add('fault', `${name} ends`);
        end();
      };
      this.#ends.push(once);
      this.#schedule.after(forMs, once);
    }
  }

  #mayDamage(node: SimNode): boolean {
    const newest = this.#consensus.memberships.newest?.membership;
    if (newest === undefined || newest.voters.length < 3 || newest.votersOutgoing.length > 0) return false;
    for (const one of this.#nodes) one.lookWhetherWhole();
    return (
      this.#nodes.every(
        (other) =>
          other === node ||
          (!other.isDamaged &&
            !other.isUnproved &&
            other.process?.loop.quarantine === undefined &&
            other.process !== undefined),
      ) &&
      !node.isDamaged &&
      !node.isUnproved &&
      node.process?.loop.quarantine === undefined
    );
  }

  // --- Watching ------------------------------------------------------------------------------------------------------

  #makeNode(raftId: number, newId: () => string): SimNode {
    const { mutant } = this.#settings;
    const disk = new SimDisk(
      {
        schedule: this.#schedule,
        random: this.#random.fork(),
        observer: this.#consensus.disk(raftId),
      },
      { syncMs: this.#options.syncMs },
    );
    return new SimNode(
      {
        schedule: this.#schedule,
        random: this.#random.fork(),
        trace: this.#trace,
        network: this.#network,
        disk,
        newId,
        observer: (node, life, log) => this.#consensus.of(node, life, log),
        onStarted: (node, started) => this.#onStarted(node, started),
        onBroken: (_node, error) => this.#crashed(error),
        ...(mutant?.transport === undefined ? {} : { wrapTransport: mutant.transport }),
        ...(mutant?.disk === undefined ? {} : { wrapDisk: mutant.disk }),
        ...(mutant?.place === undefined ? {} : { wrapPlace: mutant.place }),
        ...(mutant?.log === undefined ? {} : { wrapLog: mutant.log }),
        ...(mutant?.state === undefined ? {} : { wrapState: mutant.state }),
        ...(mutant?.command === undefined ? {} : { wrapCommand: mutant.command }),
      },
      { raftId, logBytesMax: this.#options.logBytesMax, graceMs: this.#options.graceMs },
    );
  }

  async #onStarted(node: SimNode, started: Process): Promise<void> {
    this.#settings.mutant?.started?.(node, started);
    this.#consensus.watch(started);
    await this.#hosts.start(node, started);
  }

  #notDone(node: SimNode, code: string | undefined, startedMs: number): void {
    const { process: running } = node;
    const newest = this.#consensus.memberships.newest;
    if (running === undefined || newest === undefined || code === undefined) return;
    const { voters, votersOutgoing } = newest.membership;
    if (votersOutgoing.length > 0) return;
    checkRefusal(
      {
        member: node.raftId,
        name: node.name,
        code,
        startedMs,
        endedMs: this.#schedule.nowMs,
        patienceMs: running.loop.options.patienceMs,
      },
      {
        voters: this.#nodes
          .filter(({ raftId }) => voters.includes(raftId))
          .map((voter) => ({
            member: voter.raftId,
            upSinceMs: voter.process?.loop.quarantine === undefined ? upSinceMs(voter) : Number.POSITIVE_INFINITY,
            pauses: voter.pauses,
          })),
        votersSinceMs: newest.sinceMs,
        upSinceMs: upSinceMs(node),
        isSoundSince: (a, b, sinceMs) => this.#network.isSoundSince(a, b, sinceMs),
      },
      (invariant, detail) => this.#violated(invariant, detail),
    );
  }

  /** From outside, now and then. */
  #look(): void {
    for (const node of this.#nodes) this.#consensus.look(node);
    this.#hosts.look();
    this.#settings.watcher?.looked?.(this.#picture());
    this.#schedule.after(lookMs[scaleOf(this.#nodes.length)], () => this.#look());
  }

  #picture(): Picture {
    const leading = this.#nodes.find(({ process: running }) => running?.loop.route()?.kind === 'here');
    const loop = leading?.process?.loop;
    return {
      atMs: this.#schedule.nowMs,
      leader:
        leading === undefined || loop === undefined ? undefined : { member: leading.raftId, term: loop.status().term },
      isUp: this.#nodes.map(
        (node) => node.process !== undefined && (node.life?.pausedUntilMs ?? 0) <= this.#schedule.nowMs,
      ),
      silent: (loop?.members() ?? [])
        .filter(({ silentMs }) => silentMs > (loop?.options.silenceMs ?? 0))
        .map(({ raftId }) => raftId),
      servers: this.#hosts.servers(),
    };
  }

  // --- Judging -------------------------------------------------------------------------------------------------------

  #hasLeader(): boolean {
    return this.#nodes.some((node) => node.process?.loop.route()?.kind === 'here');
  }

  /** Every host is a member, as many vote as should. */
  #isComplete(): boolean {
    const target = this.#nodes.length >= 5 ? 5 : this.#nodes.length >= 3 ? 3 : 1;
    return (
      this.#isCaughtUp() &&
      this.#nodes.every(({ process: running }) => {
        const status = running?.state.status();
        return (
          status !== undefined &&
          status.voters.length === target &&
          status.voters.length + status.learners.length === this.#nodes.length
        );
      })
    );
  }

  #isCaughtUp(): boolean {
    const revisions = new Set(this.#nodes.map((node) => node.process?.state.local.revision));
    return revisions.size === 1 && !revisions.has(undefined) && this.#hasLeader();
  }

  /** Rows that rot in memory are found when they are read again, and a replica that differs when states are compared. */
  #statesAgree(): boolean {
    if (!this.#nodes.some((node) => node.wasStateDamaged)) return true;
    return (
      this.#isCaughtUp() &&
      this.#nodes.every(
        ({ process: running }) =>
          running !== undefined &&
          running.loop.quarantine === undefined &&
          this.#consensus.applied.isReplay(running.log.machine) === true,
      )
    );
  }

  #judgeStates(): void {
    for (const { process: running, raftId } of this.#nodes)
      if (running !== undefined) this.#consensus.applied.state(raftId, running.log.machine);
  }

  #judgeHistories(): void {
    const operations: RecordOperation[] = this.#clients.flatMap((client) => client.history);
    const model = {
      ...registerModel,
      partition: (input: RecordOperation['input']) => input.key,
    };
    const verdict = checkLinearizability(model, operations, { configurationsMax });
    this.#reach(`history ${verdict.verdict}`);
    if (verdict.verdict !== 'not-linearizable') return;
    const last = verdict.longest
      .slice(-5)
      .map((operation) => factsText(operation))
      .join(' ');
    this.#violated(
      'linearizable',
      `${verdict.partition}: ${factsText(verdict.blocked ?? {})} does not fit behind ${last}`,
    );
  }

  #statuses(): string {
    return this.#nodes
      .map(({ name, process: running }) => {
        if (running === undefined) return `${name} is down`;
        const { leaderRaftId, term, commitIndex, appliedIndex, hasQuorum, voters } = running.state.status();
        const quarantine =
          running.loop.quarantine === undefined ? '' : ` quarantined (${running.loop.quarantine.reason})`;
        return `${name} term ${term} leader ${leaderRaftId} commit ${commitIndex} applied ${appliedIndex}${hasQuorum ? '' : ' no quorum'} voters ${voters.join()}${quarantine}`;
      })
      .concat([`${this.#working.count} operations under way`, ...this.#hosts.unsettled()])
      .join('; ');
  }

  #reach(name: string, count = 1): void {
    this.#reached[name] = (this.#reached[name] ?? 0) + count;
  }

  #violated(invariant: Invariant, detail: string): void {
    this.#fail('safety', invariant, `${invariants[invariant]}: not so. ${detail}`);
  }

  #crashed(error: unknown): void {
    if (this.#isOver) return;
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    const facts = error instanceof ShoalError ? ` ${error.code} ${factsText(error.facts)}` : '';
    this.#fail('crash', 'crash', `${message}${facts}\n${stack ?? ''}`);
  }

  #fail(verdict: Verdict, violated: SimResult['violated'], detail: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = { verdict, violated, detail };
    // Without the stack, whose paths differ from machine to machine.
    this.#trace.add('sim', `${verdict}: ${detail.split('\n')[0] ?? ''}`);
  }
}

/** When a node's process had started; Infinity: none runs. */
function upSinceMs(node: SimNode): number {
  return node.process === undefined ? Number.POSITIVE_INFINITY : node.upSinceMs;
}
