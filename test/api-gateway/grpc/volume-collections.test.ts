/** Backups, transfers, groups, types and QoS specs of `shoal.v1.VolumeService`, and what its watch tells. */
import t from 'tap';
import { volumeTable } from '../../../node/state/tables/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { volumeServiceOf } from '../../node/services/volume/volume-world.ts';
import { as, startGrpcGateway, type TestGrpcGateway } from '../../support/grpc-gateway.ts';

async function started(t: { teardown(clean: () => Promise<void>): void }) {
  const gateway = await startGrpcGateway();
  t.teardown(() => gateway.stop());
  return { ...gateway, volumes: gateway.client.calls(shoal.v1.VolumeService) };
}

/** What hosts would tell: everything that is being made is made. */
async function made({ world }: Pick<TestGrpcGateway, 'world'>): Promise<void> {
  const { volumeReports } = volumeServiceOf(world, 'rbd');
  for (const { record } of volumeTable.list(world.state.local)) {
    if (record.hostId !== '' && record.status === 'creating') {
      await volumeReports(record.hostId).made(record, record.sizeGib);
    }
  }
}

void t.test('a backup’s life', async (t) => {
  const gateway = await started(t);
  const { volumes } = gateway;
  const { volume } = await volumes.createVolume({ sizeGib: 1 }, as('alice'));
  const volumeId = volume?.id ?? '';
  await made(gateway);
  const draft = { volumeId, name: 'nightly', metadata: { a: 'b' }, clientToken: 'once' };
  const { backup } = await volumes.createVolumeBackup(draft, as('alice'));
  const backupId = backup?.id ?? '';
  t.match(backup, { name: 'nightly', volumeId, status: 'creating', sizeGib: 1, metadata: { a: 'b' } });
  t.equal(
    (await volumes.createVolumeBackup(draft, as('alice'))).backup?.id,
    backupId,
    'the same token, the same backup',
  );
  t.match(await volumes.getVolumeBackup({ backupId }, as('alice')), { backup: { id: backupId }, stale: false });
  await t.rejects(volumes.getVolumeBackup({ backupId }, as('bob')), { code: 'NOT_FOUND' });
  await t.rejects(volumes.restoreVolumeBackup({ backupId, volumeId }, as('alice')), { code: 'INVALID_ARGUMENT' });
  await t.rejects(volumes.exportVolumeBackup({ backupId }, as('alice')), { code: 'FORBIDDEN' });
  await t.rejects(volumes.importVolumeBackup({ service: 'shoal', url: 'x' }, as('alice')), { code: 'FORBIDDEN' });
  await t.rejects(volumes.importVolumeBackup({ service: 'shoal', url: 'x' }, as('root')), { code: 'INVALID_ARGUMENT' });
  await t.rejects(volumes.deleteVolumeBackup({ backupId, force: true }, as('alice')), { code: 'FORBIDDEN' });
  await t.rejects(volumes.createVolumeBackup({ volumeId: 'none' }, as('alice')), { code: 'NOT_FOUND' });
  t.equal((await volumes.listVolumeBackups({}, as('alice'))).backups.length, 1, 'and nothing half-made');
});

void t.test('a volume is given to another project by a transfer', async (t) => {
  const gateway = await started(t);
  const { volumes } = gateway;
  const { volume } = await volumes.createVolume({ sizeGib: 1 }, as('alice'));
  const volumeId = volume?.id ?? '';
  await made(gateway);
  await t.rejects(volumes.createVolumeTransfer({ volumeId }, as('bob')), { code: 'NOT_FOUND' });
  const { transfer, authKey } = await volumes.createVolumeTransfer({ volumeId, name: 'gift' }, as('alice'));
  const transferId = transfer?.id ?? '';
  t.match(transfer, { volumeId, name: 'gift' });
  t.match(await volumes.listVolumeTransfers({}, as('alice')), { transfers: [{ id: transferId }] });
  t.equal((await volumes.listVolumeTransfers({}, as('bob'))).transfers.length, 0);
  await t.rejects(volumes.acceptVolumeTransfer({ transferId, authKey: 'guess' }, as('bob')), {
    code: 'INVALID_ARGUMENT',
  });
  await volumes.acceptVolumeTransfer({ transferId, authKey }, as('bob'));
  t.equal((await volumes.listVolumes({}, as('bob'))).volumes[0]?.id, volumeId);
  await t.rejects(volumes.deleteVolumeTransfer({ transferId }, as('alice')), { code: 'NOT_FOUND' });
});

void t.test('types and QoS specs are administrators’', async (t) => {
  const { volumes } = await started(t);
  for (const refused of [
    volumes.createVolumeType({ name: 'fast' }, as('alice')),
    volumes.deleteVolumeType({ type: 'fast' }, as('alice')),
    volumes.setVolumeTypeAccess({ type: 'fast', projectId: 'x', allowed: true }, as('alice')),
    volumes.setVolumeTypeEncryption({ type: 'fast', provider: 'luks' }, as('alice')),
    volumes.setVolumeTypeQos({ type: 'fast' }, as('alice')),
    volumes.createQosSpecs({ name: 'slow' }, as('alice')),
    volumes.listQosSpecs({}, as('alice')),
  ]) {
    await t.rejects(refused, { code: 'FORBIDDEN' });
  }
  const draft = { name: 'fast', isPrivate: true, extraSpecs: { volume_backend_name: 'rbd' } };
  t.match(await volumes.createVolumeType(draft, as('root')), { type: { name: 'fast', isPublic: false } });
  await t.rejects(volumes.createVolumeType(draft, as('root')), { code: 'CONFLICT' });
  const namesFor = async (user: string) =>
    (await volumes.listVolumeTypes({}, as(user))).types.map(({ name }) => name).sort();
  t.same(await namesFor('alice'), ['__DEFAULT__']);
  await volumes.setVolumeTypeAccess({ type: 'fast', projectId: 'alice-project', allowed: true }, as('root'));
  t.same(await namesFor('alice'), ['__DEFAULT__', 'fast']);
  const set = { type: 'fast', description: 'NVMe', setExtraSpecs: { multiattach: '<is> True' } };
  t.match(await volumes.updateVolumeType(set, as('root')), {
    type: { description: 'NVMe', extraSpecs: { volume_backend_name: 'rbd', multiattach: '<is> True' } },
  });
  await volumes.removeVolumeTypeExtraSpec({ type: 'fast', key: 'multiattach' }, as('root'));
  await t.rejects(volumes.removeVolumeTypeExtraSpec({ type: 'fast', key: 'multiattach' }, as('root')), {
    code: 'NOT_FOUND',
  });
  await t.rejects(volumes.setVolumeTypeEncryption({ type: 'fast', provider: 'rot13' }, as('root')), {
    code: 'INVALID_ARGUMENT',
  });
  await volumes.setVolumeTypeEncryption({ type: 'fast', provider: 'luks', keyBits: 512 }, as('root'));
  const fast = async () => (await volumes.listVolumeTypes({}, as('root'))).types.find(({ name }) => name === 'fast');
  t.match(await fast(), { encrypted: true, extraSpecs: { volume_backend_name: 'rbd' } });
  await volumes.removeVolumeTypeEncryption({ type: 'fast' }, as('root'));
  t.match(await fast(), { encrypted: false });

  const { qosSpecs } = await volumes.createQosSpecs({ name: 'slow', specs: { total_iops_sec: '100' } }, as('root'));
  const qosSpecsId = qosSpecs?.id ?? '';
  await volumes.setVolumeTypeQos({ type: 'fast', qosSpecsId }, as('root'));
  const typeId = (await fast())?.id ?? '';
  t.match((await volumes.listQosSpecs({}, as('root'))).qosSpecs, [{ name: 'slow', typeIds: [typeId] }]);
  t.match(await volumes.updateQosSpecs({ qosSpecsId, setSpecs: { total_bytes_sec: '5' } }, as('root')), {
    qosSpecs: { specs: { total_iops_sec: '100', total_bytes_sec: '5' } },
  });
  await volumes.removeQosSpecsKeys({ qosSpecsId, keys: ['total_bytes_sec'] }, as('root'));
  await t.rejects(volumes.deleteQosSpecs({ qosSpecsId }, as('root')), { code: 'INVALID_ARGUMENT' }, 'it is bound');
  await volumes.deleteQosSpecs({ qosSpecsId, force: true }, as('root'));
  await volumes.deleteVolumeType({ type: 'fast' }, as('root'));
  t.same(await namesFor('root'), ['__DEFAULT__']);
});

void t.test('groups, and snapshots of them', async (t) => {
  const gateway = await started(t);
  const { volumes, world } = gateway;
  const { volume: service } = volumeServiceOf(world, 'rbd');
  await service.groupTypes.create(world.admin, {
    name: 'together',
    groupSpecs: { consistent_group_snapshot_enabled: '<is> True' },
  });
  const draft = { name: 'db', groupType: 'together', volumeTypes: ['__DEFAULT__'] };
  await t.rejects(volumes.createVolumeGroup({ ...draft, volumeTypes: [] }, as('alice')), { code: 'INVALID_ARGUMENT' });
  await t.rejects(volumes.createVolumeGroup({ sourceGroupId: 'none' }, as('alice')), { code: 'NOT_FOUND' });
  const { group } = await volumes.createVolumeGroup(draft, as('alice'));
  const groupId = group?.id ?? '';
  t.match(group, { name: 'db', volumeIds: [] });
  await t.rejects(volumes.createVolumeGroupSnapshot({ groupId }, as('alice')), { code: 'INVALID_ARGUMENT' }, 'empty');
  const { volume } = await volumes.createVolume({ sizeGib: 1 }, as('alice'));
  await made(gateway);
  const volumeId = volume?.id ?? '';
  const updated = await volumes.updateVolumeGroup({ groupId, name: 'database', addVolumeIds: [volumeId] }, as('alice'));
  t.match(updated.group, { name: 'database', volumeIds: [volumeId] });
  await t.rejects(volumes.getVolumeGroup({ groupId }, as('bob')), { code: 'NOT_FOUND' });
  t.match(await volumes.listVolumeGroups({}, as('alice')), { groups: [{ id: groupId, volumeIds: [volumeId] }] });
  const { groupSnapshot } = await volumes.createVolumeGroupSnapshot({ groupId, name: 'now' }, as('alice'));
  const groupSnapshotId = groupSnapshot?.id ?? '';
  t.match(groupSnapshot, { groupId, name: 'now', status: 'creating' });
  t.match(await volumes.getVolumeGroupSnapshot({ groupSnapshotId }, as('alice')), { groupSnapshot: { name: 'now' } });
  t.equal((await volumes.listVolumeGroupSnapshots({ groupId: 'other' }, as('alice'))).groupSnapshots.length, 0);
  t.equal((await volumes.listVolumeGroupSnapshots({ groupId }, as('alice'))).groupSnapshots.length, 1);
  t.match((await volumes.listVolumeSnapshots({ volumeId }, as('alice'))).snapshots, [{ status: 'creating' }]);
  await t.rejects(volumes.deleteVolumeGroupSnapshot({ groupSnapshotId }, as('bob')), { code: 'NOT_FOUND' });
  await t.rejects(volumes.deleteVolumeGroup({ groupId }, as('alice')), { code: 'INVALID_ARGUMENT' });
});

void t.test('a watch tells of the project’s volumes, from the revision of a list on', async (t) => {
  const gateway = await started(t);
  const { volumes } = gateway;
  const { revision } = await volumes.listVolumes({}, as('alice'));
  await volumes.createVolume({ sizeGib: 1, name: 'not-hers' }, as('bob'));
  const { volume } = await volumes.createVolume({ sizeGib: 1, name: 'hers' }, as('alice'));
  const volumeId = volume?.id ?? '';
  const seen: shoal.v1.WatchVolumesResponse[] = [];
  const options = { headers: as('alice').headers ?? {}, signal: AbortSignal.timeout(20_000) };
  for await (const event of volumes.watchVolumes({ fromRevision: revision }, options)) {
    seen.push(event);
    if (seen.length === 1) await made(gateway);
    if (seen.length === 2) break;
  }
  t.match(seen, [
    { volumeId, volume: { name: 'hers', status: 'creating' } },
    { volumeId, volume: { status: 'available' } },
  ]);
  t.ok((seen[1]?.revision ?? 0) > (seen[0]?.revision ?? 0));
});
