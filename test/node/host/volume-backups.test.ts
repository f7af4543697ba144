import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { declaredPoints } from '../../../node/base/buggify/declared-points.ts';
import type { VolumeId } from '../../../node/base/ids.ts';
import { shoal } from '../../../proto/messages.ts';
import { self, serverId } from './host-world.ts';
import { type VolumeHost, volumeHost } from './volume-host.ts';

const { JobStatus } = shoal.v1;

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

t.test('a backup is verified: whole, damaged, gone from its store, and out of reach', async (t) => {
  const { host, root } = await backedUpHost(t);
  const { volumes, backups, backupUpkeep, messages } = host.service;
  const volume = await volumes.create(host.context, { sizeGib: 1 });
  await host.service.attachments.plug(host.context, serverId, { volumeId: volume.id });
  await host.until('it is attached', () => host.volume(volume.id)?.status === 'in-use');
  host.world.storage.write(volume.id as VolumeId, self, host.server?.disks[0]?.generation ?? 0);
  const { id } = await backups.create(host.context, { volumeId: volume.id, force: true });
  await host.until('it is written', () => host.backup(id)?.status === 'available');
  const verified = async (): Promise<number | undefined> => {
    const job = await backupUpkeep.verify(host.context, id);
    await host.until('the job ends', () => (host.job(job.id)?.endedMs ?? 0) > 0);
    return host.job(job.id)?.status;
  };
  const told = (): number => messages.list(host.context, host.world.state.local).length;

  t.equal(await verified(), JobStatus.JOB_STATUS_SUCCEEDED);
  t.match(host.backup(id), { verifyFault: '', status: 'available' });
  t.ok((host.backup(id)?.verifiedMs ?? 0) > 0);

  const objects = (await readdir(root, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile() && entry.name !== 'manifest',
  );
  const object = join(objects[0]?.parentPath ?? '', objects[0]?.name ?? '');
  const bytes = await readFile(object);
  const changed = Buffer.from(bytes);
  changed[20] = (changed[20] ?? 0) ^ 1;
  await writeFile(object, changed);
  t.equal(await verified(), JobStatus.JOB_STATUS_FAILED);
  t.match(host.backup(id)?.verifyFault, /damaged/);
  t.equal(told(), 1, 'its owner is told');
  await rm(object);
  t.equal(await verified(), JobStatus.JOB_STATUS_FAILED);
  t.match(host.backup(id)?.verifyFault, /has no /);
  await writeFile(object, bytes);
  t.equal(await verified(), JobStatus.JOB_STATUS_SUCCEEDED, 'what is put right is right');
  t.equal(host.backup(id)?.verifyFault, '');

  const { verifiedMs = 0 } = host.backup(id) ?? {};
  await rename(root, `${root}-away`);
  const job = await backupUpkeep.verify(host.context, id);
  await delay(200);
  t.equal(host.job(job.id)?.endedMs, 0, 'a store that is not there says nothing of the backup');
  t.equal(host.backup(id)?.verifiedMs, verifiedMs);
  await rename(`${root}-away`, root);
  await host.until(
    'it is verified once the store is back',
    () => host.job(job.id)?.status === JobStatus.JOB_STATUS_SUCCEEDED,
  );
  await t.rejects(backupUpkeep.verify(host.context, 'none'), { code: 'NOT_FOUND' });
});

/** A full backup, one that adds to it, and a full one: all but the newest go. */
async function expire(t: Test, host: VolumeHost, restarts: () => boolean): Promise<void> {
  const { volumes, backups, backupUpkeep } = host.service;
  const until = (what: string, holds: () => boolean): Promise<void> => host.until(what, holds, restarts);
  const volume = await volumes.create(host.context, { sizeGib: 1 });
  const ids: string[] = [];
  for (const incremental of [false, true, false]) {
    const { id } = await backups.create(host.context, { volumeId: volume.id, incremental });
    await until('it is written', () => host.backup(id)?.status === 'available' && host.isAtRest);
    ids.push(id);
    await delay(2);
  }
  const job = await backupUpkeep.expire(host.context, { allProjects: false, volumeId: '', keepNewest: 1 });
  await until('the job ends', () => (host.job(job.id)?.endedMs ?? 0) > 0);
  t.match(host.job(job.id), { status: JobStatus.JOB_STATUS_SUCCEEDED, message: '2 backups were removed.' });
  t.same(
    ids.map((id) => host.backup(id)?.status),
    [undefined, undefined, 'available'],
  );
}

t.test('old backups go, the ends of chains first', async (t) => {
  const { host } = await backedUpHost(t);
  await expire(t, host, () => false);
  const { backupUpkeep } = host.service;
  const nothing = { allProjects: false, volumeId: '' };
  await t.rejects(backupUpkeep.expire(host.context, nothing), { code: 'INVALID_ARGUMENT' });
  await t.rejects(backupUpkeep.expire(host.context, { ...nothing, volumeId: 'none', keepNewest: 1 }), {
    code: 'NOT_FOUND',
  });
});

t.test('with its exported record and its store, a backup survives the whole cloud', async (t) => {
  const { host, root } = await backedUpHost(t);
  const volume = await host.service.volumes.create(host.context, { sizeGib: 1 });
  await host.service.attachments.plug(host.context, serverId, { volumeId: volume.id });
  await host.until('it is attached', () => host.volume(volume.id)?.status === 'in-use');
  const written = [];
  const urls: string[] = [];
  for (const incremental of [false, true]) {
    host.world.storage.write(volume.id as VolumeId, self, host.server?.disks[0]?.generation ?? 0);
    written.push(host.world.storage.disks.get(volume.id as VolumeId)?.content);
    const { id } = await host.service.backups.create(host.context, { volumeId: volume.id, force: true, incremental });
    await host.until('it is written', () => host.backup(id)?.status === 'available');
    urls.push(host.service.backups.exportRecord(host.context, host.world.state.local, id).url);
  }
  await host.stop();
  await host.world.stop();

  const other = await volumeHost(t, pathToFileURL(root).href, 'another-mesh');
  // A backup that was imported is no host's: any that is up looks after it.
  other.other.condition = 'dead';
  // The incremental one first: it needs no record of the one that it adds to.
  for (const at of [1, 0]) {
    const imported = await other.service.backups.importRecord(other.context, 'shoal', urls[at] ?? '');
    const fresh = await other.service.volumes.create(other.context, { backupId: imported.id });
    await other.until('it is restored', () => other.volume(fresh.id)?.status === 'available' && other.isAtRest);
    t.equal(other.world.storage.disks.get(fresh.id as VolumeId)?.content, written[at]);
    const job = await other.service.backupUpkeep.verify(other.context, imported.id);
    await other.until('it is verified', () => other.job(job.id)?.status === JobStatus.JOB_STATUS_SUCCEEDED);
  }
  const parent = other.service.backups.list(other.context, other.world.state.local, { allProjects: false });
  t.same(parent.map(({ children }) => children).sort(), [0, 1], 'the chain is known again');
});

t.test('killed at any point, backups are verified and expire all the same', async (t) => {
  for (const point of ['backup-verify.read', 'backup-expire.asked']) {
    await t.test(point, async (t) => {
      const { host } = await backedUpHost(t);
      const { hits } = host.killAt(point);
      await expire(t, host, () => hits() > 0);
      const last = host.service.backups.list(host.context, host.world.state.local, { allProjects: false })[0];
      const job = await host.service.backupUpkeep.verify(host.context, last?.id ?? '');
      await host.until(
        'it is verified',
        () => (host.job(job.id)?.endedMs ?? 0) > 0,
        () => hits() > 0,
      );
      t.equal(host.job(job.id)?.status, JobStatus.JOB_STATUS_SUCCEEDED);
      t.ok(hits() > 0, 'it was killed there');
    });
  }
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
