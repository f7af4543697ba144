/**
 * What the log store needs of a disk: an ordered map of bytes with atomic, durable writes. LevelDB is one (../level/level-disk.ts),
 * a map in memory with switchable failures another (../memory/memory-disk.ts).
 */

/** One change of a batch; `value` undefined removes the key. */
export interface DiskOp {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** A key with its value. */
export interface DiskRow {
  readonly key: string;
  readonly value: Uint8Array;
}

/** One log's storage, with one owner. Keys are ASCII and ordered by their bytes. `test/compliance` has its suite. */
export interface Disk {
  /** Reads at once. Throws `STORE_FAILED`. */
  get(key: string): Uint8Array | undefined;
  /**
   * Rows with keys in [start, end), in order, as they are when the first is asked for. Who gets bytes may keep and change
   * them, as those of `get`. Throws `STORE_FAILED`.
   */
  scan(start: string, end: string): AsyncIterable<DiskRow>;
  /**
   * All changes or none. Durable (on the platter, not in a cache) when it resolves. Throws `STORE_FAILED`; what is on disk
   * is then not known, and every further write fails until the disk is opened again. The disk may keep the bytes: nobody
   * changes them afterwards.
   */
  write(ops: readonly DiskOp[]): Promise<void>;
  /** Removes what lies in [start, end), in no particular order and not durably: for what nobody reads any more. */
  clear(start: string, end: string): Promise<void>;
  /** Gives back the room of what was removed, now rather than with later writes. Takes as long as what is left is large. */
  compact(): Promise<void>;
  /** Safe to call twice. */
  close(): Promise<void>;
}
