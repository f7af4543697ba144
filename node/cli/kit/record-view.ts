/** Records and entries of the log in a form for people, without what must not be shown. */
import { ShoalError } from '../../base/errors.ts';
import { decodeConfChangeV1, decodeConfChangeV2, type Entry } from '../../raft/index.ts';
import { decodeCommand } from '../../state/command.ts';
import { Table } from '../../state/table.ts';
import * as tables from '../../state/tables/index.ts';
import type { Counter, KeyValue, Op } from '../../state/types.ts';

/** A key of the state. */
export interface RecordView {
  readonly key: string;
  /** Of the last write. Counters have none. */
  readonly revision?: number;
  /** Of a table's record: its fields. Otherwise the size, or a counter's value. */
  readonly content: unknown;
}

/** Fields whose value helps an attacker. Bytes are never shown either: keys, hashes, user data. */
const secretField = /password|secret|token/i;
/** Keys of one entry that are named. */
const keysMax = 4;

/** Knows every table by its name. */
export class RecordViewer {
  readonly #decoders = new Map<string, (value: Uint8Array) => unknown>();

  constructor() {
    for (const table of Object.values(tables)) {
      if (table instanceof Table) this.#decoders.set(table.definition.name, (value) => table.decode(value));
    }
  }

  key({ key, revision, value }: KeyValue): RecordView {
    const decode = this.#decoders.get(/^t\/([^/]+)\//.exec(key)?.[1] ?? '');
    if (decode === undefined) return { key, revision, content: { bytes: value.length } };
    try {
      return { key, revision, content: shown(decode(value)) };
    } catch (caught) {
      // The row's checksum holds, so a newer version wrote it; the rest can be shown all the same.
      return {
        key,
        revision,
        content: { bytes: value.length, undecoded: ShoalError.from(caught, 'LOG_CORRUPT').message },
      };
    }
  }

  counter({ key, value }: Counter): RecordView {
    return { key, content: value };
  }
}

/** What an entry does: keys, never values. */
export function describeEntry({ type, data }: Entry): string {
  try {
    if (type !== 'normal') {
      const change = type === 'confChange' ? decodeConfChangeV1(data) : decodeConfChangeV2(data);
      if (change === undefined) return 'a change of members that this version does not understand';
      const changes = 'changes' in change ? change.changes : [change];
      if (changes.length === 0) return 'leave the joint membership';
      return changes.map((single) => `${single.type} ${single.nodeId}`).join(', ');
    }
    if (data.length === 0) return 'a new leader begins';
    const { transaction } = decodeCommand(data);
    const parts = [`${transaction.compares.length} compares`, `then ${opsText(transaction.thenOps)}`];
    if (transaction.elseOps.length > 0) parts.push(`else ${opsText(transaction.elseOps)}`);
    return parts.join('; ');
  } catch (caught) {
    return `cannot be decoded: ${ShoalError.from(caught, 'LOG_CORRUPT').message}`;
  }
}

function opsText(ops: readonly Op[]): string {
  const named = ops
    .slice(0, keysMax)
    .map((op) => `${op.kind} ${op.kind === 'deleteRange' ? `${op.start} to ${op.end}` : op.key}`);
  if (ops.length > keysMax) named.push(`${ops.length - keysMax} more`);
  return named.join(', ') || 'nothing';
}

/** A value without its secrets, as JSON can hold it. */
function shown(value: unknown): unknown {
  if (value instanceof Uint8Array) return `(${value.length} bytes)`;
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      secretField.test(name) && typeof inner === 'string' && inner !== '' ? '(not shown)' : shown(inner),
    ]),
  );
}
