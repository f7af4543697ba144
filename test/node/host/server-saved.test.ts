/**
 * Rebuild, rescue and shelve at a host that is killed at each of their points: the server comes to where it was asked to be, with
 * the disks that its record names and no other.
 */
import t, { type Test } from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import type { VolumeId } from '../../../node/base/ids.ts';
import { HostReportService } from '../../../node/services/compute/host-reports.ts';
import { ServerImages } from '../../../node/services/compute/saved/server-images.ts';
import { transact } from '../../../node/services/kit/transact.ts';
import { imageTable, portTable } from '../../../node/state/tables/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { portId, self, serverId } from './host-world.ts';
import { type VolumeHost, volumeHost } from './volume-host.ts';

const { PowerWanted, ServerStatus } = shoal.v1;

/** As production reports. */
async function hostWithServer(t: Test): Promise<VolumeHost> {
  const host = await volumeHost(t);
  await host.stop();
  host.world.hostReports = new HostReportService(host.world.deps, self, new AbortController().signal);
  await host.start();
  return host;
}

const disksOf = ({ world }: VolumeHost): readonly string[] => [...world.storage.disks.keys()].sort();
const openOf = ({ world }: VolumeHost): readonly string[] =>
  [...world.storage.disks].filter(([, disk]) => disk.lock !== undefined).map(([id]) => id);

async function rebuild(t: Test, isOn: boolean, point = ''): Promise<void> {
  const host = await hostWithServer(t);
  const { world } = host;
  if (!isOn) {
    await world.change((server) => {
      server.powerWanted = PowerWanted.POWER_WANTED_STOPPED;
    });
    await host.until('it is off', () => host.server?.status === ServerStatus.SERVER_STATUS_SHUTOFF);
  }
  const { hits } = host.killAt(point);
  await world.change((server) => {
    server.replacedDisks = [new shoal.v1.ServerDisk({ volumeId: 'v1', pool: 'local', kind: 'root', bootIndex: 0 })];
    server.rootVolumeId = 'v2';
    server.taskState = 'rebuilding';
    server.askedRevision += 1;
  });
  const isDone = (): boolean => host.server?.taskState === '' && host.server.replacedDisks.length === 0;
  await host.until('it is rebuilt', isDone, () => hits() > 0);
  t.equal(hits() > 0, point !== '', 'killed there');
  t.same(disksOf(host), ['v2'], 'the old disk is gone, the new one is there');
  t.equal(host.server?.status, isOn ? ServerStatus.SERVER_STATUS_ACTIVE : ServerStatus.SERVER_STATUS_SHUTOFF);
  if (isOn) t.same(host.plugged, ['v2']);
  t.same(openOf(host), isOn ? ['v2'] : []);
}

t.test('a server that runs is rebuilt, and runs from its new disk', (t) => rebuild(t, true));
t.test('one that is off is rebuilt, and stays off', (t) => rebuild(t, false));
for (const point of ['stopped', 'closed', 'made', 'removed', 'reported'].map((name) => `rebuild.${name}`)) {
  t.test(`killed at ${point}`, (t) => rebuild(t, true, point));
}

t.test('a disk that cannot be made leaves the old one where it is, and the server in ERROR', async (t) => {
  const host = await hostWithServer(t);
  await host.world.change((server) => {
    server.replacedDisks = [new shoal.v1.ServerDisk({ volumeId: 'v1', pool: 'local', kind: 'root', bootIndex: 0 })];
    server.rootVolumeId = 'v2';
    server.imageId = 'none';
    server.taskState = 'rebuilding';
    server.askedRevision += 1;
  });
  await host.until('it has failed', () => host.server?.status === ServerStatus.SERVER_STATUS_ERROR);
  await host.quiet();
  t.same(disksOf(host), ['v1']);
  t.equal(host.server?.status, ServerStatus.SERVER_STATUS_ERROR, 'no report of a guest that is off ends the error');
});

async function rescue(t: Test, isStable: boolean, point = ''): Promise<void> {
  const host = await hostWithServer(t);
  const { world } = host;
  await host.changeImage('i1', (image) => {
    image.virtualSizeBytes = 1024;
  });
  const { hits } = host.killAt(point);
  const disk = { volumeId: 'r1', pool: 'local', kind: 'rescue', imageId: 'i1', bootIndex: 0, bus: 'virtio' };
  await world.change((server) => {
    server.rescue = new shoal.v1.ServerRescue({ imageId: 'i1', disk, stable: isStable });
    server.taskState = 'rescuing';
    server.askedRevision += 1;
  });
  const isRescued = (): boolean =>
    host.server?.status === ServerStatus.SERVER_STATUS_RESCUE && host.server.taskState === '';
  await host.until('it is in rescue', isRescued, () => hits() > 0);
  t.same(host.plugged, isStable ? ['v1', 'r1'] : ['r1', 'v1']);
  const specs = world.compute.guests.get(serverId)?.spec.disks ?? [];
  t.equal(specs.find(({ bootIndex }) => bootIndex === 0)?.volumeId, 'r1', 'it boots from the disk of the rescue');
  await world.change((server) => {
    server.rescue = new shoal.v1.ServerRescue({ imageId: 'i1', disk, stable: isStable, ending: true });
    server.taskState = 'unrescuing';
    server.askedRevision += 1;
  });
  const isOver = (): boolean =>
    host.server?.status === ServerStatus.SERVER_STATUS_ACTIVE && host.server.taskState === '';
  await host.until('it runs again', isOver, () => hits() > 0);
  t.equal(hits() > 0, point !== '', 'killed there');
  t.same(host.plugged, ['v1']);
  t.same(disksOf(host), ['v1'], 'the disk of the rescue is gone');
  t.equal(host.server?.rescue, null);
}

t.test('a server in rescue boots from another disk, and from its own afterwards', (t) => rescue(t, false));
t.test('with a stable device its own disks keep their names', (t) => rescue(t, true));
for (const point of ['rescue.stopped', 'rescue.closed', 'start.guest-runs']) {
  t.test(`killed at ${point}`, (t) => rescue(t, false, point));
}
for (const point of ['stopped', 'closed', 'removed', 'reported'].map((name) => `unrescue.${name}`)) {
  t.test(`killed at ${point}`, (t) => rescue(t, false, point));
}

/** The job finds the record as it is once shelving was asked for. */
async function beginShelving(host: VolumeHost): Promise<void> {
  const images = new ServerImages(host.deps);
  await host.world.change((server) => {
    server.powerWanted = PowerWanted.POWER_WANTED_STOPPED;
    server.taskState = 'shelving';
    server.askedRevision += 1;
  });
  await transact(host.world.deps, host.context, (attempt) => {
    if (host.server === undefined) throw new Error('there is no server');
    images.beginShelving(host.context, attempt, host.server, { imageId: 'kept', jobId: 'job' });
  });
}

async function shelve(t: Test, point = ''): Promise<void> {
  const host = await hostWithServer(t);
  const { world } = host;
  const disk = world.storage.disks.get('v1' as VolumeId);
  if (disk !== undefined) disk.sizeBytes = 1024;
  const { hits } = host.killAt(point);
  await beginShelving(host);
  const isOffloaded = (): boolean => host.server?.status === ServerStatus.SERVER_STATUS_SHELVED_OFFLOADED;
  await host.until('it is offloaded', isOffloaded, () => hits() > 0);
  t.equal(hits() > 0, point !== '', 'killed there');
  t.match(host.server, { hostId: '', taskState: '', shelvedImageId: 'kept', offloading: false });
  t.same(disksOf(host), [], 'no disk is left');
  t.equal(world.compute.guests.get(serverId), undefined, 'no guest is left');
  t.match(imageTable.get(world.state.local, 'kept')?.record, { name: 'first-shelved', hostIds: [self] });
  t.equal(portTable.get(world.state.local, portId)?.record.hostId, '', 'its port is on no host');
  t.ok(host.isAtRest);
}

t.test('a server is shelved: an image is left of it, and nothing on the host', (t) => shelve(t));
for (const point of ['server-image.kept', 'server-image.forgotten', 'server-image.made']) {
  t.test(`killed at ${point}`, (t) => shelve(t, point));
}
for (const point of ['guest-removed', 'disks-removed', 'not-reported'].map((name) => `offload.${name}`)) {
  t.test(`killed at ${point}`, (t) => shelve(t, point));
}

t.test('a server whose disk cannot be kept is not offloaded', async (t) => {
  const host = await hostWithServer(t);
  host.images.failNext = new ShoalError('TOO_LARGE', 'there is no room for images');
  await beginShelving(host);
  await host.until('it has failed', () => host.isAtRest && host.server?.taskState === '');
  t.match(host.server, { status: ServerStatus.SERVER_STATUS_SHUTOFF, hostId: self });
  t.match(host.server?.actions.at(-1), { action: 'shelve', message: 'there is no room for images' });
  t.same(disksOf(host), ['v1']);
});

t.test(
  'a server that is rebooted hard while it is shelved stays: what its guest writes since is in no image',
  async (t) => {
    for (const isHeld of [true, false]) {
      const host = await hostWithServer(t);
      const disk = host.world.storage.disks.get('v1' as VolumeId);
      if (disk !== undefined) disk.sizeBytes = 1024;
      if (isHeld) host.images.hold();
      await beginShelving(host);
      if (isHeld) await host.until('it is read', () => host.server?.taskState === 'shelving_image_uploading');
      await host.world.change((server) => {
        server.powerWanted = PowerWanted.POWER_WANTED_RUNNING;
        server.rebootsWanted += 1;
        server.rebootHard = true;
        server.taskState = 'rebooting_hard';
        server.askedRevision += 1;
      });
      if (isHeld) host.images.letGo();
      const isBack = (): boolean =>
        host.server?.status === ServerStatus.SERVER_STATUS_ACTIVE && host.server.taskState === '' && host.isAtRest;
      await host.until('it runs again', isBack);
      t.match(host.server, { hostId: self, shelvedImageId: '', offloading: false });
      t.same(disksOf(host), ['v1']);
      t.same(host.plugged, ['v1']);
      t.equal(imageTable.get(host.world.state.local, 'kept'), undefined, 'nor is an image left');
    }
  },
);
