/** A disk's content cut into chunks of one size: what backups are made of. Pure but for what it reads from. */
import type { DiskRange } from '../../../drivers/types.ts';
import { mibBytes } from '../../base/units.ts';

const chunkBytesMin = 4 * mibBytes;
/** Data of one range that is written to a disk, at most. Unit: bytes. */
const rangeBytesMax = mibBytes;
/** Chunks of one backup, at most: its manifest is read whole. */
export const chunksMax = 2 ** 20;

/** Bytes of a chunk of a disk of this size: a power of two. */
export function chunkBytesOf(sizeBytes: number): number {
  let chunkBytes = chunkBytesMin;
  while (chunkBytes * chunksMax < sizeBytes) chunkBytes *= 2;
  return chunkBytes;
}

/** A chunk, padded with zeros to its full length. */
interface Chunk {
  /** From 0. */
  readonly number: number;
  /** Absent: zeros. The next chunk is written over this memory: it is used before that is asked for. */
  readonly data?: Uint8Array;
}

/**
 * Cuts ranges (in order, without overlap) into chunks. Chunks that no range touches do not come.
 * @param base content that the ranges do not name, of a chunk that some do; absent: zeros.
 */
export async function* chunksOf(
  ranges: AsyncIterable<DiskRange>,
  chunkBytes: number,
  base?: (number: number) => Promise<Uint8Array | undefined>,
): AsyncGenerator<Chunk> {
  const buffer = Buffer.alloc(chunkBytes);
  let current: number | undefined;
  for await (const range of ranges) {
    let done = 0;
    while (done < range.lengthBytes) {
      const at = range.offsetBytes + done;
      const number = Math.floor(at / chunkBytes);
      const from = at - number * chunkBytes;
      const length = Math.min(range.lengthBytes - done, chunkBytes - from);
      if (number !== current) {
        if (current !== undefined) yield chunkOf(current, buffer);
        current = number;
        buffer.fill(0);
        const below = length === chunkBytes ? undefined : await base?.(number);
        if (below !== undefined) buffer.set(below.subarray(0, chunkBytes));
      }
      if (range.data === undefined) buffer.fill(0, from, from + length);
      else buffer.set(range.data.subarray(done, done + length), from);
      done += length;
    }
  }
  if (current !== undefined) yield chunkOf(current, buffer);
}

/** Chunks (in order) as ranges that cover the whole disk. */
export async function* rangesOf(
  chunks: AsyncIterable<{ readonly number: number; readonly data: Uint8Array }>,
  chunkBytes: number,
  sizeBytes: number,
): AsyncGenerator<DiskRange> {
  let offsetBytes = 0;
  for await (const { number, data } of chunks) {
    const begin = number * chunkBytes;
    if (begin > offsetBytes) yield { offsetBytes, lengthBytes: begin - offsetBytes };
    const end = Math.min(begin + chunkBytes, sizeBytes);
    for (let at = begin; at < end; at += rangeBytesMax) {
      const lengthBytes = Math.min(rangeBytesMax, end - at);
      yield { offsetBytes: at, lengthBytes, data: data.subarray(at - begin, at - begin + lengthBytes) };
    }
    offsetBytes = end;
  }
  if (offsetBytes < sizeBytes) yield { offsetBytes, lengthBytes: sizeBytes - offsetBytes };
}

function chunkOf(number: number, buffer: Buffer): Chunk {
  // A buffer is all zeros when it begins with a zero and is itself, one further.
  const isZero = buffer[0] === 0 && buffer.compare(buffer, 1, buffer.length, 0, buffer.length - 1) === 0;
  return isZero ? { number } : { number, data: buffer };
}
