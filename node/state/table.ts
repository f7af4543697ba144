/**
 * Typed views over the keyspace: a record type, where its rows lie, and its declared indexes.
 *
 * Layout (one letter a kind of key, so that ranges never mix):
 *
 *     t/<table>/<id>                          the record
 *     x/<table>/<index>/<key>/<id>            an index entry, empty value
 *     u/<table>/<index>/<key>                 a unique index entry, the id as its value
 *
 * A change to a record compares the revision it was read at, so that a lost race is seen, and writes the record and its
 * index entries in the same transaction. Index keys are percent-encoded where they leave the plain alphabet.
 *
 * A row whose bytes are no record (`UnreadableRows`) ends no list: `list`, `by` and `find` leave it out and note it. `get`,
 * `must` and `one` throw `RECORD_UNREADABLE`, since a caller that asks for one thing may take absence for a yes.
 */
import { ShoalError } from '../base/errors.ts';
import { commandBytesMax } from './command.ts';
import { RecentRecords } from './recent-records.ts';
import { type Codec, decodeRecord, encodeRecord } from './record-bytes.ts';
import {
  type Compare,
  type KeyValue,
  type Op,
  type StateReader,
  type Transaction,
  transactionItemsMax,
} from './types.ts';
import { type UnreadableRow, unreadableRows } from './unreadable-rows.ts';

/** An index over a table's records. */
interface IndexDefinition<T> {
  readonly name: string;
  /** Two records may not have a key in common. */
  readonly unique?: boolean;
  /** The record's keys in this index: none, one or several. Several parts of one key are joined by `indexKey`. */
  keys(record: T): readonly string[];
}

/** What a table is. */
interface TableDefinition<T> {
  readonly name: string;
  readonly codec: Codec<T>;
  id(record: T): string;
  readonly indexes: readonly IndexDefinition<T>[];
}

/** A record as it was read: frozen, as others may have read the same. */
export interface Row<T> {
  readonly record: T;
  /** Revision that last wrote it: what an update compares. */
  readonly revision: number;
}

/** What a compare or an op takes in the log beside its key and value, bytes, at most: tags, lengths and numbers. */
const itemBytesMax = 64;

/** What stands for itself in a key. */
const plainPart = /^[A-Za-z0-9\-._]+$/;

/** Joins and encodes the parts of an index key. */
export function indexKey(...parts: readonly string[]): string {
  return parts.map(encodePart).join('|');
}

/**
 * Percent-encodes all but letters, digits and `-._:`, so that a part holds no separator. An empty part is `%`.
 * Throws `INVALID_ARGUMENT` for text that is not well-formed Unicode.
 */
export function encodePart(part: string): string {
  if (part === '') return '%';
  // Ids, which most parts are.
  if (plainPart.test(part)) return part;
  if (!part.isWellFormed()) throw new ShoalError('INVALID_ARGUMENT', 'A name or id is not well-formed Unicode.');
  return encodeURIComponent(part).replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Gathers the compares and ops of one transaction. */
export class TransactionBuilder {
  readonly #compares: Compare[] = [];
  readonly #ops: Op[] = [];
  /** What the log's form of it takes, bytes, at most. */
  #bytes = 0;

  compare(compare: Compare): this {
    this.#compares.push(compare);
    this.#bytes += itemBytesMax + compare.key.length + ('value' in compare ? compare.value.length : 0);
    return this;
  }

  op(op: Op): this {
    this.#ops.push(op);
    const key = op.kind === 'deleteRange' ? op.start.length + op.end.length : op.key.length;
    this.#bytes += itemBytesMax + key + (op.kind === 'put' ? op.value.length : 0);
    return this;
  }

  /**
   * Gives a unique key to a row. It must be nobody's, or be given up by another row in this very change: whose it was that
   * row's own compare says.
   */
  give(key: string, value: Uint8Array): this {
    const put: Op = { kind: 'put', key, value };
    const freed = this.#ops.findIndex((op) => op.kind === 'delete' && op.key === key);
    if (freed === -1) return this.compare({ key, revision: 0 }).op(put);
    this.#ops.splice(freed, 1);
    return this.op(put);
  }

  /**
   * Whether the change of any one more row certainly fits. A change of rows without bound asks before each, and leaves the
   * rest to another transaction.
   */
  get hasRoom(): boolean {
    return this.#compares.length + this.#ops.length <= transactionItemsMax / 2 && this.#bytes <= commandBytesMax / 2;
  }

  /** Adds to a counter within bounds; leaving them refuses the whole transaction. */
  add(key: string, delta: number, bounds: { readonly min: number; readonly max: number }): this {
    return this.op({ kind: 'add', key, delta, ...bounds });
  }

  get isEmpty(): boolean {
    return this.#ops.length === 0;
  }

  build(): Transaction {
    return { compares: this.#compares, thenOps: this.#ops, elseOps: [] };
  }
}

/** Reads and writes the rows of one table. Holds no state of its own but what it has decoded lately. */
export class Table<T extends object> {
  readonly definition: TableDefinition<T>;
  readonly #recent: RecentRecords<T>;

  constructor(definition: TableDefinition<T>) {
    this.definition = definition;
    this.#recent = new RecentRecords((bytes) => decodeRecord(definition.codec, bytes));
  }

  /** The key of a record; for compares and watches. */
  key(id: string): string {
    return `t/${this.definition.name}/${encodePart(id)}`;
  }

  /** The prefix of all records; for watches. */
  get prefix(): string {
    return `t/${this.definition.name}/`;
  }

  /** Decodes a value found under `prefix`. Throws `RECORD_UNREADABLE`. */
  decode(value: Uint8Array): T {
    try {
      return decodeRecord(this.definition.codec, value);
    } catch (cause) {
      throw new ShoalError('RECORD_UNREADABLE', `A record of ${this.definition.name} cannot be read.`, { cause });
    }
  }

  /** The row, or undefined when there is none. Throws `RECORD_UNREADABLE`. */
  get(reader: StateReader, id: string): Row<T> | undefined {
    if (id === '') return undefined;
    const found = reader.get(this.key(id));
    return found === undefined ? undefined : this.#row(found);
  }

  /** Whether there is a row, be it that it cannot be read. */
  exists(reader: StateReader, id: string): boolean {
    return id !== '' && reader.get(this.key(id)) !== undefined;
  }

  /** Whether there is a row that cannot be read: it is there, and what it says is not known. */
  isUnreadable(reader: StateReader, id: string): boolean {
    return this.exists(reader, id) && this.find(reader, id) === undefined;
  }

  /** Whether `key` is taken in a unique index, be it by a row that cannot be read. */
  isTaken(reader: StateReader, indexName: string, key: string): boolean {
    return this.#holder(reader, this.#index(indexName), key) !== undefined;
  }

  /**
   * As `get`, but undefined for a row that cannot be read, too, which is noted: for what is shown beside other things, and
   * must not take them along. Never for a decision that absence makes looser.
   */
  find(reader: StateReader, id: string): Row<T> | undefined {
    if (id === '') return undefined;
    const found = reader.get(this.key(id));
    return found === undefined ? undefined : this.#readable(found);
  }

  /** As `get`; throws `NOT_FOUND` naming the table and the id. */
  must(reader: StateReader, id: string): Row<T> {
    const row = this.get(reader, id);
    if (row === undefined) {
      throw new ShoalError('NOT_FOUND', `No ${this.definition.name} with id ${id} exists.`, {
        facts: { table: this.definition.name, id },
      });
    }
    return row;
  }

  /** All rows that can be read, by id. */
  list(reader: StateReader): readonly Row<T>[] {
    const all = reader.range(this.prefix, prefixEnd(this.prefix));
    this.#recent.expect(all.length);
    return all.flatMap((found) => this.#readable(found) ?? []);
  }

  /** Rows with `key` in the index that can be read, by id. */
  by(reader: StateReader, indexName: string, key: string): readonly Row<T>[] {
    const index = this.#index(indexName);
    if (index.unique) {
      const id = this.#holder(reader, index, key);
      return id === undefined ? [] : [this.find(reader, id) ?? []].flat();
    }
    const prefix = `x/${this.definition.name}/${index.name}/${key}/`;
    const rows: Row<T>[] = [];
    const entries = reader.range(prefix, prefixEnd(prefix));
    this.#recent.expect(entries.length);
    for (const found of entries) {
      const row = this.find(reader, decodeURIComponent(found.key.slice(prefix.length)));
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }

  /** How many rows have `key` in the index, be it that they cannot be read: for what must not happen while there is one. */
  count(reader: StateReader, indexName: string, key: string): number {
    const index = this.#index(indexName);
    if (index.unique) return this.#holder(reader, index, key) === undefined ? 0 : 1;
    const prefix = `x/${this.definition.name}/${index.name}/${key}/`;
    return reader.range(prefix, prefixEnd(prefix)).length;
  }

  /** The one row with `key` in the index, or undefined. Throws `RECORD_UNREADABLE` where the index is unique. */
  one(reader: StateReader, indexName: string, key: string): Row<T> | undefined {
    const index = this.#index(indexName);
    if (!index.unique) return this.by(reader, indexName, key)[0];
    const id = this.#holder(reader, index, key);
    return id === undefined ? undefined : this.get(reader, id);
  }

  /** Adds a new record. The transaction fails when the id or a unique key is taken. */
  insert(builder: TransactionBuilder, record: T): void {
    const key = this.key(this.definition.id(record));
    builder.compare({ key, revision: 0 });
    builder.op({ kind: 'put', key, value: this.#encode(record) });
    this.#writeIndexes(builder, undefined, record);
  }

  /** Replaces a record that was read as `row`. The transaction fails when it has changed since. */
  update(builder: TransactionBuilder, row: Row<T>, next: T): void {
    const key = this.key(this.definition.id(row.record));
    builder.compare({ key, revision: row.revision });
    builder.op({ kind: 'put', key, value: this.#encode(next) });
    this.#writeIndexes(builder, row.record, next);
  }

  /** Removes a record that was read as `row`. The transaction fails when it has changed since. */
  remove(builder: TransactionBuilder, row: Row<T>): void {
    const key = this.key(this.definition.id(row.record));
    builder.compare({ key, revision: row.revision });
    builder.op({ kind: 'delete', key });
    this.#writeIndexes(builder, row.record, undefined);
  }

  /** Requires that a record read as `row` has not changed, without changing it. */
  unchanged(builder: TransactionBuilder, row: Row<T>): void {
    builder.compare({ key: this.key(this.definition.id(row.record)), revision: row.revision });
  }

  /**
   * Removes a row that cannot be read, with every index entry that names it: what its keys were is not known, so all entries
   * of the table are looked at. Counters (quotas, uses) stay as they are: what it counted for is not known either.
   * Throws `NOT_FOUND`, and `CONFLICT` for a row that can be read.
   */
  removeUnreadable(builder: TransactionBuilder, reader: StateReader, id: string): void {
    const { name } = this.definition;
    const key = this.key(id);
    const found = reader.get(key);
    if (found === undefined) throw new ShoalError('NOT_FOUND', `No ${name} with id ${id} exists.`);
    if (this.#readable(found) !== undefined) {
      throw new ShoalError('CONFLICT', `The ${name} ${id} can be read: delete it as any other.`);
    }
    builder.compare({ key, revision: found.revision });
    builder.op({ kind: 'delete', key });
    for (const index of this.definition.indexes) {
      const prefix = `${index.unique ? 'u' : 'x'}/${name}/${index.name}/`;
      for (const entry of reader.range(prefix, prefixEnd(prefix))) {
        const names = index.unique
          ? new TextDecoder().decode(entry.value) === id
          : entry.key.endsWith(`/${encodePart(id)}`);
        if (names) builder.op({ kind: 'delete', key: entry.key });
      }
    }
  }

  #row(found: KeyValue): Row<T> {
    try {
      return { record: this.#recent.of(found.value), revision: found.revision };
    } catch (cause) {
      const row = this.#noted(found, cause);
      throw new ShoalError(
        'RECORD_UNREADABLE',
        `The record of ${row.table} ${row.id} cannot be read; an administrator can remove it with "shoal record remove".`,
        { facts: { ...row }, cause },
      );
    }
  }

  #readable(found: KeyValue): Row<T> | undefined {
    try {
      return { record: this.#recent.of(found.value), revision: found.revision };
    } catch (cause) {
      this.#noted(found, cause);
      return undefined;
    }
  }

  #noted({ key, revision }: KeyValue, cause: unknown): UnreadableRow {
    const id = decodeURIComponent(key.slice(this.prefix.length));
    const why = cause instanceof Error ? cause.message : String(cause);
    const row = { table: this.definition.name, id, key, revision, why };
    unreadableRows.note(row);
    return row;
  }

  #encode(record: T): Uint8Array {
    return encodeRecord(this.definition.codec, record);
  }

  /** The id that holds `key` in a unique index. */
  #holder(reader: StateReader, index: IndexDefinition<T>, key: string): string | undefined {
    const found = reader.get(this.#uniqueKey(index, key));
    return found === undefined ? undefined : new TextDecoder().decode(found.value);
  }

  #index(name: string): IndexDefinition<T> {
    const index = this.definition.indexes.find((candidate) => candidate.name === name);
    if (index === undefined)
      throw new ShoalError('INVALID_ARGUMENT', `table ${this.definition.name} has no index ${name}`);
    return index;
  }

  #uniqueKey(index: IndexDefinition<T>, key: string): string {
    return `u/${this.definition.name}/${index.name}/${key}`;
  }

  #writeIndexes(builder: TransactionBuilder, before: T | undefined, after: T | undefined): void {
    const id = this.definition.id((after ?? before) as T);
    for (const index of this.definition.indexes) {
      const old = new Set(before === undefined ? [] : index.keys(before));
      const now = new Set(after === undefined ? [] : index.keys(after));
      for (const key of old) {
        if (!now.has(key)) builder.op({ kind: 'delete', key: this.#entryKey(index, key, id) });
      }
      for (const key of now) {
        if (old.has(key)) continue;
        const entry = this.#entryKey(index, key, id);
        if (index.unique) builder.give(entry, new TextEncoder().encode(id));
        else builder.op({ kind: 'put', key: entry, value: new Uint8Array(0) });
      }
    }
  }

  #entryKey(index: IndexDefinition<T>, key: string, id: string): string {
    return index.unique
      ? this.#uniqueKey(index, key)
      : `x/${this.definition.name}/${index.name}/${key}/${encodePart(id)}`;
  }
}

/** The first key after all keys that begin with `prefix`. */
export function prefixEnd(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
