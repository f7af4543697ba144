/**
 * Records that were decoded lately, by the bytes that they were decoded from. The state hands out the same bytes while a key
 * holds the same value, and most reads are of what was read a moment ago: a pass of a host loop, a list that somebody polls.
 * What is kept is shared, and so frozen.
 */

/** Records of one table that are remembered at least; twice as many at most. */
const recordsKept = 2_048;
/**
 * The same where so many are read at once: a list of more records than are kept would have all of them decoded each time that it is
 * read. A server takes some 4 KiB, so at most 80 MiB are taken by it, and while nobody reads such a list, none.
 */
const recordsKeptMax = 10_240;

/** A cache in two generations, keyed by the identity of the bytes, not by what they hold. */
export class RecentRecords<T extends object> {
  readonly #decode: (bytes: Uint8Array) => T;
  #young = new Map<Uint8Array, T>();
  /** Asked for before the young ones; forgotten when these are many. */
  #old = new Map<Uint8Array, T>();
  #kept = recordsKept;

  constructor(decode: (bytes: Uint8Array) => T) {
    this.#decode = decode;
  }

  /** So many records are read now, one after the other, and maybe again soon. */
  expect(count: number): void {
    this.#kept = Math.max(this.#kept, Math.min(count, recordsKeptMax));
  }

  /** The record that `bytes`, which nobody changes, hold. Not to be changed either. Throws what decoding does. */
  of(bytes: Uint8Array): T {
    const young = this.#young.get(bytes);
    if (young !== undefined) return young;
    const record = this.#old.get(bytes) ?? frozen(this.#decode(bytes));
    if (this.#young.size >= this.#kept) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#kept = recordsKept;
    }
    this.#young.set(bytes, record);
    return record;
  }
}

/** Freezes a decoded message with all that is in it, but for bytes, which cannot be. */
function frozen<V extends object>(value: V): V {
  if (ArrayBuffer.isView(value)) return value;
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) frozen(part);
  return Object.freeze(value);
}
