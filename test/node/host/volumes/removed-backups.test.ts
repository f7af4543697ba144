/** What a volume's host keeps for a backup goes with the backup, also when another host removed it while that host was down. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import type { VolumeId, VolumeSnapshotId } from '../../../../node/base/ids.ts';
import { jobTable } from '../../../../node/state/tables/index.ts';
import { self } from '../host-world.ts';
import { otherHost, volumeHost } from '../volume-host.ts';

t.test('a backup that another host removes is forgotten by the volume with its next backup', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'shoal-removed-'));
  t.teardown(() => rm(root, { recursive: true }));
  const host = await volumeHost(t, pathToFileURL(root).href);
  const { service, context, world } = host;
  const backUp = async (volumeId: string): Promise<string> => {
    const { id } = await service.backups.create(context, { volumeId });
    await host.until('there is a backup', () => host.backup(id)?.status === 'available' && host.isAtRest);
    return id;
  };
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  const first = await backUp(id);
  const kept = () => [...(world.storage.disks.get(id as VolumeId)?.snapshots.keys() ?? [])];
  t.strictSame(kept(), [first as VolumeSnapshotId]);

  // The volume is on a host that is down; this one reaches the store.
  host.other.condition = 'dead';
  await host.changeVolume(id, (volume) => {
    volume.hostId = otherHost;
  });
  await service.backups.remove(context, first);
  await host.until('it is gone', () => host.backup(first) === undefined && host.isAtRest);
  t.strictSame(host.volume(id)?.removedBackupIds, [first], 'what is kept for it is known');
  t.strictSame(kept(), [first as VolumeSnapshotId]);

  await host.changeVolume(id, (volume) => {
    volume.hostId = self;
  });
  const second = await backUp(id);
  t.strictSame(kept(), [second as VolumeSnapshotId]);
  t.strictSame(host.volume(id)?.removedBackupIds, []);
});

t.test("a backup is removed by its volume's host, which keeps a snapshot for it", async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'shoal-removed-'));
  t.teardown(() => rm(root, { recursive: true }));
  const host = await volumeHost(t, pathToFileURL(root).href);
  const { service, context, world } = host;
  const { id: volumeId } = await service.volumes.create(context, { sizeGib: 1 });
  const { id } = await service.backups.create(context, { volumeId });
  await host.until('there is a backup', () => host.backup(id)?.status === 'available' && host.isAtRest);
  await host.changeVolume(volumeId, (volume) => {
    volume.hostId = otherHost;
  });
  await service.backups.remove(context, id);
  const [job] = jobTable.by(world.state.local, 'under-way', 'yes');
  t.match(job?.record, { kind: 'volume-backup-delete', ownerHostId: otherHost });
});
