/**
 * Pieces of a slice, compressed on their way: rows name the same projects, networks and hosts again and again, and take a fifth
 * of their bytes so. Each piece is packed by itself: a window kept for each subscriber would take 256 KiB of a replica's memory
 * for each of a thousand.
 */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { ShoalError } from '../base/errors.ts';

/** Less is sent as it is: it takes one packet either way. Unit: bytes. */
const packedFromBytes = 512;
/** What a piece may unpack to: a piece holds 64 KiB and one row. Unit: bytes. */
export const unpackedBytesMax = 4 * 1024 * 1024;
/** Of zlib, 1 to 9: beyond it a piece takes twice the time for a tenth less. */
const level = 3;

/** The piece, compressed; undefined: it is to be sent as it is. */
export function packed(piece: Uint8Array): Uint8Array | undefined {
  if (piece.length < packedFromBytes || piece.length > unpackedBytesMax) return undefined;
  const bytes = deflateRawSync(piece, { level });
  return bytes.length < piece.length ? bytes : undefined;
}

/** Throws `INVALID_ARGUMENT` for what is not whole, or larger than a piece may be. */
export function unpacked(bytes: Uint8Array): Uint8Array {
  try {
    return inflateRawSync(bytes, { maxOutputLength: unpackedBytesMax, finishFlush: constants.Z_FINISH });
  } catch (caught) {
    throw new ShoalError('INVALID_ARGUMENT', 'A peer sent a packed piece that cannot be unpacked, or is too large.', {
      facts: { bytes: bytes.length, unpackedBytesMax },
      cause: caught,
    });
  }
}
