/** Everything that there is in one run: nodes, network, hosts, and what watches them. Nothing happens before it is driven. */
import { Prng } from '../../node/base/prng.ts';
import { voterTarget } from '../../node/consensus/autopilot/autopilot.ts';
import type { Invariant } from '../checkers/invariants.ts';
import { SecretChecker } from '../checkers/secrets.ts';
import { HostWorld } from '../cluster/host-world.ts';
import type { Mutant } from '../mutants/mutant.ts';
import { ConsensusObserver } from '../observers/consensus-observer.ts';
import { readPart, SubscriptionEye } from '../observers/slice-observer.ts';
import type { SimOptions } from '../settings/options.ts';
import { Trace } from '../trace/trace.ts';
import type { Watcher } from '../trace/watcher.ts';
import { Working } from '../workload/client.ts';
import { secretOfGuests } from '../workload/tenant.ts';
import { type DiskObserver, SimDisk } from '../world/disk.ts';
import { SimFaultInjector } from '../world/fault-injector.ts';
import { idMaker } from '../world/ids.ts';
import { SimNetwork } from '../world/network.ts';
import { type Process, SimNode } from '../world/node.ts';
import { Schedule } from '../world/schedule.ts';
import { SliceStreams } from '../world/slice-channel.ts';
import { Trouble } from '../world/trouble.ts';
import { Outcome } from './outcome.ts';

interface WorldSettings {
  readonly mutant?: Mutant;
  /** Takes each line of the trace. */
  readonly write?: (line: string) => void;
  readonly watcher?: Watcher;
}

/** What becomes of a slice's disk nobody looks at: the slice itself is compared. */
const silentDisk: DiskObserver = { onDurable: () => {}, onWiped: () => {}, onRolledBack: () => {} };

/** Whether there are more hosts than replicas. */
function hasSlices({ hosts, standbys }: SimOptions): boolean {
  return hosts > voterTarget(hosts) + standbys;
}

/** One world. All draws come from the seed, in the order in which the parts are made. */
export class SimWorld {
  readonly options: SimOptions;
  readonly outcome: Outcome;
  readonly schedule = new Schedule();
  readonly random: Prng;
  readonly trace: Trace;
  readonly network: SimNetwork;
  readonly slices: SliceStreams;
  readonly nodes: SimNode[] = [];
  readonly hosts: HostWorld;
  readonly trouble = new Trouble();
  readonly injector: SimFaultInjector;
  readonly consensus: ConsensusObserver;
  readonly working: Working;
  readonly #settings: WorldSettings;

  constructor(options: SimOptions, settings: WorldSettings) {
    this.options = options;
    this.#settings = settings;
    this.random = new Prng(options.seed);
    this.working = new Working(this.schedule);
    const outcome = new Outcome(({ verdict, detail }) => {
      // Without the stack, whose paths differ from machine to machine.
      this.trace.add('sim', `${verdict}: ${detail.split('\n')[0] ?? ''}`);
    });
    this.outcome = outcome;
    const report = (invariant: Invariant, detail: string): void => outcome.violated(invariant, detail);
    const onFailed = (error: unknown): void => outcome.crashed(error);
    const secrets = new SecretChecker(report);
    secrets.keeps(secretOfGuests);
    this.trace = new Trace(
      () => this.schedule.nowMs,
      (line) => {
        secrets.line(line);
        settings.write?.(line);
      },
    );
    const planted = settings.mutant?.command;
    this.consensus = new ConsensusObserver({
      hasSlices: hasSlices(options),
      report,
      reached: (name) => outcome.reach(name),
      onFailed,
      nowMs: () => this.schedule.nowMs,
      node: (raftId) => this.nodes[raftId - 1],
      ...(planted === undefined ? {} : { command: (index, command) => planted(undefined, index, command) }),
    });
    this.network = new SimNetwork({
      schedule: this.schedule,
      random: this.random.fork(),
      trace: this.trace,
      onSend: (message) => this.consensus.sent(message),
    });
    this.slices = new SliceStreams(this.network, (name) => new SubscriptionEye(this.consensus.slices, name));
    const newId = idMaker(this.random.fork());
    for (let raftId = 1; raftId <= options.hosts; raftId += 1) this.nodes.push(this.#makeNode(raftId, newId));
    this.injector = new SimFaultInjector(
      {
        schedule: this.schedule,
        random: this.random.fork(),
        trace: this.trace,
        nodes: this.nodes,
        count: (name) => outcome.reach(name),
      },
      { branches: options.unlikely, chance: options.unlikelyChance },
    );
    this.hosts = new HostWorld(
      {
        schedule: this.schedule,
        random: this.random.fork(),
        trace: this.trace,
        network: this.network,
        nodes: this.nodes,
        newId,
        report,
        reached: (name) => outcome.reach(name),
        replay: () => this.consensus.applied.replay,
        keysOf: (revision) => this.consensus.applied.keysOf(revision),
        working: this.working,
        trouble: this.trouble,
        onFailed,
        onOperation: (operation) => settings.watcher?.operation?.(operation),
        ...(settings.mutant === undefined ? {} : { planted: settings.mutant }),
      },
      options,
    );
  }

  #makeNode(raftId: number, newId: () => string): SimNode {
    const { mutant } = this.#settings;
    const disk = new SimDisk(
      {
        schedule: this.schedule,
        random: this.random.fork(),
        observer: this.consensus.disk(raftId),
      },
      { syncMs: this.options.syncMs },
    );
    const sliceDisk = new SimDisk(
      { schedule: this.schedule, random: new Prng(this.options.seed ^ (0x51ce + raftId)), observer: silentDisk },
      { syncMs: this.options.syncMs },
    );
    return new SimNode(
      {
        schedule: this.schedule,
        random: this.random.fork(),
        trace: this.trace,
        network: this.network,
        disk,
        sliceDisk,
        slices: this.slices,
        onSlice: ({ name }, slice) => {
          const { revision } = slice.bare;
          this.consensus.slices.changed(name, { revision, terms: slice.terms, rows: slice.rows() });
          readPart(this.consensus.slices, name, mutant?.slices?.part?.(slice.part) ?? slice.part);
          this.outcome.reach('slice compared');
        },
        newId,
        observer: (node, life, log) => this.consensus.of(node, life, log),
        onStarted: (node, started) => this.#onStarted(node, started),
        onBroken: (_node, error) => this.outcome.crashed(error),
        ...(mutant?.transport === undefined ? {} : { wrapTransport: mutant.transport }),
        ...(mutant?.disk === undefined ? {} : { wrapDisk: mutant.disk }),
        ...(mutant?.place === undefined ? {} : { wrapPlace: mutant.place }),
        ...(mutant?.log === undefined ? {} : { wrapLog: mutant.log }),
        ...(mutant?.state === undefined ? {} : { wrapState: mutant.state }),
        ...(mutant?.command === undefined ? {} : { wrapCommand: mutant.command }),
        ...(mutant?.slices?.feeder === undefined ? {} : { wrapFeeder: mutant.slices.feeder }),
        ...(mutant?.slices?.disk === undefined ? {} : { wrapSliceDisk: mutant.slices.disk }),
      },
      {
        raftId,
        logBytesMax: this.options.logBytesMax,
        graceMs: this.options.graceMs,
        standbys: this.options.standbys,
      },
    );
  }

  async #onStarted(node: SimNode, started: Process): Promise<void> {
    this.#settings.mutant?.started?.(node, started);
    this.consensus.watch(started);
    await this.hosts.start(node, started);
  }
}
