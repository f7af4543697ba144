/** Transfers, backups, groups and their types by REST, and the long actions of volumes: shapes, microversions, refusals. */
import t, { type Test } from 'tap';
import { volumeHostsAct } from '../../../node/services/volume/volume-world.ts';
import { startCloud } from '../cloud.ts';

async function start(t: Test) {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const ask = async (
    method: string,
    path: string,
    options: { body?: unknown; minor?: number; token?: string } = {},
  ) => {
    const { body, minor = 0, token } = options;
    const answer = await cloud.gateway.call(method, `/volume/v3${path}`, {
      headers: { 'openstack-api-version': `volume 3.${minor}` },
      ...(body === undefined ? {} : { body }),
      ...(token === undefined ? {} : { token }),
    });
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
  };
  const hosts = () => volumeHostsAct(cloud.world);
  const make = async (volume: object = {}): Promise<string> => {
    const made = await ask('POST', '/volumes', { body: { volume: { size: 1, ...volume } } });
    if (made.status !== 202) throw new Error(JSON.stringify(made));
    await hosts();
    return made.body.volume.id;
  };
  return { cloud, ask, make, hosts };
}

void t.test('a volume is offered to another project, which takes it by the key', async (t) => {
  const { cloud, ask, make } = await start(t);
  const id = await make({ name: 'gift' });
  const offered = await ask('POST', '/os-volume-transfer', { body: { transfer: { volume_id: id, name: 'offer' } } });
  t.match(offered, {
    status: 202,
    body: { transfer: { volume_id: id, name: 'offer', auth_key: String, links: [{}, {}] } },
  });
  const { transfer } = offered.body;
  t.equal((await ask('GET', `/volumes/${id}`)).body.volume.status, 'awaiting-transfer');
  t.equal((await ask('GET', '/volume-transfers', { minor: 54 })).status, 404);
  const listed = (await ask('GET', '/volume-transfers/detail', { minor: 57 })).body.transfers;
  t.match(listed, [{ id: transfer.id, no_snapshots: false, accepted: false, destination_project_id: null }]);
  t.notOk(Object.hasOwn(listed[0], 'auth_key'), 'the key is told once');
  const token = cloud.memberToken;
  const accept = (key: string) =>
    ask('POST', `/os-volume-transfer/${transfer.id}/accept`, { body: { accept: { auth_key: key } }, token });
  t.equal((await accept('wrong')).status, 400);
  t.match(await accept(transfer.auth_key), { status: 202, body: { transfer: { volume_id: id } } });
  t.equal((await ask('GET', `/volumes/${id}`, { token })).body.volume.status, 'available');
  t.equal((await accept(transfer.auth_key)).status, 404);
});

void t.test('groups: a type, a group, its members, and their end', async (t) => {
  const { ask, make, hosts } = await start(t);
  const type = await ask('POST', '/group_types', {
    body: { group_type: { name: 'gt', group_specs: { consistent_group_snapshot_enabled: '<is> True' } } },
    minor: 11,
  });
  t.match(type, { status: 202, body: { group_type: { name: 'gt', is_public: true } } });
  const typeId = type.body.group_type.id;
  t.equal((await ask('GET', '/group_types', { minor: 10 })).status, 404);
  t.match((await ask('GET', `/group_types/${typeId}/group_specs`, { minor: 11 })).body.group_specs, {
    consistent_group_snapshot_enabled: '<is> True',
  });
  const volumeType = (await ask('GET', '/types')).body.volume_types[0].id;
  const made = await ask('POST', '/groups', {
    body: { group: { name: 'g', group_type: typeId, volume_types: [volumeType] } },
    minor: 13,
  });
  t.match(made, { status: 202, body: { group: { name: 'g' } } });
  const { id } = made.body.group;
  await hosts();
  const volumeId = await make();
  const changed = await ask('PUT', `/groups/${id}`, {
    body: { group: { name: 'h', add_volumes: volumeId } },
    minor: 13,
  });
  t.equal(changed.status, 202, JSON.stringify(changed.body));
  t.match((await ask('GET', `/groups/${id}?list_volume=True`, { minor: 25 })).body.group, {
    name: 'h',
    status: 'available',
    volumes: [volumeId],
    group_type: typeId,
    volume_types: [volumeType],
  });
  t.equal((await ask('DELETE', `/volumes/${volumeId}`)).status, 400, 'a member is not deleted');
  t.equal((await ask('DELETE', `/group_types/${typeId}`, { minor: 11 })).status >= 400, true, 'it is in use');
  const snapshot = await ask('POST', '/group_snapshots', {
    body: { group_snapshot: { group_id: id, name: 's' } },
    minor: 14,
  });
  t.match(snapshot, { status: 202, body: { group_snapshot: { name: 's', group_type_id: typeId } } });
  t.match((await ask('GET', '/group_snapshots/detail', { minor: 14 })).body.group_snapshots, [{ group_id: id }]);
  for (const [group, status] of [
    [{ group_type: typeId, volume_types: [] }, 400],
    [{ group_type: typeId }, 400],
    [{ group_type: 'none', volume_types: [volumeType] }, 404],
  ] as const) {
    t.equal((await ask('POST', '/groups', { body: { group }, minor: 13 })).status, status, JSON.stringify(group));
  }
});

void t.test('long actions name what they need, and are refused where they cannot be', async (t) => {
  const { ask, make } = await start(t);
  const id = await make();
  const act = (body: object, minor = 0) => ask('POST', `/volumes/${id}/action`, { body, minor });
  t.match((await act({ 'os-migrate_volume': {} })).body, { badRequest: { message: /HOST@POOL#POOL/ } });
  t.equal((await act({ 'os-retype': { new_type: 'none' } })).status, 404);
  t.equal((await act({ 'os-retype': { new_type: '__DEFAULT__', migration_policy: 'sometimes' } })).status, 400);
  t.equal((await act({ 'os-volume_upload_image': {} })).status, 400);
  t.equal((await act({ 'os-reimage': { image_id: 'none' } }, 67)).status, 404, 'a later microversion has it');
  t.match((await act({ 'os-reimage': { image_id: 'none' } }, 68)).body, {
    badRequest: { message: /Invalid image identifier/ },
  });
  t.equal((await ask('POST', '/manageable_volumes', { body: { volume: { ref: 'x' } }, minor: 8 })).status, 400);
  t.equal((await ask('GET', '/manageable_volumes', { minor: 8 })).status, 501);
  t.equal((await ask('GET', '/consistencygroups')).status, 501);
  t.equal((await act({ 'os-volume_upload_image': { image_name: 'i', disk_format: 'vhdx' } })).status, 400);
  t.equal((await act({ 'os-migrate_volume': { host: 'h@p#p' } })).status, 400);
  const [type] = (await ask('GET', '/types')).body.volume_types;
  t.equal((await act({ 'os-retype': { new_type: type.name } })).status, 400, 'it is of that type');
  const other = { name: 'elsewhere', extra_specs: { volume_backend_name: 'local' } };
  await ask('POST', '/types', { body: { volume_type: other } });
  const moved = await act({ 'os-retype': { new_type: 'elsewhere', migration_policy: 'on-demand' } });
  t.equal(moved.status, 202);
  const { volume } = (await ask('GET', `/volumes/${id}`)).body;
  t.equal(volume.status, 'retyping', 'its host moves the bytes');
});

void t.test('backups are refused for what is not there', async (t) => {
  const { ask } = await start(t);
  t.same((await ask('GET', '/backups/detail')).body, { backups: [] });
  t.same((await ask('GET', '/backups?limit=1&with_count=true', { minor: 45 })).body, { backups: [], count: 0 });
  t.equal((await ask('POST', '/backups', { body: { backup: { volume_id: 'none' } } })).status, 404);
  t.equal((await ask('POST', '/backups', { body: { backup: {} } })).status, 400);
  t.equal((await ask('GET', '/backups/none')).status, 404);
  t.equal((await ask('POST', '/backups/none/restore', { body: { restore: {} } })).status, 404);
  const record = { backup_service: 'shoal', backup_url: 'nonsense' };
  t.equal((await ask('POST', '/backups/import_record', { body: { 'backup-record': record } })).status, 400);
});

void t.test(
  'a type is made without QoS specs, and is made public and private by either name of the flag',
  async (t) => {
    const { ask } = await start(t);
    const made = await ask('POST', '/types', { body: { volume_type: { name: 'gold' } } });
    t.same(Object.keys(made.body.volume_type).sort(), [
      'description',
      'extra_specs',
      'id',
      'is_public',
      'name',
      'os-volume-type-access:is_public',
    ]);
    const { id } = made.body.volume_type;
    t.equal((await ask('GET', `/types/${id}`)).body.volume_type.qos_specs_id, null);
    for (const [flags, expected] of [
      [{ 'os-volume-type-access:is_public': false }, false],
      [{ is_public: true }, true],
    ] as const) {
      const changed = await ask('PUT', `/types/${id}`, { body: { volume_type: flags } });
      t.match(changed, { status: 200, body: { volume_type: { is_public: expected } } }, JSON.stringify(flags));
      t.same(Object.keys(changed.body.volume_type).sort(), ['description', 'extra_specs', 'id', 'is_public', 'name']);
    }
    t.equal((await ask('PUT', `/types/${id}`, { body: { volume_type: { is_private: true } } })).status, 400);
  },
);
