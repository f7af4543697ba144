/** `shoal.v1.VolumeService`: the same volumes as REST's, with the same rights. */
import t from 'tap';
import { jobTable, volumeTable } from '../../../node/state/tables/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { volumeServiceOf } from '../../node/services/volume/volume-world.ts';
import { as, startGrpcGateway } from '../../support/grpc-gateway.ts';

async function started(t: { teardown(clean: () => Promise<void>): void }) {
  const gateway = await startGrpcGateway();
  t.teardown(() => gateway.stop());
  return { ...gateway, volumes: gateway.client.calls(shoal.v1.VolumeService) };
}

void t.test('a volume’s life, seen by its project alone', async (t) => {
  const { volumes } = await started(t);
  const draft = { sizeGib: 2, name: 'data', metadata: { a: 'b' }, clientToken: 'once' };
  const { volume } = await volumes.createVolume(draft, as('alice'));
  if (volume === null) throw new Error('no volume was made');
  t.match(volume, { name: 'data', sizeGib: 2, status: 'creating', pool: 'rbd', encrypted: false, uses: [] });
  const again = await volumes.createVolume(draft, as('alice'));
  t.equal(again.volume?.id, volume.id, 'the same token, the same volume');
  t.equal((await volumes.listVolumes({}, as('alice'))).volumes.length, 1);
  t.equal((await volumes.listVolumes({ status: 'error' }, as('alice'))).volumes.length, 0);
  t.equal((await volumes.listVolumes({}, as('bob'))).volumes.length, 0);
  t.equal((await volumes.listVolumes({ allProjects: true }, as('root'))).volumes.length, 1);
  await t.rejects(volumes.listVolumes({ allProjects: true }, as('bob')), { code: 'FORBIDDEN' });
  await t.rejects(volumes.getVolume({ volumeId: volume.id }, as('bob')), { code: 'NOT_FOUND' });
  const renamed = await volumes.updateVolume(
    { volumeId: volume.id, name: 'better', setMetadata: { c: 'd' } },
    as('alice'),
  );
  t.match(renamed.volume, { name: 'better', metadata: { a: 'b', c: 'd' } });
  await t.rejects(volumes.extendVolume({ volumeId: volume.id, sizeGib: 3 }, as('alice')), { code: 'INVALID_ARGUMENT' });
  await t.rejects(volumes.reimageVolume({ volumeId: volume.id, imageId: 'none' }, as('alice')), {
    code: 'INVALID_ARGUMENT',
  });
  await t.rejects(volumes.reimageVolume({ volumeId: volume.id, imageId: 'none' }, as('bob')), { code: 'NOT_FOUND' });
  await t.rejects(volumes.deleteVolume({ volumeId: volume.id, force: true }, as('alice')), { code: 'FORBIDDEN' });
  await volumes.deleteVolume({ volumeId: volume.id, force: true }, as('root'));
  t.equal((await volumes.getVolume({ volumeId: volume.id }, as('alice'))).volume?.status, 'deleting');
});

void t.test('what is refused is refused in words that name the field, and nothing is made', async (t) => {
  const { volumes } = await started(t);
  for (const draft of [{}, { sizeGib: 1, type: 'none' }, { sizeGib: 1, clientToken: 'with space' }]) {
    await t.rejects(volumes.createVolume(draft, as('alice')));
  }
  await t.rejects(volumes.createVolume({ sizeGib: 5_000 }, as('alice')), { code: 'QUOTA_EXCEEDED' });
  await t.rejects(volumes.attachVolume({ serverId: 'x', volumeId: 'y' }, as('alice')), { code: 'NOT_FOUND' });
  await t.rejects(volumes.createVolumeSnapshot({ volumeId: 'y' }, as('alice')), { code: 'NOT_FOUND' });
  await t.rejects(volumes.getVolumeSnapshot({ snapshotId: 'y' }, as('alice')), { code: 'NOT_FOUND' });
  t.equal((await volumes.listVolumes({ allProjects: true }, as('root'))).volumes.length, 0);
  const { types } = await volumes.listVolumeTypes({}, as('alice'));
  t.match(types, [{ name: '__DEFAULT__', isDefault: true, isPublic: true }]);
});

void t.test('a snapshot’s life', async (t) => {
  const { volumes, world } = await started(t);
  const { volume } = await volumes.createVolume({ sizeGib: 1 }, as('alice'));
  const volumeId = volume?.id ?? '';
  await t.rejects(
    volumes.createVolumeSnapshot({ volumeId }, as('alice')),
    { code: 'INVALID_ARGUMENT' },
    'it is being made',
  );
  const record = volumeTable.must(world.state.local, volumeId).record;
  await volumeServiceOf(world, 'rbd').volumeReports(record.hostId).made(record, 1);
  const { snapshot } = await volumes.createVolumeSnapshot({ volumeId, name: 'before' }, as('alice'));
  t.match(snapshot, { name: 'before', volumeId, sizeGib: 1, status: 'creating' });
  t.equal((await volumes.listVolumeSnapshots({ volumeId }, as('alice'))).snapshots.length, 1);
  t.equal((await volumes.listVolumeSnapshots({ volumeId }, as('bob'))).snapshots.length, 0);
  await t.rejects(volumes.deleteVolumeSnapshot({ snapshotId: snapshot?.id ?? '' }, as('alice')), {
    code: 'INVALID_ARGUMENT',
  });
});

void t.test('backups are seen by their project, and verified and expired by it', async (t) => {
  const { volumes, world } = await started(t);
  const { volume: service } = volumeServiceOf(world, 'rbd');
  const { volume } = await volumes.createVolume({ sizeGib: 1 }, as('alice'));
  const volumeId = volume?.id ?? '';
  const made = volumeTable.must(world.state.local, volumeId).record;
  await volumeServiceOf(world, 'rbd').volumeReports(made.hostId).made(made, 1);
  const { id: backupId } = await service.backups.create(world.alice, { volumeId });
  t.match((await volumes.listVolumeBackups({}, as('alice'))).backups, [{ id: backupId, volumeId, status: 'creating' }]);
  t.equal((await volumes.listVolumeBackups({ volumeId: 'other' }, as('alice'))).backups.length, 0);
  t.equal((await volumes.listVolumeBackups({}, as('bob'))).backups.length, 0);
  t.equal((await volumes.listVolumeBackups({ allProjects: true }, as('root'))).backups.length, 1);
  await t.rejects(volumes.listVolumeBackups({ allProjects: true }, as('bob')), { code: 'FORBIDDEN' });
  await t.rejects(volumes.verifyVolumeBackup({ backupId }, as('bob')), { code: 'NOT_FOUND' });
  await t.rejects(volumes.verifyVolumeBackup({ backupId }, as('alice')), { code: 'INVALID_ARGUMENT' }, 'not whole yet');
  await t.rejects(volumes.expireVolumeBackups({ allProjects: true, keepNewest: 1 }, as('alice')), {
    code: 'FORBIDDEN',
  });
  await t.rejects(volumes.expireVolumeBackups({}, as('alice')), { code: 'INVALID_ARGUMENT' });
  await t.rejects(volumes.expireVolumeBackups({ keepNewest: 1, volumeId: 'x' }, as('alice')), { code: 'NOT_FOUND' });
  const { jobId } = await volumes.expireVolumeBackups({ keepNewest: 0, olderThanSeconds: 60 }, as('alice'));
  t.match(jobTable.must(world.state.local, jobId).record, {
    subject: `backups/${world.alice.projectId}`,
    volumeBackupExpire: { keepNewest: 0, projectId: world.alice.projectId },
  });
  await t.rejects(volumes.expireVolumeBackups({ keepNewest: 1 }, as('alice')), { code: 'CONFLICT' }, 'one at a time');
});
