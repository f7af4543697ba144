/**
 * LevelDB's files of records (its write-ahead file and its MANIFEST), read as strictly as they are written.
 *
 * The problem: LevelDB itself reads them leniently. A record whose checksum fails takes the rest of its block of 32 KiB
 * with it, which is told in LevelDB's own LOG at best; a length that points behind the end of the file passes for a write
 * that was torn by a crash, and everything behind it is left out without a word.
 *
 * The form (LevelDB, doc/log_format.md): blocks of 32 KiB; in them fragments of a header (masked CRC-32C of type and data,
 * length, type) and data; a record is one FULL fragment, or a FIRST, any number of MIDDLEs and a LAST.
 */
import { crc32c } from '../../base/crc32c.ts';

/** Unit: bytes. */
const blockBytes = 32 * 1024;
/** Checksum (4), length (2), type (1). Unit: bytes. */
const headerBytes = 7;
const fragment = { full: 1, first: 2, middle: 3, last: 4 } as const;

/** What a file of records holds. */
interface LevelRecords {
  /** Records that hold, in order. */
  readonly records: readonly Uint8Array[];
  /** Damage with records that hold behind it, for people. No crash leaves that. */
  readonly holes: readonly string[];
  /**
   * What is wrong with the end of the file; undefined: nothing. `cut`: a record is not all there, as after a crash in the
   * middle of a write. `broken`: its length is there, and its checksum fails.
   */
  readonly end: { readonly at: number; readonly kind: 'cut' | 'broken' } | undefined;
}

/** Reads a whole file. */
export function readLevelRecords(bytes: Uint8Array): LevelRecords {
  const records: Uint8Array[] = [];
  const holes: string[] = [];
  /** The first byte since the last good record that is not as it was written. */
  let bad: { readonly at: number; readonly kind: 'cut' | 'broken' } | undefined;
  let parts: Uint8Array[] = [];
  let partsAt = 0;
  const good = (record: Uint8Array): void => {
    if (bad !== undefined) holes.push(`what lies from byte ${bad.at} on is damaged`);
    bad = undefined;
    records.push(record);
  };
  let at = 0;
  while (at < bytes.length) {
    const blockEnd = Math.min(at - (at % blockBytes) + blockBytes, bytes.length);
    // Too little for a header: padding, in a whole block.
    if (blockEnd - at < headerBytes) {
      if (blockEnd % blockBytes !== 0) bad ??= { at, kind: 'cut' };
      at = blockEnd;
      continue;
    }
    const found = fragmentAt(bytes, at, blockEnd);
    if (typeof found === 'string') {
      bad ??= { at: parts.length > 0 ? partsAt : at, kind: found };
      parts = [];
      at = blockEnd;
      continue;
    }
    const { type, data } = found;
    const isBeginning = type === fragment.full || type === fragment.first;
    if (isBeginning === parts.length > 0) {
      bad ??= { at: parts.length > 0 ? partsAt : at, kind: 'broken' };
      parts = [];
    }
    if (type === fragment.full) good(data);
    else if (type === fragment.first) {
      parts = [data];
      partsAt = at;
    } else if (parts.length > 0) {
      parts.push(data);
      if (type === fragment.last) {
        good(Buffer.concat(parts));
        parts = [];
      }
    }
    at += headerBytes + data.length;
  }
  if (parts.length > 0) bad ??= { at: partsAt, kind: 'cut' };
  return { records, holes, end: bad };
}

/** The fragment that begins at `at`, or why it is none. */
function fragmentAt(
  bytes: Uint8Array,
  at: number,
  blockEnd: number,
): { readonly type: number; readonly data: Uint8Array } | 'cut' | 'broken' {
  const header = new DataView(bytes.buffer, bytes.byteOffset + at, headerBytes);
  const [length, type] = [header.getUint16(4, true), header.getUint8(6)];
  // Room that the file system had given and nothing was written to.
  if (length === 0 && type === 0 && header.getUint32(0) === 0) return 'cut';
  const dataAt = at + headerBytes;
  if (dataAt + length > blockEnd) return blockEnd === bytes.length ? 'cut' : 'broken';
  if (type < fragment.full || type > fragment.last) return 'broken';
  const isWhole = unmasked(header.getUint32(0, true)) === crc32c(bytes.subarray(at + 6, dataAt + length));
  return isWhole ? { type, data: bytes.subarray(dataAt, dataAt + length) } : 'broken';
}

/** The checksum that a stored one stands for: LevelDB turns it and adds to it, as sums of sums are weak. */
export function unmasked(stored: number): number {
  const turned = (stored - 0xa282ead8) >>> 0;
  return ((turned >>> 17) | (turned << 15)) >>> 0;
}
