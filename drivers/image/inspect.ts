/**
 * Is this file the disk image that it claims to be, and harmless? Images come from users, and QEMU opens what a header
 * names: a backing file of `/etc/shadow` would be served to a guest as its disk. So the header is read here, by our own
 * code and with bounds, before any QEMU tool sees the file.
 *
 * What is checked, for every format: the content's own signature is that of the declared format, and of no other (a file
 * that is two things at once is refused); sizes are sane and bounded; nothing outside the file is referred to.
 * Formats: QEMU docs/interop/qcow2.rst; VMware Virtual Disk Format 1.1; VirtualBox VDICore.h; ECMA-119.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { ShoalError } from '../../node/base/errors.ts';
import { gibBytes, mibBytes } from '../../node/base/units.ts';

/** Formats that may be uploaded. Guests boot from `qcow2` and `raw`; `iso` is read as raw. */
export type ImageFormat = 'qcow2' | 'raw' | 'vmdk' | 'vdi' | 'iso';
/** Formats that are recognised, so that they are not taken for raw. */
type Recognised = Exclude<ImageFormat, 'raw'> | 'qcow' | 'qed' | 'vhd' | 'vhdx' | 'luks' | 'parallels' | 'vmdk-text';

/** Bounds that an operator may set. */
interface InspectLimits {
  /** Largest disk that an image may describe, bytes. */
  readonly virtualBytesMax: number;
}

const inspectLimitsDefault: InspectLimits = { virtualBytesMax: 1024 * gibBytes };

/** What an image is. */
export interface ImageFacts {
  readonly format: ImageFormat;
  /** Size of the disk that a guest would see, bytes. */
  readonly virtualSizeBytes: number;
  /** Size of the file, bytes. */
  readonly fileBytes: number;
}

/** QEMU refuses an L1 table over 32 MiB; a sane image's is far smaller. */
const l1BytesMax = 32 * mibBytes;
/** Likewise for the refcount table: QEMU's own bound. */
const refcountTableBytesMax = 8 * mibBytes;
/** Refcounts have 1 to 64 bits. */
const refcountOrderMax = 6;
/** An embedded VMDK description is a page or two. */
const vmdkDescriptionBytesMax = 64 * 1024;

/**
 * Reads what is at `path` as `declared`. `IMAGE_REFUSED` says what is wrong; `NOT_FOUND` when there is no such file.
 */
export async function inspectImage(
  path: string,
  declared: ImageFormat,
  limits: InspectLimits = inspectLimitsDefault,
): Promise<ImageFacts> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (caught) {
    throw ShoalError.from(caught, 'NOT_FOUND', `opening ${path}`);
  }
  try {
    const source = await BoundedSource.of(file);
    const found = await recognise(source);
    const foundText = found.length === 0 ? 'raw' : found.join(' and ');
    if (found.length > 1) refuse(`it is ${foundText} at the same time`);
    if (declared === 'raw' ? found.length > 0 : found[0] !== declared) {
      refuse(`it was declared ${declared} and is ${foundText}`);
    }
    const virtualSizeBytes = await virtualSize(source, declared);
    if (virtualSizeBytes <= 0) refuse('it describes a disk of no size');
    if (virtualSizeBytes > limits.virtualBytesMax) {
      refuse(`it describes a disk of ${virtualSizeBytes} bytes; at most ${limits.virtualBytesMax} are allowed`);
    }
    return { format: declared, virtualSizeBytes, fileBytes: source.bytes };
  } finally {
    await file.close();
  }
}

/**
 * Whether the content bears the signature of any format, booted here or not. What does not is bytes that mean nothing to
 * any tool, `raw` if anything. Throws `IMAGE_REFUSED` for a header that is cut off, `NOT_FOUND` when there is no such file.
 */
export async function isRecognisedImage(path: string): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (caught) {
    throw ShoalError.from(caught, 'NOT_FOUND', `opening ${path}`);
  }
  try {
    return (await recognise(await BoundedSource.of(file))).length > 0;
  } finally {
    await file.close();
  }
}

function refuse(why: string): never {
  throw new ShoalError('IMAGE_REFUSED', `the image is refused: ${why}`);
}

/** A file that is read in pieces, each within its bounds. */
class BoundedSource {
  readonly bytes: number;
  readonly #file: FileHandle;

  private constructor(file: FileHandle, bytes: number) {
    this.#file = file;
    this.bytes = bytes;
  }

  static async of(file: FileHandle): Promise<BoundedSource> {
    const stat = await file.stat();
    if (!stat.isFile()) refuse('it is not a plain file');
    return new BoundedSource(file, stat.size);
  }

  /** Exactly `length` bytes at `offset`; refuses the image when they are not there. */
  async need(offset: number, length: number, what: string): Promise<Buffer> {
    const piece = await this.peek(offset, length);
    if (piece.length < length) refuse(`it ends before its ${what}`);
    return piece;
  }

  /** Up to `length` bytes at `offset`. */
  async peek(offset: number, length: number): Promise<Buffer> {
    const buffer = Buffer.alloc(Math.max(0, Math.min(length, this.bytes - offset)));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#file.read(buffer, filled, buffer.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }
}

const signatures: readonly { readonly format: Recognised; readonly offset: number; readonly bytes: Buffer }[] = [
  { format: 'qcow2', offset: 0, bytes: Buffer.from('514649fb', 'hex') },
  { format: 'qed', offset: 0, bytes: Buffer.from('QED\0') },
  { format: 'vmdk', offset: 0, bytes: Buffer.from('KDMV') },
  { format: 'vmdk-text', offset: 0, bytes: Buffer.from('COWD') },
  { format: 'vmdk-text', offset: 0, bytes: Buffer.from('# Disk DescriptorFile') },
  { format: 'vdi', offset: 0x40, bytes: Buffer.from('7f10dabe', 'hex') },
  { format: 'vhdx', offset: 0, bytes: Buffer.from('vhdxfile') },
  { format: 'vhd', offset: 0, bytes: Buffer.from('conectix') },
  { format: 'luks', offset: 0, bytes: Buffer.from('LUKS\xba\xbe', 'latin1') },
  { format: 'parallels', offset: 0, bytes: Buffer.from('WithoutFreeSpace') },
  { format: 'parallels', offset: 0, bytes: Buffer.from('WithouFreSpacExt') },
  { format: 'iso', offset: 32_769, bytes: Buffer.from('CD001') },
];
/** A fixed VHD has its only signature in the last sector. */
const vhdFooter = { bytes: Buffer.from('conectix'), fromEnd: 512 };

async function recognise(source: BoundedSource): Promise<readonly Recognised[]> {
  const found = new Set<Recognised>();
  for (const { format, offset, bytes } of signatures) {
    if (!(await source.peek(offset, bytes.length)).equals(bytes)) continue;
    // Version 1 has the same signature and is another format.
    const isOld = format === 'qcow2' && (await source.need(4, 4, 'header')).readUInt32BE() < 2;
    found.add(isOld ? 'qcow' : format);
  }
  const footer = source.bytes < vhdFooter.fromEnd ? undefined : await source.peek(source.bytes - vhdFooter.fromEnd, 8);
  if (footer?.equals(vhdFooter.bytes) === true) found.add('vhd');
  return [...found];
}

async function virtualSize(source: BoundedSource, format: ImageFormat): Promise<number> {
  switch (format) {
    case 'raw':
    case 'iso':
      return source.bytes;
    case 'qcow2':
      return qcow2Size(source);
    case 'vmdk':
      return vmdkSize(source);
    case 'vdi':
      return vdiSize(source);
  }
}

/** A 64-bit field as a number; what no number can hold is no honest size or offset. */
function bounded(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) refuse(`its ${what} is absurd`);
  return Number(value);
}

async function qcow2Size(source: BoundedSource): Promise<number> {
  const header = await source.need(0, 72, 'header');
  const version = header.readUInt32BE(4);
  if (version !== 2 && version !== 3) refuse(`qcow2 version ${version} is not known`);
  if (header.readBigUInt64BE(8) !== 0n || header.readUInt32BE(16) !== 0) refuse('it has a backing file');
  const clusterBits = header.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21) refuse(`its clusters of 2^${clusterBits} bytes are out of range`);
  const clusterBytes = 2 ** clusterBits;
  const size = bounded(header.readBigUInt64BE(24), 'disk size');
  if (header.readUInt32BE(32) !== 0) refuse('it is encrypted');
  if (header.readUInt32BE(60) !== 0) refuse('it has internal snapshots');
  let entryBytes = 8;
  let headerBytes = 72;
  if (version === 3) {
    const rest = await source.need(72, 32, 'header');
    const incompatible = rest.readBigUInt64BE(0);
    if ((incompatible & 2n) !== 0n) refuse('it says of itself that it is corrupt');
    if ((incompatible & 4n) !== 0n) refuse('its data is in another file');
    // Dirty (1), compression type (8) and extended L2 entries (16) stay inside the file.
    if ((incompatible & ~0b11001n) !== 0n) refuse(`it needs unknown features (${incompatible.toString(2)})`);
    if ((incompatible & 16n) !== 0n) entryBytes = 16;
    const refcountOrder = rest.readUInt32BE(24);
    if (refcountOrder > refcountOrderMax) refuse(`its refcounts of 2^${refcountOrder} bits are out of range`);
    headerBytes = rest.readUInt32BE(28);
    if (headerBytes < 104 || headerBytes > clusterBytes || headerBytes % 8 !== 0) refuse('its header length is absurd');
    if ((incompatible & 8n) !== 0n) {
      if (headerBytes < 112) refuse('its header has no room for the compression type that it announces');
      const compression = (await source.need(104, 1, 'header')).readUInt8();
      if (compression > 1) refuse(`its compression ${compression} is not known`);
    }
  }
  await checkExtensions(source, headerBytes, clusterBytes);

  const l1Entries = header.readUInt32BE(36);
  const coveredByL1Entry = clusterBytes * (clusterBytes / entryBytes);
  if (l1Entries * 8 > l1BytesMax) refuse('its L1 table is absurdly large');
  if (l1Entries < Math.ceil(size / coveredByL1Entry)) refuse('its L1 table is too small for its disk');
  const l1Offset = bounded(header.readBigUInt64BE(40), 'L1 offset');
  const l1Table = { what: 'L1 table', offset: l1Offset, bytes: l1Entries * 8, clusterBytes };
  checkTable(source, l1Table);
  const refcountBytes = header.readUInt32BE(56) * clusterBytes;
  if (refcountBytes === 0 || refcountBytes > refcountTableBytesMax) refuse('its refcount table has an absurd size');
  const refcountOffset = bounded(header.readBigUInt64BE(48), 'refcount offset');
  const refcountTable = { what: 'refcount table', offset: refcountOffset, bytes: refcountBytes, clusterBytes };
  checkTable(source, refcountTable);
  const tables = [{ what: 'header', offset: 0, bytes: clusterBytes, clusterBytes }, l1Table, refcountTable];
  for (const [at, table] of tables.entries()) {
    const other = tables.slice(at + 1).find((candidate) => overlap(table, candidate));
    if (other !== undefined) refuse(`its ${table.what} and its ${other.what} overlap`);
  }
  for (const table of [l1Table, refcountTable]) await checkEntries(source, table, tables);
  return size;
}

/** A part of the file that the header names. */
interface Table {
  readonly what: string;
  readonly offset: number;
  readonly bytes: number;
  readonly clusterBytes: number;
}

function overlap(a: Omit<Table, 'what' | 'clusterBytes'>, b: Omit<Table, 'what' | 'clusterBytes'>): boolean {
  return a.bytes > 0 && b.bytes > 0 && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

/** Bits of an entry of the L1 table that are its offset; of the refcount table all but the lowest nine are. */
const offsetBits = 0x00fffffffffffe00n;
/** Entries are read in pieces: a table may have 32 MiB. */
const entriesPieceBytes = 64 * 1024;

/** Each entry of a table of tables names one within the file, and none of those that the header names. */
async function checkEntries(source: BoundedSource, table: Table, tables: readonly Table[]): Promise<void> {
  for (let at = 0; at < table.bytes; at += entriesPieceBytes) {
    const piece = await source.need(table.offset + at, Math.min(entriesPieceBytes, table.bytes - at), table.what);
    for (let entry = 0; entry + 8 <= piece.length; entry += 8) {
      const value = piece.readBigUInt64BE(entry);
      if (value === 0n) continue;
      const offset = Number(value & offsetBits);
      if (offset === 0 || offset % table.clusterBytes !== 0 || offset >= source.bytes) {
        refuse(`its ${table.what} leads out of it`);
      }
      const other = tables.find((candidate) => overlap({ offset, bytes: table.clusterBytes }, candidate));
      if (other !== undefined) refuse(`its ${table.what} leads into its ${other.what}`);
    }
  }
}

function checkTable(source: BoundedSource, table: Table): void {
  if (table.bytes === 0) return;
  if (table.offset === 0 || table.offset % table.clusterBytes !== 0) refuse(`its ${table.what} is at an absurd offset`);
  if (table.offset + table.bytes > source.bytes) refuse(`its ${table.what} lies beyond its end`);
}

/** Header extensions name things beside the disk: only those that stay within the file are allowed. */
async function checkExtensions(source: BoundedSource, start: number, clusterBytes: number): Promise<void> {
  let at = start;
  while (at + 8 <= clusterBytes) {
    const head = await source.peek(at, 8);
    if (head.length < 8) return;
    const type = head.readUInt32BE(0);
    const length = head.readUInt32BE(4);
    if (type === 0) return;
    if (type === 0xe2792aca) refuse('it names the format of a backing file');
    if (type === 0x44415441) refuse('it names an external data file');
    if (type === 0x0537be77) refuse('it is encrypted');
    if (length > clusterBytes - at - 8) refuse('a header extension is longer than its cluster');
    at += 8 + Math.ceil(length / 8) * 8;
  }
}

async function vmdkSize(source: BoundedSource): Promise<number> {
  const header = await source.need(0, 79, 'header');
  const version = header.readUInt32LE(4);
  if (version < 1 || version > 3) refuse(`VMDK version ${version} is not known`);
  const capacity = bounded(header.readBigUInt64LE(12), 'disk size') * 512;
  const grainSectors = bounded(header.readBigUInt64LE(20), 'grain size');
  if (grainSectors < 1 || grainSectors > 2048) refuse('its grain size is absurd');
  const descriptionOffset = bounded(header.readBigUInt64LE(28), 'description offset') * 512;
  const descriptionBytes = bounded(header.readBigUInt64LE(36), 'description size') * 512;
  if (descriptionOffset === 0 || descriptionBytes === 0) refuse('it has no description inside');
  if (descriptionBytes > vmdkDescriptionBytesMax) refuse('its description is absurdly large');
  const text = (await source.need(descriptionOffset, descriptionBytes, 'description'))
    .toString('latin1')
    .replace(/\0.*$/s, '');
  const createType = /^\s*createType\s*=\s*"([^"]*)"/m.exec(text)?.[1];
  if (createType !== 'monolithicSparse' && createType !== 'streamOptimized') {
    refuse(`VMDK of type ${createType ?? 'unknown'} may refer to other files`);
  }
  const parent = /^\s*parentCID\s*=\s*([0-9a-fA-F]+)/m.exec(text)?.[1];
  if (parent?.toLowerCase() !== 'ffffffff' || /^\s*parentFileNameHint/m.test(text)) refuse('it has a backing file');
  const extents = text.split('\n').filter((line) => /^\s*(RW|RDONLY|NOACCESS)\s/.test(line));
  // The one extent is this file itself; its name is whatever it was called when it was made, without a path.
  const extent = extents[0];
  if (extents.length !== 1 || extent === undefined || !/^\s*RW\s+\d+\s+SPARSE\s+"[^"/\\]*"\s*$/.test(extent)) {
    refuse('its description refers to other files');
  }
  if (Number(/RW\s+(\d+)/.exec(extent)?.[1]) * 512 !== capacity)
    refuse('its description gives another size than its header');
  return capacity;
}

async function vdiSize(source: BoundedSource): Promise<number> {
  const header = await source.need(0, 0x200, 'header');
  const version = header.readUInt32LE(0x44);
  if (version !== 0x00010001) refuse(`VDI version ${version.toString(16)} is not known`);
  const type = header.readUInt32LE(0x4c);
  if (type !== 1 && type !== 2) refuse(`a VDI of type ${type} is a difference to another file`);
  const blockMapOffset = header.readUInt32LE(0x154);
  const size = bounded(header.readBigUInt64LE(0x170), 'disk size');
  const blockBytes = header.readUInt32LE(0x178);
  const blocks = header.readUInt32LE(0x180);
  if (blockBytes !== mibBytes) refuse(`its blocks of ${blockBytes} bytes are unusual`);
  if (blocks !== Math.ceil(size / blockBytes)) refuse('its number of blocks does not match its size');
  if (blockMapOffset % 512 !== 0 || blockMapOffset + blocks * 4 > source.bytes)
    refuse('its block map lies beyond its end');
  const links = header.subarray(0x1a8, 0x1c8);
  if (links.some((byte) => byte !== 0)) refuse('it refers to a parent');
  return size;
}
