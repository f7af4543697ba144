/** Transfers, backups, groups, and volumes that move: each change one transaction, each refusal with nothing half-made. */
import t from 'tap';
import { ShoalError } from '../../../../node/base/errors.ts';
import { quotaUsage } from '../../../../node/services/kit/quota.ts';
import { VolumeJobReportService } from '../../../../node/services/volume/job-reports.ts';
import {
  imageTable,
  jobTable,
  volumeBackupTable,
  volumeSnapshotTable,
  volumeTable,
} from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { makeVolumeWorld, type VolumeWorld, volumeHostsAct } from './volume-world.ts';

async function refusalText(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (caught) {
    return caught instanceof ShoalError ? `${caught.code}: ${caught.message}` : String(caught);
  }
  return 'no refusal';
}

async function madeVolume(world: VolumeWorld, context = world.alice): Promise<shoal.v1.Volume> {
  const { id } = await world.volume.volumes.create(context, { sizeGib: 2 });
  await volumeHostsAct(world);
  return world.volume.volumes.show(world.admin, world.state.local, id);
}

const jobReports = (world: VolumeWorld) => new VolumeJobReportService(world.deps, new AbortController().signal);
const volumeOf = (world: VolumeWorld, id: string) => volumeTable.must(world.state.local, id).record;
const jobs = (world: VolumeWorld) => jobTable.list(world.state.local).map(({ record }) => record);

t.test('a transfer gives a volume with its snapshots and quota to who has the key', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const volume = await madeVolume(world);
  await world.volume.snapshots.create(world.alice, { volumeId: volume.id });
  await volumeHostsAct(world);
  const { transfers } = world.volume;
  const { transfer, authKey } = await transfers.create(world.alice, { volumeId: volume.id, name: 'gift' });
  t.equal(volumeOf(world, volume.id).status, 'awaiting-transfer');
  t.notOk(Buffer.from(transfer.keyHash).includes(Buffer.from(authKey)), 'the key is not kept');
  t.match(await refusalText(transfers.accept(world.bob, transfer.id, 'wrong')), /INVALID_ARGUMENT: Invalid auth key/);
  t.match(await refusalText(world.volume.volumes.remove(world.alice, volume.id)), /INVALID_ARGUMENT/);
  await transfers.accept(world.bob, transfer.id, authKey);
  t.match(volumeOf(world, volume.id), { status: 'available', projectId: world.bob.projectId });
  t.match(volumeSnapshotTable.list(world.state.local)[0]?.record, { projectId: world.bob.projectId });
  const used = (projectId: string) =>
    (['volumes', 'snapshots', 'gigabytes'] as const).map((name) => quotaUsage(world.state.local, projectId, name));
  t.same(
    [used(world.alice.projectId), used(world.bob.projectId)],
    [
      [0, 0, 0],
      [1, 1, 4],
    ],
  );
  t.match(await refusalText(transfers.accept(world.bob, transfer.id, authKey)), /NOT_FOUND: Transfer/);
});

t.test('an offer that is taken back leaves the volume as it was', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const volume = await madeVolume(world);
  const { transfer } = await world.volume.transfers.create(world.alice, { volumeId: volume.id });
  t.match(
    await refusalText(world.volume.transfers.create(world.alice, { volumeId: volume.id })),
    /INVALID_ARGUMENT: Invalid volume: status must be available/,
  );
  await world.volume.transfers.remove(world.alice, transfer.id);
  t.equal(volumeOf(world, volume.id).status, 'available');
});

t.test("a backup is written by a job of the volume's host, and others add to it", async (t) => {
  const world = await makeVolumeWorld('rbd');
  const volume = await madeVolume(world);
  const { backups } = world.volume;
  t.match(
    await refusalText(backups.create(world.alice, { volumeId: volume.id, incremental: true })),
    /No backups available/,
  );
  const full = await backups.create(world.alice, { volumeId: volume.id, name: 'full' });
  t.match(full, { status: 'creating', hostId: volume.hostId, storeUrl: 'file:///backups', sizeGib: 2 });
  t.match(Buffer.from(full.sealedKey).toString(), `mesh/backup-key/${full.id}=`);
  t.equal(volumeOf(world, volume.id).status, 'backing-up');
  t.match(jobs(world), [{ kind: 'volume-backup', subject: `volume/${volume.id}`, ownerHostId: volume.hostId }]);
  const made = { objectCount: 3, storedBytes: 4, manifestSha256: 'aa', dataTimestampMs: 5 };
  await jobReports(world).backupMade(full.id, made);
  await jobReports(world).backupMade(full.id, { ...made, objectCount: 9 });
  t.match(backups.show(world.alice, world.state.local, full.id), { status: 'available', ...made });
  t.equal(volumeOf(world, volume.id).status, 'available');
  const more = await backups.create(world.alice, { volumeId: volume.id, incremental: true });
  t.equal(more.parentId, full.id);
  await jobReports(world).backupFailed(more.id, { message: 'the store is full', details: '' });
  t.match(backups.show(world.alice, world.state.local, more.id), { status: 'error', failReason: 'the store is full' });
  t.match(await refusalText(backups.remove(world.alice, full.id)), /Incremental backups exist/);
  await backups.remove(world.alice, more.id);
  await jobReports(world).backupRemoved(more.id);
  t.equal(volumeBackupTable.must(world.state.local, full.id).record.children, 0);
  t.equal(quotaUsage(world.state.local, world.alice.projectId, 'backup_gigabytes'), 2);
  const { url } = backups.exportRecord(world.alice, world.state.local, full.id);
  t.match(await refusalText(backups.importRecord(world.admin, 'shoal', url)), /already exists/);
  await backups.remove(world.alice, full.id);
  await jobReports(world).backupRemoved(full.id);
  const imported = await backups.importRecord(world.admin, 'shoal', url);
  t.match(imported, { id: full.id, status: 'available', manifestSha256: 'aa', projectId: world.admin.projectId });
  for (const bad of ['', 'AAAA', `${url.slice(0, -8)}AAAAAAAA`, 'x'.repeat(70_000)]) {
    t.match(
      await refusalText(backups.importRecord(world.admin, 'shoal', bad)),
      /INVALID_ARGUMENT: .*Can't parse backup record/,
    );
  }
});

t.test(
  'an administrator’s backup is the administrator’s: its volume’s owner neither sees it nor adds to it',
  async (t) => {
    const world = await makeVolumeWorld('rbd');
    const volume = await madeVolume(world);
    const { backups } = world.volume;
    const made = { objectCount: 3, storedBytes: 4, manifestSha256: 'aa', dataTimestampMs: 5 };
    const ofAdmin = await backups.create(world.admin, { volumeId: volume.id });
    await jobReports(world).backupMade(ofAdmin.id, made);
    t.equal(ofAdmin.projectId, world.admin.projectId);
    const used = (projectId: string) => quotaUsage(world.state.local, projectId, 'backups');
    t.same([used(world.admin.projectId), used(world.alice.projectId)], [1, 0]);
    const more = () => backups.create(world.alice, { volumeId: volume.id, incremental: true });
    t.match(await refusalText(more()), /No backups available/);
    const own = await backups.create(world.alice, { volumeId: volume.id });
    await jobReports(world).backupMade(own.id, { ...made, dataTimestampMs: 1 });
    t.equal((await more()).parentId, own.id, 'and not the newer one of the administrator');
  },
);

t.test('a backup is put back into a volume, or becomes a new one', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const volume = await madeVolume(world);
  const { id } = await world.volume.backups.create(world.alice, { volumeId: volume.id });
  await jobReports(world).backupMade(id, { objectCount: 1, storedBytes: 1, manifestSha256: 'aa', dataTimestampMs: 1 });
  await world.volume.backups.restore(world.alice, id, volume.id);
  t.equal(volumeOf(world, volume.id).status, 'restoring-backup');
  await jobReports(world).restoreFailed(id, { message: 'the store does not answer', details: '' });
  t.equal(volumeOf(world, volume.id).status, 'error_restoring');
  t.equal(volumeBackupTable.must(world.state.local, id).record.status, 'available');
  const fresh = await world.volume.volumes.create(world.alice, { backupId: id });
  t.match(fresh, { sizeGib: 2, sourceBackupId: id, status: 'creating' });
  t.match(volumeBackupTable.must(world.state.local, id).record, { status: 'restoring', restoreVolumeId: fresh.id });
  await volumeHostsAct(world);
  t.equal(volumeBackupTable.must(world.state.local, id).record.status, 'available');
});

t.test('snapshots of a group are made in one transaction, and it goes after them', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const { groups, groupTypes, groupSnapshots } = world.volume;
  const type = await groupTypes.create(world.admin, { name: 'consistent' });
  const group = await groups.create(world.alice, { groupType: type.id, volumeTypes: ['__DEFAULT__'], name: 'g' });
  t.match(await refusalText(groupSnapshots.create(world.alice, { groupId: group.id })), /contains no volumes/);
  const [first, second] = [await madeVolume(world), await madeVolume(world)];
  await groups.update(world.alice, group.id, { addVolumeIds: [first.id, second.id] });
  t.match(await refusalText(world.volume.volumes.remove(world.alice, first.id)), /belong to a group/);
  const made = await groupSnapshots.create(world.alice, { groupId: group.id });
  const snapshots = () => volumeSnapshotTable.list(world.state.local).map(({ record }) => record);
  t.equal(snapshots().length, 2);
  t.match(await refusalText(groups.remove(world.alice, group.id, { deleteVolumes: true })), /has group snapshots/);
  await volumeHostsAct(world);
  t.equal(groupSnapshots.show(world.alice, world.state.local, made.id).status, 'available');
  const copy = await groups.createFrom(world.alice, { groupSnapshotId: made.id, name: 'copy' });
  t.equal(groups.members(world.state.local, copy).length, 2);
  t.equal(copy.status, 'creating', 'it is there when its volumes are');
  t.match(await refusalText(groups.update(world.alice, copy.id, { name: 'early' })), /status must be available/);
  await volumeHostsAct(world);
  t.equal(groups.show(world.alice, world.state.local, copy.id).status, 'available');
  await groupSnapshots.remove(world.alice, made.id);
  await volumeHostsAct(world);
  t.match(
    await refusalText(Promise.resolve().then(() => groupSnapshots.show(world.alice, world.state.local, made.id))),
    /NOT_FOUND/,
  );
  await groups.remove(world.alice, group.id, { deleteVolumes: true });
  await volumeHostsAct(world);
  t.equal(volumeTable.list(world.state.local).length, 2, 'the copy has its own');
  t.match(await refusalText(groupTypes.remove(world.admin, type.id)), /groups present with the type/);
});

t.test('a volume changes its type: at once within a pool, by a job to another one', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const { moves, types } = world.volume;
  const volume = await madeVolume(world);
  const same = await types.create(world.admin, { name: 'same-pool' });
  await moves.retype(world.alice, volume.id, 'same-pool', 'never');
  t.equal(volumeOf(world, volume.id).typeId, same.id);
  t.equal(quotaUsage(world.state.local, world.alice.projectId, `volumes_${same.id}`), 1);
  const other = await types.create(world.admin, { name: 'other-pool', extraSpecs: { volume_backend_name: 'local' } });
  t.match(await refusalText(moves.retype(world.alice, volume.id, 'other-pool', 'never')), /Retype requires migration/);
  await moves.retype(world.alice, volume.id, 'other-pool', 'on-demand');
  t.match(volumeOf(world, volume.id), { status: 'retyping', migrationStatus: 'migrating', typeId: same.id });
  const [job] = jobs(world);
  t.match(job?.volumeMigrate, { sourcePool: 'rbd', targetPool: 'local', typeId: other.id });
  t.match(await refusalText(moves.migrate(world.admin, volume.id, 'host-1@rbd#rbd')), /INVALID_ARGUMENT/);
  const { moves: reports } = jobReports(world);
  const { generation } = volumeOf(world, volume.id);
  t.equal(await reports.switched(job?.id ?? '', generation + 1), false, 'another opened it meanwhile');
  for (let round = 0; round < 2; round += 1) t.equal(await reports.switched(job?.id ?? '', generation), true);
  t.match(volumeOf(world, volume.id), { migrationStatus: 'completing', generation: generation + 1 });
  for (let round = 0; round < 2; round += 1) await reports.moved(job ?? new shoal.v1.Job());
  t.match(volumeOf(world, volume.id), {
    status: 'available',
    migrationStatus: 'success',
    pool: 'local',
    typeId: other.id,
  });
  t.match(jobs(world), [], 'and nothing is under way for it');
  const used = [same.id, other.id].map((id) => quotaUsage(world.state.local, world.alice.projectId, `gigabytes_${id}`));
  t.same(used, [0, 2], 'moved once');
});

t.test('bytes that were there become one volume, as large as they are, and can be let go of', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const draft = { host: 'host-1@rbd#rbd', sourceName: 'legacy' };
  const managed = await world.volume.moves.manage(world.admin, draft);
  t.match(
    await refusalText(world.volume.moves.manage(world.admin, draft)),
    /CONFLICT: Unable to manage existing volume/,
  );
  await world.volumeReports(managed.hostId).made(managed, 7);
  t.match(volumeOf(world, managed.id), { status: 'available', sizeGib: 7, madeGib: 7 });
  t.equal(quotaUsage(world.state.local, world.admin.projectId, 'gigabytes'), 7);
  await world.volume.moves.unmanage(world.admin, managed.id);
  t.match(volumeOf(world, managed.id), { status: 'deleting', unmanage: true, managedName: 'legacy' });
  await volumeHostsAct(world);
  t.equal(quotaUsage(world.state.local, world.admin.projectId, 'gigabytes'), 0);
});

t.test('an image is made of a volume by a job of its host', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const volume = await madeVolume(world);
  const { image } = await world.volume.moves.uploadToImage(world.alice, volume.id, {
    imageName: 'of-volume',
    diskFormat: 'raw',
  });
  t.equal(volumeOf(world, volume.id).status, 'uploading');
  t.match(imageTable.must(world.state.local, image.id).record, { name: 'of-volume', hostIds: [volume.hostId] });
  t.match(
    await refusalText(world.volume.moves.uploadToImage(world.alice, volume.id, { imageName: 'again' })),
    /INVALID_ARGUMENT: Invalid volume/,
  );
  const stored = { sizeBytes: 2 ** 30, virtualSizeBytes: 2 ** 30, md5: 'm', sha256: 's', sha512: 'l', inert: false };
  await jobReports(world).uploaded(volume.id, image.id, stored);
  t.equal(volumeOf(world, volume.id).status, 'available');
  const { status, sha256, hostIds, chargedMib } = imageTable.must(world.state.local, image.id).record;
  t.match(
    { status, sha256, hostIds, chargedMib },
    { status: 3, sha256: 's', hostIds: [volume.hostId], chargedMib: 1024 },
  );
  const vhd = { imageName: 'x', diskFormat: 'vhd' };
  t.match(
    await refusalText(world.volume.moves.uploadToImage(world.alice, volume.id, vhd)),
    /vhd is none of raw, qcow2/,
  );
});

t.test('the key of an encrypted volume goes with it, and its backups become encrypted volumes alone', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const { types, volumes, backups } = world.volume;
  const sealed = await types.create(world.admin, { name: 'sealed' });
  await t.rejects(
    types.setEncryption(world.admin, sealed.id, { provider: 'luks2' }, { mustBeNew: true }),
    /luks2 is not offered/,
  );
  await types.setEncryption(world.admin, sealed.id, { provider: 'luks' }, { mustBeNew: true });
  const { id } = await volumes.create(world.alice, { sizeGib: 1, type: 'sealed' });
  await volumeHostsAct(world);
  const encryption = volumeOf(world, id).encryption;
  t.equal(encryption?.format, 'luks');
  t.ok((encryption?.sealedKey?.length ?? 0) > 0);
  const { id: backupId } = await backups.create(world.alice, { volumeId: id });
  await jobReports(world).backupMade(backupId, {
    ...{ objectCount: 1, storedBytes: 1, manifestSha256: 'aa', dataTimestampMs: 1 },
  });
  const plain = await madeVolume(world);
  t.match(await refusalText(backups.restore(world.alice, backupId, plain.id)), /restored to an encrypted one/);
  t.match(await refusalText(volumes.create(world.alice, { backupId, type: '__DEFAULT__' })), /of an encrypted type/);
  const fresh = await volumes.create(world.alice, { backupId, type: 'sealed' });
  t.not(fresh.encryption?.keyId, encryption?.keyId, 'with a key of its own');

  const secret = Buffer.from(encryption?.sealedKey ?? []).toString('latin1');
  const holders = () =>
    world.state.local
      .range('', '~')
      .filter(({ value }) => Buffer.from(value).toString('latin1').includes(secret))
      .map(({ key }) => key);
  t.same(holders(), [`t/volume/${id}`]);
  await volumes.remove(world.alice, id);
  await volumeHostsAct(world);
  t.same(holders(), [], 'nobody has the key any more');
});
