import { randomUUID } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { runCommand } from '../../drivers/command.ts';
import { FakeStorage, FakeStorageDriver } from '../../drivers/fake/storage.ts';
import { LocalStorageDriver } from '../../drivers/local/driver.ts';
import type { ImageId } from '../../node/base/ids.ts';
import { silentLogger } from '../../node/base/logger.ts';
import { mibBytes } from '../../node/base/units.ts';
import { whyNoProgram } from '../support/programs.ts';
import { openFolder } from '../support/qemu-host.ts';
import { storageCompliance } from './storage.ts';

for (const shared of [false, true]) {
  await t.test(`fake storage, ${shared ? 'shared' : 'of one host'}`, async (t) => {
    const storage = new FakeStorage({ shared });
    const virtualSizeBytes = 4 * mibBytes;
    await storageCompliance(t, {
      open: () => new FakeStorageDriver(storage),
      image: async () => ({ imageId: randomUUID() as ImageId, path: '/nowhere', format: 'raw', virtualSizeBytes }),
    });
  });
}

for (const format of ['raw', 'qcow2'] as const) {
  await t.test(`local files, from a ${format} image`, { skip: await whyNoProgram('qemu-img') }, async (t) => {
    const folder = await openFolder(t);
    const path = join(folder, `image.${format}`);
    const virtualSizeBytes = 4 * mibBytes;
    if (format === 'raw') {
      await writeFile(path, 'content');
      await truncate(path, virtualSizeBytes);
    } else {
      await runCommand(['qemu-img', 'create', '-q', '-f', 'qcow2', path, String(virtualSizeBytes)]);
    }
    await storageCompliance(t, {
      open: () => new LocalStorageDriver({ log: silentLogger }, { root: join(folder, 'store') }),
      image: async () => ({ imageId: randomUUID() as ImageId, path, format, virtualSizeBytes }),
    });
  });
}
