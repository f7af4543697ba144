/** Attributes that no other test proves: that they are kept, or that they do what they say, or that they are refused. */
import t from 'tap';
import type { HostId } from '../../../../node/base/ids.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { hostNetworkView } from '../../../../node/services/network/host-view.ts';
import { portTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { type Cloud, startCloud } from '../cloud.ts';

function caller(cloud: Cloud, token = cloud.memberToken) {
  const call = (method: string, path: string, body?: unknown) =>
    cloud.gateway.call(method, `/networking/v2.0/${path}`, { token, ...(body === undefined ? {} : { body }) });
  return {
    call,
    async get(method: string, path: string, body?: unknown) {
      const answer = await call(method, path, body);
      if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${answer.body}`);
      const [first] = Object.values(answer.json());
      return JSON.parse(JSON.stringify(first));
    },
  };
}

/** One of each resource, made by an administrator with these fields besides. */
async function oneOfEach(cloud: Cloud, fields: object) {
  const { get } = caller(cloud, cloud.gateway.token);
  const network = await get('POST', 'networks', { network: { ...fields } });
  const external = await get('POST', 'networks', { network: { 'router:external': true } });
  await get('POST', 'subnets', { subnet: { network_id: external.id, cidr: '198.51.100.0/24' } });
  const subnet = await get('POST', 'subnets', { subnet: { network_id: network.id, cidr: '10.0.0.0/24', ...fields } });
  const subnetpool = await get('POST', 'subnetpools', {
    subnetpool: { name: 'a pool', prefixes: ['10.8.0.0/16'], ...fields },
  });
  const port = await get('POST', 'ports', { port: { network_id: network.id, ...fields } });
  const router = await get('POST', 'routers', { router: { ...fields } });
  const group = await get('POST', 'security-groups', { security_group: { name: 'a group', ...fields } });
  const { name: _none, ...rest } = { name: '', ...fields };
  const floatingip = await get('POST', 'floatingips', { floatingip: { floating_network_id: external.id, ...rest } });
  const rule = await get('POST', 'security-group-rules', {
    security_group_rule: { security_group_id: group.id, direction: 'ingress', protocol: 'tcp', ...rest },
  });
  return {
    network,
    subnet,
    subnetpool,
    port,
    router,
    'security-group': group,
    floatingip,
    'security-group-rule': rule,
    external,
  };
}

void t.test('texts come back as sent', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { get } = caller(cloud, cloud.gateway.token);
  const fields = { name: ' Ünïcode \u{1f433}  name', description: 'two  words ' };
  const made = await oneOfEach(cloud, fields);
  for (const [kind, thing] of Object.entries(made)) {
    if (kind === 'external') continue;
    t.equal(thing.description, fields.description, `${kind}.description`);
    if (!['floatingip', 'security-group-rule'].includes(kind)) t.equal(thing.name, fields.name, `${kind}.name`);
    if (kind === 'security-group-rule') continue;
    const next = { description: 'another' };
    const changed = await get('PUT', `${kind}s/${thing.id}`, { [kind.replaceAll('-', '_')]: next });
    t.equal(changed.description, 'another', `${kind}.description changes`);
    t.ok(changed.revision_number > thing.revision_number, `${kind}.revision_number grows`);
  }
});

void t.test('administrators name a project, others only their own', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  for (const key of ['project_id', 'tenant_id']) {
    const made = await oneOfEach(cloud, { [key]: cloud.memberProjectId });
    for (const [kind, thing] of Object.entries(made)) {
      if (kind !== 'external') t.equal(thing.project_id, cloud.memberProjectId, `${kind}.${key}`);
    }
    const policy = await sharedWith(cloud, made.network.id, { [key]: cloud.memberProjectId });
    t.equal(policy.project_id, cloud.memberProjectId, `rbac_policy.${key}`);
    const addresses = { addresses: [], [key]: cloud.memberProjectId };
    const { get } = caller(cloud, cloud.gateway.token);
    const group = await get('POST', 'address-groups', { address_group: addresses });
    t.equal(group.project_id, cloud.memberProjectId, `address_group.${key}`);
    const refused = await caller(cloud).call('POST', 'networks', { network: { [key]: cloud.gateway.adminProjectId } });
    t.equal(refused.statusCode, 403);
  }
  const both = { project_id: cloud.memberProjectId, tenant_id: 'another' };
  t.equal((await caller(cloud).call('POST', 'networks', { network: both })).statusCode, 400);
});

/** A policy by an administrator that shares a network with a third project. */
function sharedWith(cloud: Cloud, object_id: string, fields: object) {
  const shared = { object_type: 'network', object_id, action: 'access_as_shared', target_tenant: 'a-third' };
  return caller(cloud, cloud.gateway.token).get('POST', 'rbac-policies', { rbac_policy: { ...shared, ...fields } });
}

/** Plugs a port in on the first host, as a server's creation does. */
async function plug(cloud: Cloud, portId: string): Promise<HostId> {
  const hostId = '1'.repeat(32) as HostId;
  await transact(cloud.world.deps, cloud.world.admin, ({ reader, change }) => {
    const row = portTable.must(reader, portId);
    portTable.update(change, row, new shoal.v1.Port({ ...row.record, hostId }));
  });
  return hostId;
}

void t.test('what is administratively down lets nothing through', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { get, call } = caller(cloud);
  const network = await get('POST', 'networks', { network: {} });
  const subnet = await get('POST', 'subnets', { subnet: { network_id: network.id, cidr: '10.0.0.0/24' } });
  const port = await get('POST', 'ports', { port: { network_id: network.id } });
  const router = await get('POST', 'routers', { router: {} });
  await call('PUT', `routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
  const hostId = await plug(cloud, port.id);
  const view = () => hostNetworkView(cloud.world.state.local, hostId);
  t.ok((view().ports[0]?.rules.length ?? 0) > 0);
  t.equal(view().routers.length, 1);
  await get('PUT', `networks/${network.id}`, { network: { admin_state_up: false } });
  t.match(view().ports[0], { portSecurity: true, rules: [] }, 'a network');
  await get('PUT', `routers/${router.id}`, { router: { admin_state_up: false } });
  t.equal(view().routers.length, 0, 'a router');
});

void t.test('port security of a network is its new ports’, and of a port its guest’s', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { get } = caller(cloud);
  const network = await get('POST', 'networks', { network: { port_security_enabled: false } });
  await get('POST', 'subnets', { subnet: { network_id: network.id, cidr: '10.0.0.0/24' } });
  const port = await get('POST', 'ports', { port: { network_id: network.id } });
  t.match(port, { port_security_enabled: false, security_groups: [] });
  const hostId = await plug(cloud, port.id);
  const isGuarded = () => hostNetworkView(cloud.world.state.local, hostId).ports[0]?.portSecurity;
  t.equal(isGuarded(), false);
  await get('PUT', `ports/${port.id}`, { port: { port_security_enabled: true } });
  t.equal(isGuarded(), true);
});

void t.test('B4, B5, B6: what the driver is told of a port and a router', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { get, call } = caller(cloud);
  const network = await get('POST', 'networks', { network: {} });
  const subnet = await get('POST', 'subnets', { subnet: { network_id: network.id, cidr: '10.0.0.0/24' } });
  const port = await get('POST', 'ports', {
    port: {
      network_id: network.id,
      fixed_ips: [{ ip_address: '10.0.0.11' }, { ip_address: '10.0.0.12' }],
      allowed_address_pairs: [
        { ip_address: '10.0.0.200' },
        { ip_address: '10.50.0.9/24', mac_address: '00-00-5E-00-01-33' },
      ],
    },
  });
  const router = await get('POST', 'routers', { router: {} });
  await call('PUT', `routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
  await get('PUT', `routers/${router.id}`, {
    router: { routes: [{ destination: '10.50.0.0/24', nexthop: '10.0.0.11' }] },
  });
  const hostId = await plug(cloud, port.id);
  const view = hostNetworkView(cloud.world.state.local, hostId);
  t.match(view.ports[0], {
    ip: '10.0.0.11',
    moreIps: ['10.0.0.12'],
    addressPairs: [
      { mac: port.mac_address, prefix: '10.0.0.200/32' },
      { mac: '00:00:5e:00:01:33', prefix: '10.50.0.0/24' },
    ],
  });
  t.same(view.routers[0]?.routes, [{ destination: '10.50.0.0/24', nextHop: '10.0.0.11' }]);
  const other = hostNetworkView(cloud.world.state.local, '2'.repeat(32) as HostId);
  t.same(other.ports, []);
});

void t.test('provider attributes name what is there', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call } = caller(cloud, cloud.gateway.token);
  const status = async (network: object) => (await call('POST', 'networks', { network })).statusCode;
  const external = { 'router:external': true };
  t.equal(await status({ 'provider:network_type': 'vxlan' }), 201);
  t.equal(await status({ 'provider:network_type': 'vlan' }), 400);
  t.equal(await status({ ...external, 'provider:network_type': 'flat', 'provider:physical_network': 'external' }), 201);
  t.equal(await status({ ...external, 'provider:physical_network': 'elsewhere' }), 400, 'no host has that');
  t.equal(await status({ 'provider:physical_network': 'external' }), 400, 'a tunnel has none');
});

void t.test('a floating IP is drawn from the subnet, or is the one that an administrator names', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const admin = caller(cloud, cloud.gateway.token);
  const { id } = await admin.get('POST', 'networks', { network: { 'router:external': true } });
  await admin.get('POST', 'subnets', { subnet: { network_id: id, cidr: '198.51.100.0/24' } });
  const second = await admin.get('POST', 'subnets', { subnet: { network_id: id, cidr: '203.0.113.0/24' } });
  const drawn = await caller(cloud).get('POST', 'floatingips', {
    floatingip: { floating_network_id: id, subnet_id: second.id },
  });
  t.match(drawn.floating_ip_address, /^203\.0\.113\./);
  const named = { floatingip: { floating_network_id: id, floating_ip_address: '198.51.100.77' } };
  t.equal((await caller(cloud).call('POST', 'floatingips', named)).statusCode, 403);
  t.equal((await admin.get('POST', 'floatingips', named)).floating_ip_address, '198.51.100.77');
});

void t.test('quotas bar what is over them; below what is used they are set by force alone', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const admin = caller(cloud, cloud.gateway.token);
  const made = await oneOfEach(cloud, { project_id: cloud.memberProjectId });
  await sharedWith(cloud, made.network.id, { project_id: cloud.memberProjectId });
  const addressGroup = { address_group: { addresses: [], project_id: cloud.memberProjectId } };
  await admin.get('POST', 'address-groups', addressGroup);
  const { get, call } = caller(cloud);
  const path = `quotas/${cloud.memberProjectId}`;
  const bodies: Readonly<Record<string, [string, object]>> = {
    network: ['networks', { network: {} }],
    subnet: ['subnets', { subnet: { network_id: made.network.id, cidr: '10.1.0.0/24' } }],
    subnetpool: ['subnetpools', { subnetpool: { name: 'more', prefixes: ['10.9.0.0/16'] } }],
    port: ['ports', { port: { network_id: made.network.id } }],
    router: ['routers', { router: {} }],
    floatingip: ['floatingips', { floatingip: { floating_network_id: made.external.id } }],
    security_group: ['security-groups', { security_group: { name: 'more' } }],
    security_group_rule: [
      'security-group-rules',
      {
        security_group_rule: {
          security_group_id: made['security-group'].id,
          direction: 'ingress',
          protocol: 'udp',
        },
      },
    ],
    address_group: ['address-groups', { address_group: { addresses: [] } }],
    rbac_policy: [
      'rbac-policies',
      {
        rbac_policy: {
          object_type: 'network',
          object_id: made.network.id,
          action: 'access_as_shared',
          target_tenant: 'b',
        },
      },
    ],
  };
  for (const [resource, [collection, body]] of Object.entries(bodies)) {
    t.equal((await admin.call('PUT', path, { quota: { [resource]: 0, check_limit: true } })).statusCode, 400, resource);
    t.equal((await admin.get('PUT', path, { quota: { [resource]: 0, force: true } }))[resource], 0);
    const over = await call('POST', collection, body);
    t.equal(over.json().NeutronError.type, 'OverQuota', resource);
  }
  t.equal((await get('GET', path)).network, 0);
});

void t.test('tags are a set', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { get, call } = caller(cloud);
  const { id } = await get('POST', 'networks', { network: {} });
  const set = (tags: unknown) => call('PUT', `networks/${id}/tags`, { tags });
  t.same((await set(['red', 'blue', 'red'])).json(), { tags: ['red', 'blue'] });
  for (const bad of [['a,b'], [''], ['x'.repeat(256)], 'red', [1], Array.from({ length: 51 }, (_, at) => `t${at}`)]) {
    t.equal((await set(bad)).statusCode, 400, JSON.stringify(bad).slice(0, 40));
  }
});

void t.test('what is refused is refused, not taken and forgotten', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call, get } = caller(cloud, cloud.gateway.token);
  const { id } = await get('POST', 'networks', { network: {} });
  const subnet = { network_id: id, cidr: '10.0.0.0/24' };
  const cases: readonly [string, object, number][] = [
    ['networks', { network: { availability_zone_hints: ['nova'] } }, 400],
    ['routers', { router: { availability_zone_hints: ['nova'] } }, 400],
    ['subnets', { subnet: { ...subnet, service_types: ['compute:nova'] } }, 400],
    ['subnets', { subnet: { ...subnet, subnetpool_id: id } }, 404],
    ['subnets', { subnet: { ...subnet, use_default_subnetpool: true } }, 400],
    ['subnets', { subnet: { ...subnet, prefixlen: 24 } }, 400],
    ['subnetpools', { subnetpool: { name: 'p', prefixes: ['10.0.0.0/16'], address_scope_id: id } }, 400],
    ['subnets', { subnet: { ...subnet, ip_version: 6 } }, 400],
    ['subnets', { subnet: { ...subnet, ipv6_ra_mode: 'slaac' } }, 400],
    ['subnets', { subnet: { ...subnet, ipv6_address_mode: 'slaac' } }, 400],
    ['ports', { port: { network_id: id, 'binding:host_id': 'host-1' } }, 400],
  ];
  for (const [collection, body, status] of cases) {
    t.equal((await call('POST', collection, body)).statusCode, status, JSON.stringify(body));
  }
});
