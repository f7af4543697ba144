/**
 * The whole state as bytes, the same on every agent at the same index:
 *
 *     "SHOALST" 1  applied index  { 1  key length  key  value length  value }*  0  number of rows  CRC-32C of all before
 *
 * Numbers are unsigned LEB128, the checksum four bytes little endian, rows as in rows.ts and in their order. The bytes are
 * cut into chunks of one size, so that a transfer can go on at any chunk after a break.
 */
import { crc32c } from '../base/crc32c.ts';
import { ShoalError } from '../base/errors.ts';
import type { StoredRow } from './rows.ts';
import type { StateView } from './state-machine.ts';
import { keyCharactersMax, valueBytesMax } from './types.ts';

/** Bytes of every chunk but the last. Small enough not to hold up the loop for more than a few milliseconds. */
export const snapshotChunkBytes = 256 * 1024;

const magic = Uint8Array.from([0x53, 0x48, 0x4f, 0x41, 0x4c, 0x53, 0x54, 1]);
/** A row's key has a letter before it; its value a revision or a token and an outcome. */
const rowKeyBytesMax = keyCharactersMax + 16;
const rowValueBytesMax = valueBytesMax + 4096;
const numberBytesMax = 8;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Encodes a view, chunk by chunk; between chunks the caller may do other things.
 * @param chunkBytes of every chunk but the last. Who fetches takes chunks of any size, and resumes at any byte.
 */
export function* encodeSnapshot(
  view: StateView,
  chunkBytes = snapshotChunkBytes,
): Generator<Uint8Array, void, undefined> {
  const writer = new ChunkWriter(chunkBytes);
  writer.bytes(magic);
  writer.number(view.appliedIndex);
  let rowCount = 0;
  for (const row of view.rows()) {
    writer.number(1);
    const key = encoder.encode(row.key);
    writer.number(key.length);
    writer.bytes(key);
    writer.number(row.value.length);
    writer.bytes(row.value);
    rowCount += 1;
    yield* writer.full();
  }
  writer.number(0);
  writer.number(rowCount);
  yield* writer.full();
  yield* writer.end();
}

/**
 * Decodes what `encodeSnapshot` made, piece by piece; pieces may be cut anywhere. Throws `LOG_CORRUPT` as soon as something
 * is wrong. Rows handed out before `finish` has returned are not yet proved: the checksum comes last.
 */
export class SnapshotDecoder {
  #rest: Uint8Array = new Uint8Array(0);
  #at = 0;
  #crc = 0;
  #appliedIndex: number | undefined;
  #rowCount = 0;
  #isComplete = false;

  /** Known once the first bytes are in. */
  get appliedIndex(): number | undefined {
    return this.#appliedIndex;
  }

  /** Takes the next piece; returns the rows that it completes. */
  push(piece: Uint8Array): StoredRow[] {
    if (piece.length === 0) return [];
    if (this.#isComplete) throw broken('bytes follow its end');
    const joined = new Uint8Array(this.#rest.length + piece.length);
    joined.set(this.#rest);
    joined.set(piece, this.#rest.length);
    this.#rest = joined;
    this.#at = 0;
    const rows: StoredRow[] = [];
    // Everything up to here is whole and goes into the checksum.
    let whole = 0;
    for (;;) {
      if (this.#appliedIndex === undefined) {
        if (!this.#header()) break;
      } else {
        const row = this.#row();
        if (row === 'more') break;
        if (row === 'end') {
          if (this.#at !== this.#rest.length) throw broken('bytes follow its end');
          return rows;
        }
        rows.push(row);
      }
      whole = this.#at;
    }
    this.#crc = crc32c(this.#rest.subarray(0, whole), this.#crc);
    this.#rest = new Uint8Array(this.#rest.subarray(whole));
    return rows;
  }

  /** Returns the applied index once everything has come and the checksum holds; throws `LOG_CORRUPT` otherwise. */
  finish(): number {
    if (!this.#isComplete || this.#appliedIndex === undefined) throw broken('it ends too early');
    return this.#appliedIndex;
  }

  #header(): boolean {
    if (this.#rest.length < magic.length) return false;
    if (!magic.every((byte, at) => this.#rest[at] === byte)) throw broken('it does not begin like one');
    this.#at = magic.length;
    const index = this.#number();
    if (index === undefined) return false;
    this.#appliedIndex = index;
    return true;
  }

  #row(): StoredRow | 'more' | 'end' {
    const kind = this.#number();
    if (kind === undefined) return 'more';
    if (kind === 0) return this.#end();
    if (kind !== 1) throw broken(`it holds an unknown item ${kind}`);
    const key = this.#item(rowKeyBytesMax);
    const value = key === undefined ? undefined : this.#item(rowValueBytesMax);
    if (key === undefined || value === undefined) return 'more';
    this.#rowCount += 1;
    // Copied, so that one row does not keep the whole piece in memory.
    return { key: decoder.decode(key), value: new Uint8Array(value) };
  }

  #end(): 'more' | 'end' {
    const count = this.#number();
    if (count === undefined || this.#rest.length < this.#at + 4) return 'more';
    if (count !== this.#rowCount) throw broken(`${count} rows were written and ${this.#rowCount} came`);
    const sum = new DataView(this.#rest.buffer, this.#rest.byteOffset + this.#at, 4).getUint32(0, true);
    // `push` has not summed this piece yet.
    if (crc32c(this.#rest.subarray(0, this.#at), this.#crc) !== sum) throw broken('its checksum is wrong');
    this.#at += 4;
    this.#isComplete = true;
    return 'end';
  }

  #item(bytesMax: number): Uint8Array | undefined {
    const length = this.#number();
    if (length === undefined) return undefined;
    if (length > bytesMax) throw broken(`it holds an item of ${length} bytes`);
    if (this.#rest.length < this.#at + length) return undefined;
    const item = this.#rest.subarray(this.#at, this.#at + length);
    this.#at += length;
    return item;
  }

  #number(): number | undefined {
    let value = 0;
    for (let place = 0; place < numberBytesMax; place += 1) {
      const byte = this.#rest[this.#at + place];
      if (byte === undefined) return undefined;
      value += (byte & 0x7f) * 2 ** (7 * place);
      if (byte < 0x80) {
        this.#at += place + 1;
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw broken('it holds a number that is too large');
  }
}

class ChunkWriter {
  readonly #chunkBytes: number;
  #buffer: Uint8Array;
  #length = 0;
  #crc = 0;

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
    this.#buffer = new Uint8Array(2 * chunkBytes);
  }

  number(value: number): void {
    this.#reserve(numberBytesMax);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length] = (rest % 0x80) | 0x80;
      this.#length += 1;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length] = rest;
    this.#length += 1;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Hands out the whole chunks gathered so far. */
  *full(): Generator<Uint8Array, void, undefined> {
    while (this.#length >= this.#chunkBytes) {
      const chunk = new Uint8Array(this.#buffer.subarray(0, this.#chunkBytes));
      this.#crc = crc32c(chunk, this.#crc);
      this.#buffer.copyWithin(0, this.#chunkBytes, this.#length);
      this.#length -= this.#chunkBytes;
      yield chunk;
    }
  }

  /** Adds the checksum and hands out what is left. */
  *end(): Generator<Uint8Array, void, undefined> {
    const sum = crc32c(this.#buffer.subarray(0, this.#length), this.#crc);
    this.#reserve(4);
    new DataView(this.#buffer.buffer).setUint32(this.#length, sum, true);
    this.#length += 4;
    yield* this.full();
    if (this.#length > 0) yield new Uint8Array(this.#buffer.subarray(0, this.#length));
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + bytes));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}

function broken(why: string): ShoalError {
  return new ShoalError('LOG_CORRUPT', `A snapshot of the state cannot be read: ${why}.`);
}
