/** Volumes, snapshots and their lists by REST, in Cinder's shapes. Hosts do what the records ask when a test says so. */
import t, { type Test } from 'tap';
import { volumeHostsAct } from '../../../node/services/volume/volume-world.ts';
import { startCloud } from '../cloud.ts';

const at = (minor: number) => ({ 'openstack-api-version': `volume 3.${minor}` });

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
      headers: at(minor),
      ...(body === undefined ? {} : { body }),
      ...(token === undefined ? {} : { token }),
    });
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
  };
  const make = async (volume: object, minor = 0): Promise<{ id: string; [key: string]: unknown }> => {
    const made = await ask('POST', '/volumes', { body: { volume: { size: 1, ...volume } }, minor });
    if (made.status !== 202) throw new Error(JSON.stringify(made));
    return made.body.volume;
  };
  const act = (id: string, body: object, minor = 0) => ask('POST', `/volumes/${id}/action`, { body, minor });
  return { cloud, ask, make, act, hosts: () => volumeHostsAct(cloud.world) };
}

const names = (list: readonly { readonly name: string }[]): readonly string[] => list.map(({ name }) => name);

void t.test('a volume is made, shown, changed and deleted, with the keys of its microversion', async (t) => {
  const { cloud, ask, make, hosts } = await start(t);
  const made = await make({ name: 'a', description: 'first', metadata: { k: 'v' } });
  t.match(made, {
    name: 'a',
    size: 1,
    status: 'creating',
    bootable: 'false',
    encrypted: false,
    multiattach: false,
    attachments: [],
    metadata: { k: 'v' },
    volume_type: '__DEFAULT__',
    snapshot_id: null,
    source_volid: null,
  });
  t.same(
    Object.keys(made).filter((key) => key.includes(':')),
    [],
    'what extensions add is in no answer to a change',
  );
  t.match(String(made['created_at']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/);
  await hosts();
  const shown = (await ask('GET', `/volumes/${made.id}`)).body.volume;
  t.equal(shown.status, 'available');
  t.equal(shown['os-vol-tenant-attr:tenant_id'], cloud.gateway.adminProjectId);
  t.match(shown['os-vol-host-attr:host'], /^.+@rbd#rbd$/);
  for (const key of ['group_id', 'service_uuid', 'volume_type_id', 'consumes_quota', 'cluster_name']) {
    t.notOk(Object.hasOwn(shown, key), key);
  }
  const newest = (await ask('GET', `/volumes/${made.id}`, { minor: 71 })).body.volume;
  t.match(newest, {
    group_id: null,
    service_uuid: String,
    volume_type_id: String,
    consumes_quota: true,
    shared_targets: null,
  });
  const changed = await ask('PUT', `/volumes/${made.id}`, { body: { volume: { display_name: 'b', description: '' } } });
  t.match(changed, { status: 200, body: { volume: { name: 'b', description: '', metadata: { k: 'v' } } } });
  t.equal((await ask('DELETE', `/volumes/${made.id}`)).status, 202);
  await hosts();
  t.match(await ask('GET', `/volumes/${made.id}`), {
    status: 404,
    body: { itemNotFound: { code: 404, message: `Volume ${made.id} could not be found.` } },
  });
});

void t.test('a create that is repeated with its token makes one volume, and one snapshot', async (t) => {
  const { cloud, hosts } = await start(t);
  const post = (path: string, body: object, token: string) =>
    cloud.gateway.call('POST', `/volume/v3/${path}`, { body, headers: { 'x-shoal-client-token': token } });
  const ids = [];
  for (const token of ['t1', 't1', 't2'])
    ids.push((await post('volumes', { volume: { size: 1 } }, token)).json().volume.id);
  t.equal(new Set(ids).size, 2);
  t.equal((await post('volumes', { volume: { size: 1 } }, 'x'.repeat(129))).statusCode, 400);
  await hosts();
  const snapshot = { snapshot: { volume_id: ids[0], name: 's' } };
  const made = [await post('snapshots', snapshot, 's1'), await post('snapshots', snapshot, 's1')];
  t.equal(new Set(made.map((answer) => answer.json().snapshot.id)).size, 1);
});

void t.test('what a member sees is his own, and nothing that is for administrators', async (t) => {
  const { cloud, ask, make, hosts } = await start(t);
  const token = cloud.memberToken;
  const foreign = await make({ name: 'foreign' });
  const { body } = await ask('POST', '/volumes', { body: { volume: { size: 2, name: 'own' } }, token });
  await hosts();
  const own = (await ask('GET', `/volumes/${body.volume.id}`, { token })).body.volume;
  t.equal(own.status, 'available');
  for (const key of ['os-vol-host-attr:host', 'os-vol-mig-status-attr:migstat', 'migration_status']) {
    t.notOk(Object.hasOwn(own, key), key);
  }
  for (const [method, path] of [
    ['GET', `/volumes/${foreign.id}`],
    ['DELETE', `/volumes/${foreign.id}`],
    ['GET', `/volumes/${foreign.id}/metadata`],
  ] as const) {
    t.equal((await ask(method, path, { token })).status, 404, `${method} ${path}`);
  }
  t.same(names((await ask('GET', '/volumes?all_tenants=1', { token })).body.volumes), ['own']);
  t.same(names((await ask('GET', '/volumes')).body.volumes), ['foreign']);
  t.same(names((await ask('GET', '/volumes?all_tenants=1&sort=name:asc')).body.volumes), ['foreign', 'own']);
  t.same(names((await ask('GET', `/volumes?all_tenants=1&project_id=${cloud.memberProjectId}`)).body.volumes), ['own']);
  t.equal(
    (await ask('POST', `/volumes/${own.id}/action`, { body: { 'os-reset_status': { status: 'error' } }, token }))
      .status,
    403,
  );
});

void t.test('lists: filters, order, pages, counts', async (t) => {
  const { cloud, ask, make, hosts } = await start(t);
  for (const [name, size, key] of [
    ['apple', 1, 'x'],
    ['banana', 3, 'y'],
    ['cherry', 2, 'x'],
  ] as const) {
    await make({ name, size, metadata: { key, name } });
  }
  await hosts();
  const found = async (query: string, minor = 71) =>
    names((await ask('GET', `/volumes/detail?sort=name:asc&${query}`, { minor })).body.volumes);
  t.same(await found('name=banana'), ['banana']);
  t.same(await found('name~=an'), ['banana']);
  t.same(await found('status=available&name=cherry'), ['cherry']);
  t.same(await found('status=error'), []);
  t.same(await found(`metadata=${encodeURIComponent("{'key': 'x'}")}`), ['apple', 'cherry']);
  t.same(await found(`metadata=${encodeURIComponent("{'key': 'x', 'name': 'apple'}")}`), ['apple']);
  t.same(await found('bootable=True'), []);
  t.same(await found('bootable=false'), ['apple', 'banana', 'cherry']);
  t.same(await found('size=3'), ['banana']);
  t.same(await found('created_at=lt:1990-01-01T00:00:00'), []);
  t.same(await found('created_at=gt:1990-01-01T00:00:00,lt:2990-01-01'), ['apple', 'banana', 'cherry']);
  t.same(await found('availability_zone=nova'), ['apple', 'banana', 'cherry']);
  t.equal((await ask('GET', '/volumes?nonsense=1', { minor: 31 })).status, 400);
  t.equal((await ask('GET', '/volumes?nonsense=1', { minor: 30 })).body.volumes.length, 3);
  t.equal((await ask('GET', '/volumes?name~=a', { minor: 33 })).status, 400, 'no parts of names yet');
  t.equal((await ask('GET', '/volumes?created_at=yesterday', { minor: 60 })).status, 400);
  t.equal((await ask('GET', '/volumes?bootable=perhaps')).status, 400);
  t.equal((await ask('GET', '/volumes?metadata=perhaps')).status, 400);
  const ordered = async (query: string) => names((await ask('GET', `/volumes?${query}`)).body.volumes);
  t.same(await ordered('sort=size:desc'), ['banana', 'cherry', 'apple']);
  t.same(await ordered('sort=size'), ['banana', 'cherry', 'apple']);
  t.same(await ordered('sort_key=size&sort_dir=asc'), ['apple', 'cherry', 'banana']);
  t.same(await ordered('sort_key=display_name&sort_dir=desc'), ['cherry', 'banana', 'apple']);
  for (const wrong of ['sort=nothing', 'sort=size:up', 'sort=size&sort_key=name', 'limit=-1', 'limit=x', 'offset=-1']) {
    t.equal((await ask('GET', `/volumes?${wrong}`)).status, 400, wrong);
  }
  t.equal((await ask('GET', '/volumes?marker=none')).status, 404);
  t.same((await ask('GET', '/volumes?limit=0')).body, { volumes: [] });
  const full = (await ask('GET', '/volumes?limit=3')).body;
  t.equal(full.volumes_links.length, 1, 'a page that is full leads on');
  const counted = (await ask('GET', '/volumes?limit=1&with_count=True&name~=a', { minor: 45 })).body;
  t.equal(counted.volumes.length, 1);
  t.equal(counted.count, 2);
  const project = cloud.gateway.adminProjectId;
  const page = (await ask('GET', `/${project}/volumes?limit=2&sort=name:asc`)).body;
  t.same(names(page.volumes), ['apple', 'banana']);
  const [{ href, rel }] = page.volumes_links;
  t.equal(rel, 'next');
  t.ok(href.includes(`/volume/v3/${project}/volumes?`), href);
  const next = await cloud.gateway.call('GET', href.slice(href.indexOf('/volume')));
  t.same(names(next.json().volumes), ['cherry']);
  t.notOk(Object.hasOwn(next.json(), 'volumes_links'));
  t.same(await ordered('sort=name:asc&offset=1&limit=1'), ['banana']);
  const summary = (await ask('GET', '/volumes/summary', { minor: 36 })).body['volume-summary'];
  t.same(summary, {
    total_size: 6,
    total_count: 3,
    metadata: { key: ['x', 'y'], name: ['apple', 'banana', 'cherry'] },
  });
});

void t.test('what is wrong with a new volume is refused, and nothing is made', async (t) => {
  const { cloud, ask, hosts } = await start(t);
  const none = '00000000-0000-4000-8000-000000000000';
  for (const [volume, status] of [
    [{}, 400],
    [{ size: 0 }, 400],
    [{ size: -1 }, 400],
    [{ size: '' }, 400],
    [{ size: '#$%' }, 400],
    [{ size: 1.5 }, 400],
    [{ size: 1, name: 'x'.repeat(256) }, 400],
    [{ size: 1, metadata: { k: 'x'.repeat(256) } }, 400],
    [{ size: 1, volume_type: none }, 404],
    [{ size: 1, snapshot_id: none }, 404],
    [{ size: 1, source_volid: none }, 404],
    [{ size: 1, imageRef: none }, 400],
    [{ size: 1, availability_zone: 'nowhere' }, 400],
    [{ size: 1, multiattach: true }, 400],
    [{ size: 1_001 }, 413],
  ] as const) {
    const answer = await ask('POST', '/volumes', { body: { volume } });
    t.equal(answer.status, status, `${JSON.stringify(volume).slice(0, 80)}: ${JSON.stringify(answer.body)}`);
  }
  t.equal((await ask('POST', '/volumes', { body: {} })).status, 400);
  t.match((await ask('POST', '/volumes', { body: { volume: { size: 1_001 } } })).body, {
    overLimit: { code: 413, message: /exceed/ },
  });
  t.same((await ask('GET', '/volumes')).body.volumes, []);
  await hosts();
  const usage = (await ask('GET', `/os-quota-sets/${cloud.gateway.adminProjectId}?usage=True`)).body.quota_set;
  t.match(usage, { volumes: { in_use: 0, limit: 10, reserved: 0 }, gigabytes: { in_use: 0 } });
});

void t.test('actions: extend, read-only, bootable, image metadata, status', async (t) => {
  const { ask, make, act, hosts } = await start(t);
  const { id } = await make({ name: 'a' });
  t.match((await act(id, { 'os-extend': { new_size: 2 } })).body, { badRequest: { message: /available/ } });
  await hosts();
  t.equal((await act(id, { 'os-extend': { new_size: 2 } })).status, 202);
  t.equal((await ask('GET', `/volumes/${id}`)).body.volume.status, 'extending');
  await hosts();
  t.match((await ask('GET', `/volumes/${id}`)).body.volume, { size: 2, status: 'available' });
  t.match((await act(id, { 'os-extend': { new_size: 1 } })).body, {
    badRequest: { message: /New size for extend must be greater than current size/ },
  });
  t.equal((await act(id, { 'os-extend': { new_size: 'x' } })).status, 400);
  t.equal((await act(id, { 'os-set_bootable': { bootable: 'True' } })).status, 200);
  t.equal((await ask('GET', `/volumes/${id}`)).body.volume.bootable, 'true');
  t.equal((await act(id, { 'os-update_readonly_flag': { readonly: true } })).status, 202);
  t.match((await ask('GET', `/volumes/${id}`)).body.volume.metadata, { readonly: 'True' });
  t.equal((await act(id, { 'os-update_readonly_flag': { readonly: 'no' } })).status, 202);
  t.match((await ask('GET', `/volumes/${id}`)).body.volume.metadata, { readonly: 'False' });
  t.match(await act(id, { 'os-set_image_metadata': { metadata: { os_distro: 'debian' } } }), {
    status: 200,
    body: { metadata: { os_distro: 'debian' } },
  });
  t.match((await ask('GET', `/volumes/${id}`)).body.volume.volume_image_metadata, { os_distro: 'debian' });
  t.equal((await act(id, { 'os-unset_image_metadata': { key: 'os_distro' } })).status, 200);
  t.equal((await act(id, { 'os-unset_image_metadata': { key: 'os_distro' } })).status, 404);
  t.equal((await act(id, { 'os-reset_status': { status: 'error' } })).status, 202);
  t.equal((await ask('GET', `/volumes/${id}`)).body.volume.status, 'error');
  t.equal((await act(id, { 'os-reset_status': { status: 'nonsense' } })).status, 400);
  t.equal((await act(id, { nonsense: {} })).status, 400);
  t.equal((await act(id, { 'os-extend': { new_size: 3 }, 'os-reserve': {} })).status, 400);
  t.equal((await act(id, { 'os-force_delete': {} })).status, 202);
  await hosts();
  t.equal((await ask('GET', `/volumes/${id}`)).status, 404);
});

void t.test('a use that is not Nova’s: attached, shown, refused to others, detached', async (t) => {
  const { ask, make, act, hosts } = await start(t);
  const { id } = await make({});
  await hosts();
  const attach = { 'os-attach': { instance_uuid: '00000000-0000-4000-8000-000000000001', mountpoint: '/dev/vdc' } };
  t.equal((await act(id, attach)).status, 202);
  const { volume } = (await ask('GET', `/volumes/${id}`)).body;
  t.match(volume, { status: 'in-use', attachments: [{ volume_id: id, attachment_id: String }] });
  t.equal((await act(id, attach)).status, 400);
  t.equal((await ask('DELETE', `/volumes/${id}`)).status, 400);
  t.equal((await act(id, { 'os-detach': { attachment_id: 'none' } })).status, 400);
  t.equal((await act(id, { 'os-detach': {} })).status, 202);
  t.match((await ask('GET', `/volumes/${id}`)).body.volume, { status: 'available', attachments: [] });
  t.equal((await act(id, { 'os-detach': null })).status, 202, 'detached already: Cinder says nothing to it');
  t.match((await act(id, { 'os-initialize_connection': { connector: {} } })).body, { badRequest: { code: 400 } });
  const created = await ask('POST', '/attachments', { body: { attachment: { volume_uuid: id } }, minor: 27 });
  t.match(created, { status: 200, body: { attachment: { status: 'reserved', volume_id: id, connection_info: {} } } });
  const path = `/attachments/${created.body.attachment.id}`;
  const connected = await ask('PUT', path, { body: { attachment: { connector: { host: 'h' } } }, minor: 27 });
  t.match(connected.body.attachment, { status: 'attaching', connection_info: { volume_id: id } });
  t.equal((await ask('POST', `${path}/action`, { body: { 'os-complete': null }, minor: 43 })).status, 404);
  t.equal((await ask('POST', `${path}/action`, { body: { 'os-complete': null }, minor: 44 })).status, 204);
  const again = await ask('POST', `${path}/action`, { body: { 'os-complete': 'its-id' }, minor: 44 });
  t.equal(again.status, 204, 'as openstacksdk says it');
  t.match((await ask('GET', path, { minor: 27 })).body.attachment, { status: 'attached', attach_mode: 'rw' });
  t.equal((await ask('GET', path, { minor: 26 })).status, 404);
  t.same((await ask('DELETE', path, { minor: 27 })).body, { attachments: [] });
  t.equal((await ask('GET', path, { minor: 27 })).status, 404);
});

void t.test('reserving is one caller’s: the second is refused', async (t) => {
  const { make, act, hosts } = await start(t);
  const { id } = await make({});
  await hosts();
  t.equal((await act(id, { 'os-reserve': {} })).status, 202);
  t.equal((await act(id, { 'os-reserve': {} })).status, 400);
  t.equal((await act(id, { 'os-unreserve': {} })).status, 202);
  t.equal((await act(id, { 'os-begin_detaching': null })).status, 400);
  t.equal((await act(id, { 'os-reserve': null })).status, 202);
});

void t.test('metadata, whole and key by key', async (t) => {
  const { ask, make } = await start(t);
  const { id } = await make({ metadata: { a: '1' } });
  const path = `/volumes/${id}/metadata`;
  t.same((await ask('POST', path, { body: { metadata: { b: '2' } } })).body, { metadata: { a: '1', b: '2' } });
  t.same((await ask('PUT', path, { body: { metadata: { c: '3' } } })).body, { metadata: { c: '3' } });
  t.same((await ask('GET', path)).body, { metadata: { c: '3' } });
  t.same((await ask('PUT', `${path}/d`, { body: { meta: { d: '4' } } })).body, { meta: { d: '4' } });
  t.same((await ask('GET', `${path}/d`)).body, { meta: { d: '4' } });
  t.equal((await ask('PUT', `${path}/d`, { body: { meta: { e: '4' } } })).status, 400);
  t.equal((await ask('GET', `${path}/none`)).status, 404);
  t.equal((await ask('GET', `${path}/toString`)).status, 404);
  t.equal((await ask('DELETE', `${path}/d`)).status, 200);
  t.equal((await ask('DELETE', `${path}/d`)).status, 404);
  t.equal((await ask('POST', path, { body: { metadata: { k: 1 } } })).status, 400);
  t.same((await ask('GET', path)).body, { metadata: { c: '3' } });
});

void t.test('snapshots: made, listed, renamed, a volume from one, revert, deleted', async (t) => {
  const { ask, make, act, hosts } = await start(t);
  const { id: volumeId } = await make({ name: 'a', size: 2 });
  await hosts();
  const made = await ask('POST', '/snapshots', {
    body: { snapshot: { volume_id: volumeId, name: 's', metadata: { k: 'v' } } },
  });
  t.match(made, { status: 202, body: { snapshot: { name: 's', status: 'creating', size: 2, volume_id: volumeId } } });
  const { id } = made.body.snapshot;
  await hosts();
  t.match((await ask('GET', `/snapshots/${id}`)).body.snapshot, {
    status: 'available',
    metadata: { k: 'v' },
    'os-extended-snapshot-attributes:progress': '100%',
  });
  t.match((await ask('GET', `/snapshots/${id}`, { minor: 41 })).body.snapshot, {
    user_id: String,
    group_snapshot_id: null,
  });
  t.same(names((await ask('GET', `/snapshots?volume_id=${volumeId}&status=available`)).body.snapshots), ['s']);
  t.same(names((await ask('GET', '/snapshots/detail?name~=S', { minor: 34 })).body.snapshots), ['s']);
  t.same((await ask('GET', '/snapshots?limit=0')).body, { snapshots: [] });
  t.match((await ask('PUT', `/snapshots/${id}`, { body: { snapshot: { name: 't' } } })).body.snapshot, { name: 't' });
  t.same((await ask('PUT', `/snapshots/${id}/metadata`, { body: { metadata: { x: 'y' } } })).body, {
    metadata: { x: 'y' },
  });
  t.match((await ask('DELETE', `/volumes/${volumeId}`)).body, { badRequest: { message: /have snapshots/ } });
  const copy = await make({ snapshot_id: id, size: 3 });
  await hosts();
  t.match((await ask('GET', `/volumes/${copy.id}`)).body.volume, { status: 'available', snapshot_id: id, size: 3 });
  const smaller = await ask('POST', '/volumes', { body: { volume: { snapshot_id: id, size: 1 } } });
  t.equal(smaller.status, 400);
  t.equal((await act(volumeId, { revert: { snapshot_id: id } }, 39)).status, 404, 'not yet in 3.39');
  t.equal((await act(volumeId, { revert: { snapshot_id: id } }, 40)).status, 202);
  t.equal((await ask('GET', `/volumes/${volumeId}`)).body.volume.status, 'reverting');
  await hosts();
  t.equal((await ask('DELETE', `/snapshots/${id}`)).status, 202);
  await hosts();
  t.match((await ask('GET', `/snapshots/${id}`)).body, { itemNotFound: { code: 404 } });
  for (const [snapshot, status] of [
    [{}, 400],
    [{ volume_id: '00000000-0000-4000-8000-000000000000' }, 404],
    [{ volume_id: null }, 404],
  ] as const) {
    t.equal((await ask('POST', '/snapshots', { body: { snapshot } })).status, status);
  }
});

void t.test('a copy of a volume that has no bytes yet is as empty, and is a copy all the same', async (t) => {
  const { ask, make, hosts } = await start(t);
  await ask('POST', '/types', {
    body: { volume_type: { name: 'near', extra_specs: { volume_backend_name: 'local' } } },
  });
  const source = await make({ name: 'source', size: 3, volume_type: 'near', metadata: { k: 'v' } });
  t.equal((await ask('GET', `/volumes/${source.id}`)).body.volume['os-vol-host-attr:host'], null, 'it has no host');
  const made = await ask('POST', '/volumes', { body: { volume: { name: 'copy', source_volid: source.id } } });
  t.match(made, { status: 202, body: { volume: { size: 3, volume_type: 'near', source_volid: source.id } } });
  await hosts();
  const { id } = made.body.volume;
  t.match((await ask('GET', `/volumes/${id}`)).body.volume, { status: 'available', source_volid: source.id });
  t.same(names((await ask('GET', `/volumes?source_volid=${source.id}`)).body.volumes), ['copy']);
  const smaller = await ask('POST', '/volumes', { body: { volume: { size: 2, source_volid: source.id } } });
  t.match(smaller, { status: 400, body: { badRequest: { message: /cannot be smaller than original volume size/ } } });
  t.equal((await ask('DELETE', `/volumes/${source.id}`)).status, 202);
  await hosts();
  t.equal((await ask('GET', `/volumes/${source.id}`)).status, 404, 'the source may go');
  t.equal((await ask('GET', `/volumes/${id}`)).body.volume.source_volid, source.id, 'and is named still');
});

void t.test('what became of a snapshot is for its host to say; others may give it up', async (t) => {
  const { cloud, ask, make, hosts } = await start(t);
  const { id: volumeId } = await make({});
  await hosts();
  const snapshot = (await ask('POST', '/snapshots', { body: { snapshot: { volume_id: volumeId } } })).body.snapshot;
  const act = (body: object, token?: string) =>
    ask('POST', `/snapshots/${snapshot.id}/action`, { body, ...(token && { token }) });
  const said = (status: string, progress = '80%') => act({ 'os-update_snapshot_status': { status, progress } });
  t.match(await said('available'), { status: 400, body: { badRequest: { message: /its host says so/ } } });
  t.match(await said('deleting'), { status: 400, body: { badRequest: { message: /status creating/ } } });
  t.equal((await said('creating')).status, 202);
  t.equal((await said('error', 'much')).status, 400);
  t.equal((await said('error')).status, 202);
  t.equal((await ask('GET', `/snapshots/${snapshot.id}`)).body.snapshot.status, 'error');
  t.match(await said('error'), { status: 400, body: { badRequest: { message: /not allowed for update_snapshot/ } } });
  t.match(await act({ 'os-unmanage': {} }), { status: 501 });
  t.match(await act({ 'os-unmanage': {} }, cloud.memberToken), { status: 403 });
});
