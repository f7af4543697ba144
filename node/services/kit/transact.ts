/**
 * One way to change the state: read, plan, commit, and plan again when somebody else was faster.
 *
 * A plan reads a linearizable view and writes compares and ops into a `Change`. When a compare fails the whole plan is
 * made again on a newer view, so that every check in it is made against what the commit will find. Counters guard what a
 * compare cannot see (how many things hang on a network, how much of a quota is used): leaving their bounds refuses the
 * transaction, and the change knows in which words.
 */

import { buggify, coverageMark } from '../../base/buggify/buggify.ts';
import { sleep } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import { Prng } from '../../base/prng.ts';
import { TransactionBuilder } from '../../state/table.ts';
import type { StateReader, TransactionOutcome } from '../../state/types.ts';
import type { ServiceDependencies } from './dependencies.ts';

const buggifyLoseRace = buggify('transact.lose-race', 'a transaction plans again though nobody was faster');
const markRaceLost = coverageMark('race-lost', 'a transaction plans again, for another was faster');
const markTransactionSentAgain = coverageMark('transaction-sent-again', 'a transaction is sent again under its token');

/**
 * How often a plan is made. A lost race means that another one was won, so a crowd of n on one row needs n rounds at
 * worst; 64 covers the widest crowd one agent lets in on a row (a scripted burst of creates in one project).
 */
const attemptsMax = 64;
/** How often a transaction of unknown fate is sent again under its token: the state answers a repeat with the first outcome. */
const repeatsMax = 2;
/** How long a plan waits for what it misses in a slice, and how often it looks. Unit: ms. */
const sliceMsMax = 5_000;
const slicePauseMs = 20;
/** Longest pause between two attempts, ms: a few commits of a busy log. */
const pauseMsMax = 50;

/** A transaction in the making that knows what each refused counter means, and what it has itself taken so far. */
export class Change extends TransactionBuilder {
  readonly #refusals = new Map<string, () => ShoalError>();
  /** Unique keys that this very change takes: the reader cannot know them yet. */
  readonly #taken = new Set<string>();
  readonly #expected = new Set<string>();
  readonly #notes = new Map<string, unknown>();

  /** As `add`; when the counter would leave its bounds, `refusal` is what the caller gets. */
  bounded(
    key: string,
    delta: number,
    bounds: { readonly min: number; readonly max: number },
    refusal: () => ShoalError,
  ): this {
    this.#refusals.set(key, refusal);
    return this.add(key, delta, bounds);
  }

  /**
   * Adds to a counter that is `expected` now. When it is not at the commit, the change has lost its race and is planned again.
   */
  addTo(key: string, expected: number, delta: number): this {
    this.#expected.add(key);
    return this.add(key, delta, { min: expected + delta, max: expected + delta });
  }

  /** Whether a counter that is not what the plan saw refused the change. */
  isOutdatedBy(key: string | undefined): boolean {
    return key !== undefined && this.#expected.has(key);
  }

  refusalOf(key: string | undefined): ShoalError | undefined {
    return key === undefined ? undefined : this.#refusals.get(key)?.();
  }

  /** Notes that this change takes `key`. False: it has been taken by it before. */
  take(key: string): boolean {
    if (this.#taken.has(key)) return false;
    this.#taken.add(key);
    return true;
  }

  hasTaken(key: string): boolean {
    return this.#taken.has(key);
  }

  /** What an earlier step of the same plan made, or what `make` makes now. One transaction must not make a thing twice. */
  once<T>(name: string, make: () => T): T {
    if (!this.#notes.has(name)) this.#notes.set(name, make());
    return this.#notes.get(name) as T;
  }
}

/** What a plan works with. */
export interface Attempt {
  readonly reader: StateReader;
  readonly change: Change;
  /** Seeded again for each attempt from a fresh id, so that two agents do not draw the same candidates. */
  readonly random: Prng;
  /** From 0. */
  readonly number: number;
}

/** Whose wait it is, and under which name a repeat is recognised. */
export interface TransactOptions {
  readonly signal: AbortSignal;
  /** Chosen by the caller; absent: one is drawn. */
  readonly clientToken?: string;
  /**
   * A linearizable view has been read for this request already. The first plan is then made on the local view, which is no
   * older: asking for another costs a round through the leader and finds nothing that the compares would not.
   */
  readonly hasReadFresh?: boolean;
  /** Looked at with each view that a plan is made from; throws when the caller's own condition does not hold. */
  readonly requires?: (reader: StateReader) => void;
}

/**
 * Commits what `plan` asks for and returns what it returned. A plan that asks for nothing commits nothing.
 * Throws what the plan throws, the refusal of a bounded counter, `PRECONDITION_CHANGED` after `attemptsMax` lost races,
 * and whatever the state throws (`NO_QUORUM`, `OUTCOME_UNKNOWN`, `CANCELLED`).
 */
export async function transact<T>(
  deps: ServiceDependencies,
  options: TransactOptions,
  plan: (attempt: Attempt) => T | Promise<T>,
): Promise<T> {
  const token = options.clientToken ?? deps.newId();
  for (let number = 0; number < attemptsMax; number++) {
    const random = randomFrom(deps.newId());
    const isFresh = number === 0 && options.hasReadFresh === true;
    const reader = isFresh ? deps.state.local : await deps.state.fresh(options.signal);
    options.requires?.(reader);
    const { change, result } = await planned(deps, options, plan, { reader, random, number });
    if (change.isEmpty) return result;
    if (number === 0 && buggifyLoseRace()) continue;
    const outcome = await commitKnown(deps, change, `${token}/${number}`, options.signal);
    if (outcome.refusal !== undefined && !change.isOutdatedBy(outcome.failedKey)) {
      throw (
        change.refusalOf(outcome.failedKey) ??
        new ShoalError('PRECONDITION_CHANGED', `The change was refused (${outcome.refusal}).`, {
          facts: { refusal: outcome.refusal, key: outcome.failedKey },
        })
      );
    }
    if (outcome.succeeded) return result;
    markRaceLost();
    if (number > 0) await sleep(deps.clock, random.below(Math.min(pauseMsMax, 2 ** number)) + 1, options.signal);
  }
  throw new ShoalError('PRECONDITION_CHANGED', 'The records kept changing under this request; try again.', {
    facts: { attempts: attemptsMax },
  });
}

/** Makes a plan. On a host that holds a slice, what a plan misses in it is asked for, and the plan is made again. */
async function planned<T>(
  { state, clock }: ServiceDependencies,
  { signal }: TransactOptions,
  plan: (attempt: Attempt) => T | Promise<T>,
  attempt: Omit<Attempt, 'change'>,
): Promise<{ readonly change: Change; readonly result: T }> {
  const endMs = clock.monotonicMs() + sliceMsMax;
  for (let { reader } = attempt; ; reader = state.local) {
    const change = new Change();
    try {
      return { change, result: await plan({ ...attempt, reader, change }) };
    } catch (caught) {
      if (!ShoalError.is(caught, 'NOT_IN_SLICE') || clock.monotonicMs() >= endMs) throw caught;
      await sleep(clock, slicePauseMs, signal);
    }
  }
}

/** A generator seeded from a fresh UUID: the ids come from outside, so the simulator's draws stay its own. */
export function randomFrom(id: string): Prng {
  return new Prng(Number.parseInt(id.replaceAll('-', '').slice(0, 8), 16) || 1);
}

async function commitKnown(
  deps: ServiceDependencies,
  change: Change,
  clientToken: string,
  signal: AbortSignal,
): Promise<TransactionOutcome> {
  /** An earlier sending may have been committed: whatever a later one is refused for says nothing about it. */
  let unknown: ShoalError | undefined;
  const tokenSinceRevision = deps.state.local.revision;
  for (let repeat = 0; ; repeat++) {
    try {
      // Said only of what may be applied already: an agent that merely lags gets its first sending through.
      const since = unknown === undefined ? {} : { tokenSinceRevision };
      return await deps.state.commit(change.build(), { clientToken, ...since, signal });
    } catch (caught) {
      if (ShoalError.is(caught, 'OUTCOME_UNKNOWN')) unknown = caught;
      const again = ShoalError.is(caught, 'OUTCOME_UNKNOWN', 'PROPOSAL_DROPPED') && repeat < repeatsMax;
      if (!again) throw unknown ?? caught;
      markTransactionSentAgain();
    }
  }
}
