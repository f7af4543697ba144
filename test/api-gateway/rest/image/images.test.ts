import { connect } from 'node:net';
import t from 'tap';
import { ShoalError } from '../../../../node/base/errors.ts';
import { statusName } from '../../../../node/services/image/image.ts';
import { imageTable } from '../../../../node/state/tables/index.ts';
import { startGateway, type TestGateway } from '../../../support/gateway.ts';

const octets = { 'content-type': 'application/octet-stream' };
const patchType = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
const formats = { disk_format: 'raw', container_format: 'bare' };

const create = (gateway: TestGateway, body: object) => gateway.call('POST', '/image/v2/images', { body });
const put = (gateway: TestGateway, id: string, body: Uint8Array | string, headers = octets) =>
  gateway.call('PUT', `/image/v2/images/${id}/file`, { body, headers });

void t.test('an image’s life as clients see it', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const made = await create(gateway, { name: 'one', ...formats, os_distro: 'debian', tags: ['a', 'a'], min_disk: 1 });
  t.equal(made.statusCode, 201);
  const image = made.json();
  t.equal(made.headers['location'], `http://cloud.test:8774/image/v2/images/${image.id}`);
  t.match(image, {
    name: 'one',
    status: 'queued',
    visibility: 'shared',
    os_distro: 'debian',
    tags: ['a'],
    min_disk: 1,
    min_ram: 0,
    size: null,
    checksum: null,
    owner: gateway.adminProjectId,
    self: `/v2/images/${image.id}`,
    file: `/v2/images/${image.id}/file`,
    schema: '/v2/schemas/image',
    created_at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  });
  t.equal((await gateway.call('GET', `/image/v2/images/${image.id}/file`)).statusCode, 204);
  const uploaded = await put(gateway, image.id, Buffer.from('content'));
  t.equal(uploaded.statusCode, 204);
  t.equal(uploaded.body, '');
  t.match((await gateway.call('GET', `/image/v2/images/${image.id}`)).json(), {
    status: 'active',
    size: 7,
    checksum: '9a0364b9e99bb480dd25e1f0284c8555',
    os_hash_algo: 'sha512',
  });
  const file = await gateway.call('GET', `/image/v2/images/${image.id}/file`);
  t.equal(file.body, 'content');
  t.match(file.headers, { 'content-type': 'application/octet-stream', 'content-length': '7' });
  t.equal((await put(gateway, image.id, Buffer.from('again'))).statusCode, 409);
  t.equal((await gateway.call('PUT', `/image/v2/images/${image.id}/tags/b`)).statusCode, 204);
  t.equal((await gateway.call('DELETE', `/image/v2/images/${image.id}/tags/a`)).statusCode, 204);
  t.equal((await gateway.call('DELETE', `/image/v2/images/${image.id}/tags/a`)).statusCode, 404);
  t.strictSame((await gateway.call('GET', `/image/v2/images/${image.id}`)).json().tags, ['b']);
  for (const action of ['deactivate', 'reactivate']) {
    t.equal((await gateway.call('POST', `/image/v2/images/${image.id}/actions/${action}`)).statusCode, 204);
  }
  const deleted = await gateway.call('DELETE', `/image/v2/images/${image.id}`);
  t.equal(deleted.statusCode, 204);
  t.equal((await gateway.call('GET', `/image/v2/images/${image.id}`)).statusCode, 404);
});

void t.test('creating: ids are taken once, bad fields are refused with their name', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const id = 'abcdef01-2345-6789-abcd-ef0123456789';
  t.equal((await create(gateway, { id })).json().id, id);
  t.equal((await create(gateway, { id })).statusCode, 409);
  const refused: [object, number, RegExp][] = [
    [{ id: 'one' }, 400, /id/],
    [{ id: id.toUpperCase() }, 400, /lower case/],
    [{ id: id.replaceAll('-', '') }, 400, /hyphens/],
    [{ name: 5 }, 400, /name/],
    [{ name: 'x'.repeat(256) }, 400, /name/],
    [{ disk_format: 'floppy' }, 400, /disk_format.*floppy/],
    [{ container_format: 'crate' }, 400, /container_format/],
    [{ visibility: 'secret' }, 400, /visibility/],
    [{ min_disk: -1 }, 400, /min_disk/],
    [{ min_ram: 'x' }, 400, /min_ram/],
    [{ custom: 5 }, 400, /custom/],
    [{ status: 'active' }, 403, /status.*read-only/],
    [{ locations: [] }, 403, /locations/],
    [Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`p${i}`, 'x'])), 413, /128 properties/],
    [{ tags: [''] }, 400, /tags/],
  ];
  for (const [body, status, message] of refused) {
    const answer = await create(gateway, body);
    t.equal(answer.statusCode, status, JSON.stringify(body).slice(0, 60));
    t.match(answer.headers['content-type'], /^text\/html/);
    t.match(answer.body, message);
  }
  t.equal(imageTable.list(gateway.state.local).length, 1, 'nothing half-made');
});

void t.test('uploads are refused in the wrong type, size and state, and leave the image queued', async (t) => {
  const gateway = await startGateway({ limits: { imageBytesMax: 100 } });
  t.teardown(() => gateway.stop());
  const { id } = (await create(gateway, formats)).json();
  const pending = (await create(gateway, {})).json();
  t.equal((await put(gateway, pending.id, Buffer.from('x'))).statusCode, 400);
  t.equal((await put(gateway, id, '{}', { 'content-type': 'application/json' })).statusCode, 415);
  t.equal((await put(gateway, id, Buffer.alloc(101))).statusCode, 413);
  gateway.content.failNext = new ShoalError('IMAGE_REFUSED', 'The image has a backing file.');
  const refused = await put(gateway, id, Buffer.from('x'));
  t.equal(refused.statusCode, 400);
  t.match(refused.body, /backing file/);
  t.equal((await put(gateway, '00000000-0000-0000-0000-000000000000', Buffer.from('x'))).statusCode, 404);
  for (const row of imageTable.list(gateway.state.local)) t.equal(statusName(row.record), 'queued');
  t.equal((await put(gateway, id, Buffer.alloc(100))).statusCode, 204);
});

void t.test('over a socket: an upload cut off midway leaves nothing, and a refused one is told why', async (t) => {
  const gateway = await startGateway({ listen: true });
  t.teardown(() => gateway.stop());
  const port = gateway.server.addresses[0]?.port ?? 0;
  const { id } = (await create(gateway, formats)).json();
  const status = (): string => statusName(imageTable.must(gateway.state.local, id).record);
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        `PUT /image/v2/images/${id}/file HTTP/1.1\r\nhost: a\r\nx-auth-token: ${gateway.token}\r\n` +
          'content-type: application/octet-stream\r\ncontent-length: 1000000\r\n\r\nhalf of it',
      );
      const poll = setInterval(() => {
        if (status() !== 'saving') return;
        clearInterval(poll);
        socket.destroy();
      }, 5);
    });
    socket.on('close', () => resolve());
  });
  for (let i = 0; i < 200 && status() !== 'queued'; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(status(), 'queued');
  t.equal(gateway.content.blobs.size, 0);
  const upload = (bytes: number) =>
    fetch(`http://127.0.0.1:${port}/image/v2/images/${id}/file`, {
      method: 'PUT',
      headers: { 'x-auth-token': gateway.token, ...octets },
      body: Buffer.alloc(bytes, 'x'),
    });
  gateway.content.failNext = new ShoalError('IMAGE_REFUSED', 'The image has a backing file.');
  const refused = await upload(20_000_000);
  t.equal(refused.status, 400);
  t.match(await refused.text(), /backing file/);
  t.equal((await upload(20_000_000)).status, 204);
  const file = await fetch(`http://127.0.0.1:${port}/image/v2/images/${id}/file`, {
    headers: { 'x-auth-token': gateway.token },
  });
  t.equal((await file.arrayBuffer()).byteLength, 20_000_000);
});

void t.test('lists: filters, order and pages', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  for (const [name, size, extra] of [
    ['a', 10, { visibility: 'public' }],
    ['b', 30, { container_format: 'ovf', os_distro: 'debian' }],
    ['c', 20, { protected: true, tags: ['x', 'y'] }],
    ['d', 0, { os_hidden: true }],
  ] as const) {
    const { id } = (await create(gateway, { name, ...formats, ...extra })).json();
    if (size > 0) await put(gateway, id, Buffer.alloc(size));
  }
  const names = async (query: string): Promise<string> => {
    const answer = await gateway.call('GET', `/image/v2/images?${query}`);
    if (answer.statusCode !== 200) return String(answer.statusCode);
    return answer
      .json()
      .images.map((image: { name: string }) => image.name)
      .join('');
  };
  for (const [query, expected] of [
    ['sort=name:asc', 'abc'],
    ['sort=name:desc', 'cba'],
    ['sort_key=size&sort_dir=asc', 'acb'],
    ['sort=name', 'cba'],
    ['name=a', 'a'],
    ['name=in:b,c&sort=name:asc', 'bc'],
    ['name=in:%22b%22,z', 'b'],
    ['status=active&sort=name:asc', 'abc'],
    ['status=queued', ''],
    ['visibility=public', 'a'],
    ['visibility=shared&sort=name:asc', 'bc'],
    ['container_format=ovf', 'b'],
    ['size_min=20&sort=name:asc', 'bc'],
    ['size_max=10', 'a'],
    ['protected=true', 'c'],
    ['tag=x&tag=y', 'c'],
    ['tag=x&tag=z', ''],
    ['os_distro=debian', 'b'],
    ['os_hidden=true', 'd'],
    [`owner=${gateway.adminProjectId}&sort=name:asc`, 'abc'],
    ['created_at=gt:2001-01-01T00:00:00Z&sort=name:asc', 'abc'],
    ['created_at=lt:2001-01-01T00:00:00Z', ''],
    ['limit=0', ''],
    ['limit=-1', '400'],
    ['limit=x', '400'],
    ['visibility=none', '400'],
    ['sort=colour', '400'],
    ['sort=name:up', '400'],
    ['sort=name&sort_key=id', '400'],
    ['marker=none', '400'],
    ['protected=perhaps', '400'],
    ['created_at=yesterday', '400'],
    ['size_min=many', '400'],
    ['size=30', 'b'],
    ['size=0', ''],
    ['size=many', '400'],
    ['virtual_size=20', 'c'],
    ['virtual_size_min=20&sort=name:asc', 'bc'],
    ['min_disk=0&min_ram=0&sort=name:asc', 'abc'],
    ['min_ram=1', ''],
    ['min_ram_max=x', '400'],
    ['os_hash_algo=sha512&sort=name:asc', 'abc'],
    ['id=in:,', ''],
    ['tag=%20x%20', 'c'],
    ['updated_at=gte:2001-01-01&sort=name:asc', 'abc'],
    ['updated_at=neq:2001-01-01T00:00:00%2B0000&sort=name:asc', 'abc'],
    ['updated_at=2001-01-01T00:00:00', ''],
    ['updated_at=2001', '400'],
    ['updated_at=lt:2026-02-30T00:00:00Z', '400'],
    ['updated_at=after:2001-01-01', '400'],
    ['sort_key=container_format&sort_key=name&sort_dir=desc&sort_dir=asc', 'bac'],
    ['sort_key=name&sort_dir=asc&sort_dir=asc', '400'],
    // Given twice: which of them counts, nobody could say.
    ['name=a&name=b', '400'],
    ['limit=1&limit=2', '400'],
    ['os_distro=debian&os_distro=other', '400'],
    ['visibility=public&visibility=shared', '400'],
    // Fields that no list is filtered by must not be taken for a property that no image has.
    ['self=x', '400'],
    ['direct_url=x', '400'],
    ['tags=x', '400'],
    ['deleted=true', '400'],
    ['changes-since=2001-01-01', '400'],
  ] as const) {
    t.equal(await names(query), expected, query);
  }
  let next: string | undefined = '/v2/images?limit=2&sort=name:asc';
  let seen = '';
  while (next !== undefined) {
    const page: { images: { name: string }[]; next?: string; first: string } = (
      await gateway.call('GET', `/image${next}`)
    ).json();
    seen += `${page.images.map((image) => image.name).join('')}|`;
    t.equal(page.first, '/v2/images?limit=2&sort=name%3Aasc');
    next = page.next;
  }
  t.equal(seen, 'ab|c|');
});

void t.test('changes by JSON patch: all of them or none', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const { id } = (await create(gateway, { name: 'one', ...formats, colour: 'red' })).json();
  const patch = (body: unknown, headers = patchType) =>
    gateway.call('PATCH', `/image/v2/images/${id}`, { body, headers });
  const changed = await patch([
    { op: 'replace', path: '/name', value: 'two' },
    { op: 'add', path: '/a~1b', value: 'x' },
    { op: 'remove', path: '/colour' },
    { op: 'replace', path: '/tags', value: ['t'] },
    { op: 'replace', path: '/visibility', value: 'public' },
    { op: 'add', path: '/min_ram', value: 5 },
    { op: 'add', path: '/hw_disk_bus', value: 'scsi' },
  ]);
  t.equal(changed.statusCode, 200);
  t.match(changed.json(), { name: 'two', 'a/b': 'x', tags: ['t'], visibility: 'public', min_ram: 5 });
  t.notOk('colour' in changed.json());
  for (const [body, status] of [
    [{}, 400],
    ['{', 400],
    [[{ op: 'move', path: '/name' }], 400],
    [[{ op: 'replace', path: 'name', value: 'x' }], 400],
    [[{ op: 'replace', path: '/tags/0', value: 'x' }], 400],
    [[{ op: 'replace', path: '/name' }], 400],
    [[{ op: 'replace', path: '/name', value: 5 }], 400],
    [[{ op: 'add', path: '/number', value: 5 }], 400],
    [[{ op: 'replace', path: '/status', value: 'active' }], 403],
    [[{ op: 'add', path: '/locations/-', value: {} }], 403],
    [[{ op: 'remove', path: '/name' }], 403],
    [[{ op: 'remove', path: '/none' }], 409],
    [
      [
        { op: 'replace', path: '/name', value: 'three' },
        { op: 'replace', path: '/none', value: 'x' },
      ],
      409,
    ],
  ] as const) {
    t.equal((await patch(body)).statusCode, status, JSON.stringify(body));
  }
  t.equal((await patch([], { 'content-type': 'application/json' })).statusCode, 415);
  t.equal((await gateway.call('GET', `/image/v2/images/${id}`)).json().name, 'two');
});

void t.test('changes in the older form, and in no mixture of the two', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const { id } = (await create(gateway, { name: 'one', ...formats, colour: 'red' })).json();
  const type = 'application/openstack-images-v2.0-json-patch';
  const patch = (body: unknown, headers = { 'content-type': type }) =>
    gateway.call('PATCH', `/image/v2/images/${id}`, { body, headers });
  const changed = await patch([
    { replace: '/name', value: 'two' },
    { add: '/a~1b', value: 'x' },
    { remove: '/colour' },
  ]);
  t.equal(changed.statusCode, 200);
  t.match(changed.json(), { name: 'two', 'a/b': 'x' });
  t.notOk('colour' in changed.json());
  const upper = await patch([{ replace: '/name', value: 'three' }], { 'content-type': `${type.toUpperCase()}; x=y` });
  t.equal(upper.json().name, 'three');
  for (const [body, status] of [
    [[{ value: 'x' }], 400],
    [[{ replace: '/name', add: '/name', value: 'x' }], 400],
    [[{ op: 'replace', path: '/name', value: 'x' }], 400],
    [[{ replace: '/name' }], 400],
    [[{ replace: 5, value: 'x' }], 400],
    [[{ replace: 'name', value: 'x' }], 400],
    [[{ move: '/name' }], 400],
    [[{ replace: '/status', value: 'active' }], 403],
    [[{ remove: '/none' }], 409],
  ] as const) {
    t.equal((await patch(body)).statusCode, status, JSON.stringify(body));
  }
  t.equal((await patch([{ replace: '/name', value: 'x' }], patchType)).statusCode, 400, 'not under the newer type');
  t.equal((await gateway.call('GET', `/image/v2/images/${id}`)).json().name, 'three');
});

void t.test('there are no tasks, of an image or at all, and none can be made', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const { id } = (await gateway.call('POST', '/image/v2/images', { body: { name: 'one' } })).json();
  t.same((await gateway.call('GET', `/image/v2/images/${id}/tasks`)).json(), { tasks: [] });
  t.equal((await gateway.call('GET', '/image/v2/images/none/tasks')).statusCode, 404);
  t.same((await gateway.call('GET', '/image/v2/tasks')).json(), {
    tasks: [],
    first: '/v2/tasks',
    schema: '/v2/schemas/tasks',
  });
  t.equal((await gateway.call('GET', `/image/v2/tasks/${id}`)).statusCode, 404);
  t.equal((await gateway.call('POST', '/image/v2/tasks', { body: { type: 'import', input: {} } })).statusCode, 501);
});

void t.test('documents that clients read first', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  for (const path of ['/image', '/image/', '/image/versions']) {
    const answer = await gateway.call('GET', path, { token: null });
    t.equal(answer.statusCode, 300, path);
    t.match(answer.json().versions[0], { status: 'CURRENT', links: [{ href: 'http://cloud.test:8774/image/v2/' }] });
  }
  for (const name of ['image', 'images', 'member', 'members', 'task', 'tasks']) {
    t.equal((await gateway.call('GET', `/image/v2/schemas/${name}`)).json().name, name);
  }
  t.equal((await gateway.call('GET', '/image/v2/schemas/toString')).statusCode, 404);
  for (const path of ['schemas/metadefs/namespace', 'schemas/metadefs/objects', 'metadefs/namespaces']) {
    t.equal((await gateway.call('GET', `/image/v2/${path}`)).statusCode, 501, path);
  }
  t.equal((await gateway.call('GET', '/image/v2/info/import')).statusCode, 200);
  t.equal((await gateway.call('GET', '/image/v2/info/stores')).json().stores[0].id, 'local');
  t.equal((await gateway.call('GET', '/image/v2/images', { token: null })).statusCode, 401);
});

void t.test('bounds and values that lists of images are filtered by', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const { id } = (await create(gateway, { name: 'one', ...formats, min_disk: 2, min_ram: 64 })).json();
  await put(gateway, id, 'content');
  const { os_hash_value: hash, virtual_size: bytes } = (await gateway.call('GET', `/image/v2/images/${id}`)).json();
  for (const [query, count] of [
    ['min_disk_min=2', 1],
    ['min_disk_min=3', 0],
    ['min_disk_max=2', 1],
    ['min_disk_max=1', 0],
    ['min_ram_min=65', 0],
    ['min_ram_max=64', 1],
    ['min_ram_max=63', 0],
    [`virtual_size=${bytes}`, 1],
    [`virtual_size_min=${bytes + 1}`, 0],
    [`virtual_size_max=${bytes}`, 1],
    [`os_hash_value=${hash}`, 1],
    ['os_hash_value=abc', 0],
    ['member_status=accepted', 1],
  ] as const) {
    const answer = await gateway.call('GET', `/image/v2/images?${query}`);
    t.equal(answer.statusCode, 200, query);
    t.equal(answer.json().images.length, count, query);
  }
});
