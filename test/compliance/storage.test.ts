import { join } from 'node:path';
import t from 'tap';
import { FakeStorage, FakeStorageDriver } from '../../drivers/fake/storage.ts';
import { LocalStorageDriver } from '../../drivers/local/driver.ts';
import { DiskExports } from '../../drivers/nbd/exports/disk-exports.ts';
import type { HostId } from '../../node/base/ids.ts';
import { silentLogger } from '../../node/base/telemetry/logger.ts';
import { mibBytes } from '../../node/base/units.ts';
import { exportOptions } from '../support/guests/disk-exports.ts';
import { newImageFile, randomSha256 } from '../support/guests/image-file.ts';
import { openFolder } from '../support/guests/qemu-host.ts';
import { whyNoProgram } from '../support/programs.ts';
import { storageCompliance } from './storage.ts';
import { twoPoolsCompliance } from './two-pools.ts';

const hostId = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' as HostId;

for (const shared of [false, true]) {
  await t.test(`fake storage, ${shared ? 'shared' : 'of one host'}`, async (t) => {
    const storage = new FakeStorage({ shared });
    const virtualSizeBytes = 4 * mibBytes;
    await storageCompliance(t, {
      open: () => new FakeStorageDriver(storage),
      image: async () => ({ sha256: randomSha256(), path: '/nowhere', format: 'raw', virtualSizeBytes }),
      hasBytes: false,
    });
  });
}

for (const format of ['raw', 'qcow2'] as const) {
  await t.test(
    `local files, from a ${format} image`,
    { skip: await whyNoProgram('qemu-img', 'qemu-storage-daemon') },
    async (t) => {
      const folder = await openFolder(t);
      const virtualSizeBytes = 4 * mibBytes;
      let images = 0;
      await storageCompliance(t, {
        open: () => {
          const exports = new DiskExports({ log: silentLogger }, exportOptions(join(folder, 'exports')));
          return new LocalStorageDriver({ log: silentLogger, exports }, { root: join(folder, 'store') });
        },
        image: () => {
          images += 1;
          return newImageFile(join(folder, `image-${images}`), { format, virtualSizeBytes });
        },
        hasBytes: true,
      });
    },
  );
}

for (const shared of [false, true]) {
  await t.test(`two pools of fake storage, ${shared ? 'shared' : 'of one host'}`, async (t) => {
    const pool = (): FakeStorageDriver => new FakeStorageDriver(new FakeStorage({ shared }));
    await twoPoolsCompliance(t, [pool(), pool()], async () => ({
      sha256: randomSha256(),
      path: '/nowhere',
      format: 'raw',
      virtualSizeBytes: 4 * mibBytes,
    }));
  });
}

await t.test('two pools of local files', { skip: await whyNoProgram('qemu-img') }, async (t) => {
  const folder = await openFolder(t);
  const pool = (name: string): LocalStorageDriver =>
    new LocalStorageDriver(
      { log: silentLogger },
      { root: join(folder, name), owner: { pool: name, hostId, notesDir: join(folder, 'notes') } },
    );
  await twoPoolsCompliance(t, [pool('fast'), pool('slow')], () =>
    newImageFile(join(folder, 'image'), { format: 'qcow2', virtualSizeBytes: 4 * mibBytes }),
  );
});
