/**
 * Whether a table of LevelDB (`*.ldb`) is what was written: every block's checksum holds, and its first and last key are
 * those that the MANIFEST names. LevelDB looks at checksums only where it is asked to, and never at those of an index: a bit
 * that is flipped there hides rows without an error (LevelDB, doc/table_format.md).
 */
import { crc32c } from '../../base/crc32c.ts';
import { LevelBytes } from './level-bytes.ts';
import type { KnownTable } from './level-manifest.ts';
import { unmasked } from './level-records.ts';

/** Two handles, padded, and a magic number. Unit: bytes. */
const footerBytes = 48;
const magic = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb] as const;
/** Sequence number (7) and kind of write (1) behind each key. Unit: bytes. */
const sequenceBytes = 8;
/** A write that gives a value. */
const putTag = 1n;
/** Kind of compression (1) and checksum (4). Unit: bytes. */
const trailerBytes = 5;

interface Block {
  readonly content: Uint8Array;
  readonly isCompressed: boolean;
}

/** What is wrong with a table's bytes; undefined: nothing. */
export function faultOfLevelTable(bytes: Uint8Array, known: KnownTable): string | undefined {
  if (bytes.length !== known.size) return `it has ${bytes.length} bytes instead of ${known.size}`;
  if (bytes.length < footerBytes) return 'it is too short';
  const footer = bytes.subarray(-footerBytes);
  if (!magic.every((byte, at) => footer[footerBytes - magic.length + at] === byte)) return 'its end is damaged';
  try {
    const handles = new LevelBytes(footer);
    blockAt(bytes, handles.varint(), handles.varint());
    return faultOfBlocks(bytes, blockAt(bytes, handles.varint(), handles.varint()), known);
  } catch (caught) {
    if (!(caught instanceof RangeError)) throw caught;
    return caught.message;
  }
}

function faultOfBlocks(bytes: Uint8Array, index: Block, known: KnownTable): string | undefined {
  // A table that another version wrote compressed: where its blocks lie is not looked for.
  if (index.isCompressed) return undefined;
  const blocks = entriesOf(index.content).map(({ value }) => {
    const handle = new LevelBytes(value);
    return blockAt(bytes, handle.varint(), handle.varint());
  });
  const [first, last] = [blocks[0], blocks.at(-1)];
  if (first === undefined || last === undefined) return 'it holds nothing';
  if (first.isCompressed || last.isCompressed) return undefined;
  const [smallest, largest] = [entriesOf(first.content)[0]?.key, entriesOf(last.content).at(-1)?.key];
  if (smallest === undefined || largest === undefined) return 'it holds nothing';
  const isKnown = Buffer.compare(smallest, known.smallest) === 0 && Buffer.compare(largest, known.largest) === 0;
  return isKnown ? undefined : 'it holds other rows than are noted of it';
}

/**
 * The newest value of `key` in a table that `faultOfLevelTable` has found sound, with the sequence number of its write.
 * Undefined: it has none, or the table is compressed.
 */
export function valueInLevelTable(
  bytes: Uint8Array,
  key: string,
): { readonly sequence: bigint; readonly value: Uint8Array } | undefined {
  const wanted = Buffer.from(key, 'latin1');
  const handles = new LevelBytes(bytes.subarray(-footerBytes));
  blockAt(bytes, handles.varint(), handles.varint());
  const index = blockAt(bytes, handles.varint(), handles.varint());
  if (index.isCompressed) return undefined;
  // The index has for each block a key that is not below its last one.
  const entry = entriesOf(index.content).find((each) => Buffer.compare(userKeyOf(each.key), wanted) >= 0);
  if (entry === undefined) return undefined;
  const handle = new LevelBytes(entry.value);
  const block = blockAt(bytes, handle.varint(), handle.varint());
  if (block.isCompressed) return undefined;
  // Of several writes of a key the newest comes first.
  const found = entriesOf(block.content).find((each) => Buffer.compare(userKeyOf(each.key), wanted) === 0);
  if (found === undefined) return undefined;
  const tail = new DataView(found.key.buffer, found.key.byteOffset + found.key.length - sequenceBytes, sequenceBytes);
  const packed = tail.getBigUint64(0, true);
  return (packed & 0xffn) === putTag ? { sequence: packed >> 8n, value: found.value } : undefined;
}

/** A key without its sequence number and kind of write. */
function userKeyOf(key: Uint8Array): Uint8Array {
  return key.subarray(0, key.length - sequenceBytes);
}

/** A block whose checksum holds. Throws `RangeError`. */
function blockAt(bytes: Uint8Array, offset: number, size: number): Block {
  const end = offset + size;
  if (end + trailerBytes > bytes.length) throw new RangeError('a block lies behind its end');
  const stored = new DataView(bytes.buffer, bytes.byteOffset + end + 1, 4).getUint32(0, true);
  if (unmasked(stored) !== crc32c(bytes.subarray(offset, end + 1))) {
    throw new RangeError(`the block at byte ${offset} fails its checksum`);
  }
  return { content: bytes.subarray(offset, end), isCompressed: bytes[end] !== 0 };
}

/** The entries of an uncompressed block. Keys share what they begin with. */
function entriesOf(content: Uint8Array): readonly { readonly key: Uint8Array; readonly value: Uint8Array }[] {
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  const restarts = view.getUint32(content.length - 4, true);
  const entries = new LevelBytes(content.subarray(0, content.length - 4 - 4 * restarts));
  const found: { readonly key: Uint8Array; readonly value: Uint8Array }[] = [];
  let key: Uint8Array = new Uint8Array(0);
  while (!entries.isAtEnd) {
    const [shared, own, length] = [entries.varint(), entries.varint(), entries.varint()];
    key = Buffer.concat([key.subarray(0, shared), entries.take(own)]);
    found.push({ key, value: entries.take(length) });
  }
  return found;
}
