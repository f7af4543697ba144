/** Every attribute of a new server and of a change to one: sent, shown, and what it does. */

import type { HostId } from '../../../../node/base/ids.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { serverMetadata } from '../../../../node/services/network/metadata.ts';
import { hostTable, serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { addImage, hostsAct } from '../../../node/services/compute-world.ts';
import type { Answer, Effect, EffectCloud, Effects } from '../effects/effects.ts';
import { publicKey } from './kit/public-key.ts';

/** Where bodies of servers go. */
export const serverRoutes = {
  newServerBody: ['POST /v2.1/servers'],
  serverPatchBody: ['PUT /v2.1/servers/:id'],
  metaBody: ['PUT /v2.1/servers/:id/metadata/:key'],
  metadataBody: ['POST /v2.1/servers/:id/metadata', 'PUT /v2.1/servers/:id/metadata'],
  tagsBody: ['PUT /v2.1/servers/:id/tags'],
  rebootBody: ['POST /v2.1/servers/:id/action#reboot'],
  resetStateBody: ['POST /v2.1/servers/:id/action#os-resetState'],
  changePasswordBody: ['POST /v2.1/servers/:id/action#changePassword'],
  lockBody: ['POST /v2.1/servers/:id/action#lock'],
  consoleBody: ['POST /v2.1/servers/:id/action#os-getConsoleOutput'],
  evacuateBody: ['POST /v2.1/servers/:id/action#evacuate'],
  resizeBody: ['POST /v2.1/servers/:id/action#resize'],
  migrateBody: ['POST /v2.1/servers/:id/action#migrate'],
  groupNameBody: [
    'POST /v2.1/servers/:id/action#addSecurityGroup',
    'POST /v2.1/servers/:id/action#removeSecurityGroup',
  ],
} as const;

export const at = (minor: number) => ({ 'openstack-api-version': `compute 2.${minor}` });
const base = { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none' };

/** The answer to a create. Its other attributes are the ordinary ones. */
const create = (cloud: EffectCloud, server: object, options: { minor?: number; status?: number; top?: object } = {}) =>
  cloud.ask('POST', '/compute/v2.1/servers', {
    body: { server: { ...base, ...server }, ...options.top },
    headers: at(options.minor ?? 52),
    status: options.status ?? 202,
  });
/** The server that a create made, as it is shown. */
export async function made(cloud: EffectCloud, server: object = {}, minor = 52): Promise<Answer> {
  return shown(cloud, (await create(cloud, server, { minor })).server.id, minor);
}
export const shown = async (cloud: EffectCloud, id: string, minor = 74): Promise<Answer> =>
  (await cloud.ask('GET', `/compute/v2.1/servers/${id}`, { headers: at(minor) })).server;
export const act = (cloud: EffectCloud, id: string, body: object, status = 202, minor = 74) =>
  cloud.ask('POST', `/compute/v2.1/servers/${id}/action`, { body, headers: at(minor), status });

async function makeNetwork(cloud: EffectCloud, name: string, cidr: string): Promise<string> {
  const { network } = await cloud.ask('POST', '/networking/v2.0/networks', { body: { network: { name } } });
  const subnet = { network_id: network.id, cidr, ip_version: 4 };
  await cloud.ask('POST', '/networking/v2.0/subnets', { body: { subnet } });
  return network.id;
}

/** Each is shown under `field` as it was sent; each of `refused` gets 400. */
const comesBack =
  (name: string, values: readonly unknown[], options: { field?: string; minor?: number; refused?: unknown[] } = {}) =>
  async (t: Parameters<Effect>[0], cloud: EffectCloud): Promise<void> => {
    const { field = name, minor = 52, refused = [] } = options;
    for (const value of values) t.strictSame((await made(cloud, { [name]: value }, minor))[field], value);
    for (const value of refused) await create(cloud, { [name]: value }, { minor, status: 400 });
  };

const rootDisk = { boot_index: 0, uuid: 'cirros', source_type: 'image', destination_type: 'local' };
const fullDisk = { ...rootDisk, delete_on_termination: true, disk_bus: 'virtio', device_type: 'disk' };

/** With the value that every root disk has, a server is made; with another one it is refused. */
const ofRootDisk =
  (name: string, ordinary: unknown, other: unknown, status: number): Effect =>
  async (t, cloud) => {
    const send = (device: object, status: number) => create(cloud, { block_device_mapping_v2: [device] }, { status });
    await send({ ...fullDisk, [name]: ordinary }, 202);
    const without = Object.fromEntries(Object.entries(fullDisk).filter(([key]) => key !== name));
    // An image is on local storage unless it is said to become a volume.
    const isRequired = Object.hasOwn(rootDisk, name) && name !== 'destination_type';
    await send(without, isRequired ? 400 : 202);
    await create(cloud, {});
    const refusal = await send({ ...fullDisk, [name]: other }, status);
    t.match(JSON.stringify(refusal), /block device/i);
  };

/** What is no disk: nothing is made. */
const isNoDisk =
  (server: object, status: number): Effect =>
  async (t, cloud) => {
    const before = serverTable.list(cloud.world.state.local).length;
    t.match(JSON.stringify(await create(cloud, server, { status })), /block device/i);
    t.equal(serverTable.list(cloud.world.state.local).length, before, 'nothing was made');
  };

const isRefused =
  (server: object, minor = 63): Effect =>
  async (t, cloud) => {
    const before = serverTable.list(cloud.world.state.local).length;
    t.match(JSON.stringify(await create(cloud, server, { minor, status: 501 })), /does not have/);
    t.equal(serverTable.list(cloud.world.state.local).length, before, 'nothing was made');
  };

const recordOf = (cloud: EffectCloud, id: string) => serverTable.must(cloud.world.state.local, id).record;
const metadataOf = (cloud: EffectCloud, id: string) => serverMetadata(cloud.world.state.local, recordOf(cloud, id));

/** No storage is shared in this world; the record says that this server's is. */
/** The host's service is forced down, and it does not answer. */
async function withHostDown({ world }: EffectCloud, name: string, work: () => Promise<void>): Promise<void> {
  const host = hostTable.one(world.state.local, 'name', name)?.record.id as HostId;
  await world.compute.hosts.update(world.admin, name, { forcedDown: true });
  world.hostProbe.silent.add(host);
  await work();
  world.hostProbe.silent.delete(host);
  await world.compute.hosts.update(world.admin, name, { forcedDown: false });
}

export async function onSharedStorage({ world }: EffectCloud, id: string): Promise<void> {
  await transact(world.deps, world.admin, ({ reader, change }) => {
    const row = serverTable.must(reader, id);
    serverTable.update(change, row, new shoal.v1.Server({ ...row.record, storage: 'rbd' }));
  });
}

const newServer: Effects = {
  'newServerBody: server.name': comesBack('name', ['web-1', 'Wörter \u{1F40B}'], {
    refused: ['', ' a', 'x'.repeat(256)],
  }),
  'newServerBody: server.flavorRef': async (t, cloud) => {
    for (const [flavorRef, name] of [
      ['1', 'm1.tiny'],
      ['http://cloud.test/flavors/2', 'm1.small'],
    ] as const) {
      t.equal((await made(cloud, { flavorRef })).flavor.original_name, name);
    }
    await create(cloud, { flavorRef: 'none' }, { status: 400 });
  },
  'newServerBody: server.imageRef': async (t, cloud) => {
    await addImage(cloud.world, 'fedora');
    t.equal((await made(cloud, { imageRef: 'cirros' })).image.id, 'cirros');
    t.equal((await made(cloud, { imageRef: 'http://cloud.test/images/fedora' })).image.id, 'fedora');
    await create(cloud, { imageRef: 'none' }, { status: 400 });
  },
  'newServerBody: server.adminPass': async (t, cloud) => {
    for (const adminPass of ['secret one', 'secret two']) {
      t.equal((await create(cloud, { adminPass })).server.adminPass, adminPass);
    }
    t.match((await create(cloud, {})).server.adminPass, /^[\w-]{12}$/);
    await create(cloud, { adminPass: 'x'.repeat(256) }, { status: 400 });
  },
  'newServerBody: server.metadata': async (t, cloud) => {
    for (const metadata of [{ role: 'web' }, {}]) {
      const { id, metadata: kept } = await made(cloud, { metadata });
      t.strictSame(kept, metadata);
      t.match(JSON.parse(Buffer.from(metadataOf(cloud, id)['/openstack/latest/meta_data.json'] ?? '').toString()), {
        ...(metadata.role === undefined ? {} : { meta: metadata }),
      });
    }
    await create(cloud, { metadata: { 'a/b': 'x' } }, { status: 400 });
  },
  'newServerBody: server.networks': async (t, cloud) => {
    t.strictSame((await made(cloud, { networks: 'none' })).addresses, {});
    const network = await makeNetwork(cloud, 'one', '10.1.0.0/24');
    t.strictSame(Object.keys((await made(cloud, { networks: [{ uuid: network }] })).addresses), ['one']);
    const twice = [{ uuid: network }, { uuid: network }];
    t.equal((await made(cloud, { networks: twice })).addresses.one.length, 2);
    await create(cloud, { networks: Array.from({ length: 65 }, () => ({ uuid: network })) }, { status: 400 });
    await create(cloud, { networks: undefined }, { status: 400 });
  },
  'newServerBody: server.networks[].uuid': async (t, cloud) => {
    for (const name of ['left', 'right']) {
      const uuid = await makeNetwork(cloud, name, '10.2.0.0/24');
      t.strictSame(Object.keys((await made(cloud, { networks: [{ uuid }] })).addresses), [name]);
    }
  },
  'newServerBody: server.networks[].port': async (t, cloud) => {
    const network_id = await makeNetwork(cloud, 'ports', '10.3.0.0/24');
    for (const name of ['one', 'two']) {
      const { port } = await cloud.ask('POST', '/networking/v2.0/ports', { body: { port: { network_id, name } } });
      const { addresses, id } = await made(cloud, { networks: [{ port: port.id }] });
      t.equal(addresses.ports[0].addr, port.fixed_ips[0].ip_address);
      t.equal((await cloud.ask('GET', `/networking/v2.0/ports/${port.id}`)).port.device_id, id);
    }
  },
  'newServerBody: server.networks[].fixed_ip': async (t, cloud) => {
    const uuid = await makeNetwork(cloud, 'fixed', '10.4.0.0/24');
    for (const fixed_ip of ['10.4.0.77', '10.4.0.99']) {
      t.equal((await made(cloud, { networks: [{ uuid, fixed_ip }] })).addresses.fixed[0].addr, fixed_ip);
    }
    await create(cloud, { networks: [{ uuid, fixed_ip: '10.9.0.1' }] }, { status: 400 });
  },
  'newServerBody: server.networks[].tag': async (t, cloud) => {
    const uuid = await makeNetwork(cloud, 'tagged', '10.5.0.0/24');
    for (const tag of ['trusted', 'storage']) {
      const { id } = await made(cloud, { networks: [{ uuid, tag }] });
      const { devices } = JSON.parse(String(metadataOf(cloud, id)['/openstack/latest/meta_data.json']));
      t.match(devices, [{ type: 'nic', mac: String, tags: [tag] }]);
    }
    await create(cloud, { networks: [{ uuid, tag: 'a,b' }] }, { status: 400 });
    await create(cloud, { networks: [{ uuid, tag: 'nic' }] }, { minor: 40, status: 400 });
  },
  'newServerBody: server.OS-DCF:diskConfig': comesBack('OS-DCF:diskConfig', ['AUTO', 'MANUAL'], { refused: ['auto'] }),
  'newServerBody: server.accessIPv4': comesBack('accessIPv4', ['192.0.2.1', '192.0.2.2'], { refused: ['::1'] }),
  'newServerBody: server.accessIPv6': comesBack('accessIPv6', ['2001:db8::1', '2001:db8::2'], { refused: ['1.1.1.1'] }),
  'newServerBody: server.personality': async (t, cloud) => {
    const file = { path: '/etc/motd', contents: Buffer.from('welcome').toString('base64') };
    const { id } = await made(cloud, { personality: [file] });
    t.equal(Buffer.from(metadataOf(cloud, id)['/openstack/content/0000'] ?? '').toString(), 'welcome');
    const without = await made(cloud, { personality: [] });
    t.notOk(metadataOf(cloud, without.id)['/openstack/content/0000']);
    await create(cloud, { personality: [file] }, { minor: 57, status: 400 });
  },
  'newServerBody: server.personality[].path': async (t, cloud) => {
    for (const path of ['/etc/one', '/etc/two']) {
      const { id } = await made(cloud, { personality: [{ path, contents: 'YQ==' }] });
      t.equal(recordOf(cloud, id).injectedFiles[0]?.path, path);
      const { files } = JSON.parse(
        Buffer.from(metadataOf(cloud, id)['/openstack/latest/meta_data.json'] ?? '').toString(),
      );
      t.match(files, [{ path }], 'the guest is told where it is to be');
    }
  },
  'newServerBody: server.personality[].contents': async (t, cloud) => {
    for (const text of ['one', 'two']) {
      const contents = Buffer.from(text).toString('base64');
      const { id } = await made(cloud, { personality: [{ path: '/a', contents }] });
      t.equal(Buffer.from(metadataOf(cloud, id)['/openstack/content/0000'] ?? '').toString(), text);
    }
    await create(cloud, { personality: [{ path: '/a', contents: '!' }] }, { status: 400 });
  },
  'newServerBody: server.availability_zone': async (t, cloud) => {
    await made(cloud, { availability_zone: 'nova' });
    t.equal(cloud.world.placer.requests.at(-1)?.zone, 'nova');
    const { id } = await made(cloud, { availability_zone: 'nova:host-2' });
    t.equal((await shown(cloud, id))['OS-EXT-SRV-ATTR:host'], 'host-2');
    await create(cloud, { availability_zone: 'none' }, { status: 400 });
  },
  'newServerBody: server.config_drive': async (t, cloud) => {
    await isRefused({ config_drive: true })(t, cloud);
    t.equal((await made(cloud, { config_drive: false })).config_drive, '');
  },
  'newServerBody: server.key_name': async (t, cloud) => {
    for (const name of ['key-one', 'key-two']) {
      const { keypair } = await cloud.ask('POST', '/compute/v2.1/os-keypairs', {
        body: { keypair: { name, public_key: `${publicKey} ${name}` } },
      });
      const { id, key_name } = await made(cloud, { key_name: name });
      t.equal(key_name, name);
      const told = JSON.parse(Buffer.from(metadataOf(cloud, id)['/openstack/latest/meta_data.json'] ?? '').toString());
      t.same(told.public_keys, { [name]: keypair.public_key }, 'the guest is told');
      t.equal(recordOf(cloud, id).publicKey, keypair.public_key);
    }
    await create(cloud, { key_name: 'none' }, { status: 400 });
  },
  'newServerBody: server.min_count': async (t, cloud) => {
    for (const min_count of [2, '3']) {
      const { reservation_id } = await create(cloud, { min_count, return_reservation_id: true });
      const { servers } = await cloud.ask('GET', `/compute/v2.1/servers?reservation_id=${reservation_id}`);
      t.equal(servers.length, Number(min_count));
    }
    await create(cloud, { min_count: 2 ** 31 }, { status: 400 });
    await create(cloud, { min_count: 3, max_count: 2 }, { status: 400 });
  },
  'newServerBody: server.max_count': async (t, cloud) => {
    for (const [max_count, room, count] of [
      [2, 9, 2],
      ['3', 2, 2],
      [3, 9, 3],
    ] as const) {
      cloud.world.placer.room = room;
      const { reservation_id } = await create(cloud, { min_count: 1, max_count, return_reservation_id: true });
      const { servers } = await cloud.ask('GET', `/compute/v2.1/servers/detail?reservation_id=${reservation_id}`);
      t.equal(servers.filter((server: { status: string }) => server.status !== 'ERROR').length, count);
    }
    cloud.world.placer.room = Number.POSITIVE_INFINITY;
    await create(cloud, { max_count: 2 ** 31 }, { status: 400 });
  },
  'newServerBody: server.return_reservation_id': async (t, cloud) => {
    t.match(await create(cloud, { return_reservation_id: true }), { reservation_id: /^r-/ });
    t.notOk('reservation_id' in (await create(cloud, { return_reservation_id: 'no' })));
  },
  'newServerBody: server.security_groups': async (t, cloud) => {
    const uuid = await makeNetwork(cloud, 'guarded', '10.6.0.0/24');
    for (const name of ['guard-a', 'guard-b']) {
      await cloud.ask('POST', '/networking/v2.0/security-groups', { body: { security_group: { name } } });
      const { security_groups } = await made(cloud, { networks: [{ uuid }], security_groups: [{ name }] });
      t.strictSame(security_groups, [{ name }]);
    }
    const { security_groups } = await made(cloud, { networks: [{ uuid }] });
    t.strictSame(security_groups, [{ name: 'default' }]);
  },
  'newServerBody: server.security_groups[].name': async (t, cloud) => {
    const uuid = await makeNetwork(cloud, 'named', '10.7.0.0/24');
    for (const name of ['guard-c', 'guard-d']) {
      const made_ = await cloud.ask('POST', '/networking/v2.0/security-groups', { body: { security_group: { name } } });
      const { id } = await made(cloud, { networks: [{ uuid }], security_groups: [{ name }] });
      const { ports } = await cloud.ask('GET', `/networking/v2.0/ports?device_id=${id}`);
      t.strictSame(ports[0].security_groups, [made_.security_group.id]);
    }
    await create(cloud, { networks: [{ uuid }], security_groups: [{ name: 'none' }] }, { status: 400 });
  },
  'newServerBody: server.user_data': async (t, cloud) => {
    for (const text of ['#!/bin/sh\ntrue\n', 'two']) {
      const user_data = Buffer.from(text).toString('base64');
      const { id } = await made(cloud, { user_data });
      t.equal((await shown(cloud, id))['OS-EXT-SRV-ATTR:user_data'], user_data);
      t.equal(Buffer.from(metadataOf(cloud, id)['/openstack/latest/user_data'] ?? '').toString(), text);
    }
    await create(cloud, { user_data: 'no base64!' }, { status: 400 });
  },
  'newServerBody: server.description': comesBack('description', ['about', null], { refused: ['two\nlines'] }),
  'newServerBody: server.tags': comesBack('tags', [['a', 'b'], []], { refused: [['a,b'], [''], [5]] }),
  'newServerBody: server.trusted_image_certificates': isRefused({ trusted_image_certificates: ['one'] }),
  'newServerBody: server.host': async (t, cloud) => {
    for (const host of ['host-1', 'host-2']) {
      const { server } = await create(cloud, { host }, { minor: 74 });
      t.equal(cloud.world.placer.requests.at(-1)?.hostName, host);
      t.ok(server.id);
    }
    await create(cloud, { host: 'none' }, { minor: 74, status: 400 });
  },
  'newServerBody: server.hypervisor_hostname': async (t, cloud) => {
    for (const name of ['host-1', 'host-2']) {
      await create(cloud, { hypervisor_hostname: name }, { minor: 74 });
      t.equal(cloud.world.placer.requests.at(-1)?.hostName, name);
    }
    await create(cloud, { host: 'host-1', hypervisor_hostname: 'host-1' }, { minor: 74 });
    await create(cloud, { host: 'host-1', hypervisor_hostname: 'host-2' }, { minor: 74, status: 400 });
  },
  ...hints('os:scheduler_hints'),
  ...hints('OS-SCH-HNT:scheduler_hints'),
};

function hints(name: string): Effects {
  return {
    [`newServerBody: ${name}`]: async (t, cloud) => {
      const { id } = await made(cloud);
      await create(cloud, {}, { top: { [name]: {} } });
      t.strictSame(cloud.world.placer.requests.at(-1)?.schedulerHints, {});
      await create(cloud, {}, { top: { [name]: { different_host: id } } });
      t.strictSame(Object.keys(cloud.world.placer.requests.at(-1)?.schedulerHints ?? {}), ['different_host']);
      await create(cloud, {}, { top: { [name]: { no_such_hint: 'x' } }, status: 400 });
    },
  };
}

const blockDevices: Effects = {
  'newServerBody: server.block_device_mapping': isNoDisk({ block_device_mapping: [{ volume_id: 'x' }] }, 400),
  'newServerBody: server.block_device_mapping_v2': async (_t, cloud) => {
    await create(cloud, { block_device_mapping_v2: [] });
    await create(cloud, { block_device_mapping_v2: [rootDisk] });
    await create(cloud, { block_device_mapping_v2: [rootDisk, { ...rootDisk, boot_index: 1 }] }, { status: 400 });
  },
  ...Object.fromEntries(
    (
      [
        ['boot_index', 0, 1, 400],
        ['uuid', 'cirros', 'other', 400],
        ['source_type', 'image', 'volume', 400],
        ['destination_type', 'local', 'volume', 400],
        ['delete_on_termination', true, false, 501],
        ['device_type', 'disk', 'cdrom', 400],
        ['disk_bus', 'virtio', 'ide', 501],
      ] as const
    ).map(([name, ordinary, other, status]) => [
      `newServerBody: server.block_device_mapping_v2[].${name}`,
      ofRootDisk(name, ordinary, other, status),
    ]),
  ),
  ...Object.fromEntries(
    (
      [
        ['device_name', '/dev/sdb', 501],
        ['guest_format', 'swap', 501],
        ['volume_size', 5, 501],
        ['volume_type', 'fast', 400],
        ['tag', 'root', 501],
        ['no_device', true, 400],
      ] as const
    ).map(([name, value, status]) => [
      `newServerBody: server.block_device_mapping_v2[].${name}`,
      isNoDisk({ block_device_mapping_v2: [{ ...rootDisk, [name]: value }] }, status),
    ]),
  ),
};

const patch =
  (name: string, values: readonly unknown[], refused: readonly unknown[]): Effect =>
  async (t, cloud) => {
    const { id } = await made(cloud);
    const put = (value: unknown, status: number) =>
      cloud.ask('PUT', `/compute/v2.1/servers/${id}`, { body: { server: { [name]: value } }, headers: at(52), status });
    for (const value of values) {
      t.strictSame((await put(value, 200)).server[name], value);
      t.strictSame((await shown(cloud, id))[name], value);
    }
    for (const value of refused) await put(value, 400);
  };

const changes: Effects = {
  'serverPatchBody: server.name': patch('name', ['one', 'two'], ['', ' a', null]),
  'serverPatchBody: server.description': async (t, cloud) => {
    await patch('description', ['one', null], ['two\nlines'])(t, cloud);
    const { id } = await made(cloud);
    const body = { server: { description: 'before 2.19' } };
    await cloud.ask('PUT', `/compute/v2.1/servers/${id}`, { body, headers: at(18), status: 400 });
  },
  'serverPatchBody: server.OS-DCF:diskConfig': patch('OS-DCF:diskConfig', ['AUTO', 'MANUAL'], ['auto']),
  'serverPatchBody: server.accessIPv4': patch('accessIPv4', ['192.0.2.1', '192.0.2.2'], ['::1']),
  'serverPatchBody: server.accessIPv6': patch('accessIPv6', ['2001:db8::1', '2001:db8::2'], ['1.1.1.1']),
  'metaBody: meta': async (t, cloud) => {
    const { id } = await made(cloud);
    for (const value of ['one', 'two']) {
      await cloud.ask('PUT', `/compute/v2.1/servers/${id}/metadata/key`, { body: { meta: { key: value } } });
      t.strictSame((await shown(cloud, id)).metadata, { key: value });
    }
    await cloud.ask('PUT', `/compute/v2.1/servers/${id}/metadata/key`, { body: { meta: { other: 'x' } }, status: 400 });
  },
  'metadataBody: metadata': async (t, cloud) => {
    const { id } = await made(cloud);
    const path = `/compute/v2.1/servers/${id}/metadata`;
    await cloud.ask('POST', path, { body: { metadata: { a: '1' } } });
    await cloud.ask('POST', path, { body: { metadata: { b: '2' } } });
    t.strictSame((await shown(cloud, id)).metadata, { a: '1', b: '2' });
    await cloud.ask('PUT', path, { body: { metadata: { c: '3' } } });
    t.strictSame((await shown(cloud, id)).metadata, { c: '3' });
  },
  'tagsBody: tags': async (t, cloud) => {
    const { id } = await made(cloud);
    const put = (tags: unknown, status = 200) =>
      cloud.ask('PUT', `/compute/v2.1/servers/${id}/tags`, { body: { tags }, headers: at(26), status });
    for (const tags of [['a', 'b'], ['c']]) {
      await put(tags);
      t.strictSame((await shown(cloud, id)).tags, tags);
    }
    await put(['a/b'], 400);
  },
};

const actions: Effects = {
  'rebootBody: type': async (t, cloud) => {
    for (const [type, status] of [
      ['SOFT', 'REBOOT'],
      ['hard', 'HARD_REBOOT'],
    ] as const) {
      const { id } = await made(cloud);
      await hostsAct(cloud.world);
      await act(cloud, id, { reboot: { type } });
      t.equal((await shown(cloud, id)).status, status);
      await act(cloud, id, { reboot: { type: 'firm' } }, 400);
    }
  },
  'resetStateBody: state': async (t, cloud) => {
    const { id } = await made(cloud);
    await hostsAct(cloud.world);
    await act(cloud, id, { 'os-resetState': { state: 'error' } });
    t.match(await shown(cloud, id), { status: 'ERROR', 'OS-EXT-STS:vm_state': 'error' });
    await hostsAct(cloud.world);
    t.equal((await shown(cloud, id)).status, 'ERROR', 'whatever its host says');
    await act(cloud, id, { 'os-resetState': { state: 'active' } });
    await hostsAct(cloud.world);
    t.equal((await shown(cloud, id)).status, 'ACTIVE');
    await act(cloud, id, { 'os-resetState': { state: 'stopped' } }, 400);
  },
  'changePasswordBody: adminPass': async (t, cloud) => {
    const { id } = await made(cloud);
    const { questions } = cloud.world.hostControl;
    await act(cloud, id, { changePassword: { adminPass: 'one' } }, 409);
    await hostsAct(cloud.world);
    for (const adminPass of ['one', 'two']) {
      await act(cloud, id, { changePassword: { adminPass } });
      t.strictSame(questions.at(-1), {
        serverId: id,
        question: { kind: 'password', user: 'root', password: adminPass },
      });
    }
    await act(cloud, id, { changePassword: {} }, 400);
  },
  'lockBody: locked_reason': async (t, cloud) => {
    const { id } = await made(cloud);
    for (const locked_reason of ['first', 'second']) {
      await act(cloud, id, { lock: { locked_reason } });
      t.match(await shown(cloud, id), { locked: true, locked_reason });
    }
    await act(cloud, id, { lock: null });
    t.match(await shown(cloud, id), { locked: true, locked_reason: null });
    await act(cloud, id, { lock: { locked_reason: 'third' } });
    await act(cloud, id, { unlock: null });
    t.match(await shown(cloud, id), { locked: false, locked_reason: null });
    await act(cloud, id, { lock: { locked_reason: '' } }, 400);
    await act(cloud, id, { lock: { why: 'x' } }, 400);
    await act(cloud, id, { lock: { why: 'not looked at before' } }, 202, 72);
  },
  'consoleBody: length': async (t, cloud) => {
    const { id } = await made(cloud);
    await hostsAct(cloud.world);
    for (const [length, output] of [
      [1, 'line three\n'],
      ['2', 'line two\nline three\n'],
      [-1, 'line one\nline two\nline three\n'],
    ] as const) {
      t.equal((await act(cloud, id, { 'os-getConsoleOutput': { length } }, 200)).output, output);
    }
    await act(cloud, id, { 'os-getConsoleOutput': { length: -2 } }, 400);
  },
  'evacuateBody: host': async (t, cloud) => {
    for (const [from, to] of [
      ['host-1', 'host-2'],
      ['host-2', 'host-1'],
    ] as const) {
      const { id } = await made(cloud, { availability_zone: `nova:${from}` });
      await hostsAct(cloud.world);
      await act(cloud, id, { evacuate: { host: to } }, 400);
      await withHostDown(cloud, from, async () => {
        await act(cloud, id, { evacuate: { host: from } }, 400);
        await act(cloud, id, { evacuate: { host: to } }, 200);
      });
      t.equal((await shown(cloud, id))['OS-EXT-SRV-ATTR:host'], to);
    }
  },
  'evacuateBody: onSharedStorage': async (t, cloud) => {
    for (const onSharedStorage of [true, false]) {
      const { id } = await made(cloud, { availability_zone: 'nova:host-1' });
      await hostsAct(cloud.world);
      await withHostDown(cloud, 'host-1', async () => {
        await act(cloud, id, { evacuate: {} }, 400, 13);
        await act(cloud, id, { evacuate: { onSharedStorage } }, 400, 14);
        await act(cloud, id, { evacuate: { onSharedStorage } }, 200, 13);
      });
      t.equal((await shown(cloud, id))['OS-EXT-SRV-ATTR:host'], 'host-2');
    }
  },
  'evacuateBody: adminPass': async (_t, cloud) => {
    const { id } = await made(cloud);
    for (const adminPass of ['secret', 'other']) await act(cloud, id, { evacuate: { adminPass } }, 501);
  },
  'evacuateBody: force': async (_t, cloud) => {
    const { id } = await made(cloud);
    await hostsAct(cloud.world);
    await act(cloud, id, { evacuate: { force: true } }, 501, 29);
    await act(cloud, id, { evacuate: { force: true } }, 400, 68);
    await act(cloud, id, { evacuate: { force: false } }, 400, 29);
  },
  'resizeBody: flavorRef': async (t, cloud) => {
    const flavor = (id: string, vcpus: number) => ({ name: id, id, vcpus, ram: 256, disk: 100 });
    for (const one of [flavor('wide', 3), flavor('wider', 4)]) {
      await cloud.ask('POST', '/compute/v2.1/flavors', { body: { flavor: one } });
    }
    const { id } = await made(cloud);
    await hostsAct(cloud.world);
    for (const [flavorRef, vcpus] of [
      ['wide', 3],
      ['http://cloud.test/flavors/wider', 4],
    ] as const) {
      await act(cloud, id, { resize: { flavorRef } });
      t.equal((await shown(cloud, id)).status, 'RESIZE');
      await hostsAct(cloud.world);
      await hostsAct(cloud.world);
      t.match(await shown(cloud, id), { status: 'VERIFY_RESIZE', flavor: { vcpus } });
      await act(cloud, id, { confirmResize: null }, 204);
      t.equal((await shown(cloud, id)).status, 'ACTIVE');
    }
    await act(cloud, id, { resize: { flavorRef: 'wider' } }, 400);
    await act(cloud, id, { resize: { flavorRef: 'none' } }, 400);
    await act(cloud, id, { resize: {} }, 400);
    await act(cloud, id, { confirmResize: null }, 409);
  },
  'resizeBody: OS-DCF:diskConfig': async (t, cloud) => {
    for (const value of ['AUTO', 'MANUAL']) {
      const flavor = { name: `for-${value}`, id: `for-${value}`, vcpus: 1, ram: 512, disk: 100 };
      await cloud.ask('POST', '/compute/v2.1/flavors', { body: { flavor } });
      const { id } = await made(cloud, { 'OS-DCF:diskConfig': value === 'AUTO' ? 'MANUAL' : 'AUTO' });
      await hostsAct(cloud.world);
      await act(cloud, id, { resize: { flavorRef: flavor.id, 'OS-DCF:diskConfig': value } });
      t.equal((await shown(cloud, id))['OS-DCF:diskConfig'], value);
    }
    const { id } = await made(cloud);
    await act(cloud, id, { resize: { flavorRef: 'for-AUTO', 'OS-DCF:diskConfig': 'auto' } }, 400);
  },
  'migrateBody: host': async (t, cloud) => {
    for (const [from, to] of [
      ['host-1', 'host-2'],
      ['host-2', 'host-1'],
    ] as const) {
      const { id } = await made(cloud, { availability_zone: `nova:${from}` });
      await hostsAct(cloud.world);
      await act(cloud, id, { migrate: { host: to } }, 409);
      await act(cloud, id, { 'os-stop': null });
      await hostsAct(cloud.world);
      await onSharedStorage(cloud, id);
      await act(cloud, id, { migrate: { host: to } });
      t.equal((await shown(cloud, id))['OS-EXT-SRV-ATTR:host'], to);
      await act(cloud, id, { migrate: { host: to } }, 400, 55);
    }
  },
  'groupNameBody: name': async (t, cloud) => {
    const uuid = await makeNetwork(cloud, 'grouped', '10.8.0.0/24');
    const { id } = await made(cloud, { networks: [{ uuid }] });
    const names = async () =>
      (await shown(cloud, id)).security_groups.map((group: { name: string }) => group.name).sort();
    for (const name of ['extra-a', 'extra-b']) {
      await cloud.ask('POST', '/networking/v2.0/security-groups', { body: { security_group: { name } } });
      await act(cloud, id, { addSecurityGroup: { name } });
      t.strictSame(await names(), ['default', name]);
      await act(cloud, id, { removeSecurityGroup: { name } });
      t.strictSame(await names(), ['default']);
    }
    await act(cloud, id, { addSecurityGroup: { name: 'x'.repeat(256) } }, 400);
  },
};

export const serverEffects: Effects = { ...newServer, ...blockDevices, ...changes, ...actions };
