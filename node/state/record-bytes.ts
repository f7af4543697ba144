/**
 * Records to bytes and back, with what protobufjs leaves open closed: it writes half a surrogate pair as bytes that it
 * refuses to read, and a number beyond 2^53 as another one.
 */
import protobuf from 'protobufjs/minimal.js';
import { ShoalError } from '../base/errors.ts';

/** The part of a generated message class that a table needs. */
export interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array | protobuf.Reader): T;
}

/** The bytes of `record`. Throws `INVALID_ARGUMENT` for a text or a number that could not be read back as it is. */
export function encodeRecord<T extends object>(codec: Codec<T>, record: T): Uint8Array {
  mustBeReadable(record, '');
  return codec.encode(record).finish();
}

/**
 * The record in `bytes`. Text that is no UTF-8, which versions up to 0.1 could write, is read with U+FFFD in its place: the
 * record can be shown, changed and deleted as any other. Throws what the codec does for bytes that are no such record.
 */
export function decodeRecord<T>(codec: Codec<T>, bytes: Uint8Array): T {
  try {
    return codec.decode(bytes);
  } catch (strict) {
    const reader = protobuf.Reader.create(bytes);
    reader.stringVerify = reader.string;
    try {
      return codec.decode(reader);
    } catch {
      throw strict;
    }
  }
}

function mustBeReadable(value: unknown, place: string): void {
  if (typeof value === 'string') {
    if (value.isWellFormed()) return;
    throw new ShoalError('INVALID_ARGUMENT', `The text of ${place} is not well-formed Unicode.`);
  }
  if (typeof value === 'number') {
    if (Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return;
    throw new ShoalError('INVALID_ARGUMENT', `The number of ${place} is beyond 2^53 - 1.`);
  }
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  for (const [name, part] of Object.entries(value)) {
    if (!name.isWellFormed()) throw new ShoalError('INVALID_ARGUMENT', `A key of ${place} is not well-formed Unicode.`);
    mustBeReadable(part, Array.isArray(value) ? place : name);
  }
}
