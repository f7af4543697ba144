/** Every attribute of flavors, keys, groups, aggregates, services and quotas: sent, shown, and what it does. */
import { randomUUID } from 'node:crypto';
import { serverTable } from '../../../../node/state/tables/index.ts';
import type { Answer, Effect, EffectCloud, Effects } from '../effects/effects.ts';
import { withEmptyHost } from './kit/empty-host.ts';
import { publicKey } from './kit/public-key.ts';
import { at } from './server-effects.ts';

/** Where the bodies go. */
export const resourceRoutes = {
  aggregateActionBody: ['POST /v2.1/os-aggregates/:id/action'],
  aggregatePatchBody: ['PUT /v2.1/os-aggregates/:id'],
  newAggregateBody: ['POST /v2.1/os-aggregates'],
  newFlavorBody: ['POST /v2.1/flavors'],
  flavorPatchBody: ['PUT /v2.1/flavors/:id'],
  flavorActionBody: ['POST /v2.1/flavors/:id/action'],
  extraSpecsBody: ['POST /v2.1/flavors/:id/os-extra_specs'],
  newKeypairBody: ['POST /v2.1/os-keypairs'],
  newServerGroupBody: ['POST /v2.1/os-server-groups'],
  quotaSetBody: ['PUT /v2.1/os-quota-sets/:project'],
  securityGroupBody: ['POST /v2.1/os-security-groups', 'PUT /v2.1/os-security-groups/:id'],
  serviceBody: ['PUT /v2.1/os-services/:id'],
  serviceByNameBody: [
    'PUT /v2.1/os-services/enable',
    'PUT /v2.1/os-services/disable',
    'PUT /v2.1/os-services/disable-log-reason',
  ],
  forceDownBody: ['PUT /v2.1/os-services/force-down'],
} as const;

type Options = { readonly minor?: number; readonly status?: number; readonly token?: string };
const send = (cloud: EffectCloud, method: string, path: string, body?: object, options: Options = {}) =>
  cloud.ask(method, `/compute/v2.1${path}`, {
    ...(body === undefined ? {} : { body }),
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(options.status === undefined ? {} : { status: options.status }),
    headers: at(options.minor ?? 1),
  });

const plain = { ram: 64, vcpus: 1, disk: 1 };
const makeFlavor = async (cloud: EffectCloud, flavor: object, options: Options = {}): Promise<Answer> =>
  (await send(cloud, 'POST', '/flavors', { flavor: { name: `f-${randomUUID()}`, ...plain, ...flavor } }, options))
    .flavor;
const showFlavor = async (cloud: EffectCloud, id: string, minor = 55): Promise<Answer> =>
  (await send(cloud, 'GET', `/flavors/${id}`, undefined, { minor })).flavor;
const boot = async (cloud: EffectCloud, server: object, options: Options = {}): Promise<Answer> =>
  (
    await send(
      cloud,
      'POST',
      '/servers',
      { server: { name: 'boots', flavorRef: '1', imageRef: 'cirros', networks: 'none', ...server } },
      { minor: 52, ...options },
    )
  ).server;

/** Each value is shown as it was sent; each of `refused` gets 400. */
const ofFlavor =
  (name: string, values: readonly unknown[], refused: readonly unknown[], minor = 55): Effect =>
  async (t, cloud) => {
    for (const value of values) {
      const { id } = await makeFlavor(cloud, { [name]: value }, { minor });
      t.equal(String((await showFlavor(cloud, id))[name]), String(value), `${name} ${value}`);
    }
    for (const value of refused) await makeFlavor(cloud, { [name]: value }, { minor, status: 400 });
  };

const flavors: Effects = {
  'newFlavorBody: flavor.name': ofFlavor('name', ['flavor one', 'flavor two'], ['', ' a', 'x'.repeat(256)]),
  'newFlavorBody: flavor.id': async (t, cloud) => {
    for (const id of ['own-id', 77]) t.equal((await makeFlavor(cloud, { id })).id, String(id));
    t.match((await makeFlavor(cloud, { id: null })).id, /^[0-9a-f-]{36}$/);
    await makeFlavor(cloud, { id: 'own-id' }, { status: 409 });
    await makeFlavor(cloud, { id: 'a/b' }, { status: 400 });
  },
  'newFlavorBody: flavor.ram': async (t, cloud) => {
    await ofFlavor('ram', [64, '128'], [0, 2 ** 31])(t, cloud);
    const { id } = await makeFlavor(cloud, { ram: 96 });
    await boot(cloud, { flavorRef: id });
    t.equal(cloud.world.placer.requests.at(-1)?.flavor.memoryMib, 96);
  },
  'newFlavorBody: flavor.vcpus': async (t, cloud) => {
    await ofFlavor('vcpus', [1, '2'], [0, 'x'])(t, cloud);
    const { id } = await makeFlavor(cloud, { vcpus: 3 });
    await boot(cloud, { flavorRef: id });
    t.equal(cloud.world.placer.requests.at(-1)?.flavor.vcpus, 3);
  },
  'newFlavorBody: flavor.disk': async (t, cloud) => {
    await ofFlavor('disk', [0, '2'], [-1])(t, cloud);
    const { id } = await makeFlavor(cloud, { disk: 4 });
    await boot(cloud, { flavorRef: id });
    t.equal(cloud.world.placer.requests.at(-1)?.flavor.diskGib, 4);
  },
  'newFlavorBody: flavor.OS-FLV-EXT-DATA:ephemeral': async (t, cloud) => {
    await ofFlavor('OS-FLV-EXT-DATA:ephemeral', [0, 2], [-1])(t, cloud);
    const { id } = await makeFlavor(cloud, { 'OS-FLV-EXT-DATA:ephemeral': 1 });
    await boot(cloud, { flavorRef: id });
    t.match(lastDisk(cloud, id), { kind: 'ephemeral', sizeGib: 1 });
  },
  'newFlavorBody: flavor.swap': async (t, cloud) => {
    await ofFlavor('swap', [4, 5], [-1, ''])(t, cloud);
    const { id } = await makeFlavor(cloud, { swap: 1 });
    await boot(cloud, { flavorRef: id });
    t.match(lastDisk(cloud, id), { kind: 'swap', sizeMib: 1 });
  },
  'newFlavorBody: flavor.rxtx_factor': ofFlavor('rxtx_factor', [1.5, 2], [0, 'x']),
  'newFlavorBody: flavor.os-flavor-access:is_public': async (t, cloud) => {
    for (const [isPublic, status] of [
      [true, 200],
      [false, 404],
    ] as const) {
      const { id } = await makeFlavor(cloud, { 'os-flavor-access:is_public': isPublic });
      t.equal((await showFlavor(cloud, id))['os-flavor-access:is_public'], isPublic);
      await send(cloud, 'GET', `/flavors/${id}`, undefined, { token: cloud.memberToken, status });
    }
  },
  'newFlavorBody: flavor.description': async (t, cloud) => {
    await ofFlavor('description', ['one', 'two'], ['x'.repeat(65_536)])(t, cloud);
    await makeFlavor(cloud, { description: 'before 2.55' }, { minor: 54, status: 400 });
  },
  'flavorPatchBody: flavor.description': async (t, cloud) => {
    const { id } = await makeFlavor(cloud, {});
    for (const description of ['one', 'two', null]) {
      await send(cloud, 'PUT', `/flavors/${id}`, { flavor: { description } }, { minor: 55 });
      t.equal((await showFlavor(cloud, id)).description, description);
    }
    await send(cloud, 'PUT', `/flavors/${id}`, { flavor: { description: 'x' } }, { minor: 54, status: 404 });
  },
  'extraSpecsBody: extra_specs': async (t, cloud) => {
    const { id } = await makeFlavor(cloud, {});
    const path = `/flavors/${id}/os-extra_specs`;
    await send(cloud, 'POST', path, { extra_specs: { 'trait:HW_CPU_X86_AVX': 'required' } });
    await send(cloud, 'POST', path, { extra_specs: { 'hw:cpu_policy': 'shared' } });
    const both = { 'trait:HW_CPU_X86_AVX': 'required', 'hw:cpu_policy': 'shared' };
    t.strictSame((await send(cloud, 'GET', path)).extra_specs, both);
    await boot(cloud, { flavorRef: id });
    t.strictSame({ ...cloud.world.placer.requests.at(-1)?.flavor.extraSpecs }, both, 'placement sees them');
    await send(cloud, 'POST', path, { extra_specs: { 'a/b': 'x' } }, { status: 400 });
  },
  ...access('addTenantAccess', true),
  ...access('removeTenantAccess', false),
};

/** The last disk of the server of that flavor. */
const lastDisk = (cloud: EffectCloud, flavorId: string): object => {
  const servers = serverTable.list(cloud.world.state.local).map(({ record }) => record);
  return servers.find(({ flavor }) => flavor?.id === flavorId)?.disks.at(-1) ?? {};
};

function access(action: string, isAdd: boolean): Effects {
  return {
    [`flavorActionBody: ${action}.tenant`]: async (t, cloud) => {
      const tenant = cloud.memberProjectId;
      const { id } = await makeFlavor(cloud, { 'os-flavor-access:is_public': false });
      const path = `/flavors/${id}/action`;
      for (const project of [tenant, 'another'])
        await send(cloud, 'POST', path, { addTenantAccess: { tenant: project } });
      for (const project of ['another', tenant]) {
        if (!isAdd) await send(cloud, 'POST', path, { [action]: { tenant: project } });
      }
      const { flavor_access: list } = await send(cloud, 'GET', `/flavors/${id}/os-flavor-access`);
      t.equal(list.length, isAdd ? 2 : 0);
      const status = isAdd ? 200 : 404;
      await send(cloud, 'GET', `/flavors/${id}`, undefined, { token: cloud.memberToken, status });
      const two = { addTenantAccess: { tenant: 'one' }, removeTenantAccess: { tenant: 'two' } };
      await send(cloud, 'POST', path, two, { status: 400 });
    },
  };
}

const keypairs: Effects = {
  'newKeypairBody: keypair.name': async (t, cloud) => {
    for (const name of ['name one', 'name-two']) {
      await send(cloud, 'POST', '/os-keypairs', { keypair: { name, public_key: publicKey } });
      t.equal((await send(cloud, 'GET', `/os-keypairs/${encodeURIComponent(name)}`)).keypair.name, name);
    }
    await send(cloud, 'POST', '/os-keypairs', { keypair: { name: 'name-two' } }, { status: 409 });
    await send(cloud, 'POST', '/os-keypairs', { keypair: { name: 'a/b' } }, { status: 400 });
  },
  'newKeypairBody: keypair.public_key': async (t, cloud) => {
    for (const public_key of [`${publicKey} one`, `${publicKey} two`]) {
      const { keypair } = await send(cloud, 'POST', '/os-keypairs', { keypair: { name: randomUUID(), public_key } });
      t.equal((await send(cloud, 'GET', `/os-keypairs/${keypair.name}`)).keypair.public_key, public_key);
      t.notOk('private_key' in keypair);
    }
    t.match((await send(cloud, 'POST', '/os-keypairs', { keypair: { name: 'made' } })).keypair, {
      private_key: /PRIVATE KEY/,
    });
    const long = `${publicKey} ${'x'.repeat(16_384)}`;
    await send(cloud, 'POST', '/os-keypairs', { keypair: { name: 'long', public_key: long } }, { status: 400 });
  },
  'newKeypairBody: keypair.type': async (t, cloud) => {
    const ssh = { name: randomUUID(), type: 'ssh', public_key: publicKey };
    t.equal((await send(cloud, 'POST', '/os-keypairs', { keypair: ssh }, { minor: 2 })).keypair.type, 'ssh');
    const x509 = { name: 'certificate', type: 'x509' };
    await send(
      cloud,
      'POST',
      '/os-keypairs',
      { keypair: { ...x509, public_key: publicKey } },
      { minor: 2, status: 400 },
    );
    await send(cloud, 'POST', '/os-keypairs', { keypair: { ...x509, public_key: certificate } }, { minor: 2 });
    t.equal((await send(cloud, 'GET', '/os-keypairs/certificate', undefined, { minor: 2 })).keypair.type, 'x509');
    await send(cloud, 'POST', '/os-keypairs', { keypair: { ...ssh, name: 'early' } }, { minor: 1, status: 400 });
  },
  'newKeypairBody: keypair.user_id': async (t, cloud) => {
    const { user } = await cloud.ask('POST', '/identity/v3/users', { body: { user: { name: randomUUID() } } });
    for (const user_id of [user.id, cloud.gateway.adminUserId]) {
      const keypair = { name: 'theirs', public_key: publicKey, user_id };
      await send(cloud, 'POST', '/os-keypairs', { keypair }, { minor: 10 });
      const list = await send(cloud, 'GET', `/os-keypairs?user_id=${user_id}`, undefined, { minor: 10 });
      t.ok(list.keypairs.some((each: Answer) => each.keypair.name === 'theirs'));
    }
    const foreign = { name: 'no', public_key: publicKey, user_id: user.id };
    const refused = { minor: 10, token: cloud.memberToken, status: 403 };
    await send(cloud, 'POST', '/os-keypairs', { keypair: foreign }, refused);
    const long = { ...foreign, user_id: 'x'.repeat(256) };
    await send(cloud, 'POST', '/os-keypairs', { keypair: long }, { minor: 10, status: 400 });
    await send(cloud, 'POST', '/os-keypairs', { keypair: { ...foreign, name: 'early' } }, { minor: 9, status: 400 });
  },
};

const makeGroup = async (cloud: EffectCloud, server_group: object, options: Options = {}): Promise<Answer> =>
  (await send(cloud, 'POST', '/os-server-groups', { server_group: { name: 'group', ...server_group } }, options))
    .server_group;

/** What placement is told of the group of a server that joins it. */
async function groupAsked(cloud: EffectCloud, id: string) {
  const body = {
    server: { name: 'joins', flavorRef: '1', imageRef: 'cirros', networks: 'none' },
    'os:scheduler_hints': { group: id },
  };
  await send(cloud, 'POST', '/servers', body, { minor: 52 });
  return cloud.world.placer.requests.at(-1)?.group;
}

const groups: Effects = {
  'newServerGroupBody: server_group.name': async (t, cloud) => {
    for (const name of ['one', 'two']) {
      const { id } = await makeGroup(cloud, { name, policies: ['affinity'] });
      t.equal((await send(cloud, 'GET', `/os-server-groups/${id}`)).server_group.name, name);
    }
    await makeGroup(cloud, { name: ' a', policies: ['affinity'] }, { status: 400 });
  },
  'newServerGroupBody: server_group.policies': async (t, cloud) => {
    for (const policy of ['affinity', 'anti-affinity']) {
      const { id, policies } = await makeGroup(cloud, { policies: [policy] });
      t.strictSame(policies, [policy]);
      t.equal((await groupAsked(cloud, id))?.policy, policy, 'placement is told');
    }
    await makeGroup(cloud, { policies: ['affinity'] }, { minor: 64, status: 400 });
    await makeGroup(cloud, { policies: ['none'] }, { status: 400 });
    await makeGroup(cloud, { policies: ['soft-affinity'] }, { minor: 15 });
    await makeGroup(cloud, { policies: ['soft-affinity'] }, { minor: 14, status: 400 });
  },
  'newServerGroupBody: server_group.policy': async (t, cloud) => {
    for (const policy of ['affinity', 'soft-anti-affinity']) {
      const made = await makeGroup(cloud, { policy }, { minor: 64 });
      t.equal(made.policy, policy);
      t.equal((await groupAsked(cloud, made.id))?.policy, policy, 'placement is told');
    }
    await makeGroup(cloud, { policy: 'affinity' }, { minor: 63, status: 400 });
  },
  'newServerGroupBody: server_group.rules': async (t, cloud) => {
    const spread = { policy: 'anti-affinity' };
    t.strictSame((await makeGroup(cloud, { ...spread, rules: {} }, { minor: 64 })).rules, { max_server_per_host: 1 });
    const rules = { max_server_per_host: 3 };
    t.strictSame((await makeGroup(cloud, { ...spread, rules }, { minor: 64 })).rules, rules);
    await makeGroup(cloud, { policy: 'affinity', rules }, { minor: 64, status: 400 });
  },
  'newServerGroupBody: server_group.rules.max_server_per_host': async (t, cloud) => {
    for (const max_server_per_host of [2, '3']) {
      const { id } = await makeGroup(cloud, { policy: 'anti-affinity', rules: { max_server_per_host } }, { minor: 64 });
      t.equal((await groupAsked(cloud, id))?.maxServerPerHost, Number(max_server_per_host), 'placement is told');
    }
    const none = { max_server_per_host: 0 };
    await makeGroup(cloud, { policy: 'anti-affinity', rules: none }, { minor: 64, status: 400 });
  },
};

const makeAggregate = async (cloud: EffectCloud, aggregate: object, options: Options = {}): Promise<Answer> =>
  (await send(cloud, 'POST', '/os-aggregates', { aggregate: { name: randomUUID(), ...aggregate } }, options)).aggregate;
const showAggregate = async (cloud: EffectCloud, id: number): Promise<Answer> =>
  (await send(cloud, 'GET', `/os-aggregates/${id}`)).aggregate;

/** The zone that a host of an aggregate is in. */
const zoneOf = (cloud: EffectCloud, id: number): Promise<string> =>
  withEmptyHost(cloud, async (host) => {
    await send(cloud, 'POST', `/os-aggregates/${id}/action`, { add_host: { host } });
    const { services } = await send(cloud, 'GET', `/os-services?host=${host}`);
    await send(cloud, 'POST', `/os-aggregates/${id}/action`, { remove_host: { host } });
    return services[0].zone;
  });

const aggregates: Effects = {
  'newAggregateBody: aggregate.name': async (t, cloud) => {
    for (const name of ['aggregate one', 'aggregate two']) {
      const { id } = await makeAggregate(cloud, { name });
      t.equal((await showAggregate(cloud, id)).name, name);
    }
    await makeAggregate(cloud, { name: 'aggregate two' }, { status: 409 });
  },
  'newAggregateBody: aggregate.availability_zone': async (t, cloud) => {
    for (const [availability_zone, zone] of [
      ['zone-a', 'zone-a'],
      ['zone-b', 'zone-b'],
      [null, 'nova'],
    ] as const) {
      const { id } = await makeAggregate(cloud, { availability_zone });
      t.equal((await showAggregate(cloud, id)).availability_zone, availability_zone);
      t.equal(await zoneOf(cloud, id), zone);
    }
    await makeAggregate(cloud, { availability_zone: 'a:b' }, { status: 400 });
  },
  'aggregatePatchBody: aggregate.name': async (t, cloud) => {
    const { id } = await makeAggregate(cloud, {});
    for (const name of ['patched one', 'patched two']) {
      await send(cloud, 'PUT', `/os-aggregates/${id}`, { aggregate: { name } });
      t.equal((await showAggregate(cloud, id)).name, name);
    }
    await send(cloud, 'PUT', `/os-aggregates/${id}`, { aggregate: { name: ' a' } }, { status: 400 });
  },
  'aggregatePatchBody: aggregate.availability_zone': async (t, cloud) => {
    const { id } = await makeAggregate(cloud, {});
    for (const [availability_zone, zone] of [
      ['zone-c', 'zone-c'],
      ['zone-d', 'zone-d'],
      [null, 'nova'],
    ] as const) {
      await send(cloud, 'PUT', `/os-aggregates/${id}`, { aggregate: { availability_zone } });
      t.equal((await showAggregate(cloud, id)).availability_zone, availability_zone);
      t.equal(await zoneOf(cloud, id), zone);
    }
  },
  'aggregateActionBody: add_host.host': async (t, cloud) => {
    const { id } = await makeAggregate(cloud, {});
    for (const host of ['host-1', 'host-2']) {
      await send(cloud, 'POST', `/os-aggregates/${id}/action`, { add_host: { host } });
      t.equal((await showAggregate(cloud, id)).hosts.at(-1), host);
    }
    await send(cloud, 'POST', `/os-aggregates/${id}/action`, { add_host: { host: 'none' } }, { status: 404 });
  },
  'aggregateActionBody: remove_host.host': async (t, cloud) => {
    const { id } = await makeAggregate(cloud, {});
    for (const host of ['host-1', 'host-2']) {
      await send(cloud, 'POST', `/os-aggregates/${id}/action`, { add_host: { host } });
      await send(cloud, 'POST', `/os-aggregates/${id}/action`, { remove_host: { host } });
      t.strictSame((await showAggregate(cloud, id)).hosts, []);
    }
    await send(cloud, 'POST', `/os-aggregates/${id}/action`, { remove_host: { host: 'host-1' } }, { status: 404 });
  },
  'aggregateActionBody: set_metadata.metadata': async (t, cloud) => {
    const { id } = await makeAggregate(cloud, {});
    const set = (metadata: object) =>
      send(cloud, 'POST', `/os-aggregates/${id}/action`, { set_metadata: { metadata } });
    await set({ ssd: 'true', gone: 'soon' });
    t.strictSame((await showAggregate(cloud, id)).metadata, { ssd: 'true', gone: 'soon' });
    await set({ gone: null });
    t.strictSame((await showAggregate(cloud, id)).metadata, { ssd: 'true' });
  },
};

const serviceOf = async (cloud: EffectCloud, host: string): Promise<Answer> =>
  (await send(cloud, 'GET', `/os-services?host=${host}`, undefined, { minor: 53 })).services[0];
const binary = 'nova-compute';

const services: Effects = {
  'serviceByNameBody: host': async (t, cloud) => {
    for (const host of ['host-1', 'host-2']) {
      await send(cloud, 'PUT', '/os-services/disable', { host, binary });
      t.equal((await serviceOf(cloud, host)).status, 'disabled');
      await send(cloud, 'PUT', '/os-services/enable', { host, binary });
      t.equal((await serviceOf(cloud, host)).status, 'enabled');
    }
    await send(cloud, 'PUT', '/os-services/disable', { host: 'none', binary }, { status: 404 });
  },
  'serviceByNameBody: binary': onlyCompute('/os-services/enable', {}),
  'serviceByNameBody: disabled_reason': async (t, cloud) => {
    for (const disabled_reason of ['one', 'two']) {
      await send(cloud, 'PUT', '/os-services/disable-log-reason', { host: 'host-1', binary, disabled_reason });
      t.equal((await serviceOf(cloud, 'host-1')).disabled_reason, disabled_reason);
    }
    await send(cloud, 'PUT', '/os-services/enable', { host: 'host-1', binary });
    t.equal((await serviceOf(cloud, 'host-1')).disabled_reason, null);
  },
  'forceDownBody: host': async (t, cloud) => {
    for (const host of ['host-1', 'host-2']) {
      for (const forced_down of [true, false]) {
        await send(cloud, 'PUT', '/os-services/force-down', { host, binary, forced_down }, { minor: 11 });
        t.equal((await serviceOf(cloud, host)).state, forced_down ? 'down' : 'up');
      }
    }
  },
  'forceDownBody: binary': onlyCompute('/os-services/force-down', { forced_down: false }),
  'forceDownBody: forced_down': async (t, cloud) => {
    for (const forced_down of [true, 'no']) {
      await send(cloud, 'PUT', '/os-services/force-down', { host: 'host-1', binary, forced_down }, { minor: 11 });
      t.match(await serviceOf(cloud, 'host-1'), { forced_down: forced_down === true });
    }
    const without = { host: 'host-1', binary };
    await send(cloud, 'PUT', '/os-services/force-down', without, { minor: 11, status: 400 });
    await send(cloud, 'PUT', '/os-services/force-down', { ...without, forced_down: 'x' }, { minor: 11, status: 400 });
  },
  'serviceBody: forced_down': ofService('forced_down', [true, false]),
  'serviceBody: status': async (t, cloud) => {
    await ofService('status', ['disabled', 'enabled'])(t, cloud);
    const { id } = await serviceOf(cloud, 'host-1');
    await send(cloud, 'PUT', `/os-services/${id}`, { status: 'broken' }, { minor: 53, status: 400 });
  },
  'serviceBody: disabled_reason': async (t, cloud) => {
    const { id } = await serviceOf(cloud, 'host-1');
    const put = (body: object, status = 200) => send(cloud, 'PUT', `/os-services/${id}`, body, { minor: 53, status });
    for (const disabled_reason of ['one', 'two']) {
      await put({ status: 'disabled', disabled_reason });
      t.equal((await serviceOf(cloud, 'host-1')).disabled_reason, disabled_reason);
    }
    await put({ status: 'enabled', disabled_reason: 'why' }, 400);
    await put({ status: 'enabled' });
  },
};

function onlyCompute(path: string, body: object): Effect {
  return async (t, cloud) => {
    const options = { minor: 11 };
    t.ok(await send(cloud, 'PUT', path, { host: 'host-1', binary, ...body }, options));
    const other = { host: 'host-1', binary: 'nova-scheduler', ...body };
    t.match(await send(cloud, 'PUT', path, other, { ...options, status: 404 }), {
      itemNotFound: { message: /nova-scheduler/ },
    });
  };
}

function ofService(name: string, values: readonly unknown[]): Effect {
  return async (t, cloud) => {
    const { id } = await serviceOf(cloud, 'host-1');
    for (const value of values) {
      await send(cloud, 'PUT', `/os-services/${id}`, { [name]: value }, { minor: 53 });
      t.equal((await serviceOf(cloud, 'host-1'))[name], value);
    }
  };
}

const securityGroups: Effects = {
  'securityGroupBody: security_group': async (_t, cloud) => {
    await send(cloud, 'POST', '/os-security-groups', { security_group: { name: 'one' } });
    await send(cloud, 'POST', '/os-security-groups', { security_group: { name: 'two', description: 'd' } });
    const unknown = { name: 'three', colour: 'red' };
    await send(cloud, 'POST', '/os-security-groups', { security_group: unknown }, { status: 400 });
  },
  'securityGroupBody: security_group.name': ofSecurityGroup('name', ['named one', 'named two']),
  'securityGroupBody: security_group.description': ofSecurityGroup('description', ['about one', 'about two']),
};

function ofSecurityGroup(name: string, values: readonly string[]): Effect {
  return async (t, cloud) => {
    const body = (value: string) => ({ security_group: { name: 'group', [name]: value } });
    const ids: string[] = [];
    for (const value of values) {
      const { id } = (await send(cloud, 'POST', '/os-security-groups', body(value))).security_group;
      t.equal((await cloud.ask('GET', `/networking/v2.0/security-groups/${id}`)).security_group[name], value);
      ids.push(id);
    }
    for (const value of values) {
      await send(cloud, 'PUT', `/os-security-groups/${ids[0]}`, body(`${value} later`));
      t.equal((await send(cloud, 'GET', `/os-security-groups/${ids[0]}`)).security_group[name], `${value} later`);
    }
    for (const id of ids) await send(cloud, 'DELETE', `/os-security-groups/${id}`, undefined, { status: 202 });
  };
}

export const resourceEffects: Effects = {
  ...flavors,
  ...keypairs,
  ...groups,
  ...aggregates,
  ...services,
  ...securityGroups,
};

const certificate = `-----BEGIN CERTIFICATE-----
MIIBNjCB6aADAgECAhQPxhbKln86B9ISrWfD4FYx92ljQjAFBgMrZXAwEDEOMAwG
A1UEAwwFd2lucm0wIBcNMjYxMTI5MTYwOTE0WhgPMjEyNjExMDUxNjA5MTRaMBAx
DjAMBgNVBAMMBXdpbnJtMCowBQYDK2VwAyEARkMsCS9sHxwgdlaApCNX4GVpXsyE
1kOCi2IFLvbiTQyjUzBRMB0GA1UdDgQWBBRFC4NBTc0Y4W66c35/RBRrqsdAujAf
BgNVHSMEGDAWgBRFC4NBTc0Y4W66c35/RBRrqsdAujAPBgNVHRMBAf8EBTADAQH/
MAUGAytlcANBAPgWGy8uMu/3No1Fghq+qSbQxHDG+w4B15Ai6nlmh4eTuZ/YaSvS
hWHXK/Ga7Bnvay+kMuHwZxYjtjX/0FrPvQw=
-----END CERTIFICATE-----
`;
