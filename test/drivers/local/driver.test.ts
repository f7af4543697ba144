/** What local files do beyond the compliance suite: crash points, and disks that a guest holds open. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { type CommandRunner, runCommand } from '../../../drivers/command.ts';
import { LocalStorageDriver } from '../../../drivers/local/driver.ts';
import type { DiskSpec, GuestSpec, ImageFile } from '../../../drivers/types.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId, ImageId, ServerId, VolumeId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { mibBytes } from '../../../node/base/units.ts';
import { newImageFile } from '../../support/guests/image-file.ts';
import { openFolder, qemuFixture, whyNoQemu } from '../../support/guests/qemu-host.ts';
import { whyNoProgram } from '../../support/programs.ts';

const { signal } = new AbortController();
const host = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' as HostId;
const lack = await whyNoProgram('qemu-img');

async function setUp(t: Parameters<typeof openFolder>[0]): Promise<{ root: string; image: ImageFile; spec: DiskSpec }> {
  const folder = await openFolder(t);
  const image = await newImageFile(join(folder, 'image'), {
    format: 'raw',
    virtualSizeBytes: mibBytes,
    text: 'bottom',
  });
  return {
    root: join(folder, 'store'),
    image,
    spec: { volumeId: randomUUID() as VolumeId, sizeBytes: 2 * mibBytes, imageSha256: image.sha256, generation: 1 },
  };
}

await t.test('a disk whose making was cut short is made whole by the next try', { skip: lack }, async (t) => {
  for (const cut of ['before qemu-img', 'after qemu-img'] as const) {
    const { root, image, spec } = await setUp(t);
    const dying: CommandRunner = async (argv, options) => {
      if (!argv.includes('create')) return runCommand(argv, options);
      if (cut === 'after qemu-img') await runCommand(argv, options);
      throw new ShoalError('COMMAND_FAILED', 'the agent died here');
    };
    const first = new LocalStorageDriver({ log: silentLogger, run: dying }, { root });
    await first.start(signal);
    await first.ensureImage(image, signal);
    await t.rejects(first.ensureDisk(spec, signal), { code: 'COMMAND_FAILED' }, cut);
    const next = new LocalStorageDriver({ log: silentLogger }, { root });
    await next.start(signal);
    t.equal(await next.findDisk(spec.volumeId, signal), undefined, `${cut}: a part of a disk is no disk`);
    t.notOk(
      (await readdir(join(root, 'disks'))).some((name) => name.endsWith('.tmp')),
      `${cut}: nothing unfinished stays`,
    );
    await next.removeImage(image.sha256, signal);
    await next.ensureImage(image, signal);
    await next.ensureDisk(spec, signal);
    t.match(await next.findDisk(spec.volumeId, signal), { sizeBytes: 2 * mibBytes, imageSha256: image.sha256 }, cut);
  }
});

await t.test('a disk is a layer above its image, and stays so when the folder moves', { skip: lack }, async (t) => {
  const { root, image, spec } = await setUp(t);
  const driver = new LocalStorageDriver({ log: silentLogger }, { root });
  await driver.start(signal);
  await driver.ensureImage(image, signal);
  await driver.ensureDisk(spec, signal);
  const moved = `${root}-moved`;
  await runCommand(['mv', root, moved]);
  const after = new LocalStorageDriver({ log: silentLogger }, { root: moved });
  await after.start(signal);
  const source = await after.openDisk(spec, host, signal);
  if (source.kind !== 'file') throw new Error('local disks are files');
  const copy = join(moved, 'copy.raw');
  await runCommand(['qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', source.path, copy]);
  const content = await readFile(copy);
  t.equal(content.length, 2 * mibBytes);
  t.equal(content.subarray(0, 6).toString(), 'bottom');
});

await t.test(
  'a disk that a guest holds open is neither resized, removed nor handed on',
  { skip: lack || (await whyNoQemu()) },
  async (t) => {
    const { root, image, spec } = await setUp(t);
    const storage = new LocalStorageDriver({ log: silentLogger }, { root });
    await storage.start(signal);
    await storage.ensureImage(image, signal);
    await storage.ensureDisk(spec, signal);
    const compute = (await qemuFixture(t)).open();
    await compute.start(signal);
    const guest: GuestSpec = {
      serverId: randomUUID() as ServerId,
      generation: 1,
      name: 'holder',
      vcpus: 1,
      memoryMib: 16,
      disks: [{ volumeId: spec.volumeId, source: await storage.openDisk(spec, host, signal), bootIndex: 0 }],
      nics: [],
    };
    await compute.startGuest(guest, signal);
    t.teardown(() => compute.stop());
    t.teardown(() => compute.stopGuest(guest.serverId, { graceMs: 0 }, signal));
    await t.rejects(storage.ensureDisk({ ...spec, sizeBytes: 4 * mibBytes }, signal), { code: 'CONFLICT' });
    await t.rejects(storage.removeDisk(spec.volumeId, signal), { code: 'CONFLICT' });
    await t.rejects(storage.openDisk({ ...spec, generation: 2 }, host, signal), { code: 'FENCE_UNPROVEN' });
    t.ok(await storage.openDisk(spec, host, signal), 'its own owner may ask again at its generation');
    await compute.stopGuest(guest.serverId, { graceMs: 0 }, signal);
    t.ok(await storage.openDisk({ ...spec, generation: 2 }, host, signal));
    await storage.ensureDisk({ ...spec, sizeBytes: 4 * mibBytes }, signal);
    await storage.removeDisk(spec.volumeId, signal);
  },
);

await t.test(
  'what an earlier version named by the image’s id is kept while disks lie on it',
  { skip: lack },
  async (t) => {
    const { root, image, spec } = await setUp(t);
    const legacy = randomUUID() as ImageId;
    for (const folder of ['images', 'disks']) await mkdir(join(root, folder), { recursive: true });
    await runCommand(['cp', image.path, join(root, 'images', `${legacy}.raw`)]);
    await writeFile(
      join(root, 'images', `${legacy}.json`),
      JSON.stringify({ format: 'raw', virtualSizeBytes: mibBytes }),
    );
    const disk = join(root, 'disks', `${spec.volumeId}.qcow2`);
    const below = ['-b', `../images/${legacy}.raw`, '-F', 'raw'];
    await runCommand(['qemu-img', 'create', '-q', '-f', 'qcow2', ...below, disk, String(2 * mibBytes)]);
    await writeFile(join(root, 'disks', `${spec.volumeId}.json`), JSON.stringify({ imageId: legacy }));

    const driver = new LocalStorageDriver({ log: silentLogger }, { root });
    await driver.start(signal);
    await driver.ensureDisk(spec, signal);
    t.match(await driver.findDisk(spec.volumeId, signal), { legacyImageId: legacy });
    t.match(await driver.openDisk(spec, host, signal), { backingPath: join(root, 'images', `${legacy}.raw`) });
    t.equal(await driver.hasImage(image.sha256, signal), false, 'and is not taken for a content');
    await t.rejects(driver.removeImage(legacy, signal), { code: 'CONFLICT' });
    await driver.removeDisk(spec.volumeId, signal);
    await driver.removeImage(legacy, signal);
    t.same(await readdir(join(root, 'images')), []);
  },
);

await t.test(
  'a folder that is full or read-only is told as such, and nothing half-made stays',
  { skip: lack },
  async (t) => {
    for (const [said, reason] of [
      ['No space left on device', 'full'],
      ['Read-only file system', 'read-only'],
    ] as const) {
      const { root, spec } = await setUp(t);
      const refusing: CommandRunner = async (argv, options) => {
        if (!argv.includes('create')) return runCommand(argv, options);
        throw new ShoalError('COMMAND_FAILED', 'qemu-img ended with 1', { facts: { stderr: `qemu-img: ${said}` } });
      };
      const driver = new LocalStorageDriver({ log: silentLogger, run: refusing }, { root });
      await driver.start(signal);
      const { imageSha256: _, ...empty } = spec;
      await t.rejects(driver.ensureDisk(empty, signal), { code: 'DRIVER_FAILED', facts: { reason } });
      t.equal(await driver.findDisk(spec.volumeId, signal), undefined);
    }
  },
);
