/** Every attribute that an image's bodies have: sent, shown, and what it does. */
import { randomUUID } from 'node:crypto';
import type { Effect, EffectCloud, Effects } from '../effects/effects.ts';

const octets = { 'content-type': 'application/octet-stream' };
const newer = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
const older = { 'content-type': 'application/openstack-images-v2.0-json-patch' };

/** Where images are made and changed. */
export const imageRoutes = {
  fieldsSchema: ['POST /v2/images'],
  patchSchema: ['PATCH /v2/images/:id'],
  olderPatchSchema: ['PATCH /v2/images/:id'],
} as const;

const make = (cloud: EffectCloud, body: object) => cloud.ask('POST', '/image/v2/images', { body, status: 201 });
const show = (cloud: EffectCloud, id: string) => cloud.ask('GET', `/image/v2/images/${id}`);

/** Each value is shown as it was sent; each of `refused` is answered with 400 that names the attribute. */
const comesBack =
  (name: string, values: readonly unknown[], refused: readonly unknown[] = []): Effect =>
  async (t, cloud) => {
    for (const value of values) {
      const { id } = await make(cloud, { [name]: value });
      t.strictSame((await show(cloud, id))[name], value, `${name} ${JSON.stringify(value)}`);
    }
    for (const value of refused) {
      const text = await cloud.ask('POST', '/image/v2/images', { body: { [name]: value }, status: 400 });
      t.match(text, name);
    }
  };

const patch = (
  cloud: EffectCloud,
  id: string,
  headers: Readonly<Record<string, string>>,
  body: unknown,
  status = 200,
) => cloud.ask('PATCH', `/image/v2/images/${id}`, { body, headers, status });

/** Bootable content for an image, and what booting it on a flavor of 128 MiB and 1 GiB is answered with. */
async function boot(cloud: EffectCloud, attributes: object): Promise<number> {
  const flavor = { name: `small-${randomUUID()}`, ram: 128, disk: 1, vcpus: 1 };
  const small = (await cloud.ask('POST', '/compute/v2.1/flavors', { body: { flavor } })).flavor;
  const { id } = await make(cloud, { disk_format: 'raw', container_format: 'bare', ...attributes });
  await cloud.ask('PUT', `/image/v2/images/${id}/file`, { body: Buffer.from('content'), headers: octets });
  const server = { name: 'boots', imageRef: id, flavorRef: small.id, networks: 'none' };
  const headers = { 'x-openstack-nova-api-version': '2.37' };
  return (await cloud.gateway.call('POST', '/compute/v2.1/servers', { body: { server }, headers })).statusCode;
}

const fields: Effects = {
  'fieldsSchema: name': comesBack('name', ['one', 'ä \u{1F40B}', null], ['x'.repeat(256), 5]),
  'fieldsSchema: container_format': comesBack('container_format', ['bare', 'ovf', null], ['crate']),
  'fieldsSchema: min_disk': async (t, cloud) => {
    await comesBack('min_disk', [0, 3], [-1, 2 ** 31, '1'])(t, cloud);
    t.equal(await boot(cloud, { min_disk: 1 }), 202);
    t.equal(await boot(cloud, { min_disk: 2 }), 400, 'the flavor’s disk is smaller');
  },
  'fieldsSchema: min_ram': async (t, cloud) => {
    await comesBack('min_ram', [0, 3], [-1, 2 ** 31, '1'])(t, cloud);
    t.equal(await boot(cloud, { min_ram: 128 }), 202);
    t.equal(await boot(cloud, { min_ram: 129 }), 400, 'the flavor’s memory is smaller');
  },
  'fieldsSchema: disk_format': async (t, cloud) => {
    await comesBack('disk_format', ['raw', 'qcow2', null], ['floppy'])(t, cloud);
    for (const [disk_format, status] of [
      ['raw', 204],
      ['qcow2', 400],
    ] as const) {
      const { id } = await make(cloud, { disk_format, container_format: 'bare' });
      await cloud.ask('PUT', `/image/v2/images/${id}/file`, {
        body: Buffer.from('raw bytes'),
        headers: octets,
        status,
      });
    }
  },
  'fieldsSchema: visibility': async (t, cloud) => {
    await comesBack('visibility', ['public', 'private', 'shared', 'community'], ['secret'])(t, cloud);
    for (const [visibility, status] of [
      ['public', 200],
      ['private', 404],
      ['shared', 404],
      ['community', 200],
    ] as const) {
      const { id } = await make(cloud, { visibility });
      await cloud.ask('GET', `/image/v2/images/${id}`, { token: cloud.memberToken, status });
    }
  },
  'fieldsSchema: protected': async (t, cloud) => {
    await comesBack('protected', [true, false], ['true'])(t, cloud);
    for (const [isProtected, status] of [
      [true, 403],
      [false, 204],
    ] as const) {
      const { id } = await make(cloud, { protected: isProtected });
      await cloud.ask('DELETE', `/image/v2/images/${id}`, { status });
    }
  },
  'fieldsSchema: os_hidden': async (t, cloud) => {
    await comesBack('os_hidden', [true, false], ['true'])(t, cloud);
    for (const os_hidden of [true, false]) {
      const { id } = await make(cloud, { os_hidden });
      const { images } = await cloud.ask('GET', '/image/v2/images');
      t.equal(
        images.some((image: { id: string }) => image.id === id),
        !os_hidden,
        'lists leave hidden ones out',
      );
    }
  },
  'fieldsSchema: tags': comesBack('tags', [[], ['a'], ['a', 'b c']], [Array.from({ length: 129 }, (_, i) => `t${i}`)]),
  'fieldsSchema: owner': async (t, cloud) => {
    const owner = cloud.memberProjectId;
    await comesBack('owner', [owner, cloud.gateway.adminProjectId], ['x'.repeat(65), null])(t, cloud);
    for (const [wanted, status] of [
      [{ owner }, 200],
      [{}, 404],
    ] as const) {
      const { id } = await make(cloud, { visibility: 'private', ...wanted });
      await cloud.ask('GET', `/image/v2/images/${id}`, { token: cloud.memberToken, status });
    }
    await cloud.ask('POST', '/image/v2/images', {
      body: { owner: cloud.gateway.adminProjectId },
      token: cloud.memberToken,
      status: 403,
    });
  },
};

const changes: Effects = {
  'patchSchema: [].op': async (t, cloud) => {
    const { id } = await make(cloud, { name: 'before' });
    t.equal((await patch(cloud, id, newer, [{ op: 'add', path: '/p', value: 'one' }])).p, 'one');
    t.equal((await patch(cloud, id, newer, [{ op: 'replace', path: '/p', value: 'two' }])).p, 'two');
    t.notOk('p' in (await patch(cloud, id, newer, [{ op: 'remove', path: '/p' }])));
    await patch(cloud, id, newer, [{ op: 'replace', path: '/p', value: 'three' }], 409);
    await patch(cloud, id, newer, [{ op: 'test', path: '/p', value: 'x' }], 400);
  },
  'patchSchema: [].path': async (t, cloud) => {
    const { id } = await make(cloud, { name: 'before' });
    t.equal((await patch(cloud, id, newer, [{ op: 'replace', path: '/name', value: 'after' }])).name, 'after');
    t.equal((await patch(cloud, id, newer, [{ op: 'add', path: '/a~1b~0c', value: 'x' }]))['a/b~c'], 'x');
    await patch(cloud, id, newer, [{ op: 'replace', path: 'name', value: 'x' }], 400);
    await patch(cloud, id, newer, [{ op: 'replace', path: '/status', value: 'active' }], 403);
  },
  'patchSchema: [].value': async (t, cloud) => {
    const { id } = await make(cloud, { name: 'before' });
    for (const value of [1, 2]) {
      t.equal((await patch(cloud, id, newer, [{ op: 'replace', path: '/min_disk', value }])).min_disk, value);
    }
    await patch(cloud, id, newer, [{ op: 'replace', path: '/min_disk' }], 400);
  },
  'olderPatchSchema: [].add': async (t, cloud) => {
    const { id } = await make(cloud, {});
    t.match(await patch(cloud, id, older, [{ add: '/p', value: 'one' }]), { p: 'one' });
    t.match(await patch(cloud, id, older, [{ add: '/q', value: 'two' }]), { p: 'one', q: 'two' });
  },
  'olderPatchSchema: [].replace': async (t, cloud) => {
    const { id } = await make(cloud, { p: 'one', q: 'one' });
    t.match(await patch(cloud, id, older, [{ replace: '/p', value: 'two' }]), { p: 'two', q: 'one' });
    t.match(await patch(cloud, id, older, [{ replace: '/q', value: 'two' }]), { p: 'two', q: 'two' });
  },
  'olderPatchSchema: [].remove': async (t, cloud) => {
    const { id } = await make(cloud, { p: 'one', q: 'one' });
    t.strictSame('p' in (await patch(cloud, id, older, [{ remove: '/p' }])), false);
    t.strictSame('q' in (await patch(cloud, id, older, [{ remove: '/q' }])), false);
  },
  'olderPatchSchema: [].value': async (t, cloud) => {
    const { id } = await make(cloud, {});
    for (const value of ['one', 'two']) {
      t.equal((await patch(cloud, id, older, [{ replace: '/name', value }])).name, value);
    }
  },
};

export const attributeEffects: Effects = { ...fields, ...changes };
