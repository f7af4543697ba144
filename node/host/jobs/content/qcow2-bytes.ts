/**
 * The content of a disk as a qcow2 image: what holds only zeros takes no room, on no host that keeps the image and on no way there.
 * The disk is read twice, since what is in the image's tables comes before its data; it must hold the same both times.
 */
import type { DiskExport, DiskRange } from '../../../../drivers/types.ts';
import { ShoalError } from '../../../base/errors.ts';
import { ClusterSet, clusterBytes, clustersOf, layoutOf, tablesOf } from './qcow2-layout.ts';

const zeros = Buffer.alloc(clusterBytes);

/** An image that is ready to be written. */
interface Qcow2Image {
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
export async function qcow2Image(
  open: () => Promise<DiskExport>,
  progress: (percent: number) => void,
): Promise<Qcow2Image> {
  const content = await open();
  const { sizeBytes } = content;
  const used = new ClusterSet(clustersOf(sizeBytes));
  for await (const { cluster } of clustersIn(content, (percent) => progress(Math.floor(percent / 2)))) {
    used.add(cluster);
  }
  const layout = layoutOf(sizeBytes, used);
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield* tablesOf(layout, used);
    let left = used.size;
    for await (const { cluster, data } of clustersIn(await open(), (percent) =>
      progress(50 + Math.floor(percent / 2)),
    )) {
      if (!used.has(cluster)) throw changed();
      left -= 1;
      yield data;
    }
    if (left !== 0) throw changed();
  }
  return { sizeBytes: layout.clusters * clusterBytes, bytes: bytes() };
}

/** Those that hold anything but zeros, whole, in the order of the disk. What is read may be changed once the next is asked for. */
async function* clustersIn(
  { ranges, sizeBytes }: DiskExport,
  progress: (percent: number) => void,
): AsyncGenerator<{ readonly cluster: number; readonly data: Uint8Array }> {
  let current: { readonly cluster: number; readonly data: Uint8Array } | undefined;
  let atBytes = 0;
  let told = 0;
  for await (const range of ranges) {
    if (range.offsetBytes !== atBytes) {
      throw new ShoalError('DRIVER_FAILED', `the disk is read from ${range.offsetBytes} on, and not from ${atBytes}`);
    }
    for (const { cluster, at, piece } of piecesOf(range)) {
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
function* piecesOf({ offsetBytes, lengthBytes, data }: DiskRange): Generator<{
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
