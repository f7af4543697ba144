/** A87: a new disk holds nothing of one that was deleted, also under the same id and on the same image. */
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { runCommand } from '../../drivers/command.ts';
import { LocalStorageDriver } from '../../drivers/local/driver.ts';
import type { DiskSpec } from '../../drivers/types.ts';
import type { VolumeId } from '../../node/base/ids.ts';
import { silentLogger } from '../../node/base/telemetry/logger.ts';
import { mibBytes } from '../../node/base/units.ts';
import { newImageFile } from '../support/guests/image-file.ts';
import { openFolder } from '../support/guests/qemu-host.ts';
import { whyNoProgram } from '../support/programs.ts';

const { signal } = new AbortController();
const skip = await whyNoProgram('qemu-img', 'qemu-io', 'prlimit');

await t.test('A87: local disks', { skip }, async (t) => {
  const folder = await openFolder(t);
  const root = join(folder, 'store');
  const driver = new LocalStorageDriver({ log: silentLogger }, { root });
  await driver.start(signal);
  const image = await newImageFile(join(folder, 'image'), {
    format: 'raw',
    virtualSizeBytes: mibBytes,
    text: 'bottom',
  });
  await driver.ensureImage(image, signal);
  const contentOf = async (spec: DiskSpec): Promise<Buffer> => {
    const out = join(folder, 'content.raw');
    const path = join(root, 'disks', `${spec.volumeId}.qcow2`);
    await runCommand(['qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', path, out]);
    return readFile(out);
  };
  const bottom = Buffer.concat([await readFile(image.path), Buffer.alloc(15 * mibBytes)]);
  for (const below of [{}, { imageSha256: image.sha256 }]) {
    const expected = 'imageSha256' in below ? bottom : Buffer.alloc(16 * mibBytes);
    const spec: DiskSpec = { volumeId: randomUUID() as VolumeId, sizeBytes: 16 * mibBytes, generation: 1, ...below };
    await driver.ensureDisk(spec, signal);
    const path = join(root, 'disks', `${spec.volumeId}.qcow2`);
    await runCommand(['qemu-io', '-f', 'qcow2', '-c', 'write -q -P 0x5a 0 16M', path]);
    t.equal((await contentOf(spec)).indexOf(0x5a), 0, 'the tenant wrote all of it');
    await driver.removeDisk(spec.volumeId, signal);
    t.same(
      (await readdir(join(root, 'disks'))).filter((name) => name.includes(spec.volumeId)),
      [],
      'nothing of it is left',
    );
    for (const next of [spec, { ...spec, volumeId: randomUUID() as VolumeId }]) {
      await driver.ensureDisk(next, signal);
      t.ok((await contentOf(next)).equals(expected), 'the image or zeros, and nothing else');
      await driver.removeDisk(next.volumeId, signal);
    }
    // Nor does growing bring anything back.
    await driver.ensureDisk(spec, signal);
    await driver.ensureDisk({ ...spec, sizeBytes: 32 * mibBytes }, signal);
    t.equal((await contentOf(spec)).indexOf(0x5a), -1);
  }
});
