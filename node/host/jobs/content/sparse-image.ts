/**
 * The content of a disk as an image whose tables stand before its data: what holds only zeros takes no room, on no host that keeps the
 * image and on no way there. The disk is read twice, since what is in the tables comes before the data; it must hold the same both times.
 */
import type { DiskExport, DiskRange } from '../../../../drivers/types.ts';
import { ShoalError } from '../../../base/errors.ts';
import { mibBytes } from '../../../base/units.ts';
import { ClusterSet } from './cluster-set.ts';

const zeros = Buffer.alloc(mibBytes);

/** How a format lays an image out. Pure. */
export interface SparseFormat {
  /** Bytes of what is there or not as a whole: a cluster, a block, a grain; at most 1 MiB. */
  readonly clusterBytes: number;
  /** The image of a disk of that size, of which these clusters hold data: they follow its tables, in the order of the disk. */
  plan(
    sizeBytes: number,
    used: ClusterSet,
  ): {
    /** Of the whole file. */
    readonly fileBytes: number;
    /** All that stands before the data. */
    tables(): Iterable<Uint8Array>;
  };
}

/** An image that is ready to be written. */
export interface ImageBytes {
  /** Of the file. */
  readonly sizeBytes: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * Reads the disk once to see what it holds; the second time when the image's bytes are read. Throws `DRIVER_FAILED` for ranges
 * that are not the whole disk, or not the same twice.
 * @param open gives the content from its beginning, each time the same.
 * @param progress per cent of both readings.
 */
export async function sparseImage(
  format: SparseFormat,
  open: () => Promise<DiskExport>,
  progress: (percent: number) => void,
): Promise<ImageBytes> {
  const content = await open();
  const { clusterBytes } = format;
  const used = new ClusterSet(Math.ceil(content.sizeBytes / clusterBytes));
  const half = (percent: number): void => progress(Math.floor(percent / 2));
  for await (const { cluster } of clustersIn(content, clusterBytes, half)) used.add(cluster);
  const { fileBytes, tables } = format.plan(content.sizeBytes, used);
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield* tables();
    let left = used.size;
    const rest = (percent: number): void => progress(50 + Math.floor(percent / 2));
    for await (const { cluster, data } of clustersIn(await open(), clusterBytes, rest)) {
      if (!used.has(cluster)) throw changed();
      left -= 1;
      yield data;
    }
    if (left !== 0) throw changed();
  }
  return { sizeBytes: fileBytes, bytes: bytes() };
}

/** Those that hold anything but zeros, whole, in the order of the disk. What is read may be changed once the next is asked for. */
async function* clustersIn(
  { ranges, sizeBytes }: DiskExport,
  clusterBytes: number,
  progress: (percent: number) => void,
): AsyncGenerator<{ readonly cluster: number; readonly data: Uint8Array }> {
  let current: { readonly cluster: number; readonly data: Uint8Array } | undefined;
  let atBytes = 0;
  let told = 0;
  for await (const range of ranges) {
    if (range.offsetBytes !== atBytes) {
      throw new ShoalError('DRIVER_FAILED', `the disk is read from ${range.offsetBytes} on, and not from ${atBytes}`);
    }
    for (const { cluster, at, piece } of piecesOf(range, clusterBytes)) {
      if (current !== undefined && current.cluster !== cluster) {
        yield current;
        current = undefined;
      }
      current ??= { cluster, data: new Uint8Array(clusterBytes) };
      current.data.set(piece, at);
    }
    atBytes += range.lengthBytes;
    const percent = Math.floor((atBytes / sizeBytes) * 100);
    if (percent > told) progress(percent);
    told = percent;
  }
  if (current !== undefined) yield current;
  if (atBytes !== sizeBytes) throw new ShoalError('DRIVER_FAILED', `${atBytes} bytes were read of ${sizeBytes}`);
}

/** A range cut where clusters end, without what is zeros. */
function* piecesOf(
  { offsetBytes, lengthBytes, data }: DiskRange,
  clusterBytes: number,
): Generator<{
  readonly cluster: number;
  readonly at: number;
  readonly piece: Uint8Array;
}> {
  if (data === undefined) return;
  for (let done = 0; done < lengthBytes; ) {
    const position = offsetBytes + done;
    const at = position % clusterBytes;
    const length = Math.min(clusterBytes - at, lengthBytes - done);
    const piece = data.subarray(done, done + length);
    if (Buffer.compare(piece, zeros.subarray(0, length)) !== 0) {
      yield { cluster: Math.floor(position / clusterBytes), at, piece };
    }
    done += length;
  }
}

function changed(): ShoalError {
  return new ShoalError('DRIVER_FAILED', 'the disk has changed while it was read');
}
