/**
 * One agent and what outlives its processes: its disk, its clock, its host. `boot` starts a process made of the production
 * parts; `crash` ends it as a power cut or `kill -9` does; a process that cannot go on ends itself and is started again
 * by its supervisor a second later.
 */

import { AssertionError } from '../../node/base/assert.ts';
import type { Clock } from '../../node/base/clock.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { Prng } from '../../node/base/prng.ts';
import type { Logger } from '../../node/base/telemetry/logger.ts';
import { defaultAutopilotOptions } from '../../node/consensus/autopilot/autopilot.ts';
import { AutopilotLoop } from '../../node/consensus/client/autopilot-loop.ts';
import { RaftLoop } from '../../node/consensus/loop/loop.ts';
import type { RaftObserver } from '../../node/consensus/replica/observer.ts';
import type { RaftTransport } from '../../node/consensus/transport/transport.ts';
import { hostSlice } from '../../node/host/host-slice.ts';
import type { SliceHandler } from '../../node/slices/slice-channel.ts';
import { SliceFeeder } from '../../node/slices/slice-feeder.ts';
import { SliceReplica } from '../../node/slices/slice-replica.ts';
import { SliceStore } from '../../node/slices/slice-store.ts';
import { StateMember } from '../../node/slices/state-member.ts';
import type { Command } from '../../node/state/command.ts';
import type { StateClient } from '../../node/state/types.ts';
import type { LogStore, OpenedLog } from '../../node/store/index.ts';
import type { Disk } from '../../node/store/log/disk.ts';
import { type LogPlace, openLogAt } from '../../node/store/log/log-place.ts';
import { factsText, type Trace } from '../trace/trace.ts';
import { HostTime, LifeClock } from './clock.ts';
import { decodedOnce } from './commands.ts';
import type { SimDisk } from './disk.ts';
import { hostIdOf } from './ids.ts';
import type { SimNetwork } from './network.ts';
import { Life, type Schedule } from './schedule.ts';
import type { SliceStreams } from './slice-channel.ts';

/** How long a supervisor waits before it starts an agent again. Unit: ms. */
const restartMs = 1_000;

/** How long a start waits for a slice, as the agent does. Unit: ms. */
const startMsMax = 5_000;

/** Pauses of a node that are remembered for the checkers. */
const pausesKept = 200;

/** How often rows are read again: within the time that everything may take to converge. Unit: ticks. */
const scrubTicks = 60;

/** A running process. */
export interface Process {
  readonly life: Life;
  readonly clock: LifeClock;
  readonly logger: Logger;
  readonly loop: RaftLoop;
  /** Whether it holds a replica or a slice. */
  readonly member: StateMember;
  readonly state: StateClient;
  /** Of the replica alone, be it used or not. */
  readonly replicaState: StateClient;
  readonly log: OpenedLog;
  /** A part of it cannot go on. */
  readonly end: (error: unknown) => void;
}

interface NodeDeps {
  readonly schedule: Schedule;
  readonly random: Prng;
  readonly trace: Trace;
  readonly network: SimNetwork;
  readonly disk: SimDisk;
  /** Where its slice is, while it has one. */
  readonly sliceDisk: SimDisk;
  readonly slices: SliceStreams;
  /** A slice has changed. */
  readonly onSlice: (life: Life, slice: SliceReplica) => void;
  readonly newId: () => string;
  /** What hears of a process all that its Raft loop reports. */
  readonly observer: (node: SimNode, life: Life, log: OpenedLog) => RaftObserver;
  /** A process runs: more of the agent can be built on it. Its failure ends the process. */
  readonly onStarted: (node: SimNode, process: Process) => Promise<void>;
  /** An unexpected error, which has no code, or an invariant of the code itself is broken. */
  readonly onBroken: (node: SimNode, error: unknown) => void;
  /** Planted bugs come between the parts here. */
  readonly wrapTransport?: (node: SimNode, transport: RaftTransport) => RaftTransport;
  readonly wrapDisk?: (node: SimNode, disk: Disk) => Disk;
  readonly wrapPlace?: (node: SimNode, place: LogPlace) => LogPlace;
  readonly wrapLog?: (node: SimNode, log: OpenedLog) => OpenedLog;
  readonly wrapState?: (node: SimNode, state: StateClient, clock: Clock) => StateClient;
  readonly wrapFeeder?: (inner: SliceHandler, replica: StateClient) => SliceHandler;
  readonly wrapSliceDisk?: (inner: Disk, clock: Clock) => Disk;
  /** What is applied instead of the command at `index`. */
  readonly wrapCommand?: (node: SimNode, index: number, command: Command) => Command;
}

interface NodeOptions {
  readonly raftId: number;
  readonly logBytesMax: number;
  readonly graceMs: number;
  readonly standbys: number;
}

interface LogEnd {
  readonly term: number;
  readonly lastTerm: number;
  readonly lastIndex: number;
}

function logEnd(store: LogStore): LogEnd {
  const lastIndex = store.lastIndex();
  const lastTerm = store.term(lastIndex);
  return { term: store.plannedHardState.term, lastTerm: typeof lastTerm === 'number' ? lastTerm : 0, lastIndex };
}

export class SimNode {
  readonly raftId: number;
  readonly name: string;
  readonly disk: SimDisk;
  readonly time: HostTime;
  /** No supervisor starts it again before somebody calls `boot`. */
  isHeldDown = false;
  /** Its disk may hold less than it has promised, until it has started without quarantine and holds as much again. */
  isDamaged = false;
  /** Something has changed its state in memory, behind its back; a start ends that. */
  isStateDamaged = false;
  /** That has been so. */
  wasStateDamaged = false;
  /** Its disk was put back, and those who remember may not all have been asked yet. */
  isUnproved = false;
  /** It remembers what the disk of such a member has forgotten, which may not have heard of it yet: nothing ends its process. */
  isWitness = false;
  process: Process | undefined;
  /** When its process had started. Virtual ms. */
  upSinceMs = 0;
  /** When its processes stood still: from, to. Virtual ms. */
  readonly pauses: { readonly fromMs: number; readonly toMs: number }[] = [];
  boots = 0;
  readonly #deps: NodeDeps;
  readonly #options: NodeOptions;
  #life: Life | undefined;
  /** How far its log had come when its process ended last. */
  #endBefore: LogEnd = { term: 0, lastTerm: 0, lastIndex: 0 };

  constructor(deps: NodeDeps, options: NodeOptions) {
    this.#deps = deps;
    this.#options = options;
    this.raftId = options.raftId;
    this.name = `n${options.raftId}`;
    this.disk = deps.disk;
    this.time = new HostTime(deps.schedule, { uptimeMs: 1_000 + deps.random.below(100_000_000) });
  }

  get isUp(): boolean {
    return this.#life?.isAlive === true;
  }

  get life(): Life | undefined {
    return this.#life;
  }

  /** Starts a process, unless one runs. Returns at once. */
  boot(): void {
    this.isHeldDown = false;
    if (this.isUp) return;
    this.boots += 1;
    const life = new Life(`${this.name}.${this.boots}`);
    this.#life = life;
    this.#deps.network.bind(this.raftId, life);
    this.#deps.trace.add(this.name, `boots (${this.boots})`);
    // Its own thing from the first step on, so that whose code runs is known (fault-injector.ts).
    this.#deps.schedule.after(
      0,
      () => {
        this.#start(life).catch((error: unknown) => this.#ended(life, error));
      },
      life,
    );
  }

  /** The process is gone this instant. */
  crash(): void {
    if (!this.isUp) return;
    this.#deps.trace.add(this.name, 'is killed');
    this.#end();
  }

  /** The process does nothing for a while. */
  pause(forMs: number): void {
    if (this.#life?.isAlive !== true) return;
    const fromMs = this.#deps.schedule.nowMs;
    this.#life.pausedUntilMs = Math.max(this.#life.pausedUntilMs, fromMs + forMs);
    this.pauses.push({ fromMs, toMs: fromMs + forMs });
    if (this.pauses.length > pausesKept) this.pauses.shift();
  }

  /** Takes it for whole again when its log has come as far as before it was damaged. Call before its damage matters. */
  lookWhetherWhole(): void {
    const store = this.process?.log.store;
    const mayBeWhole = this.isDamaged && !this.isStateDamaged;
    if (mayBeWhole && store !== undefined && this.#isWhole(store)) this.isDamaged = false;
  }

  /** A loss that no row shows is only found when a peer says what it remembers; until then the node must not pass for whole. */
  #isWhole(store: LogStore): boolean {
    if (store.quarantine !== undefined) return false;
    const end = logEnd(store);
    const before = this.#endBefore;
    if (end.term < before.term) return false;
    return end.lastTerm > before.lastTerm || (end.lastTerm === before.lastTerm && end.lastIndex >= before.lastIndex);
  }

  #end(): void {
    const store = this.process?.log.store;
    if (store !== undefined && !this.isDamaged) this.#endBefore = logEnd(store);
    this.#life?.end();
    this.process = undefined;
    this.disk.crash();
    this.#deps.sliceDisk.crash();
  }

  #place(life: Life): LogPlace {
    const { wrapDisk, wrapPlace } = this.#deps;
    const bare = this.disk.place(life);
    const place = wrapPlace?.(this, bare) ?? bare;
    if (wrapDisk === undefined) return place;
    return { ...place, open: async () => wrapDisk(this, await place.open()) };
  }

  async #start(life: Life): Promise<void> {
    const { schedule, random, network, newId, wrapCommand } = this.#deps;
    const { raftId, logBytesMax, graceMs, standbys } = this.#options;
    const clock = new LifeClock(schedule, this.time, life);
    const logger = this.#logger(life, {});
    const opened = await openLogAt(this.#place(life), { raftId, newIncarnation: newId(), bootstrap: raftId === 1 });
    if (!life.isAlive) return;
    const log = this.#deps.wrapLog?.(this, opened) ?? opened;
    if (this.#isWhole(log.store)) this.isDamaged = false;
    this.isStateDamaged = false;
    const bare = network.transport(raftId, life);
    const transport = this.#deps.wrapTransport?.(this, bare) ?? bare;
    const loop = new RaftLoop(
      {
        clock,
        logger,
        random: random.fork(),
        transport,
        log,
        defer: (callback) => void schedule.after(0, callback, life),
        decode: wrapCommand === undefined ? decodedOnce : (data, index) => wrapCommand(this, index, decodedOnce(data)),
        observer: this.#deps.observer(this, life, log),
        onFatal: (error) => this.#ended(life, error),
      },
      { logBytesMax, scrubTicks },
    );
    await loop.start();
    if (!life.isAlive) return;
    const member = this.#member({ life, clock, logger, loop, transport });
    await member.start();
    await member.ready(startMsMax);
    if (!life.isAlive) return;
    const feeder = new SliceFeeder({
      clock,
      state: member.replicaState,
      knownSince: () => loop.watches.knownSince,
      isReplica: () => member.isReplica,
    });
    await feeder.start();
    const { wrapFeeder = (inner: SliceHandler) => inner } = this.#deps;
    this.#deps.slices.serve(
      raftId,
      life,
      wrapFeeder((requests, signal) => feeder.serve(requests, signal), member.replicaState),
    );
    const { wrapState = (_node: SimNode, client: StateClient) => client } = this.#deps;
    const state = wrapState(this, member.state, clock);
    const replicaState = wrapState(this, member.replicaState, clock);
    const autopilot = new AutopilotLoop(
      { loop, state, clock, logger },
      { ...defaultAutopilotOptions, graceMs, standbys },
    );
    await autopilot.start();
    if (!life.isAlive) return;
    this.upSinceMs = schedule.nowMs;
    this.process = {
      life,
      clock,
      logger,
      loop,
      member,
      state,
      replicaState,
      log,
      end: (error) => this.#ended(life, error),
    };
    await this.#deps.onStarted(this, this.process);
  }

  #member(
    parts: Pick<Process, 'life' | 'clock' | 'logger' | 'loop'> & { readonly transport: RaftTransport },
  ): StateMember {
    const { random, newId, slices, sliceDisk, onSlice, wrapSliceDisk = (inner: Disk) => inner } = this.#deps;
    const { life, clock, logger } = parts;
    const store = (): SliceStore => new SliceStore(wrapSliceDisk(sliceDisk.open(life), clock));
    const { raftId } = this.#options;
    const channel = slices.channel(raftId, life);
    const onFatal = (error: unknown): void => this.#ended(life, error);
    return new StateMember({
      ...parts,
      channel,
      uniqueName: newId,
      onFatal,
      keptRevision: async () => store().revision(),
      slice: async () =>
        new SliceReplica({
          clock,
          logger: logger.child({ part: 'slice' }),
          random: random.fork(),
          channel,
          store: store(),
          self: raftId,
          hosts: () => [1, 2, 3],
          roots: hostSlice(hostIdOf(raftId)),
          onFatal,
          onChanged: (slice) => {
            if (life.isAlive) onSlice(life, slice);
          },
        }),
    });
  }

  /** The process could not go on. */
  #ended(life: Life, error: unknown): void {
    if (!life.isAlive) return;
    this.#deps.trace.add(this.name, `ends: ${factsText({ error })}`);
    const isExpected =
      ShoalError.is(error, 'STORE_FAILED', 'LOG_CORRUPT', 'STATE_DIVERGED') ||
      (ShoalError.is(error, 'CANCELLED') && !life.isAlive);
    if (!isExpected || error instanceof AssertionError) this.#deps.onBroken(this, error);
    // What is corrupt in memory is corrupt on disk: this log is not what it was.
    if (ShoalError.is(error, 'LOG_CORRUPT')) this.isDamaged = true;
    this.#end();
    this.#deps.schedule.after(restartMs, () => {
      if (!this.isHeldDown) this.boot();
    });
  }

  #logger(life: Life, bound: object): Logger {
    const write = (level: string, facts: object, message: string): void => {
      if (!life.isAlive) return;
      const all = { ...bound, ...facts };
      this.#deps.trace.add(this.name, `${level}: ${message} ${factsText(all)}`);
    };
    return {
      debug: () => {},
      info: (facts, message) => write('info', facts, message),
      warn: (facts, message) => write('warn', facts, message),
      error: (facts, message) => write('error', facts, message),
      child: (facts) => this.#logger(life, { ...bound, ...facts }),
    };
  }
}
