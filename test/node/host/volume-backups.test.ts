import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { declaredPoints } from '../../../node/base/buggify/declared-points.ts';
import type { VolumeId } from '../../../node/base/ids.ts';
import { self, serverId } from './host-world.ts';
import { type VolumeHost, volumeHost } from './volume-host.ts';

async function backedUpHost(t: Test): Promise<{ readonly host: VolumeHost; readonly root: string }> {
  const root = await mkdtemp(join(tmpdir(), 'shoal-backups-'));
  t.teardown(() => rm(root, { recursive: true }));
  return { host: await volumeHost(t, pathToFileURL(root).href), root };
}

/** A volume is backed up in full and again, restored to itself and to a new one, and the backups are deleted. */
async function wholeLife(t: Test, host: VolumeHost, root: string, restarts: () => boolean): Promise<void> {
  const { service, context, world } = host;
  const until = (what: string, holds: () => boolean): Promise<void> => host.until(what, holds, restarts);
  const disk = (id: string) => world.storage.disks.get(id as VolumeId);
  const write = (id: string): string | undefined => {
    const generation = host.server?.disks.find(({ volumeId }) => volumeId === id)?.generation ?? 0;
    world.storage.write(id as VolumeId, self, generation);
    return disk(id)?.content;
  };
  const backUp = async (volumeId: string, incremental: boolean): Promise<string> => {
    const { id } = await service.backups.create(context, { volumeId, force: true, incremental });
    await until('the backup is written', () => host.backup(id)?.status === 'available');
    return id;
  };

  const volume = await service.volumes.create(context, { sizeGib: 1 });
  await service.attachments.plug(context, serverId, { volumeId: volume.id });
  await until('it is attached', () => host.volume(volume.id)?.status === 'in-use');
  const first = write(volume.id);
  const full = await backUp(volume.id, false);
  t.equal(host.volume(volume.id)?.status, 'in-use', 'its guest has it all the time');
  const second = write(volume.id);
  const more = await backUp(volume.id, true);
  write(volume.id);
  t.same([...(disk(volume.id)?.snapshots.values() ?? [])], [second], 'what the next one compares with is kept');

  await service.attachments.unplug(context, serverId, volume.id);
  await until('it is free', () => host.volume(volume.id)?.status === 'available');
  await service.backups.restore(context, more, volume.id);
  await until('it is restored', () => host.volume(volume.id)?.status === 'available');
  t.equal(disk(volume.id)?.content, second);
  const fresh = await service.volumes.create(context, { backupId: full });
  await until('a new one is restored', () => host.volume(fresh.id)?.status === 'available');
  t.equal(disk(fresh.id)?.content, first);
  await until('both backups are free', () => [full, more].every((id) => host.backup(id)?.status === 'available'));

  for (const id of [more, full]) {
    await service.backups.remove(context, id);
    await until('the backup is gone', () => host.backup(id) === undefined);
  }
  const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  t.same(files, [], 'no object is left');
  t.equal(disk(volume.id)?.snapshots.size, 0, 'and no snapshot');
}

t.test('a volume is backed up while its guest has it, restored, and its backups are deleted', async (t) => {
  const { host, root } = await backedUpHost(t);
  await wholeLife(t, host, root, () => false);
});

t.test('a volume whose bytes nobody needed before is made to be backed up', async (t) => {
  const { host } = await backedUpHost(t);
  const { service, context, world } = host;
  const volume = await service.volumes.create(context, { sizeGib: 1 });
  t.equal(host.volume(volume.id)?.madeGib, 0);
  const { id } = await service.backups.create(context, { volumeId: volume.id });
  await host.until(
    'the backup ends',
    () => host.backup(id)?.status !== 'creating',
    () => false,
  );
  t.equal(host.backup(id)?.status, 'available');
  t.match(host.volume(volume.id), { status: 'available', madeGib: 1 });
  await service.backups.restore(context, id, volume.id);
  await host.until(
    'it is restored',
    () => host.volume(volume.id)?.status === 'available',
    () => false,
  );
  const fresh = await service.volumes.create(context, { sizeGib: 2 });
  await service.backups.restore(context, id, fresh.id);
  const isMade = () => host.volume(fresh.id)?.status === 'available' && host.volume(fresh.id)?.madeGib === 2;
  await host.until('one without bytes is restored to', isMade, () => false);
  t.equal(world.storage.disks.get(fresh.id as VolumeId)?.sizeBytes, 2 * 1024 ** 3);
});

const points = declaredPoints('failpoint')
  .map(({ name }) => name)
  .filter((name) => /^(backup|backup-delete|restore)\./.test(name) && name !== 'backup.taken-back');

t.test('killed at any point of a backup, it is written, restored and deleted all the same', async (t) => {
  t.ok(points.length >= 9, `${points.length} points`);
  for (const point of points) {
    await t.test(point, async (t) => {
      const { host, root } = await backedUpHost(t);
      const { hits } = host.killAt(point);
      await wholeLife(t, host, root, () => hits() > 0);
      t.ok(hits() > 0, 'it was killed there');
    });
  }
});
