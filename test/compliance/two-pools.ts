/** What two pools of one kind must do in one process: each keeps its own disks, whatever they are called. */
import { randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import type { DiskSpec, ImageFile, StorageDriver } from '../../drivers/types.ts';
import type { HostId, VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import { mibBytes } from '../../node/base/units.ts';

const host = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' as HostId;
const { signal } = new AbortController();

/** Runs the suite on two drivers that have not started. Everything that it makes is removed again. */
export async function twoPoolsCompliance(
  t: Test,
  pools: readonly [StorageDriver, StorageDriver],
  image: () => Promise<ImageFile>,
): Promise<void> {
  const [first, second] = pools;
  await Promise.all(pools.map((pool) => pool.start(signal)));
  t.teardown(() => Promise.all(pools.map((pool) => pool.stop())));

  await t.test('a disk of one is none of the other, also by the same id', async (t) => {
    const spec: DiskSpec = { volumeId: randomUUID() as VolumeId, sizeBytes: 8 * mibBytes, generation: 1 };
    const { volumeId } = spec;
    await first.ensureDisk(spec, signal);
    t.equal(await second.findDisk(volumeId, signal), undefined);
    await t.rejects(second.openDisk(spec, host, signal), { code: 'NOT_FOUND' });
    await second.removeDisk(volumeId, signal);
    t.match(await first.findDisk(volumeId, signal), { volumeId }, 'nothing of the first went');

    await second.ensureDisk({ ...spec, sizeBytes: 16 * mibBytes }, signal);
    t.equal((await first.findDisk(volumeId, signal))?.sizeBytes, 8 * mibBytes);
    t.equal((await second.findDisk(volumeId, signal))?.sizeBytes, 16 * mibBytes);
    const snapshotId = randomUUID() as VolumeSnapshotId;
    await first.createSnapshot(volumeId, snapshotId, signal);
    t.same(await second.listSnapshots(volumeId, signal), []);
    await second.removeSnapshot(volumeId, snapshotId, signal);
    t.same(await first.listSnapshots(volumeId, signal), [snapshotId]);
    const [here, there] = [await first.openDisk(spec, host, signal), await second.openDisk(spec, host, signal)];
    // A fake disk is found by its id alone, in the storages that its guest's host has.
    if (here.kind !== 'fake') t.notSame(here, there, 'two disks, and two locks');
    for (const pool of pools) await pool.closeDisk(volumeId, host, 1, signal);
    await first.removeSnapshot(volumeId, snapshotId, signal);
    await first.removeDisk(volumeId, signal);
    t.match(await second.findDisk(volumeId, signal), { volumeId });
    await second.removeDisk(volumeId, signal);
    for (const pool of pools) t.notOk((await pool.listDisks(signal)).some((disk) => disk.volumeId === volumeId));
  });

  await t.test('both make disks of one image, and each lets go of it by itself', async (t) => {
    const content = await image();
    const { sha256 } = content;
    const newDisk = (): DiskSpec => ({
      volumeId: randomUUID() as VolumeId,
      sizeBytes: Math.max(8 * mibBytes, content.virtualSizeBytes),
      imageSha256: sha256,
      generation: 1,
    });
    const specs = [newDisk(), newDisk()] as const;
    await Promise.all(pools.map((pool) => pool.ensureImage(content, signal)));
    await Promise.all(pools.map((pool, at) => pool.ensureDisk(specs[at] ?? specs[0], signal)));
    await t.rejects(first.removeImage(sha256, signal), { code: 'CONFLICT' });
    await first.removeDisk(specs[0].volumeId, signal);
    t.match(await second.findDisk(specs[1].volumeId, signal), { imageSha256: sha256 });
    await t.rejects(second.removeImage(sha256, signal), { code: 'CONFLICT' }, 'its disk lies on it');
    await second.removeDisk(specs[1].volumeId, signal);
    for (const pool of pools) await pool.removeImage(sha256, signal);
    for (const pool of pools) t.equal(await pool.hasImage(sha256, signal), false);
  });
}
