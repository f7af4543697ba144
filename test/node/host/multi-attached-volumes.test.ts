/** A volume that servers of two hosts have open at once grows for both guests. */
import t from 'tap';
import { FakeComputeDriver, FakeComputeHost } from '../../../drivers/fake/compute.ts';
import { FakeStorage, FakeStorageDriver } from '../../../drivers/fake/storage.ts';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId, ServerId, VolumeId } from '../../../node/base/ids.ts';
import { gibBytes } from '../../../node/base/units.ts';
import { volumeKind } from '../../../node/host/kinds/volume/volume-kind.ts';
import { serverTable, volumeTable } from '../../../node/state/tables/index.ts';
import { memoryHostStore } from '../../../node/store/host/host-store.ts';
import { addServer, makeVolumeWorld, type VolumeWorld, volumeHostsAct } from '../services/volume/volume-world.ts';

const { signal } = new AbortController();

/** The kind of volumes of one host with one guest, which has the volume open. */
async function hostWith(world: VolumeWorld, storage: FakeStorage, serverId: string, volumeId: string) {
  const server = serverTable.must(world.state.local, serverId).record;
  const compute = new FakeComputeDriver(new FakeComputeHost(systemClock, [storage]));
  await compute.start(signal);
  const disk = { volumeId: volumeId as VolumeId, source: { kind: 'fake', name: volumeId } as const, shared: true };
  const spec = { serverId: serverId as ServerId, generation: 1, name: 'guest', vcpus: 1, memoryMib: 1 };
  await compute.startGuest({ ...spec, disks: [disk], nics: [] }, signal);
  const resized: number[] = [];
  const resize = compute.resizeDisk.bind(compute);
  compute.resizeDisk = async (...given) => {
    resized.push(given[2]);
    await resize(...given);
  };
  const kind = volumeKind({
    hostId: server.hostId as HostId,
    compute,
    storage: new Map([['rbd', new FakeStorageDriver(storage)]]),
    store: memoryHostStore(),
    volumeReports: world.volumeReports(server.hostId),
    fresh: (asked) => world.state.fresh(asked),
    beginCopy: () => Promise.reject(new ShoalError('NOT_FOUND', 'nothing is copied')),
    imageFile: () => Promise.reject(new ShoalError('NOT_FOUND', 'there are no images')),
  });
  /** One pass: what is planned for the volume, and done. */
  const pass = async (): Promise<string | undefined> => {
    const reader = world.state.local;
    const wanted = kind.wanted(reader, (_id, error) => t.error(error)).find(({ id }) => id === volumeId);
    const step = wanted === undefined ? undefined : kind.plan(wanted, undefined, undefined);
    if (wanted === undefined || step === undefined) return undefined;
    // The step of that name takes steps of that name.
    const { do: carryOut } = kind.steps[step.kind] as { do(...given: unknown[]): Promise<void> };
    await carryOut(step, wanted, kind.tools(reader, signal));
    return step.kind;
  };
  return { server, resized, pass };
}

t.test('both see the new size, whichever host has grown it, once each', async (t) => {
  const world = await makeVolumeWorld('rbd');
  await world.volume.types.create(world.admin, { name: 'shared', extraSpecs: { multiattach: '<is> True' } });
  const { id } = await world.volume.volumes.create(world.admin, { sizeGib: 1, type: 'shared' });
  await volumeHostsAct(world);
  const servers = [await addServer(world, 'host-1'), await addServer(world, 'host-2')];
  for (const server of servers) {
    await world.volume.attachments.plug(world.admin, server.id, { volumeId: id });
    await volumeHostsAct(world);
  }
  t.equal(new Set(servers.map(({ hostId }) => hostId)).size, 2, 'on two hosts');
  const storage = new FakeStorage({ shared: true });
  const driver = new FakeStorageDriver(storage);
  await driver.ensureDisk({ volumeId: id as VolumeId, sizeBytes: gibBytes, generation: 1, shared: true }, signal);
  const hosts = [];
  for (const server of servers) hosts.push(await hostWith(world, storage, server.id, id));
  for (const host of hosts) t.equal(await host.pass(), undefined, 'nothing is to be done');

  await world.volume.volumes.extend(world.admin, id, 3);
  const sizeAt = (serverId: string) =>
    serverTable.must(world.state.local, serverId).record.disks.find(({ volumeId }) => volumeId === id)?.sizeGib;
  const done: (string | undefined)[] = [];
  for (let round = 0; round < 3; round += 1) for (const host of hosts) done.push(await host.pass());
  t.equal(volumeTable.must(world.state.local, id).record.madeGib, 3);
  t.equal(done.filter((step) => step === 'grow').length, 1, `one host grows it: ${done.join(' ')}`);
  t.equal(done.filter((step) => step === 'resize-guests').length, 2, 'each shows its own guest');
  for (const { server, resized } of hosts) {
    t.equal(sizeAt(server.id), 3);
    t.ok(resized.includes(3 * gibBytes), 'the guest was told');
  }
  for (const host of hosts) t.equal(await host.pass(), undefined, 'and nothing is left to do');
});
