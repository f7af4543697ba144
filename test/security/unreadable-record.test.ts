/** One record that nobody can read takes nothing else along, and can be removed (F1). */
import t from 'tap';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId } from '../../node/base/ids.ts';
import { removeUnreadableRecord, unreadableRecords } from '../../node/services/kit/unreadable-records.ts';
import { hostNetworkView } from '../../node/services/network/host-view.ts';
import { Table } from '../../node/state/table.ts';
import * as tables from '../../node/state/tables/index.ts';
import { shoal } from '../../proto/messages.ts';
import { addMember, type Cloud, startCloud } from '../api-gateway/rest/cloud.ts';

const lists = {
  '/compute/v2.1/servers/detail?all_tenants=1': 'servers',
  '/compute/v2.1/flavors/detail': 'flavors',
  '/compute/v2.1/os-keypairs': 'keypairs',
  '/compute/v2.1/os-server-groups?all_projects=1': 'server_groups',
  '/compute/v2.1/os-aggregates': 'aggregates',
  '/compute/v2.1/os-hypervisors/detail': 'hypervisors',
  '/compute/v2.1/os-services': 'services',
  '/compute/v2.1/limits': 'limits',
  '/networking/v2.0/networks': 'networks',
  '/networking/v2.0/subnets': 'subnets',
  '/networking/v2.0/ports': 'ports',
  '/networking/v2.0/routers': 'routers',
  '/networking/v2.0/security-groups': 'security_groups',
  '/networking/v2.0/security-group-rules': 'security_group_rules',
  '/networking/v2.0/floatingips': 'floatingips',
  '/image/v2/images': 'images',
  '/identity/v3/projects': 'projects',
  '/identity/v3/users': 'users',
  '/identity/v3/roles': 'roles',
  '/identity/v3/role_assignments?include_names=1': 'role_assignments',
  '/identity/v3/domains': 'domains',
} as const;

/** One more of everything, made by a member of a project of their own; the id of each by its table. */
async function makeOneOfEach(cloud: Cloud): Promise<ReadonlyMap<string, string>> {
  const { gateway } = cloud;
  const member = await addMember(gateway);
  const made = new Map<string, string>();
  const make = async (token: string, table: string, url: string, key: string, fields: object): Promise<string> => {
    const answer = await gateway.call('POST', url, { token, body: key === '' ? fields : { [key]: fields } });
    if (answer.statusCode >= 300) throw new Error(`${url}: ${answer.statusCode} ${answer.body}`);
    const body = answer.json();
    const id = String((key === '' ? body : body[key]).id);
    made.set(table, id);
    return id;
  };
  const admin = gateway.token;
  const mine = member.memberToken;
  const network_id = await make(mine, 'network', '/networking/v2.0/networks', 'network', { name: 'n' });
  const subnet = { network_id, cidr: '10.1.0.0/24', ip_version: 4 };
  await make(mine, 'subnet', '/networking/v2.0/subnets', 'subnet', subnet);
  await make(mine, 'port', '/networking/v2.0/ports', 'port', { network_id });
  await make(mine, 'router', '/networking/v2.0/routers', 'router', { name: 'r' });
  await make(mine, 'security-group', '/networking/v2.0/security-groups', 'security_group', { name: 's' });
  await make(mine, 'image', '/image/v2/images', '', { name: 'i' });
  await make(mine, 'server-group', '/compute/v2.1/os-server-groups', 'server_group', {
    name: 'g',
    policies: ['affinity'],
  });
  const imageRef = tables.imageTable.list(cloud.world.state.local).find((row) => row.record.name === 'cirros')
    ?.record.id;
  const server = { name: 'v', flavorRef: '1', imageRef, networks: [{ uuid: network_id }] };
  await make(mine, 'server', '/compute/v2.1/servers', 'server', server);
  const flavor = { name: 'f', ram: 128, vcpus: 1, disk: 1 };
  await make(admin, 'flavor', '/compute/v2.1/flavors', 'flavor', flavor);
  await make(admin, 'project', '/identity/v3/projects', 'project', { name: 'p' });
  await make(admin, 'user', '/identity/v3/users', 'user', { name: 'u' });
  await make(admin, 'role', '/identity/v3/roles', 'role', { name: 'r' });
  await make(admin, 'domain', '/identity/v3/domains', 'domain', { name: 'd' });
  return made;
}

function count(value: unknown): number {
  return Array.isArray(value) ? value.length : -1;
}

await t.test(
  'F1: lists answer with everything else, whichever record cannot be read, and it can be removed',
  async (t) => {
    const cloud = await startCloud({ act: true });
    t.teardown(() => cloud.stop());
    const { gateway, world } = cloud;
    await makeOneOfEach(cloud);
    const made = await makeOneOfEach(
      Object.assign(Object.create(null) as Cloud, cloud, {
        gateway: { ...gateway, call: uniqueNames(gateway.call) },
      }),
    );
    const before = new Map<string, number>();
    for (const [url, key] of Object.entries(lists))
      before.set(url, count((await gateway.call('GET', url)).json()[key]));

    for (const [name, id] of made) {
      const table = Object.values(tables).find((each) => each instanceof Table && each.definition.name === name);
      if (!(table instanceof Table)) throw new Error(`there is no table ${name}`);
      const key = table.key(id);
      const value = world.state.local.get(key)?.value ?? new Uint8Array();
      await world.state.commit({
        compares: [],
        thenOps: [{ kind: 'put', key, value: Buffer.from([0xff, 1]) }],
        elseOps: [],
      });
      for (const [url, listKey] of Object.entries(lists)) {
        const answer = await gateway.call('GET', url);
        t.equal(answer.statusCode, 200, `${url} without ${name}: ${answer.body.slice(0, 200)}`);
        t.ok(count(answer.json()[listKey]) >= (before.get(url) ?? 0) - 12, `${url} without ${name} has the rest`);
      }
      for (const hostId of ['1', '2']) {
        const view = hostNetworkView(world.state.local, hostId.repeat(32) as HostId);
        // The port of a server that nobody can read stays as it is on its host.
        const others = view.failures.filter(({ error }) => !ShoalError.is(error, 'RECORD_UNREADABLE'));
        t.same(others, [], `a host's network without ${name}`);
        t.ok(view.failures.length <= (name === 'server' ? 1 : 0));
      }
      t.match(unreadableRecords(world.state.local), [{ table: name, id }]);
      t.throws(() => table.get(world.state.local, id), { code: 'RECORD_UNREADABLE' });

      await world.state.commit({ compares: [], thenOps: [{ kind: 'put', key, value }], elseOps: [] });
      t.same(unreadableRecords(world.state.local), []);
      await t.rejects(removeUnreadableRecord(world.deps, name, id, new AbortController().signal), { code: 'CONFLICT' });
    }

    for (const [name, id] of made) {
      const table = Object.values(tables).find((each) => each instanceof Table && each.definition.name === name);
      if (!(table instanceof Table)) throw new Error(`there is no table ${name}`);
      const put = { kind: 'put', key: table.key(id), value: Buffer.from([0xff, 1]) } as const;
      await world.state.commit({ compares: [], thenOps: [put], elseOps: [] });
      await removeUnreadableRecord(world.deps, name, id, new AbortController().signal);
      t.notOk(table.exists(world.state.local, id), `${name} is gone`);
      const left = world.state.local
        .range(`x/${name}/`, `x/${name}0`)
        .concat(world.state.local.range(`u/${name}/`, `u/${name}0`))
        .filter(({ key, value }) => key.endsWith(`/${id}`) || Buffer.from(value).toString() === id);
      t.same(left, [], `no index names the ${name} any more`);
      for (const url of Object.keys(lists)) {
        const answer = await gateway.call('GET', url);
        t.equal(answer.statusCode, 200, `${url} after the ${name} is gone: ${answer.body.slice(0, 200)}`);
      }
    }
  },
);

/** The same call with another name for whatever is created. */
function uniqueNames(call: Cloud['gateway']['call']): Cloud['gateway']['call'] {
  return (method, url, options) =>
    call(method, url, {
      ...options,
      ...(options?.body === undefined
        ? {}
        : { body: JSON.parse(JSON.stringify(options.body).replace(/"name":"/g, '"name":"2-')) }),
    });
}

await t.test('F1: what an older version wrote ill-formed is shown, and its owner can delete it', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { gateway, world, memberToken: token } = cloud;
  const body = { network: { name: 'mark' } };
  const { id } = (await gateway.call('POST', '/networking/v2.0/networks', { token, body })).json().network;
  const key = tables.networkTable.key(id);
  const record = tables.networkTable.must(world.state.local, id).record;
  const value = shoal.v1.Network.encode(new shoal.v1.Network({ ...record, name: '\ud800' })).finish();
  t.throws(() => shoal.v1.Network.decode(value), 'protobufjs does not read what it wrote');
  await world.state.commit({ compares: [], thenOps: [{ kind: 'put', key, value }], elseOps: [] });
  for (const caller of [token, gateway.token]) {
    const listed = await gateway.call('GET', '/networking/v2.0/networks', { token: caller });
    t.match(listed.json().networks, [{ id, name: /\ufffd/ }]);
  }
  t.equal((await gateway.call('DELETE', `/networking/v2.0/networks/${id}`, { token })).statusCode, 204);
  t.same((await gateway.call('GET', '/networking/v2.0/networks', { token })).json().networks, []);
});
