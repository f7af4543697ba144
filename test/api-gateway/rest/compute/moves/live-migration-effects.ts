/** Every attribute of `os-migrateLive` and of what is asked of a live migration under way. */
import { transact } from '../../../../../node/services/kit/transact.ts';
import { serverTable } from '../../../../../node/state/tables/index.ts';
import { shoal } from '../../../../../proto/messages.ts';
import { hostsAct } from '../../../../node/services/compute-world.ts';
import type { Answer, EffectCloud, Effects } from '../../effects/effects.ts';
import { act, at, made, onSharedStorage, shown } from '../server-effects.ts';

/** Where the bodies go. */
export const liveMigrationRoutes = {
  liveMigrateBody: ['POST /v2.1/servers/:id/action#os-migrateLive'],
  migrationActionBody: ['POST /v2.1/servers/:id/migrations/:key/action'],
} as const;

/** A server that runs on the host, with its disks where all hosts reach them. */
async function running(cloud: EffectCloud, host = 'host-1'): Promise<string> {
  const { id } = await made(cloud, { availability_zone: `nova:${host}` });
  await hostsAct(cloud.world);
  await onSharedStorage(cloud, id);
  return id;
}

const live = (more: object): object => ({ 'os-migrateLive': { host: null, block_migration: 'auto', ...more } });

/** The one that is under way. */
async function underWay(cloud: EffectCloud, id: string): Promise<Answer> {
  const { migrations } = await cloud.ask('GET', `/compute/v2.1/servers/${id}/migrations`, { headers: at(79) });
  return migrations[0];
}

/** See above. */
export const liveMigrationEffects: Effects = {
  'liveMigrateBody: host': async (t, cloud) => {
    for (const [from, to] of [
      ['host-1', 'host-2'],
      ['host-2', 'host-1'],
    ] as const) {
      const { id: local } = await made(cloud, { availability_zone: `nova:${from}` });
      await hostsAct(cloud.world);
      await act(cloud, local, live({ host: to }), 409);
      const id = await running(cloud, from);
      await act(cloud, id, live({ host: from }), 400);
      await act(cloud, id, live({ host: 'nowhere' }), 400);
      await act(cloud, id, live({ host: to }));
      t.match(await shown(cloud, id), { status: 'MIGRATING', 'OS-EXT-SRV-ATTR:host': from });
      const migration = await underWay(cloud, id);
      t.match(migration, { source_compute: from, dest_compute: to, status: 'preparing', server_uuid: id });
      await act(cloud, id, live({ host: to }), 409);
      const path = `/compute/v2.1/servers/${id}/migrations/${migration.id}`;
      await cloud.ask('DELETE', path, { headers: at(23), status: 404 });
      await cloud.ask('DELETE', path, { headers: at(64), status: 400 });
      await cloud.ask('DELETE', `${path}9`, { headers: at(65), status: 404 });
      await cloud.ask('DELETE', path, { headers: at(65), status: 202 });
    }
  },
  'liveMigrateBody: block_migration': async (_t, cloud) => {
    const id = await running(cloud);
    await act(cloud, id, live({ block_migration: true }), 400);
    await act(cloud, id, live({ block_migration: 'perhaps' }), 400);
    await act(cloud, id, live({ block_migration: 'auto', disk_over_commit: false }), 400, 24);
    await act(cloud, id, live({ block_migration: 'False' }));
    await act(cloud, await running(cloud), live({ block_migration: 'auto' }));
    const { id: local } = await made(cloud);
    await hostsAct(cloud.world);
    await act(cloud, local, live({ block_migration: false }), 400);
  },
  'liveMigrateBody: disk_over_commit': async (_t, cloud) => {
    const id = await running(cloud);
    await act(cloud, id, live({ block_migration: false }), 400, 24);
    await act(cloud, id, live({ block_migration: false, disk_over_commit: true }), 400, 25);
    await act(cloud, id, live({ block_migration: false, disk_over_commit: true }), 202, 24);
    await act(cloud, await running(cloud), live({ block_migration: false, disk_over_commit: false }), 202, 24);
  },
  'liveMigrateBody: force': async (_t, cloud) => {
    const id = await running(cloud);
    await act(cloud, id, live({ force: true }), 501, 30);
    await act(cloud, id, live({ force: true }), 400, 29);
    await act(cloud, id, live({ force: false }), 400, 68);
    await act(cloud, id, live({ force: false }), 202, 67);
  },
  'migrationActionBody: force_complete': async (t, cloud) => {
    const id = await running(cloud);
    await act(cloud, id, live({}));
    const path = `/compute/v2.1/servers/${id}/migrations/${(await underWay(cloud, id)).id}/action`;
    const force = (body: object, status: number, minor = 22) =>
      cloud.ask('POST', path, { body, headers: at(minor), status });
    await force({ force_complete: null }, 404, 21);
    await force({ force_complete: 'now' }, 400);
    await force({}, 400);
    // Its memory is not being copied yet.
    await force({ force_complete: null }, 400);
    const { world } = cloud;
    await transact(world.deps, world.admin, ({ reader, change }) => {
      const row = serverTable.must(reader, id);
      const move = new shoal.v1.ServerMove({ ...row.record.move, phase: 'copying' });
      serverTable.update(change, row, new shoal.v1.Server({ ...row.record, move }));
    });
    await force({ force_complete: null }, 202);
    t.equal(serverTable.must(world.state.local, id).record.move?.mustFinish, true);
  },
};
