/**
 * Clients that write, read, compare-and-set and count, each write under a token that is sent again when its fate is not
 * known. Everything they did and saw is kept for the checker of linearizability.
 */

import { ShoalError } from '../../node/base/errors.ts';
import type { Prng } from '../../node/base/prng.ts';
import type { KeyValue, StateReader, Transaction, TransactionOutcome } from '../../node/state/types.ts';
import type { AppliedChecker } from '../checkers/applied.ts';
import type { Operation } from '../checkers/linearizability.ts';
import type { RegisterInput, RegisterOutput } from '../checkers/linearizability-models.ts';
import type { WorldMark } from '../settings/points.ts';
import type { Trace } from '../trace/trace.ts';
import type { WatchedOperation } from '../trace/watcher.ts';
import type { SimNode } from '../world/node.ts';
import type { Schedule } from '../world/schedule.ts';
import type { Trouble } from '../world/trouble.ts';
import { type Answer, callAgent, operationOf, patience, type Working, workUntilOver } from './client.ts';

/** Times a write of unknown fate is sent again before the client gives up. */
const resendsMax = 3;
/** A counter's bounds. */
const counterMax = 20;

export type RecordOperation = Operation<{ readonly key: string } & RegisterInput, RegisterOutput>;

interface RecordClientDeps {
  readonly schedule: Schedule;
  readonly random: Prng;
  readonly trace: Trace;
  readonly nodes: readonly SimNode[];
  readonly applied: AppliedChecker;
  readonly working: Working;
  readonly isOver: () => boolean;
  /** Numbers for values, each used once. */
  readonly nextNumber: () => number;
  readonly onFailed: (error: unknown) => void;
  /** Hears of each call. */
  readonly onOperation?: ((operation: WatchedOperation) => void) | undefined;
  /** Hears of each call that was not done; `code` undefined: the agent died. */
  readonly onNotDone: (node: SimNode, code: string | undefined, startedMs: number) => void;
  readonly trouble: Trouble;
  readonly reached: (mark: WorldMark) => void;
}

export class RecordClient {
  readonly history: RecordOperation[] = [];
  /** By answer, for the report. */
  readonly counts = { done: 0, refused: 0, unknown: 0, stale: 0 };
  readonly #deps: RecordClientDeps;
  readonly #name: string;
  readonly #keys: number;
  readonly #thinkMs: number;
  #home: SimNode;
  #writes = 0;

  constructor(
    deps: RecordClientDeps,
    options: { readonly name: string; readonly keys: number; readonly thinkMs: number },
  ) {
    this.#deps = deps;
    this.#name = options.name;
    this.#keys = options.keys;
    this.#thinkMs = options.thinkMs;
    this.#home = deps.random.pick(deps.nodes);
  }

  run(): Promise<void> {
    const { random, nodes } = this.#deps;
    return workUntilOver(this.#deps, this.#thinkMs, () => {
      if (random.chance(0.05)) this.#home = random.pick(nodes);
      return this.#step();
    });
  }

  async #step(): Promise<void> {
    const { random } = this.#deps;
    const key = `k/r${random.below(this.#keys)}`;
    switch (random.below(10)) {
      case 0:
      case 1:
      case 2:
        return this.#write(key);
      case 3:
      case 4:
      case 5:
        return this.#read(key);
      case 6:
      case 7:
        return this.#compareAndSet(key);
      case 8:
        return this.#count();
      default:
        this.#readLocally(key);
        return undefined;
    }
  }

  async #write(key: string): Promise<void> {
    const value = this.#deps.nextNumber();
    const calledAt = this.#deps.schedule.nowMs;
    const answer = await this.#commit({
      compares: [],
      thenOps: [{ kind: 'put', key, value: encode(value) }],
      elseOps: [],
    });
    if (answer.kind === 'refused') return;
    this.#note({ key, kind: 'write', value }, calledAt, answer.kind === 'done' ? { kind: 'write' } : undefined);
  }

  async #compareAndSet(key: string): Promise<void> {
    const process = this.#home.process;
    const found = process === undefined ? undefined : heldBy(process.state.local, key);
    if (found === undefined || found === 'not in slice') return;
    const held = found.value;
    const expected = decode(held);
    const value = this.#deps.nextNumber();
    const calledAt = this.#deps.schedule.nowMs;
    const answer = await this.#commit({
      compares: [{ key, value: encode(expected) }],
      thenOps: [{ kind: 'put', key, value: encode(value) }],
      elseOps: [],
    });
    if (answer.kind === 'refused') return;
    const output = answer.kind === 'done' ? ({ kind: 'cas', succeeded: answer.value.succeeded } as const) : undefined;
    this.#note({ key, kind: 'cas', expected, value }, calledAt, output);
  }

  async #read(key: string): Promise<void> {
    const calledAt = this.#deps.schedule.nowMs;
    const node = this.#home;
    const answer = await callAgent(node, async ({ state }) => {
      const reader = await state.fresh(this.#patience());
      return { revision: reader.revision, value: reader.get(key)?.value };
    });
    this.counts[answer.kind] += 1;
    this.#tell('read', answer, calledAt);
    if (answer.kind !== 'done') this.#deps.onNotDone(node, answer.error?.code, calledAt);
    if (answer.kind !== 'done') return;
    const { revision, value } = answer.value;
    this.#deps.applied.read(node.raftId, key, revision, value);
    this.#note({ key, kind: 'read' }, calledAt, { kind: 'read', value: value === undefined ? null : decode(value) });
  }

  async #count(): Promise<void> {
    const delta = this.#deps.random.pick([1, 1, -1, 5]);
    const key = `count/${this.#deps.random.below(2)}`;
    await this.#commit({ compares: [], thenOps: [{ kind: 'add', key, delta, min: 0, max: counterMax }], elseOps: [] });
  }

  #readLocally(key: string): void {
    const process = this.#home.process;
    if (process === undefined) return;
    const { local } = process.state;
    const found = heldBy(local, key);
    if (found === 'not in slice') return;
    this.counts.stale += 1;
    this.#tell('stale read', { kind: 'done', value: undefined }, this.#deps.schedule.nowMs);
    this.#deps.applied.read(this.#home.raftId, key, local.revision, found?.value);
  }

  /** Commits under a token; sends it again, to any agent, while its fate is not known. */
  async #commit(transaction: Transaction): Promise<Answer<TransactionOutcome>> {
    const { random, schedule, nodes, applied, trace } = this.#deps;
    this.#writes += 1;
    const startedMs = schedule.nowMs;
    const clientToken = `${this.#name}/${this.#writes}`;
    let node = this.#home;
    let isUnknown = false;
    for (let sends = 0; ; sends += 1) {
      const signal = this.#patience();
      const calledAt = schedule.nowMs;
      const answer = await callAgent(node, ({ state }) => state.commit(transaction, { clientToken, signal }));
      if (answer.kind !== 'done') this.#deps.onNotDone(node, answer.error?.code, calledAt);
      if (signal.aborted) this.#deps.reached('client-gave-up');
      if (answer.kind === 'done') {
        applied.acknowledged(clientToken, answer.value);
        this.counts.done += 1;
        this.#tell('write', answer, startedMs);
        trace.add(this.#name, `write ${clientToken} done at ${answer.value.revision} by ${node.name}`);
        return answer;
      }
      isUnknown ||= answer.kind === 'unknown';
      const isTriedAgain = sends < resendsMax && (isUnknown ? random.chance(0.8) : random.chance(0.2));
      if (!isTriedAgain) {
        const last: Answer<TransactionOutcome> = isUnknown ? { kind: 'unknown', error: answer.error } : answer;
        this.counts[last.kind] += 1;
        this.#tell('write', last, startedMs);
        trace.add(this.#name, `write ${clientToken} ${last.kind} ${answer.error?.code ?? 'agent died'}`);
        return last;
      }
      await schedule.sleep(random.below(1_000));
      node = random.pick(nodes);
    }
  }

  #tell(kind: WatchedOperation['kind'], answer: Answer<unknown>, startedMs: number): void {
    this.#deps.onOperation?.(operationOf(kind, answer, startedMs, this.#deps.schedule.nowMs));
  }

  #patience(): AbortSignal {
    return patience(this.#deps.schedule, this.#deps.trouble.clientPatienceMs);
  }

  #note(input: RecordOperation['input'], calledAt: number, output: RegisterOutput | undefined): void {
    const returnedAt = output === undefined ? Number.POSITIVE_INFINITY : this.#deps.schedule.nowMs;
    this.history.push({ input, output, calledAt, returnedAt });
  }
}

function encode(value: number): Uint8Array {
  return new TextEncoder().encode(String(value));
}

function decode(bytes: Uint8Array): number {
  return Number(new TextDecoder().decode(bytes));
}

/** What a host holds of a key; where it holds a slice, it may not know, and asks for it. */
function heldBy(local: StateReader, key: string): KeyValue | 'not in slice' | undefined {
  try {
    return local.get(key);
  } catch (caught) {
    if (ShoalError.is(caught, 'NOT_IN_SLICE')) return 'not in slice';
    throw caught;
  }
}
