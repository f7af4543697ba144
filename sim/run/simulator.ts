/**
 * One run: a world from a seed, clients and faults in it, checkers around it. First safety under chaos; then everything is
 * healed and the cluster must converge in time. The first violation ends the run.
 */
import { setFaultInjector } from '../../node/base/buggify/buggify.ts';
import { type Promised, promises } from '../checkers/invariants.ts';
import type { Mutant } from '../mutants/mutant.ts';
import { drawOptions } from '../settings/draw-options.ts';
import type { SimOptions, SimOverrides } from '../settings/options.ts';
import { factsText } from '../trace/trace.ts';
import type { Watcher } from '../trace/watcher.ts';
import { RecordClient } from '../workload/records.ts';
import { judgeHistories, judgeRefusal } from './histories.ts';
import { MeshStatus } from './mesh-status.ts';
import { Nemesis } from './nemesis.ts';
import type { Finding } from './outcome.ts';
import { OutsideLooks } from './outside-looks.ts';
import { SimWorld } from './world.ts';

export interface SimResult extends Finding {
  readonly options: SimOptions;
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
  readonly #settings: SimSettings;
  readonly #world: SimWorld;
  readonly #status: MeshStatus;
  readonly #nemesis: Nemesis;
  readonly #clients: RecordClient[] = [];
  #isChaosOver = false;

  constructor(options: SimOptions, settings: SimSettings) {
    this.#settings = settings;
    this.#world = new SimWorld(options, settings);
    this.#status = new MeshStatus(this.#world);
    this.#nemesis = new Nemesis(this.#world, () => this.#isQuiet());
  }

  async run(): Promise<SimResult> {
    const { options, outcome, trace, schedule, injector, nodes, hosts } = this.#world;
    const onRejection = (error: unknown): void => outcome.crashed(error);
    process.on('unhandledRejection', onRejection);
    setFaultInjector(injector);
    try {
      trace.add('sim', `options ${factsText(options)}`);
      new OutsideLooks(this.#world, this.#settings.watcher).start();
      await this.#setUp();
      await this.#chaos();
      await this.#heal();
      judgeHistories(this.#clients, outcome);
    } catch (error) {
      if (!(error instanceof Stop)) outcome.crashed(error);
    } finally {
      outcome.close();
      this.#settings.watcher?.placements?.(hosts.placements());
      // Calls under way will never be answered: what they hold is let go.
      for (const node of nodes) node.life?.end();
      setFaultInjector(undefined);
      process.off('unhandledRejection', onRejection);
    }
    for (const { counts } of this.#clients) {
      for (const [name, count] of Object.entries(counts)) outcome.reach(`operation ${name}`, count);
    }
    return {
      options,
      ...outcome.finding,
      simulatedMs: Math.round(schedule.nowMs),
      events: schedule.events,
      traceLines: trace.lines,
      traceDigest: trace.digest(),
      lastLines: trace.last(reportLines, (line) => !line.includes(' hears MsgAppResp')),
      reached: outcome.reached,
    };
  }

  /** Clients and faults do nothing any more. */
  #isQuiet(): boolean {
    return this.#isChaosOver || this.#world.outcome.isOver;
  }

  // --- Phases --------------------------------------------------------------------------------------------------------

  /** A healthy mesh of all hosts. */
  async #setUp(): Promise<void> {
    for (const node of this.#world.nodes) node.boot();
    this.#background(this.#world.hosts.found());
    const { hosts, servers } = this.#world.options;
    const setupMs = setupMsMax + hosts * setupMsForHost + servers * setupMsForServer;
    await this.#until(setupMs, 'everybody-caught-up', () => this.#world.hosts.isFounded && this.#status.isComplete());
    if (servers > 0) await this.#until(setupMs, 'hosts-converged', () => this.#world.hosts.isConverged());
    this.#world.trace.add('sim', 'the mesh is complete');
    this.#settings.watcher?.phase?.('chaos', this.#world.schedule.nowMs);
  }

  async #chaos(): Promise<void> {
    const options = this.#world.options;
    this.#world.network.conditions = options.network;
    this.#world.injector.isActive = true;
    let number = 0;
    for (let client = 1; client <= options.clients; client += 1) {
      const made = new RecordClient(
        {
          schedule: this.#world.schedule,
          random: this.#world.random.fork(),
          trace: this.#world.trace,
          nodes: this.#world.nodes,
          applied: this.#world.consensus.applied,
          working: this.#world.working,
          isOver: () => this.#isQuiet(),
          nextNumber: () => {
            number += 1;
            return number;
          },
          onFailed: (error) => this.#world.outcome.crashed(error),
          onOperation: (operation) => this.#settings.watcher?.operation?.(operation),
          onNotDone: (node, code, startedMs) => judgeRefusal(this.#world, node, code, startedMs),
          trouble: this.#world.trouble,
          reached: (mark) => this.#world.outcome.reach(`mark ${mark}`),
        },
        { name: `c${client}`, keys: options.keys, thinkMs: options.thinkMs },
      );
      this.#clients.push(made);
      this.#background(made.run());
    }
    this.#world.hosts.startTenants(() => this.#isQuiet());
    if (options.faults.length > 0) this.#background(this.#nemesis.run());
    await this.#runFor(options.chaosMs);
  }

  async #heal(): Promise<void> {
    this.#isChaosOver = true;
    this.#world.injector.isActive = false;
    this.#nemesis.heal();
    this.#world.network.heal();
    for (const node of this.#world.nodes) {
      node.disk.isFull = false;
      node.disk.slowFactor = 1;
      node.time.setRate(1);
      node.boot();
    }
    this.#world.trouble.heal();
    this.#world.hosts.heal();
    // A process that stands still cannot be healed; its pause is waited for.
    const pausedUntilMs = Math.max(0, ...this.#world.nodes.map((node) => node.life?.pausedUntilMs ?? 0));
    await this.#runFor(Math.max(0, pausedUntilMs - this.#world.schedule.nowMs));
    this.#world.trace.add('sim', 'everything is healed');
    this.#settings.watcher?.phase?.('healed', this.#world.schedule.nowMs);
    const healedMs = this.#world.schedule.nowMs;
    await this.#until(leaderMsMax, 'leader-after-heal', () => this.#status.hasLeader());
    const left = (): number => Math.max(0, healedMs + convergeMsMax - this.#world.schedule.nowMs);
    await this.#until(left(), 'operations-end', () => this.#world.working.count === 0);
    await this.#until(left(), 'log-repaired', () => this.#status.isRepaired());
    await this.#until(left(), 'everybody-caught-up', () => this.#status.isCaughtUp());
    await this.#until(left(), 'states-agree', () => this.#status.statesAgree());
    await this.#until(hostsMsMax, 'hosts-converged', () => this.#world.hosts.isConverged());
    this.#status.judgeStates();
    this.#world.hosts.judgeAfterQuiet();
    this.#mustGoOn();
  }

  // --- Driving time --------------------------------------------------------------------------------------------------

  async #runFor(ms: number): Promise<void> {
    await this.#world.schedule.runUntil(this.#world.schedule.nowMs + ms, () => this.#isStopped());
    this.#mustGoOn();
  }

  async #until(ms: number, promised: Promised, condition: () => boolean): Promise<void> {
    const endMs = this.#world.schedule.nowMs + ms;
    while (!condition()) {
      if (this.#world.schedule.nowMs >= endMs) {
        this.#world.outcome.fail('liveness', promised, `${promises[promised]}: not so. ${this.#status.statuses()}`);
        throw new Stop();
      }
      await this.#runFor(Math.min(pollMs, endMs - this.#world.schedule.nowMs));
    }
  }

  #isStopped(): boolean {
    if (this.#settings.isCancelled?.() === true) return true;
    const { events, nowMs } = this.#world.schedule;
    if (events > eventsPerSimulatedSecondMax * (nowMs / 1000 + 10)) {
      this.#world.outcome.crashed(new Error(`${events} events in ${nowMs} simulated ms: something runs in circles`));
    }
    return this.#world.outcome.hasFailed;
  }

  #mustGoOn(): void {
    if (this.#isStopped()) throw new Stop();
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => this.#world.outcome.crashed(error));
  }
}
