/**
 * The replicated state machine: applies committed commands, one after the other.
 *
 * Pure and deterministic: the same commands at the same indexes give the same state, outcome, rows and events on every
 * agent, byte for byte. A transaction is applied op by op with an undo list; a refusal runs the list backwards, so that all
 * ops happen or none.
 *
 * Exactly-once: the outcome of each command with a client token is kept for the next `sessionWindowRevisions` entries and
 * is the answer to every later command with that token. The table is part of the state, so that a new leader and an agent
 * restored from a snapshot remember too. A command says which revision its sender had applied before it first sent the
 * token: an earlier entry with the token lies behind that, so within the window it is remembered. Beyond the window nobody
 * can tell, and the command is refused, however long it was on its way.
 */
import { assert } from '../base/assert.ts';
import { type Command, decodeOutcome, encodeOutcome } from './command.ts';
import { DigestSum, type DigestValue } from './digest.ts';
import {
  counterRow,
  decodeRow,
  keyRow,
  newSession,
  type StateRow,
  type StoredRow,
  sessionKey,
  sessionOutcome,
  sessionRow,
} from './rows.ts';
import { SortedMap } from './sorted-map.ts';
import {
  type Compare,
  type Counter,
  type KeyValue,
  type Op,
  rangeDeleteKeysMax,
  type Session,
  type StateEvent,
  type StateReader,
  type Transaction,
  type TransactionOutcome,
} from './types.ts';
import { isClientToken, transactionMistake } from './validate.ts';

/**
 * Entries for which a client token is remembered: also the bound of the session table. At 5,000 writes a second this is
 * 20 s, at lesser rates minutes or hours. A client that goes on retrying for longer is refused (`token-too-old`).
 */
export const sessionWindowRevisions = 100_000;

/** What applying one command did. */
export interface Applied {
  readonly outcome: TransactionOutcome;
  /** Rows that changed, for the disk: each key once, in the order of first change. */
  readonly rows: readonly StateRow[];
  /** Keys that changed, for watchers: each once, in the order of first change. */
  readonly events: readonly StateEvent[];
  /** The token was known: nothing was changed, the outcome is the first one's. */
  readonly isReplay: boolean;
}

/** Everything a snapshot holds, at one moment; does not change. */
export interface StateView {
  /** Index of the last entry applied. */
  readonly appliedIndex: number;
  /** Of all rows, as it was kept while they changed. */
  readonly digest: DigestValue;
  /** To be read as the machine was. */
  readonly reader: StateReader;
  /** All rows, in the order of their keys. */
  rows(): Generator<StoredRow, void, undefined>;
  /** The digest of the rows as they are read again, a few at each step. */
  sums(rowsAStep: number): Generator<void, DigestValue, undefined>;
}

/** How to take back one op. */
type Undo = () => void;

/**
 * One replica's state in memory. `apply` and `skip` take every index once, in order; or `load` rows of a snapshot into
 * a new one, and end with `loaded`. What `get` and `range` give is shared with the state, and must not be changed.
 */
export class StateMachine implements StateReader {
  #keys = new SortedMap<KeyValue>();
  #counters = new SortedMap<Counter>();
  #sessions = new SortedMap<Session>();
  readonly #sessionByToken = new Map<string, Session>();
  #appliedIndex = 0;
  readonly #digest = new DigestSum();

  /** Index of the last entry applied; 0 at first. */
  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  get revision(): number {
    return this.#appliedIndex;
  }

  /** Of all rows (digest.ts): the same on every replica at the same index. */
  get digest(): DigestValue {
    return this.#digest.value;
  }

  /** Number of keys. */
  get keyCount(): number {
    return this.#keys.size;
  }

  get(key: string): KeyValue | undefined {
    return this.#keys.get(key);
  }

  range(start: string, end: string, limit?: number): readonly KeyValue[] {
    return this.#keys.range(start, end, limit);
  }

  counter(key: string): number {
    return this.#counters.get(key)?.value ?? 0;
  }

  /** Passes an entry that carries no command (a new leader's first, a change of members). */
  skip(index: number): void {
    this.#advance(index);
  }

  /** Applies the command of the entry at `index`, which must be above all indexes before. */
  apply(index: number, command: Command): Applied {
    this.#advance(index);
    const { clientToken: token, tokenSinceRevision, transaction } = command;
    if (!isClientToken(token)) return { outcome: refused(index, 'invalid'), rows: [], events: [], isReplay: false };
    const known = token === '' ? undefined : this.#sessionByToken.get(token);
    if (known !== undefined) {
      return { outcome: decodeOutcome(sessionOutcome(known)), rows: [], events: [], isReplay: true };
    }
    // An entry with this token at `tokenSinceRevision` or later is among the sessions as long as the window reaches back to there.
    if (token !== '' && tokenSinceRevision !== undefined && tokenSinceRevision < index - sessionWindowRevisions) {
      return { outcome: refused(index, 'token-too-old'), rows: [], events: [], isReplay: false };
    }
    const changes = new Changes();
    const outcome = this.#transact(index, transaction, changes);
    const rows = changes.rows(this.#counters, this.#digest);
    if (token !== '') {
      const session = newSession(index, token, encodeOutcome(outcome));
      this.#sessions.put(session);
      this.#sessionByToken.set(token, session);
      this.#digest.session(1, session);
      rows.push(sessionRow(session));
    }
    this.#forgetSessions(index, rows);
    return { outcome, rows, events: changes.events(index), isReplay: false };
  }

  /** The outcome remembered for a token. */
  outcomeOf(token: string): TransactionOutcome | undefined {
    const known = this.#sessionByToken.get(token);
    return known === undefined ? undefined : decodeOutcome(sessionOutcome(known));
  }

  /** The state as it is now, to be read while this goes on. O(1). */
  view(): StateView {
    const appliedIndex = this.#appliedIndex;
    const digest = this.digest;
    const counters = this.#counters.fork();
    const keys = this.#keys.fork();
    const sessions = this.#sessions.fork();
    return {
      appliedIndex,
      digest,
      reader: {
        revision: appliedIndex,
        get: (key) => keys.get(key),
        range: (start, end, limit) => keys.range(start, end, limit),
        counter: (key) => counters.get(key)?.value ?? 0,
      },
      *rows() {
        for (const counter of counters.entries()) yield counterRow(counter);
        for (const entry of keys.entries()) yield keyRow(entry);
        for (const session of sessions.entries()) yield sessionRow(session);
      },
      *sums(rowsAStep) {
        const sum = new DigestSum();
        let left = rowsAStep;
        const isStepOver = (): boolean => {
          left -= 1;
          if (left > 0) return false;
          left = rowsAStep;
          return true;
        };
        for (const counter of counters.entries()) {
          sum.counter(1, counter);
          if (isStepOver()) yield;
        }
        for (const entry of keys.entries()) {
          sum.key(1, entry);
          if (isStepOver()) yield;
        }
        for (const session of sessions.entries()) {
          sum.session(1, session);
          if (isStepOver()) yield;
        }
        return sum.value;
      },
    };
  }

  /** Takes a row from disk or snapshot into a machine that is being loaded. Throws `LOG_CORRUPT`. */
  load(row: StoredRow): void {
    const decoded = decodeRow(row);
    switch (decoded.kind) {
      case 'key': {
        const entry = { ...decoded.entry, value: shared(decoded.entry.value) };
        const before = this.#keys.put(entry);
        if (before !== undefined) this.#digest.key(-1, before);
        this.#digest.key(1, entry);
        return;
      }
      case 'counter': {
        const before = this.#counters.put(decoded.entry);
        if (before !== undefined) this.#digest.counter(-1, before);
        this.#digest.counter(1, decoded.entry);
        return;
      }
      case 'session': {
        const before = this.#sessions.put(decoded.entry);
        if (before !== undefined) this.#digest.session(-1, before);
        this.#digest.session(1, decoded.entry);
        this.#sessionByToken.set(decoded.entry.token, decoded.entry);
      }
    }
  }

  /** Ends loading: everything up to `appliedIndex` is in. */
  loaded(appliedIndex: number): void {
    assert(appliedIndex >= this.#appliedIndex, 'the applied index does not go back');
    this.#appliedIndex = appliedIndex;
  }

  /**
   * Becomes `next`, a machine loaded from a snapshot, and returns the difference as events: changed keys with their own
   * revisions in order, then deletions at the snapshot's revision. Watchers thus miss no key, only values that were
   * overwritten in between.
   */
  replaceWith(next: StateMachine): readonly StateEvent[] {
    assert(next.#appliedIndex >= this.#appliedIndex, 'a snapshot does not go back');
    const changed: StateEvent[] = [];
    const deleted: StateEvent[] = [];
    for (const entry of next.#keys.entries()) {
      if (this.#keys.get(entry.key)?.revision !== entry.revision) changed.push(entry);
    }
    for (const entry of this.#keys.entries()) {
      if (next.#keys.get(entry.key) === undefined) {
        deleted.push({ revision: next.#appliedIndex, key: entry.key, value: undefined });
      }
    }
    changed.sort((a, b) => a.revision - b.revision);
    this.#keys = next.#keys.fork();
    this.#counters = next.#counters.fork();
    this.#sessions = next.#sessions.fork();
    this.#sessionByToken.clear();
    for (const session of this.#sessions.entries()) this.#sessionByToken.set(session.token, session);
    this.#appliedIndex = next.#appliedIndex;
    this.#digest.set(next.digest);
    return [...changed, ...deleted];
  }

  /** Becomes as it was before the first entry: of a host that holds no replica any more. Nobody is told. */
  empty(): void {
    this.#keys = new SortedMap();
    this.#counters = new SortedMap();
    this.#sessions = new SortedMap();
    this.#sessionByToken.clear();
    this.#appliedIndex = 0;
    this.#digest.set(new DigestSum().value);
  }

  #advance(index: number): void {
    assert(
      Number.isSafeInteger(index) && index > this.#appliedIndex,
      () => `entry ${index} is applied after entry ${this.#appliedIndex}`,
    );
    this.#appliedIndex = index;
  }

  #transact(index: number, transaction: Transaction, changes: Changes): TransactionOutcome {
    if (transactionMistake(transaction) !== undefined) return refused(index, 'invalid');
    const failed = transaction.compares.find((compare) => !this.#holds(compare));
    const counters: number[] = [];
    const undos: Undo[] = [];
    for (const op of failed === undefined ? transaction.thenOps : transaction.elseOps) {
      const refusal = this.#perform(index, op, { changes, counters, undos });
      if (refusal === undefined) continue;
      for (const undo of undos.reverse()) undo();
      changes.clear();
      const outcome = refused(index, refusal);
      return op.kind === 'add' ? { ...outcome, failedKey: op.key } : outcome;
    }
    return failed === undefined
      ? { revision: index, succeeded: true, counters }
      : { revision: index, succeeded: false, failedKey: failed.key, counters };
  }

  #holds(compare: Compare): boolean {
    const found = this.#keys.get(compare.key);
    if ('revision' in compare) return (found?.revision ?? 0) === compare.revision;
    if ('exists' in compare) return (found !== undefined) === compare.exists;
    return found !== undefined && sameBytes(found.value, compare.value);
  }

  #perform(
    index: number,
    op: Op,
    into: { readonly changes: Changes; readonly counters: number[]; readonly undos: Undo[] },
  ): TransactionOutcome['refusal'] {
    switch (op.kind) {
      case 'put': {
        const entry: KeyValue = { key: op.key, value: shared(op.value), revision: index };
        const before = this.#keys.put(entry);
        into.changes.key(op.key, before, entry);
        into.undos.push(() => this.#restoreKey(op.key, before));
        return undefined;
      }
      case 'delete':
        this.#deleteKey(op.key, into);
        return undefined;
      case 'deleteRange': {
        const doomed = this.#keys.range(op.start, op.end, rangeDeleteKeysMax + 1);
        if (doomed.length > rangeDeleteKeysMax) return 'range-too-large';
        for (const entry of doomed) this.#deleteKey(entry.key, into);
        return undefined;
      }
      case 'add': {
        const before = this.#counters.get(op.key);
        const value = (before?.value ?? 0) + op.delta;
        if (value < op.min || value > op.max || !Number.isSafeInteger(value)) return 'counter-bounds';
        this.#setCounter(op.key, value);
        into.counters.push(value);
        into.changes.counter(op.key, before);
        into.undos.push(() => this.#setCounter(op.key, before?.value ?? 0));
        return undefined;
      }
    }
  }

  #deleteKey(key: string, into: { readonly changes: Changes; readonly undos: Undo[] }): void {
    const before = this.#keys.delete(key);
    if (before === undefined) return;
    into.changes.key(key, before, undefined);
    into.undos.push(() => this.#restoreKey(key, before));
  }

  #restoreKey(key: string, before: KeyValue | undefined): void {
    if (before === undefined) this.#keys.delete(key);
    else this.#keys.put(before);
  }

  #setCounter(key: string, value: number): void {
    // -0 must not differ from 0 on some other agent's disk.
    if (value === 0) this.#counters.delete(key);
    else this.#counters.put({ key, value });
  }

  #forgetSessions(index: number, rows: StateRow[]): void {
    const oldestKept = sessionKey(Math.max(0, index - sessionWindowRevisions + 1));
    for (;;) {
      const oldest = this.#sessions.first();
      if (oldest === undefined || oldest.key >= oldestKept) return;
      this.#sessions.delete(oldest.key);
      this.#digest.session(-1, oldest);
      this.#sessionByToken.delete(oldest.token);
      rows.push({ key: `s${oldest.key}`, value: undefined });
    }
  }
}

const noBytes = new Uint8Array(0);

/**
 * The value as it is kept. Index entries have none, and are two thirds of a state: an empty array each takes as much as the
 * key, and keeps the bytes that it was cut from.
 */
function shared(value: Uint8Array): Uint8Array {
  return value.length === 0 ? noBytes : value;
}

/** Notes what one transaction touched, so that rows and events are written from the end result. */
class Changes {
  /** Each key with what it held before the transaction and what it holds now. */
  readonly #keys = new Map<string, { readonly before: KeyValue | undefined; now: KeyValue | undefined }>();
  /** Each counter with what it was before the transaction. */
  readonly #counters = new Map<string, Counter | undefined>();

  key(key: string, before: KeyValue | undefined, now: KeyValue | undefined): void {
    const change = this.#keys.get(key);
    if (change === undefined) this.#keys.set(key, { before, now });
    else change.now = now;
  }

  counter(key: string, before: Counter | undefined): void {
    if (!this.#counters.has(key)) this.#counters.set(key, before);
  }

  clear(): void {
    this.#keys.clear();
    this.#counters.clear();
  }

  /** What is to be written; `digest` follows it. */
  rows(counters: SortedMap<Counter>, digest: DigestSum): StateRow[] {
    const rows: StateRow[] = [];
    for (const [key, { before, now }] of this.#keys) {
      if (before !== undefined) digest.key(-1, before);
      if (now !== undefined) digest.key(1, now);
      if (now !== undefined) rows.push({ key: `k${key}`, value: now });
      else if (before !== undefined) rows.push({ key: `k${key}`, value: undefined });
    }
    for (const [key, before] of this.#counters) {
      const now = counters.get(key);
      if (before !== undefined) digest.counter(-1, before);
      if (now !== undefined) digest.counter(1, now);
      rows.push(now === undefined ? { key: `c${key}`, value: undefined } : counterRow(now));
    }
    return rows;
  }

  events(revision: number): StateEvent[] {
    const events: StateEvent[] = [];
    for (const [key, { before, now }] of this.#keys) {
      // What the key holds now says all that there is to say, its revision being this one.
      if (now !== undefined) events.push(now);
      else if (before !== undefined) events.push({ revision, key, value: undefined });
    }
    return events;
  }
}

function refused(revision: number, refusal: NonNullable<TransactionOutcome['refusal']>): TransactionOutcome {
  return { revision, succeeded: false, refusal, counters: [] };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
