/** What a client of an agent does and sees, in one place for checkers: calls, answers, and what it never heard. */
import { isOutage, mayHaveHappened, ShoalError } from '../../node/base/errors.ts';
import type { Prng } from '../../node/base/prng.ts';
import type { WatchedOperation } from '../trace/watcher.ts';
import type { Process, SimNode } from '../world/node.ts';
import type { Schedule } from '../world/schedule.ts';

/** What came of one call. */
export type Answer<T> =
  | { readonly kind: 'done'; readonly value: T }
  /** Certainly nothing happened. */
  | { readonly kind: 'refused'; readonly error: ShoalError }
  /** It may have happened, or may still. */
  | { readonly kind: 'unknown'; readonly error: ShoalError | undefined };

/** After these refusals nothing can have happened. */
function isCertain(error: ShoalError): boolean {
  return isOutage(error.code) || ShoalError.is(error, 'PROPOSAL_DROPPED', 'STALE', 'UNAVAILABLE');
}

/** Calls an agent; its death while the call is under way is an answer that never comes. */
export async function callAgent<T>(node: SimNode, work: (process: Process) => Promise<T>): Promise<Answer<T>> {
  const { process } = node;
  if (process === undefined) {
    return { kind: 'refused', error: new ShoalError('UNAVAILABLE', 'The agent does not listen.') };
  }
  const called = async (): Promise<Answer<T>> => {
    try {
      return { kind: 'done', value: await work(process) };
    } catch (caught) {
      const error = ShoalError.from(caught, 'UNAVAILABLE');
      if (!(caught instanceof ShoalError)) throw caught;
      return isCertain(error) ? { kind: 'refused', error } : { kind: 'unknown', error };
    }
  };
  const gone = process.life.died.then((): Answer<T> => ({ kind: 'unknown', error: undefined }));
  return Promise.race([called(), gone]);
}

/** A call as an operator counts it. */
export function operationOf(
  kind: WatchedOperation['kind'],
  answer: Answer<unknown>,
  startedMs: number,
  endedMs: number,
): WatchedOperation {
  if (answer.kind === 'done') return { kind, startedMs, endedMs, answer: 'done', code: '' };
  const { error } = answer;
  // Every other code that is not certain is a rule that forbade the call.
  const isUncertain = error === undefined || mayHaveHappened(error.code);
  return {
    kind,
    startedMs,
    endedMs,
    answer: answer.kind === 'unknown' && isUncertain ? 'unknown' : 'refused',
    code: error?.code ?? 'AGENT_DIED',
  };
}

/** A signal that ends a call when a client has waited for `patienceMs`; undefined: it waits as long as it takes. */
export function patience(schedule: Schedule, patienceMs: number | undefined): AbortSignal {
  const stop = new AbortController();
  if (patienceMs !== undefined) schedule.after(patienceMs, () => stop.abort());
  return stop.signal;
}

/** Counts clients at work, so that a healed world can be seen to come to rest. */
export class Working {
  #calls = 0;
  #oldest = new Map<number, number>();
  #next = 0;
  readonly #schedule: Schedule;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  get count(): number {
    return this.#oldest.size;
  }

  /** Calls made so far. */
  get calls(): number {
    return this.#calls;
  }

  async during<T>(work: Promise<T>): Promise<T> {
    this.#calls += 1;
    const number = this.#next;
    this.#next += 1;
    this.#oldest.set(number, this.#schedule.nowMs);
    try {
      return await work;
    } finally {
      this.#oldest.delete(number);
    }
  }
}

/** Takes one step after another, with pauses of `thinkMs` in the mean, until the run says that it is over. */
export async function workUntilOver(
  deps: {
    readonly schedule: Schedule;
    readonly random: Prng;
    readonly working: Working;
    readonly isOver: () => boolean;
    readonly onFailed: (error: unknown) => void;
  },
  thinkMs: number,
  step: () => Promise<void>,
): Promise<void> {
  const { schedule, random, working, isOver, onFailed } = deps;
  try {
    while (!isOver()) {
      await schedule.sleep(-Math.log(1 - random.float()) * thinkMs);
      if (isOver()) return;
      await working.during(step());
    }
  } catch (error) {
    onFailed(error);
  }
}
