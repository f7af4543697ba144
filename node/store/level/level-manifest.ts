/** LevelDB's MANIFEST: which tables and which write-ahead file make up a database (LevelDB, db/version_edit.cc). */
import { LevelBytes } from './level-bytes.ts';
import { readLevelRecords } from './level-records.ts';

/** A table as the MANIFEST knows it. Keys are LevelDB's own, which end in a sequence number. */
export interface KnownTable {
  readonly number: number;
  /** Unit: bytes. */
  readonly size: number;
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
}

/** What a MANIFEST amounts to once all its edits are made. */
export interface LevelManifest {
  /** By number. */
  readonly tables: ReadonlyMap<number, KnownTable>;
  /** The oldest write-ahead file that counts; 0: none yet. */
  readonly logNumber: number;
}

const tag = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLog: 9,
} as const;

/** Reads it; a text says why it cannot be. An end that was cut by a crash is taken as LevelDB takes it. */
export function readLevelManifest(bytes: Uint8Array): LevelManifest | string {
  const { records, holes, end } = readLevelRecords(bytes);
  const [hole] = holes;
  if (hole !== undefined) return hole;
  if (end?.kind === 'broken') return `what lies from byte ${end.at} on fails its checksum`;
  if (records.length === 0) return 'it holds nothing';
  const tables = new Map<number, KnownTable>();
  let logNumber: number | undefined;
  try {
    for (const record of records) {
      const edit = new LevelBytes(record);
      while (!edit.isAtEnd) logNumber = takeField(edit, tables) ?? logNumber;
    }
  } catch (caught) {
    if (!(caught instanceof RangeError)) throw caught;
    return caught.message;
  }
  // Each MANIFEST begins with what there is and goes on with this: without it, its end is missing.
  return logNumber === undefined ? 'it names no write-ahead file' : { tables, logNumber };
}

/** Takes one field of an edit; returns the write-ahead file that it names, if it does. */
function takeField(edit: LevelBytes, tables: Map<number, KnownTable>): number | undefined {
  const field = edit.varint();
  switch (field) {
    case tag.logNumber:
      return edit.varint();
    case tag.comparator:
      edit.sized();
      return undefined;
    case tag.nextFile:
    case tag.lastSequence:
    case tag.previousLog:
      edit.varint();
      return undefined;
    case tag.compactPointer:
      edit.varint();
      edit.sized();
      return undefined;
    case tag.deletedFile:
      edit.varint();
      tables.delete(edit.varint());
      return undefined;
    case tag.newFile: {
      edit.varint();
      const [number, size] = [edit.varint(), edit.varint()];
      tables.set(number, { number, size, smallest: edit.sized(), largest: edit.sized() });
      return undefined;
    }
    default:
      throw new RangeError(`it holds a field ${field} that is not known`);
  }
}
