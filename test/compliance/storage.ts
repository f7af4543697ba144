/** What every storage driver must do, run against the fake and the real ones alike. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import type { DiskSpec, ImageFile, StorageDriver } from '../../drivers/types.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId, ImageId, ImageSha256, VolumeId } from '../../node/base/ids.ts';
import { mibBytes } from '../../node/base/units.ts';
import { randomSha256 } from '../support/guests/image-file.ts';
import { storageWitnessCompliance } from './shared/storage-witness.ts';
import { storageContentCompliance } from './storage-content.ts';
import { storageExportsCompliance } from './storage-exports.ts';

/** One kind of storage, set up afresh for the suite. */
export interface StorageFixture {
  /** A driver on the same storage each time: the next one is what an agent has after a restart. Not started. */
  readonly open: () => StorageDriver;
  /** A small image to clone, of another content each time. */
  readonly image: () => Promise<ImageFile>;
  /** False: the storage has no bytes, so it cannot know whether content is what it is called. */
  readonly hasBytes: boolean;
}

const thisHost = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' as HostId;
const otherHost = 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb' as HostId;

/** Runs the suite. Everything that it makes is removed again, which is itself part of it. */
export async function storageCompliance(t: Test, fixture: StorageFixture): Promise<void> {
  const { signal } = new AbortController();
  const driver = fixture.open();
  await driver.start(signal);
  t.teardown(() => driver.stop());
  const image = await fixture.image();
  await driver.ensureImage(image, signal);
  const sizeBytes = Math.max(8 * mibBytes, image.virtualSizeBytes);
  const newSpec = (options: { fromImage?: boolean; generation?: number } = {}): DiskSpec => ({
    volumeId: randomUUID() as VolumeId,
    sizeBytes,
    generation: options.generation ?? 1,
    ...(options.fromImage === true ? { imageSha256: image.sha256 } : {}),
  });

  await t.test('capacity is told', async (t) => {
    const { totalBytes, freeBytes } = await toldWithin(30_000, () => driver.capacity(signal));
    t.ok(totalBytes > 0 && freeBytes > 0 && freeBytes <= totalBytes, `${freeBytes} of ${totalBytes}`);
  });

  await t.test('an image is there once it was made ready, and again is no harm', async (t) => {
    const another = await fixture.image();
    t.equal(await driver.hasImage(another.sha256, signal), false);
    await driver.ensureImage(another, signal);
    await driver.ensureImage(another, signal);
    t.equal(await driver.hasImage(another.sha256, signal), true);
    await driver.removeImage(another.sha256, signal);
    await driver.removeImage(another.sha256, signal);
    t.equal(await driver.hasImage(another.sha256, signal), false);
  });

  await t.test('F3: a content is known by its SHA-256 and by nothing else', async (t) => {
    const [secret, another] = [await fixture.image(), await fixture.image()];
    await driver.ensureImage(secret, signal);
    t.equal(await driver.hasImage(another.sha256, signal), false);
    const impostor = { ...another, path: secret.path };
    if (fixture.hasBytes) {
      await t.rejects(driver.ensureImage(impostor, signal), { code: 'IDENTITY_MISMATCH' }, 'other bytes by that name');
      t.equal(await driver.hasImage(another.sha256, signal), false, 'and nothing of them stays');
    }
    const larger = { ...secret, virtualSizeBytes: secret.virtualSizeBytes + mibBytes };
    await t.rejects(driver.ensureImage(larger, signal), { code: 'CONFLICT' }, 'compared before it is used');
    for (const name of [randomUUID(), 'x', '', secret.sha256.toUpperCase(), `${secret.sha256}/..`]) {
      const sha256 = name as ImageSha256;
      const refused = { code: 'INVALID_ARGUMENT' };
      await t.rejects(driver.ensureImage({ ...secret, sha256 }, signal), refused, `'${name}' is no content`);
      await t.rejects(driver.hasImage(sha256, signal), refused);
      await t.rejects(driver.ensureDisk({ ...newSpec(), imageSha256: sha256 }, signal), refused);
      if (!/^[0-9a-f-]{36}$/.test(name)) await t.rejects(driver.removeImage(sha256, signal), refused);
    }
    await driver.removeImage(randomUUID() as ImageId, signal); // An earlier version's copy that is not there.
    await driver.removeImage(secret.sha256, signal);
  });

  await t.test('a disk that was never made is not found', async (t) => {
    t.equal(await driver.findDisk(randomUUID() as VolumeId, signal), undefined);
  });

  for (const fromImage of [false, true]) {
    await t.test(
      `${fromImage ? 'a disk from an image' : 'an empty disk'} is made once, found, listed and removed`,
      async (t) => {
        const spec = newSpec({ fromImage });
        await driver.ensureDisk(spec, signal);
        await driver.ensureDisk(spec, signal);
        const found = await driver.findDisk(spec.volumeId, signal);
        t.match(found, { volumeId: spec.volumeId, sizeBytes });
        t.equal(found?.imageSha256, spec.imageSha256);
        const listed = (await driver.listDisks(signal)).filter((disk) => disk.volumeId === spec.volumeId);
        t.equal(listed.length, 1);
        t.match(listed[0], { sizeBytes });
        t.equal(listed[0]?.imageSha256, spec.imageSha256);
        await driver.removeDisk(spec.volumeId, signal);
        await driver.removeDisk(spec.volumeId, signal);
        t.equal(await driver.findDisk(spec.volumeId, signal), undefined);
      },
    );
  }

  await t.test('a disk grows and never shrinks', async (t) => {
    const spec = newSpec({ fromImage: true });
    await driver.ensureDisk(spec, signal);
    await driver.ensureDisk({ ...spec, sizeBytes: 2 * sizeBytes }, signal);
    t.equal((await driver.findDisk(spec.volumeId, signal))?.sizeBytes, 2 * sizeBytes);
    await driver.ensureDisk(spec, signal);
    t.equal((await driver.findDisk(spec.volumeId, signal))?.sizeBytes, 2 * sizeBytes, 'a smaller size changes nothing');
    await driver.removeDisk(spec.volumeId, signal);
  });

  await t.test('a disk of another image is not taken for the one that was asked for', async (t) => {
    const spec = newSpec();
    await driver.ensureDisk(spec, signal);
    await t.rejects(driver.ensureDisk({ ...spec, imageSha256: image.sha256 }, signal), { code: 'CONFLICT' });
    await driver.removeDisk(spec.volumeId, signal);
  });

  await t.test('a disk of an unknown image, or smaller than its image, is refused and leaves nothing', async (t) => {
    const unknown = { ...newSpec(), imageSha256: randomSha256() };
    await t.rejects(driver.ensureDisk(unknown, signal), { code: 'NOT_FOUND' });
    const small = { ...newSpec({ fromImage: true }), sizeBytes: image.virtualSizeBytes - mibBytes };
    await t.rejects(driver.ensureDisk(small, signal), { code: 'INVALID_ARGUMENT' });
    for (const { volumeId } of [unknown, small]) t.equal(await driver.findDisk(volumeId, signal), undefined);
  });

  await t.test('an image is not removed from below its disks', async (t) => {
    const another = await fixture.image();
    await driver.ensureImage(another, signal);
    const spec: DiskSpec = { ...newSpec(), imageSha256: another.sha256 };
    await driver.ensureDisk(spec, signal);
    await t.rejects(driver.removeImage(another.sha256, signal), { code: 'CONFLICT' });
    t.equal(await driver.hasImage(another.sha256, signal), true);
    await driver.removeDisk(spec.volumeId, signal);
    await driver.removeImage(another.sha256, signal);
  });

  await t.test('opening a disk takes it at a generation, and again is no harm', async (t) => {
    const spec = newSpec({ generation: 3 });
    await t.rejects(driver.openDisk(spec, thisHost, signal), { code: 'NOT_FOUND' });
    await driver.ensureDisk(spec, signal);
    const source = await driver.openDisk(spec, thisHost, signal);
    t.strictSame(await driver.openDisk(spec, thisHost, signal), source);
    await t.rejects(driver.openDisk({ ...spec, generation: 2 }, thisHost, signal), { code: 'FENCE_UNPROVEN' }, 'older');
    await t.rejects(driver.openDisk(spec, otherHost, signal), { code: 'FENCE_UNPROVEN' }, 'the same, by another host');
    t.strictSame(await driver.openDisk({ ...spec, generation: 4 }, thisHost, signal), source, 'newer');
    await driver.closeDisk(spec.volumeId, thisHost, 3, signal);
    await t.rejects(driver.openDisk(spec, thisHost, signal), { code: 'FENCE_UNPROVEN' }, 'a late close frees nothing');
    await driver.closeDisk(spec.volumeId, thisHost, 4, signal);
    await driver.closeDisk(spec.volumeId, thisHost, 4, signal);
    await driver.openDisk({ ...spec, generation: 5 }, otherHost, signal);
    await driver.closeDisk(spec.volumeId, otherHost, 5, signal);
    await driver.removeDisk(spec.volumeId, signal);
  });

  await t.test(
    'a disk of a guest that comes while it runs is opened without a lock, and locked when it is there',
    async (t) => {
      const spec = newSpec({ generation: 3 });
      const waiting: DiskSpec = { ...spec, generation: 4, arrival: 'waiting' };
      const arrived: DiskSpec = { ...spec, generation: 4, arrival: 'going-on' };
      await driver.ensureDisk(spec, signal);
      const source = await driver.openDisk(spec, thisHost, signal);
      if (!driver.capabilities.shared) {
        await t.rejects(driver.openDisk(waiting, otherHost, signal), { code: 'INVALID_ARGUMENT' });
      } else {
        t.strictSame(await driver.openDisk(waiting, otherHost, signal), source);
        await driver.closeDisk(spec.volumeId, thisHost, 3, signal);
        t.strictSame(await driver.openDisk(arrived, otherHost, signal), source);
        await t.rejects(driver.openDisk({ ...waiting, generation: 3 }, thisHost, signal), { code: 'FENCE_UNPROVEN' });
        await t.rejects(driver.openDisk(spec, thisHost, signal), { code: 'FENCE_UNPROVEN' }, 'and is not any more');
        await driver.closeDisk(spec.volumeId, otherHost, 4, signal);
      }
      await driver.closeDisk(spec.volumeId, thisHost, 3, signal);
      await driver.removeDisk(spec.volumeId, signal);
    },
  );

  await t.test('the next agent finds what was there', async (t) => {
    const spec = newSpec({ fromImage: true, generation: 7 });
    const first = fixture.open();
    await first.start(signal);
    await first.ensureDisk(spec, signal);
    const source = await first.openDisk(spec, thisHost, signal);
    const found = await first.findDisk(spec.volumeId, signal);
    await first.stop();
    const second = fixture.open();
    await second.start(signal);
    t.equal(await second.hasImage(image.sha256, signal), true);
    t.strictSame(await second.findDisk(spec.volumeId, signal), found);
    t.strictSame(await second.openDisk(spec, thisHost, signal), source);
    await t.rejects(second.openDisk({ ...spec, generation: 6 }, otherHost, signal), { code: 'FENCE_UNPROVEN' });
    await second.closeDisk(spec.volumeId, thisHost, 7, signal);
    await second.removeDisk(spec.volumeId, signal);
    await second.stop();
  });

  if (driver.capabilities.snapshots) await storageContentCompliance(t, driver, fixture);
  await storageExportsCompliance(t, driver, fixture.open);
  await storageWitnessCompliance(t, driver, newSpec);

  await t.test('a call that was given up before it began does nothing', async (t) => {
    const spec = newSpec();
    await t.rejects(driver.ensureDisk(spec, AbortSignal.abort()), { code: 'CANCELLED' });
    t.equal(await driver.findDisk(spec.volumeId, signal), undefined);
  });

  await driver.removeImage(image.sha256, signal);
  t.strictSame(await driver.listDisks(signal), [], 'nothing is left');
}

/** Storage that was just made may not have counted its room: that is `UNAVAILABLE`, and passes by itself. */
async function toldWithin<T>(ms: number, ask: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + ms;
  for (;;) {
    try {
      return await ask();
    } catch (caught) {
      if (!ShoalError.is(caught, 'UNAVAILABLE') || performance.now() > endMs) throw caught;
      await delay(200);
    }
  }
}
