/**
 * The loop that keeps one host as the records want it: look at what is wanted and what is found, plan, act, look again.
 *
 * It runs on this host's own replica of the state, so it goes on without quorum and from the first moment after a
 * restart; what it cannot tell the records then, it tells at a later pass. Steps of one server run one after the other,
 * those of different servers side by side up to a bound; the network is brought up to date before any server step.
 */

import type { ComputeDriver, GuestFound } from '../../drivers/types.ts';
import { shoal } from '../../proto/messages.ts';
import { AssertionError } from '../base/assert.ts';
import { maybe, reached } from '../base/buggify/buggify.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { isTransient, isUnrecorded, ShoalError } from '../base/errors.ts';
import type { HostId, PortId } from '../base/ids.ts';
import type { Service } from '../base/lifecycle.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import { RepeatedLog } from '../base/telemetry/repeated-log.ts';
import type { HostNetworkView } from '../services/kit/host-network-view.ts';
import type { HostReports } from '../services/kit/host-reporting.ts';
import { ReadSet } from '../state/read-set.ts';
import { serverTable } from '../state/tables/index.ts';
import type { StateClient, StateEvent, StateReader } from '../state/types.ts';
import type { NetworkSync } from './kinds/network/network-sync.ts';
import type { Executor } from './kinds/server/executor.ts';
import { planServer, type ServerStep } from './plan/server-plan.ts';

/** Steps at once on one host: QEMU starts cost a core each for a moment. */
const stepsAtOnceMax = 4;
/** Changes within this time are looked at together. */
const coalesceMs = 10;
/**
 * The host is looked at this often even when nothing seems to have changed: drift has no events. What has gone is seen each
 * time, other changes of the network within six of these (kinds/network/network-sync.ts).
 */
const periodMs = 10_000;
/** After a step failed for a reason that may pass; unless told otherwise. */
const defaultRetryMs = 1_000;
/** How long a step whose failure may pass is tried again before the server's owner is told; unless told otherwise. */
const defaultStepPatienceMs = 300_000;
/** Crashes of one guest within the window after which it is not started again by itself. */
const crashesMax = 5;
const crashWindowMs = 10 * 60_000;
/** What the loop works with. */
interface HostLoopDeps {
  readonly hostId: HostId;
  readonly state: StateClient;
  readonly compute: ComputeDriver;
  readonly executor: Executor;
  readonly networkSync: NetworkSync;
  /** What this host must carry; told of every change before it is asked, it says whether that may be another now. */
  readonly networkViews: { of(reader: StateReader): HostNetworkView; heard(keys: readonly string[]): boolean };
  readonly reports: HostReports;
  /** Lays the owner's uncommitted intentions over a record. */
  readonly withIntents: (server: shoal.v1.Server) => shoal.v1.Server;
  /**
   * Called once a pass with the records of this host as of `revision`, and with whose guests are here: the ledger of
   * claims follows them. Returns the servers that this host has no room for, each with the reason.
   */
  readonly onRecords: (
    servers: readonly shoal.v1.Server[],
    revision: number,
    isHere: (serverId: string) => boolean,
  ) => Promise<ReadonlyMap<string, string>>;
  /**
   * Whether this host has acted on newer records than those of `revision`. While its replica is behind, nothing is done:
   * a server that it still lists may be deleted, or run elsewhere. Default: never.
   */
  readonly isBehind?: (revision: number) => boolean;
  /** Called, and waited for, before a step does what the records of `revision` ask for. */
  readonly onActing?: (revision: number) => Promise<void>;
  /** Hears of each step that ended; for metrics. */
  readonly onStep?: (step: ServerStep['kind'], result: 'done' | 'failed', seconds: number) => void;
  /**
   * Hears how each part of the work went last: `host` a look at everything, `server steps` one step, `network` the parts of
   * the network, each with its failure or undefined.
   */
  readonly onHealth?: (part: 'host' | 'server steps' | 'network', error: unknown) => void;
  /** Hears of the guests found by each pass; for metrics. */
  readonly onGuests?: (guests: readonly GuestFound[]) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Steps that failed for one ask of a server's owner. */
interface Attempts {
  /** `askOf` the record. */
  readonly ask: string;
  readonly count: number;
  /** When the first of them failed. Monotonic, ms. */
  readonly sinceMs: number;
  /** Left alone until its owner asks for something again. */
  readonly isGivenUp: boolean;
  /** The one that failed last. */
  readonly step: ServerStep['kind'] | undefined;
  /** When it may be tried again. Monotonic, ms. */
  readonly notBeforeMs: number;
}

/** See above. */
export class HostLoop implements Service {
  readonly #deps: HostLoopDeps;
  readonly #repeated: RepeatedLog;
  readonly #stopGraceMs: number;
  readonly #retryMs: number;
  readonly #stepPatienceMs: number;
  readonly #abort = new AbortController();
  readonly #busy = new Map<string, Promise<void>>();
  /** Servers whose step ended since this pass began to look: what it has seen of them is from before. */
  readonly #endedSince = new Set<string>();
  readonly #attempts = new Map<string, Attempts>();
  readonly #crashesMs = new Map<string, number[]>();
  readonly #orphansTold = new Set<string>();
  /** Faults that could not be recorded yet. Their servers are left alone, so nothing else would bring them up again. */
  readonly #untold = new Map<string, { readonly ask: string; readonly message: string; readonly details: string }>();
  readonly #closers: (() => void)[] = [];
  /** What the last pass has read of this host's servers. */
  #serverReads: ReadSet | undefined;
  #timer: Timer | undefined;
  #period: Timer | undefined;
  #retry: { readonly timer: Timer; readonly dueMs: number } | undefined;
  #pass: Promise<void> | undefined;
  #again = false;
  #failuresInRow = 0;

  /**
   * @param options.retryMs pause after a step has failed for a reason that may pass; it grows with the tries.
   * @param options.stepPatienceMs how long such a step is tried again before its server's owner is told. Default 300,000.
   */
  constructor(
    deps: HostLoopDeps,
    options: { readonly stopGraceMs: number; readonly retryMs?: number; readonly stepPatienceMs?: number },
  ) {
    this.#deps = deps;
    this.#repeated = new RepeatedLog(deps);
    this.#stepPatienceMs = options.stepPatienceMs ?? defaultStepPatienceMs;
    this.#stopGraceMs = options.stopGraceMs;
    this.#retryMs = options.retryMs ?? defaultRetryMs;
  }

  async start(): Promise<void> {
    const { state, compute, clock } = this.#deps;
    const watch = state.watch({ prefix: '' }, (events) => {
      if (this.#concerns(events)) this.wake();
    });
    this.#closers.push(() => watch.close());
    this.#closers.push(compute.onEvent(() => this.wake()));
    this.#period = clock.setInterval(() => {
      this.#deps.networkSync.recheck();
      this.wake();
    }, periodMs);
    this.wake();
  }

  /** Ends the loop. Steps under way are cancelled; guests and networks are left as they are. */
  async stop(): Promise<void> {
    for (const close of this.#closers.splice(0)) close();
    this.#period?.cancel();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#retry?.timer.cancel();
    this.#abort.abort(new ShoalError('CANCELLED', 'the agent is stopping'));
    await this.#pass;
    await Promise.allSettled(this.#busy.values());
  }

  /** Steps under way. */
  get busySteps(): number {
    return this.#busy.size;
  }

  /** Has the loop look soon. */
  wake(delayMs = coalesceMs): void {
    if (this.#abort.signal.aborted) return;
    if (this.#pass !== undefined) {
      this.#again = true;
      return;
    }
    this.#timer?.cancel();
    this.#timer = this.#deps.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#pass = this.#run().finally(() => {
        this.#pass = undefined;
        if (this.#again) {
          this.#again = false;
          this.wake();
        }
      });
    }, delayMs);
  }

  /** Resolves once a pass found nothing to do and no step is under way; for tests. */
  async settled(): Promise<void> {
    while (this.#pass !== undefined || this.#timer !== undefined || this.#busy.size > 0) {
      await Promise.allSettled([this.#pass, ...this.#busy.values()]);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Whether a pass could see more than the last one. Most changes of a mesh are no business of most hosts. */
  #concerns(events: readonly StateEvent[]): boolean {
    const keys = events.map(({ key }) => key);
    const mayChangeNetwork = this.#deps.networkViews.heard(keys);
    const reads = this.#serverReads;
    // What a pass under way has read, and when, is not known.
    if (this.#pass !== undefined || reads === undefined) return true;
    return mayChangeNetwork || keys.some((key) => reads.mayChangeWith(key));
  }

  async #run(): Promise<void> {
    try {
      await this.#look();
      this.#failuresInRow = 0;
      this.#deps.onHealth?.('host', undefined);
    } catch (caught) {
      if (this.#abort.signal.aborted) return;
      this.#failuresInRow++;
      const error = ShoalError.from(caught, 'DRIVER_FAILED');
      reached('look-failed');
      this.#deps.onHealth?.('host', error);
      this.#repeated.error(
        `look ${error.code}`,
        { code: error.code, facts: error.facts, err: error },
        'looking at this host failed',
      );
      this.#retryLater(Math.min(this.#retryMs * 2 ** this.#failuresInRow, periodMs));
    }
  }

  async #look(): Promise<void> {
    const { state, compute } = this.#deps;
    const signal = this.#abort.signal;
    this.#endedSince.clear();
    const reader = state.local;
    const { revision } = reader;
    const reads = new ReadSet(reader);
    const records = this.#ownRecords(reads);
    reads.close();
    this.#serverReads = reads;
    const guests = new Map((await compute.list(signal)).map((guest) => [guest.serverId as string, guest]));
    this.#deps.onGuests?.([...guests.values()]);
    if (this.#deps.isBehind?.(revision) === true) {
      reached('replica-behind-host');
      this.#repeated.warn(
        'behind',
        { revision },
        'the records here are older than what this host has acted on; waiting for the others',
      );
      this.#retryLater(this.#retryMs);
      return;
    }
    const roomless = await this.#deps.onRecords(records, revision, (serverId) => guests.has(serverId));
    this.#tellOrphans(records, guests);
    this.#forgetGone(records);

    await this.#syncNetwork(reader, busyPorts(records, guests));

    if (maybe('host-loop.backwards')) records.reverse();
    const stepsMax = maybe('host-loop.one-step-a-pass') ? 1 : stepsAtOnceMax;
    if (maybe('host-loop.look-again')) this.#again = true;
    for (const record of records) {
      try {
        const begun = await this.#lookAt(record, { guest: guests.get(record.id), revision, roomless, stepsMax });
        // The next pass takes up what finds no room in this one.
        if (begun === 'no-room') break;
      } catch (caught) {
        this.#failedToLook(record.id, caught);
      }
    }
  }

  /** Whatever goes wrong with one server is that server's: the pass goes on to the others. */
  #failedToLook(serverId: string, caught: unknown): void {
    if (caught instanceof AssertionError || this.#abort.signal.aborted) throw caught;
    const error = ShoalError.from(caught, 'DRIVER_FAILED');
    this.#repeated.error(
      `server ${serverId} ${error.code}`,
      { serverId, code: error.code, facts: error.facts, err: error },
      'looking at a server failed; the others are looked at all the same',
    );
    this.#retryLater(this.#retryMs);
  }

  /** This host's records with their owners' intentions laid over them. */
  #ownRecords(reads: ReadSet): shoal.v1.Server[] {
    return serverTable.by(reads, 'host', this.#deps.hostId).flatMap(({ record }) => {
      try {
        return [this.#deps.withIntents(record)];
      } catch (caught) {
        this.#failedToLook(record.id, caught);
        return [record];
      }
    });
  }

  async #syncNetwork(reader: StateReader, busy: ReadonlySet<PortId>): Promise<void> {
    const { networkSync, networkViews } = this.#deps;
    const failures = await networkSync.sync(networkViews.of(reader), busy, this.#abort.signal);
    for (const { what, error } of failures) {
      const typed = ShoalError.from(error, 'DRIVER_FAILED');
      this.#repeated.error(
        `network ${what} ${typed.code}`,
        { what, code: typed.code, facts: typed.facts, err: typed },
        'a part of the network could not be made',
      );
    }
    this.#deps.onHealth?.('network', failures[0]?.error);
    if (failures.length === 0) return;
    reached('network-part-failed');
    this.#retryLater(this.#retryMs);
  }

  /** Begins what one server needs, if anything. 'no-room': it needs a step, and as many as may be are under way. */
  async #lookAt(
    record: shoal.v1.Server,
    seen: {
      readonly guest: GuestFound | undefined;
      readonly revision: number;
      readonly roomless: ReadonlyMap<string, string>;
      readonly stepsMax: number;
    },
  ): Promise<'no-room' | undefined> {
    if (this.#busy.has(record.id)) return undefined;
    await this.#tellFault(record);
    // Looked at again in the pass that the end of the step has asked for.
    if (this.#endedSince.has(record.id)) return undefined;
    const options = { stopGraceMs: this.#stopGraceMs };
    const step = planServer(record, seen.guest, this.#memory(record), this.#deps.hostId, options);
    if (step === undefined || this.#mustWait(step, record)) return undefined;
    if (this.#busy.size >= seen.stepsMax) {
      reached('more-steps-than-at-once');
      return 'no-room';
    }
    const shortage = seen.roomless.get(record.id);
    if (step.kind === 'start' && shortage !== undefined) {
      await this.#giveUp(
        record,
        'No valid host was found. The host that had admitted the server gave its room away before it was recorded there.',
        shortage,
      );
      return undefined;
    }
    if (step.kind === 'start' && step.reason === 'crashed' && !this.#mayRestart(record.id)) {
      reached('guest-crashed-too-often');
      const message = `The guest crashed ${crashesMax + 1} times in ${crashWindowMs / 60_000} minutes.`;
      await this.#giveUp(record, message, '');
      return undefined;
    }
    if (step.kind !== 'report') await this.#deps.onActing?.(seen.revision);
    this.#begin(step, record);
    return undefined;
  }

  #begin(step: ServerStep, record: shoal.v1.Server): void {
    const running = this.#carryOut(step, record).finally(() => {
      this.#busy.delete(record.id);
      this.#endedSince.add(record.id);
      this.wake();
    });
    this.#busy.set(record.id, running);
  }

  async #carryOut(step: ServerStep, record: shoal.v1.Server): Promise<void> {
    const { executor, state, logger, clock } = this.#deps;
    const startedMs = clock.monotonicMs();
    const facts = { serverId: record.id, generation: record.generation, step: step.kind };
    try {
      await executor.run(step, record, state.local, this.#abort.signal);
      this.#attempts.delete(record.id);
      this.#deps.onStep?.(step.kind, 'done', (clock.monotonicMs() - startedMs) / 1000);
      this.#deps.onHealth?.('server steps', undefined);
      if (step.kind !== 'report') {
        logger.info({ ...facts, tookMs: Math.round(clock.monotonicMs() - startedMs) }, 'step done');
      }
    } catch (caught) {
      if (this.#abort.signal.aborted) return;
      this.#deps.onStep?.(step.kind, 'failed', (clock.monotonicMs() - startedMs) / 1000);
      this.#deps.onHealth?.('server steps', caught);
      await this.#failed(step, record, ShoalError.from(caught, 'DRIVER_FAILED'));
    }
  }

  async #failed(step: ServerStep, record: shoal.v1.Server, error: ShoalError): Promise<void> {
    const { logger, clock } = this.#deps;
    const ask = askOf(record);
    const before = this.#attempts.get(record.id);
    // Never a fault of the server: the records cannot be written, or it is not safe yet.
    const isPatient = isUnrecorded(error.code) || error.code === 'FENCE_UNPROVEN';
    // What can never become a fault is no reason to leave the server alone either, however often it happens.
    const count = (before?.ask === ask ? before.count : 0) + (isPatient ? 0 : 1);
    const nowMs = clock.monotonicMs();
    const sinceMs = before?.ask === ask ? before.sinceMs : nowMs;
    const pauseMs = Math.min(this.#retryMs * Math.max(1, count), periodMs);
    this.#attempts.set(record.id, {
      ask,
      count,
      sinceMs,
      isGivenUp: false,
      step: step.kind,
      notBeforeMs: nowMs + pauseMs,
    });
    const mayPass = isTransient(error.code) && nowMs + pauseMs - sinceMs < this.#stepPatienceMs;
    const facts = {
      serverId: record.id,
      step: step.kind,
      code: error.code,
      facts: error.facts,
      attempt: count,
      err: error,
    };
    if (mayPass || isPatient || step.kind === 'destroy' || step.kind === 'release') {
      reached('step-tried-again');
      // Tearing down has no fault to report: it is tried until it works.
      this.#repeated.warn(`step ${record.id} ${step.kind} ${error.code}`, facts, 'step failed; it will be tried again');
      this.#retryLater(pauseMs);
      return;
    }
    reached('step-given-up');
    logger.error(facts, 'step failed');
    await this.#giveUp(record, `${error.code}: ${stepWords[step.kind]} failed on its host.`, error.message);
  }

  /** Whether the step failed a moment ago, and nobody has asked for anything else since: then it is not the time yet. */
  #mustWait(step: ServerStep, record: shoal.v1.Server): boolean {
    const failed = this.#attempts.get(record.id);
    if (failed === undefined || failed.step !== step.kind || failed.ask !== askOf(record)) return false;
    const leftMs = failed.notBeforeMs - this.#deps.clock.monotonicMs();
    if (leftMs <= 0) return false;
    this.#retryLater(leftMs);
    return true;
  }

  /** Leaves the server alone until its owner asks for something again, and tells the owner why. */
  async #giveUp(record: shoal.v1.Server, message: string, details: string): Promise<void> {
    const ask = askOf(record);
    this.#attempts.set(record.id, { ask, count: 0, sinceMs: 0, isGivenUp: true, step: undefined, notBeforeMs: 0 });
    this.#untold.set(record.id, { ask: askOf(record), message, details });
    await this.#tellFault(record);
  }

  /** Records a fault that is not recorded yet, unless the owner has asked for something else since. */
  async #tellFault(record: shoal.v1.Server): Promise<void> {
    const untold = this.#untold.get(record.id);
    if (untold === undefined) return;
    const recorded = serverTable.get(this.#deps.state.local, record.id)?.record;
    if (recorded !== undefined && askOf(recorded) !== askOf(record)) {
      // The records do not know yet what its owner has asked of this host alone; a fault of it would mean nothing there.
      reached('fault-waits-for-its-intent');
      this.#retryLater(this.#retryMs);
      return;
    }
    try {
      if (untold.ask === askOf(record)) await this.#deps.reports.fault(record, untold.message, untold.details);
      this.#untold.delete(record.id);
    } catch (caught) {
      reached('fault-not-recorded-yet');
      this.#repeated.warn(
        `fault ${record.id}`,
        { serverId: record.id, err: caught },
        'the fault could not be recorded',
      );
      this.#retryLater(this.#retryMs);
    }
  }

  /** Counts a crash; true while starting the guest again is still sensible. */
  #mayRestart(serverId: string): boolean {
    const nowMs = this.#deps.clock.monotonicMs();
    const recent = (this.#crashesMs.get(serverId) ?? []).filter((atMs) => atMs > nowMs - crashWindowMs);
    recent.push(nowMs);
    this.#crashesMs.set(serverId, recent);
    return recent.length <= crashesMax;
  }

  #memory(record: shoal.v1.Server): { rebootsDone: number; failed: boolean } {
    const attempts = this.#attempts.get(record.id);
    return {
      rebootsDone: this.#deps.executor.rebootsDone(record),
      failed:
        (record.status === shoal.v1.ServerStatus.SERVER_STATUS_ERROR && record.taskState === '') ||
        (attempts?.isGivenUp === true && attempts.ask === askOf(record)),
    };
  }

  /** Has the loop look again after `delayMs`, or earlier where that was asked for already. */
  #retryLater(delayMs: number): void {
    const dueMs = this.#deps.clock.monotonicMs() + delayMs;
    if (this.#retry !== undefined && this.#retry.dueMs <= dueMs) return;
    this.#retry?.timer.cancel();
    const timer = this.#deps.clock.setTimeout(() => {
      this.#retry = undefined;
      this.wake();
    }, delayMs);
    this.#retry = { timer, dueMs };
  }

  /** Drops what is remembered of servers that are no longer of this host. */
  #forgetGone(records: readonly shoal.v1.Server[]): void {
    const known = new Set(records.map((record) => record.id));
    for (const memory of [this.#attempts, this.#crashesMs, this.#untold]) {
      for (const serverId of memory.keys()) if (!known.has(serverId)) memory.delete(serverId);
    }
  }

  #tellOrphans(records: readonly shoal.v1.Server[], guests: ReadonlyMap<string, GuestFound>): void {
    const known = new Set(records.map((record) => record.id));
    for (const guest of guests.values()) {
      if (known.has(guest.serverId) || this.#orphansTold.has(guest.serverId)) continue;
      this.#orphansTold.add(guest.serverId);
      this.#deps.logger.warn(
        { serverId: guest.serverId, pid: guest.pid, power: guest.power },
        'a guest without a record runs here; it is left alone',
      );
    }
  }
}

/** What the owner asks for, as text: a failed step is not tried again until this changes. */
function askOf(record: shoal.v1.Server): string {
  return [record.generation, record.powerWanted, record.rebootsWanted, record.deleting, record.taskState].join('/');
}

/** Ports plugged into a guest process that lives. */
function busyPorts(records: readonly shoal.v1.Server[], guests: ReadonlyMap<string, GuestFound>): ReadonlySet<PortId> {
  const busy = new Set<PortId>();
  for (const record of records) {
    const guest = guests.get(record.id);
    if (guest === undefined || guest.power === 'crashed') continue;
    for (const portId of record.portIds) busy.add(portId as PortId);
  }
  return busy;
}

const stepWords: Readonly<Record<ServerStep['kind'], string>> = {
  start: 'starting the server',
  stop: 'stopping the server',
  'settle-shutdown': 'letting go of the server that powered off',
  reboot: 'rebooting the server',
  pause: 'pausing the server',
  resume: 'resuming the server',
  report: 'recording the state of the server',
  destroy: 'deleting the server',
  release: 'releasing the server',
};
