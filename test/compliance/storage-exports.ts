/** What a storage driver must do that serves disks to other hosts, run against the fake and the real one alike. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import type { DiskSpec, NbdKey, StorageDriver } from '../../drivers/types.ts';
import type { HostId, VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import { mibBytes } from '../../node/base/units.ts';

const thisHost = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' as HostId;
const otherHost = 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb' as HostId;

/** A key that no other disk has. */
export function newNbdKey(): NbdKey {
  return { user: 'shoal', keyHex: randomBytes(32).toString('hex') };
}

/** Runs this part of the suite. @param open makes another driver on the same storage, not started. */
export async function storageExportsCompliance(
  t: Test,
  driver: StorageDriver,
  open: () => StorageDriver,
): Promise<void> {
  const { signal } = new AbortController();
  const newSpec = (generation = 3): DiskSpec => ({
    ...{ volumeId: randomUUID() as VolumeId, sizeBytes: 8 * mibBytes, generation },
  });
  const servedOf = async (of: StorageDriver, volumeId: VolumeId): Promise<readonly object[]> =>
    (await of.listServed(signal)).filter((disk) => disk.volumeId === volumeId);

  if (!driver.capabilities.exports) {
    await t.test('a disk that others open themselves is served to nobody', async (t) => {
      const spec = newSpec();
      await driver.ensureDisk(spec, signal);
      await t.rejects(driver.serveDisk(spec, thisHost, { key: newNbdKey() }, signal), { code: 'INVALID_ARGUMENT' });
      await driver.unserveDisk(spec.volumeId, thisHost, signal);
      t.strictSame(await driver.listServed(signal), []);
      await driver.removeDisk(spec.volumeId, signal);
    });
    return;
  }

  await t.test('a disk is served once, at one place, until that is ended', async (t) => {
    const [spec, another] = [newSpec(), newSpec()];
    await driver.unserveDisk(spec.volumeId, thisHost, signal);
    await t.rejects(driver.serveDisk(spec, thisHost, { key: newNbdKey() }, signal), { code: 'NOT_FOUND' });
    await driver.ensureDisk(spec, signal);
    await driver.ensureDisk(another, signal);
    const key = newNbdKey();
    const served = await driver.serveDisk(spec, thisHost, { key }, signal);
    t.match(served, { volumeId: spec.volumeId, generation: 3, address: /./, port: Number });
    t.strictSame(await driver.serveDisk(spec, thisHost, { key }, signal), served, 'again is no harm');
    t.strictSame(await servedOf(driver, spec.volumeId), [served]);
    const beside = await driver.serveDisk(another, thisHost, { key: newNbdKey(), port: served.port }, signal);
    t.not(beside.port, served.port, 'a port that is taken is not taken again');
    await driver.unserveDisk(another.volumeId, thisHost, signal);
    await driver.unserveDisk(spec.volumeId, thisHost, signal);
    await driver.unserveDisk(spec.volumeId, thisHost, signal);
    t.strictSame(await servedOf(driver, spec.volumeId), []);
    const later = await driver.serveDisk({ ...spec, generation: 4 }, thisHost, { key, port: served.port }, signal);
    t.equal(later.port, served.port, 'where clients have found it before');
    for (const { volumeId } of [spec, another]) {
      await driver.unserveDisk(volumeId, thisHost, signal);
      await driver.removeDisk(volumeId, signal);
    }
  });

  await t.test('while it is served, no guest of this host opens it, and nobody removes it', async (t) => {
    const spec = newSpec();
    await driver.ensureDisk(spec, signal);
    await driver.serveDisk(spec, thisHost, { key: newNbdKey() }, signal);
    for (const generation of [3, 4]) {
      await t.rejects(driver.openDisk({ ...spec, generation }, thisHost, signal), { code: 'FENCE_UNPROVEN' });
    }
    await t.rejects(driver.openDisk(spec, otherHost, signal), { code: 'FENCE_UNPROVEN' });
    await t.rejects(driver.removeDisk(spec.volumeId, signal), { code: 'CONFLICT' });
    await t.rejects(driver.ensureDisk({ ...spec, sizeBytes: 2 * spec.sizeBytes }, signal), { code: 'CONFLICT' });
    await driver.unserveDisk(spec.volumeId, thisHost, signal);
    await driver.openDisk({ ...spec, generation: 4 }, thisHost, signal);
    await t.rejects(
      driver.serveDisk(spec, thisHost, { key: newNbdKey() }, signal),
      { code: 'FENCE_UNPROVEN' },
      'an order from before',
    );
    await driver.closeDisk(spec.volumeId, thisHost, 4, signal);
    await driver.removeDisk(spec.volumeId, signal);
  });

  await t.test('a higher generation ends what serves a lower one, and never the other way', async (t) => {
    const spec = newSpec();
    await driver.ensureDisk(spec, signal);
    await driver.serveDisk(spec, thisHost, { key: newNbdKey() }, signal);
    await driver.serveDisk({ ...spec, generation: 5 }, thisHost, { key: newNbdKey() }, signal);
    await t.rejects(driver.serveDisk({ ...spec, generation: 4 }, thisHost, { key: newNbdKey() }, signal), {
      code: 'FENCE_UNPROVEN',
    });
    t.match(await servedOf(driver, spec.volumeId), [{ generation: 5 }]);
    await driver.unserveDisk(spec.volumeId, thisHost, signal);
    await driver.removeDisk(spec.volumeId, signal);
  });

  await t.test('the next agent finds what is served, and ends it', async (t) => {
    const spec = newSpec();
    await driver.ensureDisk(spec, signal);
    const served = await driver.serveDisk(spec, thisHost, { key: newNbdKey() }, signal);
    const next = open();
    await next.start(signal);
    t.strictSame(await servedOf(next, spec.volumeId), [served]);
    await t.rejects(next.openDisk({ ...spec, generation: 9 }, thisHost, signal), { code: 'FENCE_UNPROVEN' });
    await next.unserveDisk(spec.volumeId, thisHost, signal);
    t.strictSame(await servedOf(driver, spec.volumeId), []);
    await next.removeDisk(spec.volumeId, signal);
    await next.stop();
  });

  await t.test('snapshots of a disk that is served are made and removed', async (t) => {
    const spec = newSpec();
    const snapshotId = randomUUID() as VolumeSnapshotId;
    await driver.ensureDisk(spec, signal);
    await driver.serveDisk(spec, thisHost, { key: newNbdKey() }, signal);
    await driver.createSnapshot(spec.volumeId, snapshotId, signal);
    await driver.createSnapshot(spec.volumeId, snapshotId, signal);
    t.strictSame(await driver.listSnapshots(spec.volumeId, signal), [snapshotId]);
    await t.rejects(driver.revertDisk(spec.volumeId, snapshotId, signal), { code: 'CONFLICT' });
    const copy = { ...newSpec(), generation: 0 };
    await driver.copyDisk({ volumeId: spec.volumeId, snapshotId }, copy, () => {}, signal);
    await driver.removeSnapshot(spec.volumeId, snapshotId, signal);
    await driver.removeSnapshot(spec.volumeId, snapshotId, signal);
    t.strictSame(await driver.listSnapshots(spec.volumeId, signal), []);
    await driver.unserveDisk(spec.volumeId, thisHost, signal);
    for (const { volumeId } of [spec, copy]) await driver.removeDisk(volumeId, signal);
  });

  await t.test('a key that could say something else is refused', async (t) => {
    const spec = newSpec();
    await driver.ensureDisk(spec, signal);
    for (const key of [
      { user: 'shoal\nroot', keyHex: '0'.repeat(64) },
      { user: 'shoal', keyHex: '0'.repeat(62) },
    ]) {
      await t.rejects(driver.serveDisk(spec, thisHost, { key }, signal), { code: 'INVALID_ARGUMENT' });
    }
    await driver.removeDisk(spec.volumeId, signal);
  });
}
