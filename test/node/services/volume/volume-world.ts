/** A volume service on a state in memory, with two hosts that have a pool of their own (`local`) and share another (`rbd`). */
import type { HostId } from '../../../../node/base/ids.ts';
import { VolumeReportService } from '../../../../node/services/volume/host-reports.ts';
import { VolumeService } from '../../../../node/services/volume/index.ts';
import { serverTable, volumeSnapshotTable, volumeTable } from '../../../../node/state/tables/index.ts';
import type { shoal } from '../../../../proto/messages.ts';
import { type ComputeWorld, fakeHostViews, hostsAct, makeComputeWorld } from '../compute-world.ts';
import { testSealing } from '../test-sealing.ts';

/** See above. */
export interface VolumeWorld extends ComputeWorld {
  readonly volume: VolumeService;
  /** What a host would tell. */
  readonly volumeReports: (hostId: string) => VolumeReportService;
}

/** @param storage the pool of types that name none. */
export async function makeVolumeWorld(storage: 'local' | 'rbd' = 'rbd'): Promise<VolumeWorld> {
  const world = await makeComputeWorld();
  return { ...world, ...volumeServiceOf(world, storage) };
}

/** The service and what hosts tell it, on a world that has hosts. */
export function volumeServiceOf(
  world: Parameters<typeof fakeHostViews>[0],
  storage: 'local' | 'rbd',
): Pick<VolumeWorld, 'volume' | 'volumeReports'> {
  const deps = {
    ...world.deps,
    hostViews: fakeHostViews(world),
    sealing: testSealing,
  };
  return {
    volume: new VolumeService(deps, { storage, backupStoreUrl: 'file:///backups' }),
    volumeReports: (hostId) => new VolumeReportService(world.deps, hostId as HostId, new AbortController().signal),
  };
}

/** Does what the records ask of every host, once: volumes, snapshots, then servers and their disks. */
export async function volumeHostsAct(world: VolumeWorld): Promise<void> {
  const { local } = world.state;
  for (const { record: volume } of volumeTable.list(local)) {
    if (volume.hostId === '' || volume.observedRevision >= volume.askedRevision) continue;
    const reports = world.volumeReports(volume.hostId);
    if (volume.status !== 'deleting') await reports.made(volume, volume.sizeGib);
  }
  for (const { record: snapshot } of volumeSnapshotTable.list(local)) {
    const reports = world.volumeReports(snapshot.hostId);
    if (snapshot.status === 'creating') await reports.snapshotsMade([snapshot], { ofAttached: false, frozen: false });
    if (snapshot.status === 'deleting') await reports.snapshotRemoved(snapshot);
  }
  for (const { record: volume } of volumeTable.list(local)) {
    if (volume.status === 'deleting') await world.volumeReports(volume.hostId).removed(volume);
  }
  await hostsAct(world);
  for (const { record: server } of serverTable.list(local)) await disksAct(world, server);
}

async function disksAct(world: VolumeWorld, server: shoal.v1.Server): Promise<void> {
  if (server.hostId === '') return;
  const reports = world.volumeReports(server.hostId);
  for (const { volumeId, attached, detaching, kind } of server.disks) {
    if (kind !== 'volume' || volumeId === null || volumeId === undefined) continue;
    if (detaching === true) await reports.detached(server, volumeId);
    else if (attached !== true) await reports.attached(server, volumeId);
  }
}

/** A server of Alice's, running. */
export async function addServer(world: VolumeWorld, hostName?: string): Promise<shoal.v1.Server> {
  const context = hostName === undefined ? world.alice : world.admin;
  const { servers } = await world.compute.servers.create(context, {
    name: 'guest',
    flavorId: '1',
    imageId: 'image-1',
    networks: 'none',
    ...(hostName === undefined ? {} : { hostName }),
  });
  await hostsAct(world);
  const [server] = servers;
  if (server === undefined) throw new Error('no server was made');
  return world.compute.servers.show(world.admin, world.state.local, server.id);
}
