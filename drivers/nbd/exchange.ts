/** The content of a disk as ranges, out of and into what NBD serves. The same for every storage. */
import { ShoalError } from '../../node/base/errors.ts';
import type { DiskRange, Progress } from '../types.ts';
import { type NbdClient, transferBytesMax } from './client.ts';
import type { DiskReader } from './encrypted-holes.ts';

/** A stretch of a disk that may have changed. */
interface Stretch {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** How much of a disk is asked about at once. */
const askBytesMax = 1024 * 1024 * 1024;

/** All of the disk, or these stretches of it: zeros where it is known to hold none but them, else data. */
export async function* readRanges(client: DiskReader, stretches?: Iterable<Stretch>): AsyncGenerator<DiskRange> {
  for (const stretch of stretches ?? [{ offsetBytes: 0, lengthBytes: client.sizeBytes }]) {
    const end = Math.min(client.sizeBytes, stretch.offsetBytes + stretch.lengthBytes);
    for (let at = stretch.offsetBytes; at < end; ) {
      for (const { lengthBytes, isZero } of await client.extents(at, Math.min(askBytesMax, end - at))) {
        if (isZero) yield { offsetBytes: at, lengthBytes };
        else yield* readData(client, at, lengthBytes);
        at += lengthBytes;
      }
    }
  }
}

async function* readData(client: DiskReader, offsetBytes: number, lengthBytes: number): AsyncGenerator<DiskRange> {
  for (let done = 0; done < lengthBytes; done += transferBytesMax) {
    const length = Math.min(transferBytesMax, lengthBytes - done);
    const data = await client.read(offsetBytes + done, length);
    yield { offsetBytes: offsetBytes + done, lengthBytes: length, data };
  }
}

/**
 * What `now` holds and `before` does not, by reading both: for storage that does not know what has changed. What is
 * zeros in both is not read. A disk that has grown differs in what was added.
 */
export async function* readDifferences(now: DiskReader, before: DiskReader): AsyncGenerator<DiskRange> {
  for await (const range of readRanges(now)) {
    const { offsetBytes, lengthBytes, data } = range;
    if (offsetBytes + lengthBytes > before.sizeBytes) {
      yield range;
    } else if (data === undefined) {
      yield* readNonzero(before, offsetBytes, lengthBytes);
    } else if (Buffer.compare(data, await before.read(offsetBytes, lengthBytes)) !== 0) yield range;
  }
}

/** Where `before` may hold something else than zeros, zeros are what differs. */
async function* readNonzero(before: DiskReader, offsetBytes: number, lengthBytes: number): AsyncGenerator<DiskRange> {
  for await (const old of readRanges(before, [{ offsetBytes, lengthBytes }])) {
    if (old.data?.some((byte) => byte !== 0) === true) {
      yield { offsetBytes: old.offsetBytes, lengthBytes: old.lengthBytes };
    }
  }
}

/** Writes the ranges, flushed at the end. `INVALID_ARGUMENT` for one that does not lie within the disk. */
export async function writeRanges(
  client: NbdClient,
  ranges: AsyncIterable<DiskRange>,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  for await (const { offsetBytes, lengthBytes, data } of ranges) {
    if (signal.aborted) throw new ShoalError('CANCELLED', 'writing a disk was cancelled');
    const end = offsetBytes + lengthBytes;
    const isWhole = Number.isSafeInteger(end) && offsetBytes >= 0 && lengthBytes > 0 && end <= client.sizeBytes;
    if (!isWhole || (data !== undefined && data.length !== lengthBytes)) {
      throw new ShoalError('INVALID_ARGUMENT', `a range does not lie within the disk's ${client.sizeBytes} bytes`, {
        facts: { offsetBytes, lengthBytes, dataBytes: data?.length },
      });
    }
    if (data === undefined) await client.writeZeroes(offsetBytes, lengthBytes);
    else {
      for (let at = 0; at < lengthBytes; at += transferBytesMax) {
        await client.write(offsetBytes + at, data.subarray(at, at + transferBytesMax));
      }
    }
    progress(Math.floor((end * 100) / client.sizeBytes));
  }
  await client.flush();
}

/** The ranges, after which `close` is called, also when their reader leaves early or reading fails. */
export async function* closedAfter(
  ranges: AsyncIterable<DiskRange>,
  close: () => Promise<void>,
): AsyncGenerator<DiskRange> {
  let isRead = false;
  try {
    yield* ranges;
    isRead = true;
  } finally {
    // Who left early, or has another error already, need not hear of this one.
    const closing = close();
    await (isRead ? closing : closing.catch(() => {}));
  }
}
