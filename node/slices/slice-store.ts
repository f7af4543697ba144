/**
 * A slice on the host's own disk: its rows, its terms and its revision, changed together. What cannot be read is as if it were
 * not there: a slice is repaired from a replica, and nobody else depends on it.
 *
 *     r/<key>     a row: its revision (8 bytes, big endian), then its value, sealed
 *     t/<term>    a term that the slice is whole in: empty, sealed
 *     place       JSON: the revision, and who the replicas were, sealed
 */
import type { RaftId } from '../base/ids.ts';
import { decodeRow, keyRow } from '../state/rows.ts';
import type { SliceTerm } from '../state/slices/slice-terms.ts';
import type { KeyValue } from '../state/types.ts';
import type { Disk, DiskOp } from '../store/log/disk.ts';
import { sealed, unsealed } from '../store/log/sealed-bytes.ts';

/** What a disk held. */
interface StoredSlice {
  readonly rows: readonly KeyValue[];
  readonly terms: readonly SliceTerm[];
  /** 0: there was none. */
  readonly revision: number;
  /** Who gave it: whom to ask first. */
  readonly replicas: readonly RaftId[];
}

/** What is to be on disk next. */
interface SliceWrite {
  readonly revision: number;
  readonly replicas: readonly RaftId[];
  readonly puts: readonly KeyValue[];
  readonly deletes: readonly string[];
  readonly termsAdded: readonly SliceTerm[];
  readonly termsRemoved: readonly SliceTerm[];
}

/** What LevelDB collects in memory of a slice before it writes a file: slices change little. */
export const sliceWriteBufferBytes = 1024 * 1024;
const placeKey = 'place';
const nothing: StoredSlice = { rows: [], terms: [], revision: 0, replicas: [] };
const empty = new Uint8Array(0);

/** See above. */
export class SliceStore {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Reads all; with anything in it that is not what was written, it is emptied. Throws `STORE_FAILED`. */
  async load(): Promise<StoredSlice> {
    const found = await this.#read();
    if (found !== undefined) return found;
    await this.#disk.clear('', '~');
    await this.#disk.write([{ key: placeKey, value: undefined }]);
    return nothing;
  }

  /** Of the slice that is there; 0: there is none. Throws `STORE_FAILED`. */
  revision(): number {
    const bytes = this.#disk.get(placeKey);
    return (bytes === undefined ? undefined : placeOf(unsealed(bytes, placeKey)))?.revision ?? 0;
  }

  /** Durable when it resolves. Throws `STORE_FAILED`. */
  write(write: SliceWrite): Promise<void> {
    const ops: DiskOp[] = [];
    for (const row of write.puts) {
      const key = `r/${row.key}`;
      ops.push({ key, value: sealed(keyRow(row).value, key) });
    }
    for (const key of write.deletes) ops.push({ key: `r/${key}`, value: undefined });
    for (const term of write.termsAdded) ops.push({ key: `t/${term}`, value: sealed(empty, `t/${term}`) });
    for (const term of write.termsRemoved) ops.push({ key: `t/${term}`, value: undefined });
    const place = JSON.stringify({ revision: write.revision, replicas: write.replicas });
    ops.push({ key: placeKey, value: sealed(new TextEncoder().encode(place), placeKey) });
    return this.#disk.write(ops);
  }

  /**
   * There is no slice any more: a replica has taken its place. That is durable when it resolves, and the room is given back; a kill
   * in between leaves rows that `sweep` takes. Throws `STORE_FAILED`.
   */
  async forget(): Promise<void> {
    await this.#disk.write([{ key: placeKey, value: undefined }]);
    await this.sweep();
  }

  /** Takes away what is left of a slice that was forgotten; a slice that is there stays. Throws `STORE_FAILED`. */
  async sweep(): Promise<void> {
    if (this.#disk.get(placeKey) !== undefined) return;
    await this.#disk.clear('', '~');
    await this.#disk.compact();
  }

  close(): Promise<void> {
    return this.#disk.close();
  }

  async #read(): Promise<StoredSlice | undefined> {
    const placeBytes = this.#disk.get(placeKey);
    const place = placeBytes === undefined ? undefined : placeOf(unsealed(placeBytes, placeKey));
    if (place === undefined) return undefined;
    const rows: KeyValue[] = [];
    for await (const { key, value } of this.#disk.scan('r/', 'r0')) {
      const content = unsealed(value, key);
      if (content === undefined || content.length < 8) return undefined;
      const decoded = decodeRow({ key: `k${key.slice(2)}`, value: content });
      if (decoded.kind === 'key') rows.push(decoded.entry);
    }
    const terms: SliceTerm[] = [];
    for await (const { key, value } of this.#disk.scan('t/', 't0')) {
      if (unsealed(value, key) === undefined) return undefined;
      terms.push(key.slice(2));
    }
    return { ...place, rows, terms };
  }
}

function placeOf(bytes: Uint8Array | undefined): Pick<StoredSlice, 'revision' | 'replicas'> | undefined {
  if (bytes === undefined) return undefined;
  const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { revision, replicas } = parsed as Record<string, unknown>;
  if (!Number.isSafeInteger(revision) || !Array.isArray(replicas)) return undefined;
  return { revision: Number(revision), replicas: replicas.map(Number).filter(Number.isSafeInteger) };
}
