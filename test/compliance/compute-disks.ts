/** What every compute driver must do with disks of a guest that runs. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import type { ComputeDriver, DiskSpec, GuestDisk, GuestSpec, StorageDriver } from '../../drivers/types.ts';
import type { HostId, ServerId, VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import { mibBytes } from '../../node/base/units.ts';

const host = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' as HostId;
const { signal } = new AbortController();
const newSnapshotId = (): VolumeSnapshotId => randomUUID() as VolumeSnapshotId;

interface Fixture {
  readonly storage: StorageDriver;
  readonly open: () => ComputeDriver;
  readonly newSpec: () => Promise<GuestSpec>;
}

/** Runs the suite; the guests that it starts are its caller's to end, the disks are removed. */
export async function computeDiskCompliance(t: Test, driver: ComputeDriver, fixture: Fixture): Promise<void> {
  const { storage } = fixture;
  const newDisk = async (also: Partial<DiskSpec> = {}): Promise<{ spec: DiskSpec; disk: GuestDisk }> => {
    const spec: DiskSpec = { volumeId: randomUUID() as VolumeId, sizeBytes: 4 * mibBytes, generation: 1, ...also };
    await storage.ensureDisk(spec, signal);
    const { volumeId, encryption } = spec;
    const source = await storage.openDisk(spec, host, signal);
    return { spec, disk: { volumeId, source, ...(encryption === undefined ? {} : { encryption }) } };
  };
  const drop = async ({ volumeId, generation }: DiskSpec): Promise<void> => {
    await storage.closeDisk(volumeId, host, generation, signal);
    for (const snapshotId of await storage.listSnapshots(volumeId, signal)) {
      await storage.removeSnapshot(volumeId, snapshotId, signal);
    }
    await storage.removeDisk(volumeId, signal);
  };
  const disksOf = async (serverId: ServerId): Promise<readonly VolumeId[]> =>
    [...((await driver.find(serverId, signal))?.disks ?? [])].sort();

  await t.test('what is done with disks needs a guest that runs', async (t) => {
    const { serverId } = await fixture.newSpec();
    const { spec, disk } = await newDisk();
    const { volumeId } = disk;
    await t.rejects(driver.attachDisk(serverId, disk, signal), { code: 'NOT_FOUND' });
    await t.rejects(driver.resizeDisk(serverId, volumeId, 8 * mibBytes, signal), { code: 'NOT_FOUND' });
    await t.rejects(driver.setDiskLimits(serverId, volumeId, {}, signal), { code: 'NOT_FOUND' });
    const snapshot = { volumeId, snapshotId: newSnapshotId() };
    await t.rejects(driver.snapshotDisks(serverId, [snapshot], { freeze: false }, signal), { code: 'NOT_FOUND' });
    await driver.detachDisk(serverId, volumeId, signal);
    await drop(spec);
  });

  await t.test('disks are plugged in, grown, limited, snapshotted and unplugged while the guest runs', async (t) => {
    const guest = await fixture.newSpec();
    const { serverId } = guest;
    await driver.startGuest(guest, signal);
    const [root] = guest.disks.map(({ volumeId }) => volumeId);
    const one = await newDisk();
    const two = await newDisk();
    const ids = [one, two].map(({ disk }) => disk.volumeId);
    const all = [...(root === undefined ? [] : [root]), ...ids].sort();
    for (let round = 0; round < 2; round += 1) {
      for (const { disk } of [one, two]) await driver.attachDisk(serverId, disk, signal);
    }
    t.strictSame(await disksOf(serverId), all);

    const { volumeId } = one.disk;
    for (const size of [8, 8, 6]) await driver.resizeDisk(serverId, volumeId, size * mibBytes, signal);
    t.match(await storage.findDisk(volumeId, signal), { sizeBytes: 8 * mibBytes }, 'grown, and never shrunk');
    await driver.setDiskLimits(serverId, volumeId, { iops: 100, iopsMax: 200, bytesPerS: mibBytes }, signal);
    await driver.setDiskLimits(serverId, volumeId, {}, signal);
    const wrong = { iops: 1, readIops: 1 };
    await t.rejects(driver.setDiskLimits(serverId, volumeId, wrong, signal), { code: 'INVALID_ARGUMENT' });

    const [first, second] = [newSnapshotId(), newSnapshotId()];
    await t.rejects(storage.createSnapshot(volumeId, first, signal), { code: 'CONFLICT' }, 'QEMU has it open');
    const both = ids.map((id) => ({ volumeId: id, snapshotId: first }));
    t.strictSame(await driver.snapshotDisks(serverId, both, { freeze: false }, signal), { frozen: false });
    const more = [...both, { volumeId, snapshotId: second }];
    t.strictSame(await driver.snapshotDisks(serverId, more, { freeze: false }, signal), { frozen: false });
    t.strictSame(await storage.listSnapshots(volumeId, signal), [first, second]);
    t.strictSame(await storage.listSnapshots(two.disk.volumeId, signal), [first]);
    for (let round = 0; round < 2; round += 1) {
      await driver.removeDiskSnapshot(serverId, { volumeId, snapshotId: second }, signal);
    }
    t.strictSame(await storage.listSnapshots(volumeId, signal), [first]);
    const foreign = [{ volumeId: randomUUID() as VolumeId, snapshotId: first }];
    await t.rejects(driver.snapshotDisks(serverId, foreign, { freeze: false }, signal), { code: 'NOT_FOUND' });

    const next = fixture.open();
    await driver.stop();
    await next.start(signal);
    t.strictSame([...((await next.find(serverId, signal))?.disks ?? [])].sort(), all, 'the next agent reads it back');
    await next.attachDisk(serverId, one.disk, signal);
    await next.stop();
    await driver.start(signal);

    // This guest never answers: only a reset lets go.
    await driver.pauseGuest(serverId, signal);
    const alive = setInterval(() => {}, 1_000);
    await t.rejects(driver.detachDisk(serverId, volumeId, signal), { code: 'UNAVAILABLE' });
    clearInterval(alive);
    t.strictSame(await disksOf(serverId), all, 'it has the disk still');
    await driver.resumeGuest(serverId, signal);
    await driver.resetGuest(serverId, signal);
    for (let round = 0; round < 2; round += 1) await driver.detachDisk(serverId, volumeId, signal);
    t.strictSame(
      await disksOf(serverId),
      all.filter((id) => id !== volumeId),
    );
    await storage.closeDisk(volumeId, host, 1, signal);
    await storage.revertDisk(volumeId, first, signal);
    await driver.attachDisk(serverId, { ...one.disk, readOnly: true, bus: 'scsi' }, signal);
    t.strictSame(await disksOf(serverId), all, 'plugged in again, and otherwise');
    await driver.stopGuest(serverId, { graceMs: 0 }, signal);
    for (const { spec } of [one, two]) await drop(spec);
  });

  await t.test('an encrypted disk is opened with its key, at the start and later', async (t) => {
    const [format] = storage.capabilities.encryption;
    if (format === undefined) return;
    const passphrase = randomBytes(32).toString('hex');
    const encryption = { format, cipher: 'aes-xts-plain64', keyBits: 512, passphrase };
    const atStart = await newDisk({ encryption });
    const later = await newDisk({ encryption });
    const plain = await fixture.newSpec();
    const guest: GuestSpec = { ...plain, disks: [...plain.disks, atStart.disk] };
    const { serverId } = guest;
    await driver.startGuest(guest, signal);
    t.ok((await disksOf(serverId)).includes(atStart.disk.volumeId));
    await driver.attachDisk(serverId, later.disk, signal);
    const snapshot = { volumeId: later.disk.volumeId, snapshotId: newSnapshotId() };
    await driver.snapshotDisks(serverId, [snapshot], { freeze: true }, signal);
    await driver.resizeDisk(serverId, later.disk.volumeId, 6 * mibBytes, signal);
    t.match(await storage.findDisk(later.disk.volumeId, signal), { sizeBytes: 6 * mibBytes });
    await driver.stopGuest(serverId, { graceMs: 0 }, signal);
    for (const { spec } of [atStart, later]) await drop(spec);
  });
}
