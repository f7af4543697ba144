/** The content of a disk as a raw image has it. */
import type { DiskExport, DiskRange } from '../../../../drivers/types.ts';
import { ShoalError } from '../../../base/errors.ts';
import { mibBytes } from '../../../base/units.ts';

const zeros = Buffer.alloc(mibBytes);

/** The disk from its first byte to its last; holes are zeros. Throws `DRIVER_FAILED` for ranges that are not the whole disk. */
export async function* rawBytes(
  { ranges, sizeBytes }: DiskExport,
  progress: (percent: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let atBytes = 0;
  let told = 0;
  for await (const range of ranges) {
    if (range.offsetBytes !== atBytes) {
      throw new ShoalError('DRIVER_FAILED', `the disk is read from ${range.offsetBytes} on, and not from ${atBytes}`);
    }
    yield* bytesOf(range);
    atBytes += range.lengthBytes;
    const percent = Math.floor((atBytes / sizeBytes) * 100);
    if (percent > told) progress(percent);
    told = percent;
  }
  if (atBytes !== sizeBytes) throw new ShoalError('DRIVER_FAILED', `${atBytes} bytes were read of ${sizeBytes}`);
}

function* bytesOf({ data, lengthBytes }: DiskRange): Generator<Uint8Array, void, undefined> {
  if (data !== undefined) {
    yield data;
    return;
  }
  for (let leftBytes = lengthBytes; leftBytes > 0; leftBytes -= zeros.length) yield zeros.subarray(0, leftBytes);
}
