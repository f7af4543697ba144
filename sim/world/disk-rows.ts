/**
 * The rows of a simulated disk, by key. Those whose keys begin alike lie together: entries of the log (`l/`) come and go
 * all the time, and dropping some of them must not walk over the rows of the state (`r/`), of which there are many more.
 */
export class DiskRows {
  readonly #byKind = new Map<number, Map<string, Uint8Array>>();

  constructor(rows: Iterable<readonly [string, Uint8Array]> = []) {
    for (const [key, value] of rows) this.set(key, value);
  }

  get isEmpty(): boolean {
    for (const rows of this.#byKind.values()) if (rows.size > 0) return false;
    return true;
  }

  get(key: string): Uint8Array | undefined {
    return this.#byKind.get(key.charCodeAt(0))?.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  set(key: string, value: Uint8Array): void {
    const kind = key.charCodeAt(0);
    const rows = this.#byKind.get(kind);
    if (rows === undefined) this.#byKind.set(kind, new Map([[key, value]]));
    else rows.set(key, value);
  }

  delete(key: string): void {
    this.#byKind.get(key.charCodeAt(0))?.delete(key);
  }

  /** Keys that begin with one of `prefixes`, in order. */
  keysOf(prefixes: readonly string[]): string[] {
    return [...this]
      .map(([key]) => key)
      .filter((key) => prefixes.some((prefix) => key.startsWith(prefix)))
      .sort();
  }

  /** Rows with keys in [start, end), in no order. Deleting the row at hand is allowed. */
  *within(start: string, end: string): Generator<readonly [string, Uint8Array], void, undefined> {
    for (const [kind, rows] of this.#byKind) {
      if (kind < start.charCodeAt(0) || kind > end.charCodeAt(0)) continue;
      for (const row of rows) if (row[0] >= start && row[0] < end) yield row;
    }
  }

  *[Symbol.iterator](): Generator<readonly [string, Uint8Array], void, undefined> {
    for (const rows of this.#byKind.values()) yield* rows;
  }
}
