/** Volumes that are to move, and images made of volumes: what is refused before it begins, and what an image says of itself. */
import t from 'tap';
import { ShoalError } from '../../../../node/base/errors.ts';
import { vmState } from '../../../../node/services/compute/machine/vm-state.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { VolumeJobReportService } from '../../../../node/services/volume/job-reports.ts';
import { hostTable, imageTable, jobTable, serverTable, volumeTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { hostsAct } from '../compute-world.ts';
import { addServer, makeVolumeWorld, type VolumeWorld, volumeHostsAct } from './volume-world.ts';

async function refusalText(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (caught) {
    return caught instanceof ShoalError ? `${caught.code}: ${caught.message}` : String(caught);
  }
  return 'no refusal';
}

async function madeVolume(world: VolumeWorld, imageId?: string): Promise<shoal.v1.Volume> {
  const draft = { sizeGib: 2, ...(imageId === undefined ? {} : { imageId }) };
  const { id } = await world.volume.volumes.create(world.alice, draft);
  await volumeHostsAct(world);
  return volumeTable.must(world.state.local, id).record;
}

const jobs = (world: VolumeWorld) => jobTable.list(world.state.local).map(({ record }) => record);

function otherHostOf(world: VolumeWorld, volume: shoal.v1.Volume): shoal.v1.Host {
  const other = hostTable.list(world.state.local).find(({ record }) => record.id !== volume.hostId);
  if (other === undefined) throw new Error('there is no other host');
  return other.record;
}

t.test('a move that no host could carry out is refused before it begins', async (t) => {
  const world = await makeVolumeWorld('local');
  const { moves, types } = world.volume;
  const volume = await madeVolume(world, 'image-1');
  const other = otherHostOf(world, volume);
  const refused = await refusalText(moves.migrate(world.admin, volume.id, `${other.name}@local#local`));
  t.match(refused, /INVALID_ARGUMENT.*moved by its host host-[12] alone.*storage pool local of the host host-[12]/);
  t.strictSame(volumeTable.must(world.state.local, volume.id).record, volume, 'nothing is half made');
  t.strictSame(jobs(world), []);
  await types.create(world.admin, { name: 'shared', extraSpecs: { volume_backend_name: 'rbd' } });
  await moves.migrate(world.admin, volume.id, `${other.name}@rbd#rbd`);
  t.match(jobs(world), [{ ownerHostId: volume.hostId, volumeMigrate: { targetPool: 'rbd' } }]);
});

t.test("a volume of a shared pool goes to any host's own pool, by that host", async (t) => {
  const world = await makeVolumeWorld('rbd');
  const volume = await madeVolume(world);
  const other = otherHostOf(world, volume);
  await world.volume.moves.migrate(world.admin, volume.id, `${other.name}@local#local`);
  t.match(jobs(world), [{ ownerHostId: other.id, volumeMigrate: { targetHostId: other.id, targetPool: 'local' } }]);
});

t.test('an image of a volume has the properties of the image that the volume came from', async (t) => {
  const world = await makeVolumeWorld('rbd');
  await transact(world.deps, world.admin, ({ reader, change }) => {
    const row = imageTable.must(reader, 'image-1');
    const properties = { hw_disk_bus: 'scsi', os_distro: 'debian' };
    imageTable.update(change, row, new shoal.v1.Image({ ...row.record, properties }));
  });
  const volume = await madeVolume(world, 'image-1');
  t.match(volume.imageMetadata, { hw_disk_bus: 'scsi', image_id: 'image-1', disk_format: 'qcow2' });
  const { image } = await world.volume.moves.uploadToImage(world.alice, volume.id, { imageName: 'again' });
  t.strictSame(image.properties, { hw_disk_bus: 'scsi', os_distro: 'debian' });
  t.equal(image.diskFormat, 'raw', 'fields of the image are its own');
});

t.test('a volume that a backup becomes boots as the one that was backed up, also in another cloud', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const { backups, volumes } = world.volume;
  const volume = await madeVolume(world, 'image-1');
  await volumes.setImageMetadata(world.alice, volume.id, { hw_disk_bus: 'scsi' });
  await volumes.setMetadata(world.alice, volume.id, { purpose: 'books' }, { replace: true });
  const backup = await backups.create(world.alice, { volumeId: volume.id });
  const reports = new VolumeJobReportService(world.deps, new AbortController().signal);
  const made = { objectCount: 1, storedBytes: 1, manifestSha256: 'aa', dataTimestampMs: 1 };
  await reports.backupMade(backup.id, made);
  const copy = await volumes.create(world.alice, { backupId: backup.id });
  t.match(copy, { bootable: true, imageMetadata: { hw_disk_bus: 'scsi', image_id: 'image-1' } });
  t.strictSame(copy.metadata, { purpose: 'books' });
  await volumeHostsAct(world);
  await reports.restored(backup.id);
  const empty = await madeVolume(world);
  t.match(empty, { bootable: false, imageMetadata: {} });
  await backups.restore(world.alice, backup.id, empty.id);
  await reports.restored(backup.id);
  t.match(volumes.show(world.alice, world.state.local, empty.id), {
    ...{ status: 'available', bootable: true, imageMetadata: { hw_disk_bus: 'scsi' } },
    metadata: { purpose: 'books' },
  });
  const { service, url } = backups.exportRecord(world.admin, world.state.local, backup.id);
  const elsewhere = await makeVolumeWorld('rbd');
  const imported = await elsewhere.volume.backups.importRecord(elsewhere.admin, service, url);
  t.match(imported, { bootable: true, imageMetadata: { hw_disk_bus: 'scsi' }, volumeMetadata: { purpose: 'books' } });
});

t.test('what is kept of an image is bounded in all', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const volume = await madeVolume(world);
  const large = Object.fromEntries([1, 2, 3, 4, 5].map((number) => [`key-${number}`, 'x'.repeat(60_000)]));
  const { volumes } = world.volume;
  t.match(await refusalText(volumes.setImageMetadata(world.alice, volume.id, large)), /INVALID_ARGUMENT.*262144/);
});

t.test('a server whose resize waits for a word takes a volume, and has it still when it goes back', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const server = await addServer(world);
  const large = { name: 'large', id: 'large', vcpus: 4, memoryMib: 4096, diskGib: 100 };
  await world.compute.flavors.create(world.admin, large);
  await world.compute.moves.resize(world.alice, server.id, 'large');
  const read = (): shoal.v1.Server => serverTable.must(world.state.local, server.id).record;
  for (let pass = 0; pass < 2; pass += 1) await hostsAct(world);
  t.equal(vmState(read()), 'resized');
  const volume = await madeVolume(world);
  await world.volume.attachments.plug(world.alice, server.id, { volumeId: volume.id });
  await volumeHostsAct(world);
  t.equal(volumeTable.must(world.state.local, volume.id).record.status, 'in-use');
  await world.compute.moves.cancel(world.alice, server.id);
  for (let pass = 0; pass < 3; pass += 1) await volumeHostsAct(world);
  t.equal(vmState(read()), 'active');
  t.match(read().disks, [{ volumeId: volume.id, attached: true }]);
  await world.volume.attachments.unplug(world.alice, server.id, volume.id);
  await volumeHostsAct(world);
  t.equal(volumeTable.must(world.state.local, volume.id).record.status, 'available');
});

t.test('a volume that gets another type may be had by several servers as that type says', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const { types, moves, volumes, attachments } = world.volume;
  const extraSpecs = { multiattach: '<is> True', volume_backend_name: 'rbd' };
  await types.create(world.admin, { name: 'shared', extraSpecs });
  const { id } = await madeVolume(world);
  const isShared = () => volumes.show(world.alice, world.state.local, id).multiattach;
  t.equal(isShared(), false);
  await moves.retype(world.admin, id, 'shared', 'never');
  t.equal(isShared(), true);
  await attachments.attach(world.alice, { volumeId: id });
  await t.rejects(moves.retype(world.admin, id, '__DEFAULT__', 'never'), { code: 'INVALID_ARGUMENT' });
  t.equal(isShared(), true, 'not while somebody has it');
});
