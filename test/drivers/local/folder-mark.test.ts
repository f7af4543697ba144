/** The folder of a pool that an operator names: whose it is, and that one which is not mounted is not taken for empty. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { LocalStorageDriver } from '../../../drivers/local/driver.ts';
import type { DiskSpec } from '../../../drivers/types.ts';
import type { HostId, VolumeId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { mibBytes } from '../../../node/base/units.ts';
import { openFolder } from '../../support/guests/qemu-host.ts';
import { whyNoProgram } from '../../support/programs.ts';

const { signal } = new AbortController();
const host = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' as HostId;
const otherHost = 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb' as HostId;
const lack = await whyNoProgram('qemu-img');

function driverOf(folder: string, at: { pool?: string; hostId?: HostId; root?: string } = {}): LocalStorageDriver {
  const { pool = 'fast', hostId = host, root = join(folder, 'mount') } = at;
  const owner = { pool, hostId, notesDir: join(folder, hostId) };
  return new LocalStorageDriver({ log: silentLogger }, { root, owner });
}

await t.test('without its file system no disk counts as absent, and nothing is made', { skip: lack }, async (t) => {
  const folder = await openFolder(t);
  const spec: DiskSpec = { volumeId: randomUUID() as VolumeId, sizeBytes: mibBytes, generation: 1 };
  const driver = driverOf(folder);
  await driver.start(signal);
  await driver.ensureDisk(spec, signal);

  // As it looks when the file system is away: an empty folder.
  await rename(join(folder, 'mount'), join(folder, 'away'));
  await mkdir(join(folder, 'mount'));
  const askings: readonly (() => Promise<unknown>)[] = [
    () => driver.findDisk(spec.volumeId, signal),
    () => driver.removeDisk(spec.volumeId, signal),
    () => driver.ensureDisk(spec, signal),
    () => driver.openDisk(spec, host, signal),
    () => driver.listSnapshots(spec.volumeId, signal),
    () => driver.listDisks(signal),
    () => driverOf(folder).start(signal),
  ];
  for (const asking of askings) {
    await t.rejects(async () => void (await asking()), {
      code: 'UNAVAILABLE',
      message: /has no pool\.json\. Is its file system mounted\?/,
    });
  }
  t.same(await readdir(join(folder, 'mount')), [], 'nothing lies below the mount');
  await rm(join(folder, 'mount'), { recursive: true });
  await t.rejects(driverOf(folder).start(signal), { code: 'UNAVAILABLE' }, 'nor is the folder made once more');

  await rename(join(folder, 'away'), join(folder, 'mount'));
  const next = driverOf(folder);
  await next.start(signal);
  t.match(await next.findDisk(spec.volumeId, signal), { volumeId: spec.volumeId });
  await next.removeDisk(spec.volumeId, signal);
});

await t.test('a folder is one pool of one host', { skip: lack }, async (t) => {
  const folder = await openFolder(t);
  await driverOf(folder).start(signal);
  await t.rejects(driverOf(folder, { pool: 'slow' }).start(signal), {
    code: 'CONFLICT',
    message: /is pool "fast" of host/,
  });
  await t.rejects(driverOf(folder, { hostId: otherHost }).start(signal), {
    code: 'CONFLICT',
    message: /name another folder/,
  });
  await driverOf(folder).start(signal);

  const used = join(folder, 'home');
  await mkdir(used);
  await writeFile(join(used, 'letter'), '');
  await t.rejects(driverOf(folder, { pool: 'slow', root: used }).start(signal), {
    code: 'CONFLICT',
    message: /holds other things \(letter\): name an empty folder/,
  });
  t.same(await readdir(used), ['letter'], 'untouched');
  const absent = { pool: 'slow', root: join(folder, 'none', 'deep') };
  await t.rejects(driverOf(folder, absent).start(signal), {
    code: 'UNAVAILABLE',
    message: /there is no folder .*none/,
  });
  const fresh = join(folder, 'fresh');
  await mkdir(join(fresh, 'lost+found'), { recursive: true });
  await writeFile(join(fresh, '.pool.json.7.1.tmp'), '');
  await driverOf(folder, { pool: 'slow', root: fresh }).start(signal);
});
