/** Records of one table as checkers read them, again and again: each is decoded once. They must not be changed. */
import { prefixEnd } from '../../node/state/table.ts';
import type { StateReader } from '../../node/state/types.ts';

/** What is needed of a table. */
interface Decoding<T> {
  readonly prefix: string;
  decode(value: Uint8Array): T;
}

export class RecordList<T extends object> {
  readonly #table: Decoding<T>;
  /** By the bytes of the value, which the state hands out by reference and never changes. */
  readonly #decoded = new WeakMap<Uint8Array, T>();
  #reader: StateReader | undefined;
  #revision = -1;
  #records: readonly T[] = [];

  constructor(table: Decoding<T>) {
    this.#table = table;
  }

  /** All records, by id. */
  of(reader: StateReader): readonly T[] {
    if (reader === this.#reader && reader.revision === this.#revision) return this.#records;
    const { prefix } = this.#table;
    this.#records = reader.range(prefix, prefixEnd(prefix)).map(({ value }) => this.record(value));
    this.#reader = reader;
    this.#revision = reader.revision;
    return this.#records;
  }

  /** The record that `value` holds. */
  record(value: Uint8Array): T {
    let record = this.#decoded.get(value);
    if (record === undefined) {
      record = this.#table.decode(value);
      this.#decoded.set(value, record);
    }
    return record;
  }
}
