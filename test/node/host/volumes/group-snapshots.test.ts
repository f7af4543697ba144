/** Snapshots of a group are of one instant, also where the agent that made some of them ended, and its guests wrote on. */
import t, { type Test } from 'tap';
import { declaredPoints } from '../../../../node/base/buggify/declared-points.ts';
import type { VolumeId, VolumeSnapshotId } from '../../../../node/base/ids.ts';
import { volumeSnapshotTable } from '../../../../node/state/tables/index.ts';
import { serverId } from '../host-world.ts';
import { type VolumeHost, volumeHost } from '../volume-host.ts';

/** A group of one volume that a guest has open, and of one that is closed. */
async function groupOf(host: VolumeHost): Promise<{ readonly groupId: string; readonly ids: readonly string[] }> {
  const { service, context } = host;
  const groupSpecs = { consistent_group_snapshot_enabled: '<is> True' };
  const type = await service.groupTypes.create(context, { name: 'together', groupSpecs });
  const group = await service.groups.create(context, { groupType: type.id, volumeTypes: ['__DEFAULT__'], name: 'g' });
  const ids: string[] = [];
  for (let count = 0; count < 2; count += 1) {
    const { id } = await service.volumes.create(context, { sizeGib: 1 });
    await service.attachments.plug(context, serverId, { volumeId: id });
    await host.until('it is attached', () => host.volume(id)?.status === 'in-use');
    ids.push(id);
  }
  const [, closed = ''] = ids;
  await service.attachments.unplug(context, serverId, closed);
  await host.until('it is free', () => host.volume(closed)?.status === 'available');
  await service.groups.update(context, group.id, { addVolumeIds: ids });
  return { groupId: group.id, ids };
}

function write({ world }: VolumeHost, ids: readonly string[], content: string): void {
  for (const id of ids) {
    const disk = world.storage.disks.get(id as VolumeId);
    if (disk !== undefined) disk.content = content;
  }
}

/** What the snapshots of the group hold. */
function kept({ world }: VolumeHost): readonly (string | undefined)[] {
  return volumeSnapshotTable.list(world.state.local).map(({ record }) => {
    const disk = world.storage.disks.get(record.volumeId as VolumeId);
    return disk?.snapshots.get(record.id as VolumeSnapshotId);
  });
}

async function killed(t: Test, point: string, expected: string): Promise<void> {
  const host = await volumeHost(t);
  const { service, context } = host;
  const { groupId, ids } = await groupOf(host);
  write(host, ids, 'before');
  const { hits } = host.killAt(point);
  const made = await service.groupSnapshots.create(context, { groupId });
  await host.until('it is killed', () => hits() > 0);
  await host.stop();
  write(host, ids, 'after');
  await host.start();
  const status = () => service.groupSnapshots.show(context, host.world.state.local, made.id).status;
  await host.until('the snapshots are made', () => status() === 'available');
  t.strictSame(kept(host), [expected, expected]);
  t.strictSame(host.world.storage.disks.get(ids[0] as VolumeId)?.snapshots.size, 1, 'and nothing else is kept');
}

t.test('snapshots of a group are of one instant wherever their host is killed', async (t) => {
  const points = new Map([
    ['snapshot.begins', 'after'],
    ['snapshot.some-made', 'after'],
    ['snapshot.made', 'before'],
  ]);
  const declared = declaredPoints('failpoint').map(({ name }) => name);
  for (const [point, expected] of points) {
    t.ok(declared.includes(point), `${point} is a point`);
    await t.test(point, (t) => killed(t, point, expected));
  }
});
