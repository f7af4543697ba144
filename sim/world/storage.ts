/** Storage of the simulated world: production's fake, of whose disks less is read. */
import { FakeStorageDriver } from '../../drivers/fake/storage.ts';
import type { DiskExport, DiskRange } from '../../drivers/types.ts';

/**
 * How much of a disk is read: what it holds stands at its beginning, and images that are made of it are held in memory here.
 * Unit: bytes.
 */
const readBytesMax = 4_096;

/** See above. */
export class SimStorageDriver extends FakeStorageDriver {
  override async exportDisk(...asked: Parameters<FakeStorageDriver['exportDisk']>): Promise<DiskExport> {
    const { ranges, sizeBytes } = await super.exportDisk(...asked);
    return { sizeBytes: Math.min(sizeBytes, readBytesMax), ranges: upTo(readBytesMax, ranges) };
  }
}

async function* upTo(endBytes: number, ranges: AsyncIterable<DiskRange>): AsyncGenerator<DiskRange> {
  for await (const range of ranges) {
    const lengthBytes = Math.min(range.lengthBytes, endBytes - range.offsetBytes);
    if (lengthBytes <= 0) return;
    yield { ...range, lengthBytes };
  }
}
