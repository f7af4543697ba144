/**
 * What members apply, against one another and against a replay of the same commands. The first member that applies an
 * index says what is there; all others must agree. The replay (a state machine of the checker's own) is the model for
 * reads, for snapshots and for what clients were told.
 */
import type { Command } from '../../node/state/command.ts';
import { type DigestValue, digestText, isSameDigest } from '../../node/state/digest.ts';
import type { StoredRow } from '../../node/state/rows.ts';
import { StateMachine } from '../../node/state/state-machine.ts';
import type { StateEvent, StateReader, TransactionOutcome } from '../../node/state/types.ts';
import type { Report } from './invariants.ts';

/** What happened at one index. */
export interface AppliedEntry {
  readonly index: number;
  /** Absent: an entry without a command. */
  readonly command?: Command | undefined;
  readonly outcome?: TransactionOutcome | undefined;
  readonly isReplay: boolean;
  readonly events: readonly StateEvent[];
}

interface Known {
  /** As the first member applied it. */
  readonly entry: AppliedEntry;
  readonly token: string;
  readonly outcome: TransactionOutcome | undefined;
  readonly keys: readonly string[];
}

export class AppliedChecker {
  readonly #report: Report;
  readonly #known = new Map<number, Known>();
  readonly #effects = new Map<string, number>();
  /** By revision, as the first undamaged member had it. */
  readonly #digests = new Map<number, DigestValue>();
  /** Values of a key by revision, ascending. */
  readonly #values = new Map<string, { readonly revision: number; readonly value: string | undefined }[]>();
  readonly #replay = new StateMachine();
  /** Rows of the replay, as of an index. */
  #replayRows: { readonly index: number; readonly rows: readonly StoredRow[] } | undefined;
  /** Entries that came out of turn (a member restored from a snapshot is ahead), until the replay gets there. */
  readonly #waiting = new Map<number, AppliedEntry>();
  #firstIndex: number | undefined;

  readonly #command: (index: number, command: Command) => Command;
  readonly #onReplayed: (revision: number, state: () => StateReader) => void;

  /**
   * @param command a planted bug that every member has, and so the replay: what is applied instead of a command.
   * @param onReplayed hears of each revision that the replay has come to, with the state there, which does not change.
   */
  constructor(
    report: Report,
    command: (index: number, command: Command) => Command = (_index, same) => same,
    onReplayed: (revision: number, state: () => StateReader) => void = () => {},
  ) {
    this.#report = report;
    this.#command = command;
    this.#onReplayed = onReplayed;
  }

  /** The replay, up to the last index that was applied anywhere without a gap. */
  get replay(): StateReader & { readonly appliedIndex: number } {
    return this.#replay;
  }

  /** The first entry that is known; what came before is only in snapshots. */
  get firstIndex(): number {
    return this.#firstIndex ?? 0;
  }

  apply(node: number, entry: AppliedEntry): void {
    const { index, command, outcome, isReplay, events } = entry;
    const known = this.#known.get(index);
    if (known !== undefined) {
      if (!isSameEntry(known.entry, entry)) {
        this.#report(
          'state-machine-safety',
          `member ${node} applies another command, or with another outcome, at ${index}`,
        );
      }
      return;
    }
    this.#firstIndex ??= index;
    const token = command?.clientToken ?? '';
    // Copied: the objects are the member's own, and its memory may rot.
    const seen = { ...entry, events: events.map((event) => ({ ...event })) };
    this.#known.set(index, { entry: seen, token, outcome, keys: events.map((event) => event.key) });
    for (const { key, value } of events) {
      const values = this.#values.get(key) ?? [];
      values.push({ revision: index, value: value === undefined ? undefined : text(value) });
      this.#values.set(key, values);
    }
    if (token !== '' && !isReplay && outcome?.succeeded === true) {
      const before = this.#effects.get(token);
      if (before !== undefined)
        this.#report('exactly-once', `the write ${token} took effect at ${before} and at ${index}`);
      this.#effects.set(token, index);
    }
    this.#checkCounters(entry);
    this.#waiting.set(index, entry);
    this.#catchUp();
  }

  /** The digest of a member's state at `index`. Not for one whose state is damaged: that it differs is what is looked for. */
  digest(node: number, index: number, digest: DigestValue): void {
    const known = this.#digests.get(index);
    if (known === undefined) this.#digests.set(index, digest);
    else if (!isSameDigest(known, digest)) {
      this.#report(
        'replicas-agree',
        `member ${node} has the digest ${digestText(digest)} at ${index}, where another has ${digestText(known)}`,
      );
    }
  }

  /** A client was told that its write `token` came out so. */
  acknowledged(token: string, outcome: TransactionOutcome): void {
    const known = this.#known.get(outcome.revision);
    if (known === undefined) {
      this.#report(
        'acknowledged-durable',
        `the write ${token} was acknowledged at ${outcome.revision}, which nobody has applied`,
      );
      return;
    }
    if (known.token !== token || !isSameOutcome(known.outcome, outcome)) {
      this.#report(
        'acknowledged-durable',
        `the write ${token} was acknowledged at ${outcome.revision}, where ${known.token || 'something else'} is`,
      );
    }
  }

  /** A read of a local replica at `revision` gave `value`. */
  read(node: number, key: string, revision: number, value: Uint8Array | undefined): void {
    const expected = (this.#values.get(key) ?? []).findLast((entry) => entry.revision <= revision)?.value;
    const found = value === undefined ? undefined : text(value);
    if (expected === found) return;
    this.#report(
      'stale-reads-are-prefixes',
      `member ${node} reads ${key} = ${found ?? 'nothing'} at revision ${revision}, where it is ${expected ?? 'nothing'}`,
    );
  }

  /** The keys that `revision` changed, in order; undefined when it is not known. */
  keysOf(revision: number): readonly string[] | undefined {
    return this.#known.get(revision)?.keys;
  }

  /** Whether the state of a member is the replay; undefined while they are not at the same index. */
  isReplay(machine: StateMachine): boolean | undefined {
    return machine.appliedIndex === this.#replay.appliedIndex ? isSameRows(machine, this.#rowsOfReplay()) : undefined;
  }

  /** The whole state of a member, to be compared with the replay at the same index. */
  state(node: number, machine: StateMachine): void {
    if (machine.appliedIndex !== this.#replay.appliedIndex) return;
    if (isSameRows(machine, this.#rowsOfReplay())) return;
    this.#report(
      'snapshot-equals-replay',
      `the state of member ${node} at ${machine.appliedIndex} is not the replay of the log`,
    );
  }

  /** All rows of the replay as they are now; many members are compared with them, one after the other. */
  #rowsOfReplay(): readonly StoredRow[] {
    const { appliedIndex } = this.#replay;
    if (this.#replayRows?.index !== appliedIndex)
      this.#replayRows = { index: appliedIndex, rows: [...this.#replay.view().rows()] };
    return this.#replayRows.rows;
  }

  #checkCounters(entry: AppliedEntry): void {
    const { command, outcome, index } = entry;
    if (command === undefined || outcome === undefined || outcome.refusal !== undefined || entry.isReplay) return;
    const ops = outcome.succeeded ? command.transaction.thenOps : command.transaction.elseOps;
    const adds = ops.filter((op) => op.kind === 'add');
    adds.forEach((op, at) => {
      const value = outcome.counters[at];
      if (value !== undefined && value >= op.min && value <= op.max) return;
      this.#report(
        'counters-in-bounds',
        `counter ${op.key} is ${value} after ${index}; its bounds are ${op.min} and ${op.max}`,
      );
    });
  }

  #catchUp(): void {
    for (;;) {
      const next = this.#replay.appliedIndex === 0 ? this.#firstIndex : this.#replay.appliedIndex + 1;
      const entry = next === undefined ? undefined : this.#waiting.get(next);
      if (entry === undefined) return;
      this.#waiting.delete(entry.index);
      if (entry.command === undefined) {
        this.#replay.skip(entry.index);
        this.#onReplayed(entry.index, () => this.#replay.view().reader);
        continue;
      }
      const again = this.#replay.apply(entry.index, this.#command(entry.index, entry.command));
      this.#onReplayed(entry.index, () => this.#replay.view().reader);
      if (isSameOutcome(again.outcome, entry.outcome)) continue;
      this.#report('snapshot-equals-replay', `the command at ${entry.index} came out differently when it was replayed`);
    }
  }
}

function isSameOutcome(a: TransactionOutcome | undefined, b: TransactionOutcome | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.revision === b.revision &&
    a.succeeded === b.succeeded &&
    a.failedKey === b.failedKey &&
    a.refusal === b.refusal &&
    isSameList(a.counters, b.counters, (x, y) => x === y)
  );
}

/** The same command with the same outcome and events. Compared as they are: a hash of each would cost far more. */
function isSameEntry(a: AppliedEntry, b: AppliedEntry): boolean {
  if (a === b) return true;
  return (
    a.isReplay === b.isReplay &&
    isSameOutcome(a.outcome, b.outcome) &&
    isSameList(a.events, b.events, (x, y) => x.key === y.key && isSameBytes(x.value, y.value)) &&
    isSameCommand(a.command, b.command)
  );
}

function isSameCommand(a: Command | undefined, b: Command | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.clientToken === b.clientToken &&
    a.tokenSinceRevision === b.tokenSinceRevision &&
    (['compares', 'thenOps', 'elseOps'] as const).every((part) =>
      isSameList<object>(a.transaction[part], b.transaction[part], isSameItem),
    )
  );
}

/** Two plain objects with the same fields, of which only bytes are objects. */
function isSameItem(a: object, b: object): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => {
      const left: unknown = Reflect.get(a, name);
      const right: unknown = Reflect.get(b, name);
      return left instanceof Uint8Array && right instanceof Uint8Array ? isSameBytes(left, right) : left === right;
    })
  );
}

function isSameList<T>(a: readonly T[], b: readonly T[], isSame: (x: T, y: T) => boolean): boolean {
  return a.length === b.length && a.every((x, at) => isSame(x, b[at] as T));
}

function isSameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Buffer.compare(a, b) === 0);
}

function isSameRows(machine: StateMachine, rows: readonly StoredRow[]): boolean {
  let at = 0;
  for (const { key, value } of machine.view().rows()) {
    const row = rows[at];
    if (row === undefined || row.key !== key || !isSameBytes(row.value, value)) return false;
    at += 1;
  }
  return at === rows.length;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
