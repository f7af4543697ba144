/** What every storage driver must do with a disk's content: snapshots, copies, encryption, in and out, taking over. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import type { DiskEncryption, DiskOrigin, DiskRange, DiskSpec, StorageDriver } from '../../drivers/types.ts';
import type { HostId, VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import { mibBytes } from '../../node/base/units.ts';
import type { StorageFixture } from './storage.ts';

const thisHost = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' as HostId;
const otherHost = 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb' as HostId;
const sizeBytes = 8 * mibBytes;
const sectorBytes = 512;
const { signal } = new AbortController();
const newSnapshotId = (): VolumeSnapshotId => randomUUID() as VolumeSnapshotId;
const newSpec = (): DiskSpec => ({ volumeId: randomUUID() as VolumeId, sizeBytes, generation: 1 });
const newKey = (format: DiskEncryption['format']): DiskEncryption => ({
  format,
  cipher: 'aes-xts-plain64',
  keyBits: 512,
  passphrase: randomBytes(32).toString('hex'),
});
const originOf = ({ volumeId, encryption }: DiskSpec): DiskOrigin => ({
  volumeId,
  ...(encryption === undefined ? {} : { encryption }),
});

/** What is written at a disk's beginning to tell one content from another. */
function sectorOf(text: string): Uint8Array {
  const bytes = new Uint8Array(sectorBytes);
  bytes.set(Buffer.from(text));
  return bytes;
}

async function* rangesOf(ranges: readonly DiskRange[]): AsyncGenerator<DiskRange> {
  yield* ranges;
}

async function put(driver: StorageDriver, spec: DiskSpec, text: string): Promise<void> {
  const ranges = rangesOf([{ offsetBytes: 0, lengthBytes: sectorBytes, data: sectorOf(text) }]);
  await driver.importDisk(spec, ranges, () => {}, signal);
}

/** What stands at the disk's beginning; also checks that a full export covers the disk, in order. */
async function textOf(t: Test, driver: StorageDriver, from: DiskOrigin): Promise<string> {
  const { sizeBytes: size, ranges } = await driver.exportDisk(from, undefined, signal);
  let at = 0;
  let text = '';
  for await (const { offsetBytes, lengthBytes, data } of ranges) {
    if (offsetBytes !== at) t.fail(`a range begins at ${offsetBytes} after one that ended at ${at}`);
    if (data !== undefined && data.length !== lengthBytes) t.fail('data of another length than its range');
    if (offsetBytes === 0 && data !== undefined) {
      text = Buffer.from(data.subarray(0, sectorBytes)).toString('latin1').replace(/\0+$/, '');
    }
    at += lengthBytes;
  }
  t.equal(at, size, 'the whole disk');
  return text;
}

/** Bytes of a full export that are not known to be zeros. */
async function dataBytesOf(driver: StorageDriver, from: DiskOrigin): Promise<number> {
  const { ranges } = await driver.exportDisk(from, undefined, signal);
  let bytes = 0;
  for await (const { data } of ranges) bytes += data?.length ?? 0;
  return bytes;
}

/** Runs the suite on a driver that has started. Everything that it makes is removed again. */
export async function storageContentCompliance(t: Test, driver: StorageDriver, fixture: StorageFixture): Promise<void> {
  await t.test('a snapshot keeps what the disk held, and the disk goes back to it', async (t) => {
    const spec = newSpec();
    const { volumeId } = spec;
    const [first, second] = [newSnapshotId(), newSnapshotId()];
    t.strictSame(await driver.listSnapshots(volumeId, signal), [], 'of no disk');
    await t.rejects(driver.createSnapshot(volumeId, first, signal), { code: 'NOT_FOUND' });
    await driver.ensureDisk(spec, signal);
    await put(driver, spec, 'one');
    await driver.createSnapshot(volumeId, first, signal);
    await put(driver, spec, 'two');
    await driver.createSnapshot(volumeId, first, signal);
    await driver.createSnapshot(volumeId, second, signal);
    await put(driver, spec, 'three');
    t.strictSame(await driver.listSnapshots(volumeId, signal), [first, second]);
    t.equal(await textOf(t, driver, { volumeId }), 'three');
    t.equal(await textOf(t, driver, { volumeId, snapshotId: first }), 'one', 'made once');
    t.equal(await textOf(t, driver, { volumeId, snapshotId: second }), 'two');

    await driver.ensureDisk({ ...spec, sizeBytes: 2 * sizeBytes }, signal);
    await driver.revertDisk(volumeId, first, signal);
    await driver.revertDisk(volumeId, first, signal);
    t.equal(await textOf(t, driver, { volumeId }), 'one');
    t.match(await driver.findDisk(volumeId, signal), { sizeBytes: 2 * sizeBytes }, 'as large as it was');
    t.strictSame(await driver.listSnapshots(volumeId, signal), [first, second], 'all stay');
    await t.rejects(driver.revertDisk(volumeId, newSnapshotId(), signal), { code: 'NOT_FOUND' });
    await t.rejects(driver.removeDisk(volumeId, signal), { code: 'CONFLICT' }, 'not with its snapshots');

    for (let round = 0; round < 2; round += 1) await driver.removeSnapshot(volumeId, first, signal);
    t.strictSame(await driver.listSnapshots(volumeId, signal), [second]);
    t.equal(await textOf(t, driver, { volumeId, snapshotId: second }), 'two');
    await driver.removeSnapshot(volumeId, second, signal);
    await driver.removeDisk(volumeId, signal);
    await driver.removeSnapshot(volumeId, second, signal);
  });

  await t.test('what is no id of a snapshot is refused', async (t) => {
    const spec = newSpec();
    await driver.ensureDisk(spec, signal);
    if (fixture.hasBytes) {
      for (const bad of ['', 'x', '-d', '../x', `${randomUUID()}@x`, randomUUID().toUpperCase()]) {
        const snapshotId = bad as VolumeSnapshotId;
        await t.rejects(driver.createSnapshot(spec.volumeId, snapshotId, signal), { code: 'INVALID_ARGUMENT' }, bad);
        await t.rejects(driver.removeSnapshot(spec.volumeId, snapshotId, signal), { code: 'INVALID_ARGUMENT' }, bad);
      }
    }
    await driver.removeDisk(spec.volumeId, signal);
  });

  await t.test('a copy has the content of its origin, and outlives it', async (t) => {
    const spec = newSpec();
    const { volumeId } = spec;
    const snapshotId = newSnapshotId();
    const ofSnapshot = { ...newSpec(), sizeBytes: 2 * sizeBytes };
    const ofDisk = newSpec();
    const percents: number[] = [];
    const progress = (percent: number): void => void percents.push(percent);
    await t.rejects(driver.copyDisk({ volumeId }, ofDisk, progress, signal), { code: 'NOT_FOUND' });
    await driver.ensureDisk(spec, signal);
    await put(driver, spec, 'kept');
    await driver.createSnapshot(volumeId, snapshotId, signal);
    await put(driver, spec, 'later');
    const small = { ...newSpec(), sizeBytes: sizeBytes / 2 };
    await t.rejects(driver.copyDisk({ volumeId }, small, progress, signal), { code: 'INVALID_ARGUMENT' });
    t.equal(await driver.findDisk(small.volumeId, signal), undefined);
    const unknown = { volumeId, snapshotId: newSnapshotId() };
    await t.rejects(driver.copyDisk(unknown, ofDisk, progress, signal), { code: 'NOT_FOUND' });
    await t.rejects(driver.copyDisk({ volumeId }, ofDisk, progress, AbortSignal.abort()), { code: 'CANCELLED' });
    t.equal(await driver.findDisk(ofDisk.volumeId, signal), undefined, 'nothing half-made');

    for (let round = 0; round < 2; round += 1) {
      await driver.copyDisk({ volumeId, snapshotId }, ofSnapshot, progress, signal);
      await driver.copyDisk({ volumeId }, ofDisk, progress, signal);
    }
    t.equal(percents.at(-1), 100);
    t.ok(percents.every((percent) => percent >= 0 && percent <= 100));
    t.match(await driver.findDisk(ofSnapshot.volumeId, signal), { sizeBytes: 2 * sizeBytes });
    t.equal((await driver.findDisk(ofSnapshot.volumeId, signal))?.legacyImageId, undefined, 'it is no image');
    await driver.removeSnapshot(volumeId, snapshotId, signal);
    await driver.removeDisk(volumeId, signal);
    t.equal(await driver.findDisk(volumeId, signal), undefined);
    t.equal(await textOf(t, driver, originOf(ofSnapshot)), 'kept');
    t.equal(await textOf(t, driver, originOf(ofDisk)), 'later');
    await put(driver, ofSnapshot, 'its own');
    t.equal(await textOf(t, driver, originOf(ofSnapshot)), 'its own');
    for (const { volumeId: copy } of [ofSnapshot, ofDisk]) await driver.removeDisk(copy, signal);
  });

  await t.test('what has changed since a snapshot is all that has to be carried over', async (t) => {
    const [spec, other] = [newSpec(), newSpec()];
    const { volumeId } = spec;
    const [before, after, same] = [newSnapshotId(), newSnapshotId(), newSnapshotId()];
    await driver.ensureDisk(spec, signal);
    await put(driver, spec, 'before');
    await driver.createSnapshot(volumeId, before, signal);
    await put(driver, spec, 'after');
    for (const snapshotId of [after, same]) await driver.createSnapshot(volumeId, snapshotId, signal);
    await driver.ensureDisk(other, signal);
    const whole = await driver.exportDisk({ volumeId, snapshotId: before }, undefined, signal);
    await driver.importDisk(other, whole.ranges, () => {}, signal);
    t.equal(await textOf(t, driver, originOf(other)), 'before');
    const changed = await driver.exportDisk({ volumeId, snapshotId: after }, before, signal);
    let carried = 0;
    const counted = async function* (): AsyncGenerator<DiskRange> {
      for await (const range of changed.ranges) {
        carried += range.lengthBytes;
        yield range;
      }
    };
    await driver.importDisk(other, counted(), () => {}, signal);
    t.equal(await textOf(t, driver, originOf(other)), 'after');
    t.ok(carried > 0 && carried <= 4 * mibBytes, `${carried} bytes of ${sizeBytes}`);
    const nothing = await driver.exportDisk({ volumeId, snapshotId: same }, after, signal);
    for await (const range of nothing.ranges) t.fail(`${range.offsetBytes} has not changed`);
    for (const snapshotId of [before, after, same]) await driver.removeSnapshot(volumeId, snapshotId, signal);
    for (const disk of [spec, other]) await driver.removeDisk(disk.volumeId, signal);
  });

  await t.test('a range that is not within the disk is refused; a reader may leave early', async (t) => {
    const spec = newSpec();
    await driver.ensureDisk(spec, signal);
    const outside = rangesOf([{ offsetBytes: sizeBytes - sectorBytes, lengthBytes: 2 * sectorBytes }]);
    await t.rejects(
      driver.importDisk(spec, outside, () => {}, signal),
      { code: 'INVALID_ARGUMENT' },
    );
    const { ranges } = await driver.exportDisk(originOf(spec), undefined, signal);
    for await (const range of ranges) {
      t.equal(range.offsetBytes, 0);
      break;
    }
    await driver.removeDisk(spec.volumeId, signal);
  });

  await t.test('a disk is let go under a name, and taken over again', async (t) => {
    const spec = newSpec();
    const volumeId = randomUUID() as VolumeId;
    const name = `kept.${randomUUID().slice(0, 8)}`;
    for (const bad of ['', '.x', '-x', 'a/b', '..', 'a b', 'x@y', 'x'.repeat(201), randomUUID()]) {
      await t.rejects(driver.adoptDisk(bad, volumeId, signal), { code: 'INVALID_ARGUMENT' }, `'${bad}'`);
      await t.rejects(driver.releaseDisk(spec.volumeId, bad, signal), { code: 'INVALID_ARGUMENT' }, `'${bad}'`);
    }
    await t.rejects(driver.adoptDisk(name, volumeId, signal), { code: 'NOT_FOUND' });
    await t.rejects(driver.releaseDisk(volumeId, name, signal), { code: 'NOT_FOUND' });
    await driver.ensureDisk(spec, signal);
    await put(driver, spec, 'mine');
    for (let round = 0; round < 2; round += 1) await driver.releaseDisk(spec.volumeId, name, signal);
    t.equal(await driver.findDisk(spec.volumeId, signal), undefined);
    const listed = (await driver.listUnmanaged(signal)).find((disk) => disk.name === name);
    t.strictSame(listed, { name, sizeBytes });
    const another = newSpec();
    await driver.ensureDisk(another, signal);
    await t.rejects(driver.releaseDisk(another.volumeId, name, signal), { code: 'CONFLICT' }, 'the name is taken');
    await t.rejects(driver.adoptDisk(name, another.volumeId, signal), { code: 'CONFLICT' }, 'that disk is another');
    for (let round = 0; round < 2; round += 1) await driver.adoptDisk(name, volumeId, signal);
    t.equal(await textOf(t, driver, { volumeId }), 'mine');
    t.notOk((await driver.listUnmanaged(signal)).some((disk) => disk.name === name));
    for (const id of [volumeId, another.volumeId]) await driver.removeDisk(id, signal);
  });

  for (const format of driver.capabilities.encryption) {
    await t.test(`an encrypted disk (${format}) is read with its key alone`, async (t) => {
      const encryption = newKey(format);
      const spec: DiskSpec = { ...newSpec(), encryption };
      const { volumeId } = spec;
      const snapshotId = newSnapshotId();
      const plain = newSpec();
      await driver.ensureDisk(spec, signal);
      await driver.ensureDisk(spec, signal);
      t.match(await driver.findDisk(volumeId, signal), { sizeBytes }, 'the size that its guest sees');
      await put(driver, spec, 'secret');
      t.equal(await textOf(t, driver, { volumeId, encryption }), 'secret');
      const written = await dataBytesOf(driver, { volumeId, encryption });
      t.ok(written < sizeBytes / 2, `what nobody has written is zeros, and no noise: ${written} bytes of data`);
      await t.rejects(driver.exportDisk({ volumeId }, undefined, signal), { code: 'INVALID_ARGUMENT' }, 'no key');
      await t.rejects(
        driver.exportDisk({ volumeId, encryption: newKey(format) }, undefined, signal),
        Error,
        'another key',
      );
      await driver.createSnapshot(volumeId, snapshotId, signal);
      await driver.ensureDisk({ ...spec, sizeBytes: 2 * sizeBytes }, signal);
      t.match(await driver.findDisk(volumeId, signal), { sizeBytes: 2 * sizeBytes });
      await put(driver, spec, 'changed');
      t.equal(await textOf(t, driver, { volumeId, snapshotId, encryption }), 'secret');

      const copies: readonly DiskSpec[] = [
        { ...newSpec(), sizeBytes: 2 * sizeBytes, encryption },
        { ...newSpec(), sizeBytes: 2 * sizeBytes, encryption: newKey(format) },
        { ...plain, sizeBytes: 2 * sizeBytes },
      ];
      for (const copy of copies) {
        await driver.copyDisk({ volumeId, snapshotId, encryption }, copy, () => {}, signal);
        t.equal(await textOf(t, driver, originOf(copy)), 'secret');
        t.match(await driver.findDisk(copy.volumeId, signal), { sizeBytes: 2 * sizeBytes });
      }
      await driver.removeSnapshot(volumeId, snapshotId, signal);
      for (const disk of [spec, ...copies]) await driver.removeDisk(disk.volumeId, signal);
    });

    await t.test(`an encrypted disk (${format}) of an image has all of it`, async (t) => {
      const image = await fixture.image();
      await driver.ensureImage(image, signal);
      const encryption = newKey(format);
      const ofImage: DiskSpec = { ...newSpec(), imageSha256: image.sha256 };
      const spec: DiskSpec = { ...newSpec(), imageSha256: image.sha256, encryption };
      await driver.ensureDisk(spec, signal);
      await driver.ensureDisk(spec, signal);
      await driver.ensureDisk(ofImage, signal);
      const [read, expected] = [await textOf(t, driver, originOf(spec)), await textOf(t, driver, originOf(ofImage))];
      t.equal(read, expected);
      t.equal((await driver.findDisk(spec.volumeId, signal))?.imageSha256, image.sha256);
      for (const disk of [spec, ofImage]) await driver.removeDisk(disk.volumeId, signal);
      await driver.removeImage(image.sha256, signal);
    });
  }

  await t.test('a blank disk is made with what it is asked for', async (t) => {
    const marks = { swap: [4086, 'SWAPSPACE2'], ext4: [1080, '\x53\xef'], vfat: [510, '\x55\xaa'] } as const;
    for (const format of ['swap', 'ext4', 'vfat'] as const) {
      const spec: DiskSpec = { ...newSpec(), contents: { format, label: 'ephemeral0' } };
      await driver.ensureDisk(spec, signal);
      if (fixture.hasBytes) {
        const [at, mark] = marks[format];
        const { ranges } = await driver.exportDisk(originOf(spec), undefined, signal);
        const first: DiskRange[] = [];
        for await (const range of ranges) first.push(range);
        const bytes = Buffer.concat(first.slice(0, 1).map(({ data }) => data ?? new Uint8Array()));
        t.equal(bytes.toString('latin1', at, at + mark.length), mark, format);
      }
      await driver.removeDisk(spec.volumeId, signal);
    }
    const wrong: DiskSpec = { ...newSpec(), contents: { format: 'ext4', label: '-x y' } };
    await t.rejects(driver.ensureDisk(wrong, signal), { code: 'INVALID_ARGUMENT' });
  });

  await t.test('what a key or a cipher cannot be is refused, and leaves nothing', async (t) => {
    const [format] = driver.capabilities.encryption;
    if (format === undefined) return;
    for (const change of [{ passphrase: '' }, { passphrase: 'ä' }, { passphrase: 'x'.repeat(513) }]) {
      const spec: DiskSpec = { ...newSpec(), encryption: { ...newKey(format), ...change } };
      await t.rejects(driver.ensureDisk(spec, signal), { code: 'INVALID_ARGUMENT' });
      t.equal(await driver.findDisk(spec.volumeId, signal), undefined);
    }
  });

  await t.test('a disk is larger than its storage never', async (t) => {
    const { totalBytes } = await driver.capacity(signal);
    const spec: DiskSpec = { ...newSpec(), sizeBytes: totalBytes + mibBytes };
    await t.rejects(driver.ensureDisk(spec, signal), { code: 'INVALID_ARGUMENT' });
    t.equal(await driver.findDisk(spec.volumeId, signal), undefined);
  });

  await t.test('a disk is open for several where the storage can do it', async (t) => {
    const spec: DiskSpec = { ...newSpec(), shared: true };
    if (!driver.capabilities.multiAttach) {
      await t.rejects(driver.ensureDisk(spec, signal), { code: 'INVALID_ARGUMENT' });
      return;
    }
    const { volumeId } = spec;
    await driver.ensureDisk(spec, signal);
    for (let round = 0; round < 2; round += 1) await driver.openDisk(spec, thisHost, signal);
    await driver.openDisk({ ...spec, generation: 2 }, otherHost, signal);
    const alone: DiskSpec = { volumeId, sizeBytes, generation: 3 };
    await t.rejects(driver.openDisk(alone, thisHost, signal), { code: 'FENCE_UNPROVEN' }, 'not for one alone');
    await driver.closeDisk(volumeId, thisHost, 1, signal);
    await driver.closeDisk(volumeId, thisHost, 1, signal);
    await t.rejects(driver.openDisk(alone, thisHost, signal), { code: 'FENCE_UNPROVEN' }, 'the other has it still');
    await driver.closeDisk(volumeId, otherHost, 2, signal);
    await driver.openDisk(alone, thisHost, signal);
    await t.rejects(driver.openDisk(spec, otherHost, signal), { code: 'FENCE_UNPROVEN' }, 'nor beside one alone');
    await driver.closeDisk(volumeId, thisHost, 3, signal);
    await driver.removeDisk(volumeId, signal);
  });
}
