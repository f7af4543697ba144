/**
 * A kind whose things each go from step to step: look at what is wanted and what is found, plan one step, take it, look
 * again. Steps of one thing run one after the other, those of different things side by side up to a bound.
 */
import { AssertionError } from '../../base/assert.ts';
import { buggify, coverageMark } from '../../base/buggify/buggify.ts';
import type { Clock } from '../../base/clock.ts';
import { isTransient, isUnrecorded, ShoalError } from '../../base/errors.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { RepeatedLog } from '../../base/telemetry/repeated-log.ts';
import { ReadSet } from '../../state/read-set.ts';
import type { StateClient, StateReader } from '../../state/types.ts';
import { Attempts } from './attempts.ts';
import type { Kind, KindObserver, Pass, Passes } from './kind.ts';
import { reasonForOwner } from './reason-for-owner.ts';
import { type Steps, stepOf } from './step.ts';

const buggifyBackwards = buggify('host-loop.backwards', 'servers are looked at in the opposite order');
const buggifyOneStepAPass = buggify(
  'host-loop.one-step-a-pass',
  'a pass begins one step and leaves the others to the next',
);
const markMoreStepsThanAtOnce = coverageMark('more-steps-than-at-once', 'a host has more to do than it may at once');
const markStepTriedAgain = coverageMark('step-tried-again', 'a step failed and is tried again');
const markStepGivenUp = coverageMark('step-given-up', 'a step failed for good');
const markFaultWaitsForItsIntent = coverageMark(
  'fault-waits-for-its-intent',
  'a fault waits until what failed is recorded itself',
);
const markFaultNotRecordedYet = coverageMark('fault-not-recorded-yet', 'a fault waits for a quorum');

/** After a step failed for a reason that may pass; unless told otherwise. */
const defaultRetryMs = 1_000;
/** The longest pause between two tries. */
const retryMsMax = 10_000;
/** How long a step whose failure may pass is tried again before the thing's owner is told; unless told otherwise. */
const defaultStepPatienceMs = 300_000;
/** Why the owner gets no more of what was asked for. */
export interface Fault {
  readonly message: string;
  /** For administrators; empty: nothing more. */
  readonly details: string;
}

/** What a kind is made of. The plan and the readings are pure but for `found`. */
export interface SteppedDefinition<Wanted, Found, Step extends { readonly kind: string }, Tools> {
  /** For logs: "server". */
  readonly name: string;
  /** Steps at once on one host. */
  readonly atOnceMax: number;
  readonly steps: Steps<Step, Wanted, Tools>;
  id(wanted: Wanted): string;
  /** For logs, beside the id. */
  facts(wanted: Wanted): object;
  /** Names what the owner asks for now: a failed step is not tried again, once given up, until this changes. */
  requestOf(wanted: Wanted): string;
  /** What the records want of this host. @param failed takes what cannot be worked out; the others are returned. */
  wanted(reader: StateReader, failed: (id: string, error: unknown) => void): readonly Wanted[];
  /** The record of `id`, without what was asked of this host alone; undefined: none. */
  recorded(reader: StateReader, id: string): Wanted | undefined;
  /** What is on the host, by id. Throws when it cannot be told. */
  found(signal: AbortSignal): Promise<ReadonlyMap<string, Found>>;
  /** Called once a pass, before anything is planned. */
  before?(pass: Pass, wanted: readonly Wanted[], found: ReadonlyMap<string, Found>): Promise<void>;
  /**
   * The next step; undefined: all is as it should be, or others must act first.
   * @param givenUp the step that was given up for what its owner asks for now; undefined: none.
   */
  plan(wanted: Wanted, found: Found | undefined, givenUp: Step['kind'] | undefined): Step | undefined;
  /** Why a planned step is not taken, and its thing given up; undefined: it is. */
  refuse?(step: Step, wanted: Wanted): Fault | undefined;
  tools(reader: StateReader, signal: AbortSignal): Tools;
  /** Tells the owner that `step` was given up. Throws when it cannot be recorded now. */
  fault(wanted: Wanted, fault: Fault, step: Step, tools: Tools): Promise<void>;
  /** What is on the host and in no record is left alone, and told once, with these facts. */
  orphan(found: Found): object;
}

/** What it works with. */
interface SteppedDeps {
  readonly state: StateClient;
  readonly passes: Passes;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer?: KindObserver | undefined;
  /** Called, and waited for, before a step does what the records of `revision` ask for. */
  readonly onActing?: ((revision: number) => Promise<void>) | undefined;
}

/** Times, where they are not the defaults above. Unit: ms. */
export interface SteppedOptions {
  readonly retryMs?: number;
  readonly stepPatienceMs?: number;
}

/** See above. */
export class SteppedKind<Wanted, Found, Step extends { readonly kind: string }, Tools> implements Kind {
  readonly name: string;
  readonly #definition: SteppedDefinition<Wanted, Found, Step, Tools>;
  readonly #deps: SteppedDeps;
  readonly #retryMs: number;
  readonly #stepPatienceMs: number;
  readonly #repeated: RepeatedLog;
  readonly #attempts: Attempts<Step['kind']>;
  readonly #busy = new Map<string, Promise<void>>();
  /** Things whose step ended since they were observed: what was seen of them is from before. */
  readonly #endedSince = new Set<string>();
  readonly #orphansTold = new Set<string>();
  /** Faults that could not be recorded yet. Their things are left alone, so nothing else would bring them up again. */
  readonly #pendingFaults = new Map<string, Fault & { readonly request: string; readonly step: Step }>();
  /** What the last pass has read of the records. */
  #reads: ReadSet | undefined;
  #wanted: readonly Wanted[] = [];
  #found: ReadonlyMap<string, Found> = new Map();

  constructor(
    definition: SteppedDefinition<Wanted, Found, Step, Tools>,
    deps: SteppedDeps,
    options: SteppedOptions = {},
  ) {
    this.name = definition.name;
    this.#definition = definition;
    this.#deps = deps;
    this.#retryMs = options.retryMs ?? defaultRetryMs;
    this.#stepPatienceMs = options.stepPatienceMs ?? defaultStepPatienceMs;
    this.#repeated = new RepeatedLog(deps);
    this.#attempts = new Attempts({ retryMs: this.#retryMs, retryMsMax });
  }

  get busy(): ReadonlyMap<string, Promise<void>> {
    return this.#busy;
  }

  /** What the last pass saw wanted and found, for kinds that depend on this one. */
  get observed(): { readonly wanted: readonly Wanted[]; readonly found: ReadonlyMap<string, Found> } {
    return { wanted: this.#wanted, found: this.#found };
  }

  /** Most changes of a mesh are no business of most hosts. */
  concerns(keys: readonly string[]): boolean {
    const reads = this.#reads;
    return reads === undefined || keys.some((key) => reads.mayChangeWith(key));
  }

  async observe({ reader, signal }: Pass): Promise<void> {
    this.#endedSince.clear();
    const reads = new ReadSet(reader);
    this.#wanted = this.#definition.wanted(reads, (id, error) => this.#failedToLook(id, error, signal));
    reads.close();
    this.#reads = reads;
    this.#found = await this.#definition.found(signal);
  }

  async act(pass: Pass): Promise<void> {
    const wanted = [...this.#wanted];
    await this.#definition.before?.(pass, wanted, this.#found);
    this.#tellOrphans(wanted);
    this.#forgetGone(wanted);
    if (buggifyBackwards()) wanted.reverse();
    const atOnceMax = buggifyOneStepAPass() ? 1 : this.#definition.atOnceMax;
    for (const one of wanted) {
      try {
        // The next pass takes up what finds no room in this one.
        if ((await this.#lookAt(one, pass, atOnceMax)) === 'no-room') break;
      } catch (caught) {
        this.#failedToLook(this.#definition.id(one), caught, pass.signal);
      }
    }
  }

  /** Whatever goes wrong with one thing is that thing's: the pass goes on to the others. */
  #failedToLook(id: string, caught: unknown, signal: AbortSignal): void {
    if (caught instanceof AssertionError || signal.aborted) throw caught;
    const error = ShoalError.from(caught, 'DRIVER_FAILED');
    this.#repeated.error(
      `${this.name} ${id} ${error.code}`,
      { [`${this.name}Id`]: id, code: error.code, facts: error.facts, err: error },
      `inspecting a ${this.name} failed; the others are inspected`,
    );
    this.#deps.passes.wakeLater(this.#retryMs);
  }

  /** Begins what one thing needs, if anything. 'no-room': it needs a step, and as many as may be are under way. */
  async #lookAt(wanted: Wanted, pass: Pass, atOnceMax: number): Promise<'no-room' | undefined> {
    const definition = this.#definition;
    const id = definition.id(wanted);
    if (this.#busy.has(id)) return undefined;
    await this.#tellFault(id, wanted, pass.signal);
    // Looked at again in the pass that the end of the step has asked for.
    if (this.#endedSince.has(id)) return undefined;
    const givenUp = this.#attempts.givenUp(id, definition.requestOf(wanted));
    const step = definition.plan(wanted, this.#found.get(id), givenUp);
    if (step === undefined || this.#mustWait(id, step, wanted)) return undefined;
    if (this.#busy.size >= atOnceMax) {
      markMoreStepsThanAtOnce();
      return 'no-room';
    }
    const refusal = definition.refuse?.(step, wanted);
    if (refusal !== undefined) {
      await this.#giveUp(id, wanted, step, refusal, pass.signal);
      return undefined;
    }
    if (stepOf(definition.steps, step).mode !== 'reports') await this.#deps.onActing?.(pass.revision);
    this.#begin(id, step, wanted, pass.signal);
    return undefined;
  }

  #begin(id: string, step: Step, wanted: Wanted, signal: AbortSignal): void {
    const running = this.#carryOut(id, step, wanted, signal).finally(() => {
      this.#busy.delete(id);
      this.#endedSince.add(id);
      this.#deps.passes.wake();
    });
    this.#busy.set(id, running);
  }

  async #carryOut(id: string, step: Step, wanted: Wanted, signal: AbortSignal): Promise<void> {
    const { logger, clock, observer } = this.#deps;
    const { mode } = stepOf(this.#definition.steps, step);
    const startedMs = clock.monotonicMs();
    const tookMs = (): number => clock.monotonicMs() - startedMs;
    try {
      await this.#run(step, wanted, signal);
      this.#attempts.done(id);
      observer?.step?.(this.name, step.kind, 'done', tookMs() / 1000);
      observer?.health?.(`${this.name} steps`, undefined);
      if (mode !== 'reports') {
        const facts = { [`${this.name}Id`]: id, ...this.#definition.facts(wanted), step: step.kind };
        logger.info({ ...facts, tookMs: Math.round(tookMs()) }, 'step done');
      }
    } catch (caught) {
      if (signal.aborted) return;
      observer?.step?.(this.name, step.kind, 'failed', tookMs() / 1000);
      observer?.health?.(`${this.name} steps`, caught);
      await this.#failed(id, step, wanted, ShoalError.from(caught, 'DRIVER_FAILED'), signal);
    }
  }

  async #run(step: Step, wanted: Wanted, signal: AbortSignal): Promise<void> {
    const definition = this.#definition;
    const found = stepOf(definition.steps, step);
    const tools = definition.tools(this.#deps.state.local, signal);
    const reason = found.wait?.(step, wanted, tools);
    if (reason !== undefined) throw new ShoalError('UNAVAILABLE', reason);
    try {
      await found.do(step, wanted, tools);
    } catch (caught) {
      if (!signal.aborted) await this.#takeBack(() => found.undo?.(step, wanted, tools), step, wanted);
      throw caught;
    }
  }

  /** What cannot be taken back now is found by the next try, which begins at the top. */
  async #takeBack(undo: () => Promise<void> | undefined, step: Step, wanted: Wanted): Promise<void> {
    try {
      await undo();
    } catch (caught) {
      const id = this.#definition.id(wanted);
      const error = ShoalError.from(caught, 'DRIVER_FAILED');
      this.#repeated.warn(
        `undo ${id} ${step.kind} ${error.code}`,
        { [`${this.name}Id`]: id, step: step.kind, code: error.code, err: error },
        'a failed step could not be undone',
      );
    }
  }

  async #failed(id: string, step: Step, wanted: Wanted, error: ShoalError, signal: AbortSignal): Promise<void> {
    const { logger, clock, passes } = this.#deps;
    const { mode, words } = stepOf(this.#definition.steps, step);
    // Never a fault: the records cannot be written, or it is not safe yet.
    const isPatient = isUnrecorded(error.code) || error.code === 'FENCE_UNPROVEN';
    const { pauseMs, count, lastedMs } = this.#attempts.failed(id, {
      request: this.#definition.requestOf(wanted),
      step: step.kind,
      // What can never become a fault is no reason to leave the thing alone either, however often it happens.
      isCounted: !isPatient,
      nowMs: clock.monotonicMs(),
    });
    const mayPass = isTransient(error.code) && lastedMs < this.#stepPatienceMs;
    const facts = {
      [`${this.name}Id`]: id,
      step: step.kind,
      code: error.code,
      facts: error.facts,
      attempt: count,
      err: error,
    };
    if (mayPass || isPatient || mode === 'tears-down' || mode === 'restores') {
      markStepTriedAgain();
      this.#repeated.warn(`step ${id} ${step.kind} ${error.code}`, facts, 'step failed; it will be retried');
      passes.wakeLater(pauseMs);
      return;
    }
    markStepGivenUp();
    logger.error(facts, 'step failed');
    const fault = {
      message: `${error.code}: ${words} failed on its host${reasonForOwner(error)}.`,
      details: error.message,
    };
    await this.#giveUp(id, wanted, step, fault, signal);
  }

  /** Whether the step failed a moment ago, and nobody has asked for anything else since: then it is not the time yet. */
  #mustWait(id: string, step: Step, wanted: Wanted): boolean {
    const nowMs = this.#deps.clock.monotonicMs();
    const request = this.#definition.requestOf(wanted);
    const leftMs = this.#attempts.waitMs(id, { request, step: step.kind, nowMs });
    if (leftMs <= 0) return false;
    this.#deps.passes.wakeLater(leftMs);
    return true;
  }

  /** Leaves the thing alone until its owner asks for something again, and tells the owner why. */
  async #giveUp(id: string, wanted: Wanted, step: Step, fault: Fault, signal: AbortSignal): Promise<void> {
    const request = this.#definition.requestOf(wanted);
    this.#attempts.giveUp(id, request, step.kind);
    this.#pendingFaults.set(id, { ...fault, request, step });
    await this.#tellFault(id, wanted, signal);
  }

  /** Records a fault that is not recorded yet, unless the owner has asked for something else since. */
  async #tellFault(id: string, wanted: Wanted, signal: AbortSignal): Promise<void> {
    const { state, passes } = this.#deps;
    const definition = this.#definition;
    const pending = this.#pendingFaults.get(id);
    if (pending === undefined) return;
    const request = definition.requestOf(wanted);
    const recorded = definition.recorded(state.local, id);
    if (recorded !== undefined && definition.requestOf(recorded) !== request) {
      // The records do not know yet what its owner has asked of this host alone; a fault of it would mean nothing there.
      markFaultWaitsForItsIntent();
      passes.wakeLater(this.#retryMs);
      return;
    }
    try {
      if (pending.request === request) {
        await definition.fault(wanted, pending, pending.step, definition.tools(state.local, signal));
      }
      this.#pendingFaults.delete(id);
    } catch (caught) {
      markFaultNotRecordedYet();
      this.#repeated.warn(`fault ${id}`, { [`${this.name}Id`]: id, err: caught }, 'the fault could not be recorded');
      passes.wakeLater(this.#retryMs);
    }
  }

  /** Drops what is remembered of things that are no longer of this host. */
  #forgetGone(wanted: readonly Wanted[]): void {
    const known = new Set(wanted.map((one) => this.#definition.id(one)));
    this.#attempts.keep(known);
    for (const id of this.#pendingFaults.keys()) if (!known.has(id)) this.#pendingFaults.delete(id);
  }

  #tellOrphans(wanted: readonly Wanted[]): void {
    const known = new Set(wanted.map((one) => this.#definition.id(one)));
    for (const [id, found] of this.#found) {
      if (known.has(id) || this.#orphansTold.has(id)) continue;
      this.#orphansTold.add(id);
      this.#deps.logger.warn(
        { [`${this.name}Id`]: id, ...this.#definition.orphan(found) },
        `found on this host without a record: this ${this.name} is left alone`,
      );
    }
  }
}
