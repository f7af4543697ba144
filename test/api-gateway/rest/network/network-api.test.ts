import t from 'tap';
import { type Cloud, startCloud } from '../cloud.ts';

const unknownId = '00000000-0000-4000-8000-00000000dead';

const caller = (cloud: Cloud, token = cloud.memberToken) => ({
  call: (method: string, path: string, body?: unknown) =>
    cloud.gateway.call(method, `/networking${path}`, { token, ...(body === undefined ? {} : { body }) }),
});

void t.test('a network, a subnet and a port have Neutron’s keys', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call } = caller(cloud);
  const made = await call('POST', '/v2.0/networks', { network: { name: 'net', admin_state_up: true } });
  t.equal(made.statusCode, 201);
  const { network } = made.json();
  t.match(network, {
    name: 'net',
    status: 'ACTIVE',
    shared: false,
    'router:external': false,
    subnets: [],
    tenant_id: cloud.memberProjectId,
    project_id: cloud.memberProjectId,
    mtu: 1450,
  });
  t.notOk('provider:segmentation_id' in network, 'provider attributes are for administrators');
  const admin = caller(cloud, cloud.gateway.token);
  t.match((await admin.call('GET', `/v2.0/networks/${network.id}`)).json().network, {
    'provider:network_type': 'vxlan',
    'provider:segmentation_id': Number,
  });
  const { subnet } = (
    await call('POST', '/v2.0/subnets', { subnet: { network_id: network.id, cidr: '10.0.0.0/24', ip_version: 4 } })
  ).json();
  t.match(subnet, {
    ip_version: 4,
    gateway_ip: '10.0.0.1',
    enable_dhcp: true,
    allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.254' }],
    host_routes: [],
    dns_nameservers: [],
  });
  const { port } = (await call('POST', '/v2.0/ports', { port: { network_id: network.id } })).json();
  t.match(port, { status: 'DOWN', device_id: '', fixed_ips: [{ subnet_id: subnet.id }], security_groups: [String] });
  t.match((await call('GET', `/v2.0/networks/${network.id}`)).json().network.subnets, [subnet.id]);
});

void t.test('subnets, ports and rules of IPv6 have Neutron’s keys', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call } = caller(cloud);
  const { network } = (await call('POST', '/v2.0/networks', { network: { name: 'net' } })).json();
  const make = (subnet: object) => call('POST', '/v2.0/subnets', { subnet: { network_id: network.id, ...subnet } });
  await make({ cidr: '10.0.0.0/24', ip_version: 4 });
  const six = { cidr: 'FD00:A::/64', ip_version: 6, ipv6_address_mode: 'dhcpv6-stateful' };
  const { subnet } = (await make(six)).json();
  t.match(subnet, {
    ...{ ip_version: 6, cidr: 'fd00:a::/64', gateway_ip: 'fd00:a::1', ipv6_address_mode: 'dhcpv6-stateful' },
    ...{ ipv6_ra_mode: null, allocation_pools: [{ start: 'fd00:a::2', end: 'fd00:a::ffff:ffff:ffff:ffff' }] },
  });
  const list = async (query: string) => (await call('GET', `/v2.0/subnets?${query}`)).json().subnets;
  t.same(
    (await list('ip_version=6')).map(({ id }: { id: string }) => id),
    [subnet.id],
  );
  t.same(
    (await list('ipv6_address_mode=dhcpv6-stateful')).map(({ id }: { id: string }) => id),
    [subnet.id],
  );
  t.equal((await make({ cidr: 'fd00:b::/64', ip_version: 4 })).statusCode, 400);
  t.equal((await make({ cidr: 'fd00:b::/63', ip_version: 6, ipv6_ra_mode: 'slaac' })).statusCode, 400);
  t.equal((await make({ subnetpool_id: 'prefix_delegation', ip_version: 6 })).statusCode, 501);
  const { port } = (await call('POST', '/v2.0/ports', { port: { network_id: network.id } })).json();
  t.match(port.fixed_ips, [{ ip_address: /^10[.]0/ }, { subnet_id: subnet.id, ip_address: /^fd00:a::/ }]);
  const found = (await call('GET', '/v2.0/ports?fixed_ips=ip_address_substr=fd00:a::')).json().ports;
  t.ok(
    found.some(({ id }: { id: string }) => id === port.id),
    'by a part of its address',
  );
  const { router } = (await call('POST', '/v2.0/routers', { router: {} })).json();
  const added = await call('PUT', `/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
  t.equal(added.statusCode, 400, 'its routers are others, by its modes');
  const auto = (
    await make({ cidr: 'fd00:b::/64', ip_version: 6, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' })
  ).json();
  const path = `/v2.0/routers/${router.id}/add_router_interface`;
  const routed = await call('PUT', path, { subnet_id: auto.subnet.id });
  t.match([routed.statusCode, routed.json()], [200, { subnet_id: auto.subnet.id, subnet_ids: [auto.subnet.id] }]);
  t.match(auto.subnet, { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' });
  const again = (await call('GET', `/v2.0/ports/${port.id}`)).json().port;
  t.match(again.fixed_ips.at(-1), { subnet_id: auto.subnet.id, ip_address: /^fd00:b::f816:3eff:fe/ });
  const named = [{ subnet_id: auto.subnet.id, ip_address: 'fd00:b::77' }];
  const refused = await call('POST', '/v2.0/ports', { port: { network_id: network.id, fixed_ips: named } });
  t.match([refused.statusCode, refused.json()], [400, { NeutronError: { type: 'AllocationOnAutoAddressSubnet' } }]);
});

void t.test('many at once are all or none', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call } = caller(cloud);
  const both = await call('POST', '/v2.0/networks', { networks: [{ name: 'a' }, { name: 'b' }] });
  t.equal(both.statusCode, 201);
  const [a, b] = both.json().networks;
  const bad = await call('POST', '/v2.0/subnets', {
    subnets: [
      { network_id: a.id, cidr: '10.0.0.0/24', ip_version: 4 },
      { network_id: b.id, cidr: 'no', ip_version: 4 },
    ],
  });
  t.equal(bad.statusCode, 400);
  t.same((await call('GET', '/v2.0/subnets')).json(), { subnets: [] });
});

void t.test('lists are filtered, sorted, paged and cut to fields', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call } = caller(cloud);
  const names = ['beta', 'alpha', 'gamma'].map((name) => ({ name }));
  const { networks } = (await call('POST', '/v2.0/networks', { networks: names })).json();
  const list = async (query: string) => (await call('GET', `/v2.0/networks?${query}`)).json();
  t.same(await list('name=alpha&fields=name'), { networks: [{ name: 'alpha' }] });
  t.same(await list('fields=name&sort_key=name&sort_dir=desc'), {
    networks: [{ name: 'gamma' }, { name: 'beta' }, { name: 'alpha' }],
  });
  t.same(await list('name=alpha&name=beta&fields=name&sort_key=name'), {
    networks: [{ name: 'alpha' }, { name: 'beta' }],
  });
  t.same((await list('router:external=True')).networks, []);
  t.equal((await list('router%3Aexternal=false&shared=false')).networks.length, 3);
  const page = await list('limit=2&sort_key=name');
  t.equal(page.networks.length, 2);
  t.equal(page.networks_links[0].rel, 'next');
  t.equal((await list(`limit=2&sort_key=name&marker=${page.networks[1].id}`)).networks.length, 1);
  t.equal((await call('GET', '/v2.0/networks?marker=none')).statusCode, 400);

  const id = networks[0].id;
  t.same((await call('PUT', `/v2.0/networks/${id}/tags`, { tags: ['red', 'blue'] })).json().tags, ['red', 'blue']);
  t.equal((await list('tags=red,blue')).networks.length, 1);
  t.equal((await list('tags-any=red,green')).networks.length, 1);
  t.equal((await list('not-tags=red')).networks.length, 2);
  t.equal((await call('PUT', `/v2.0/networks/${id}/tags/green`)).statusCode, 201);
  t.equal((await call('GET', `/v2.0/networks/${id}/tags/green`)).statusCode, 204);
  t.equal((await call('DELETE', `/v2.0/networks/${id}/tags/green`)).statusCode, 204);
  t.match((await call('GET', `/v2.0/networks/${id}/tags/green`)).json(), { NeutronError: { type: 'TagNotFound' } });

  await call('POST', '/v2.0/subnets', { subnet: { network_id: id, cidr: '10.0.0.0/24', ip_version: 4 } });
  await call('POST', '/v2.0/ports', { port: { network_id: id, fixed_ips: [{ ip_address: '10.0.0.77' }] } });
  const ports = async (query: string) => (await call('GET', `/v2.0/ports?${query}`)).json().ports.length;
  t.equal(await ports('fixed_ips=ip_address=10.0.0.77'), 1);
  t.equal(await ports('fixed_ips=ip_address=10.0.0.78'), 0);
  t.equal(await ports(`network_id=${id}`), 2);
  t.equal(await ports('device_owner=network:dhcp'), 1);
});

void t.test('refusals carry Neutron’s types and statuses', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call } = caller(cloud);
  const { network } = (await call('POST', '/v2.0/networks', { network: {} })).json();
  await call('POST', '/v2.0/subnets', { subnet: { network_id: network.id, cidr: '10.0.0.0/24', ip_version: 4 } });
  const cases: readonly [string, string, unknown, number, string][] = [
    ['GET', '/v2.0/networks/none', undefined, 404, 'NetworkNotFound'],
    ['POST', '/v2.0/subnets', { subnet: { network_id: unknownId, cidr: '10.0.0.0/24' } }, 404, 'NetworkNotFound'],
    ['POST', '/v2.0/subnets', { subnet: { network_id: 'none', cidr: '10.0.0.0/24' } }, 400, 'HTTPBadRequest'],
    ['POST', '/v2.0/subnets', { subnet: { network_id: network.id, cidr: '10.0.0.0/8' } }, 400, 'InvalidInput'],
    ['POST', '/v2.0/networks', { network: { shared: true } }, 403, 'PolicyNotAuthorized'],
    ['POST', '/v2.0/networks', { network: { surprise: 1 } }, 400, 'HTTPBadRequest'],
    ['POST', '/v2.0/networks', {}, 400, 'HTTPBadRequest'],
    ['POST', '/v2.0/floatingips', { floatingip: { floating_network_id: network.id } }, 400, 'BadRequest'],
    ['PUT', '/v2.0/routers/none/add_router_interface', { subnet_id: unknownId }, 404, 'RouterNotFound'],
    ['GET', '/v2.0/agents/none', undefined, 404, 'AgentNotFound'],
    ['GET', '/v2.0/extensions/none', undefined, 404, 'HTTPNotFound'],
    ['GET', '/v2.0/extensions/constructor', undefined, 404, 'HTTPNotFound'],
  ];
  for (const [method, path, body, status, type] of cases) {
    const answer = await call(method, path, body);
    t.equal(answer.statusCode, status, `${method} ${path}`);
    t.match(answer.json(), { NeutronError: { type, message: String, detail: '' } }, `${method} ${path}`);
  }
  const admin = caller(cloud, cloud.gateway.token);
  await admin.call('PUT', `/v2.0/quotas/${cloud.memberProjectId}`, { quota: { network: 1 } });
  const over = await call('POST', '/v2.0/networks', { network: {} });
  t.equal(over.statusCode, 409);
  t.equal(over.json().NeutronError.type, 'OverQuota');
});

void t.test('routers and floating IPs from end to end', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const admin = caller(cloud, cloud.gateway.token);
  const { call } = caller(cloud);
  const external = (await admin.call('POST', '/v2.0/networks', { network: { 'router:external': true } })).json()
    .network;
  await admin.call('POST', '/v2.0/subnets', { subnet: { network_id: external.id, cidr: '198.51.100.0/24' } });
  const { network } = (await call('POST', '/v2.0/networks', { network: {} })).json();
  const { subnet } = (
    await call('POST', '/v2.0/subnets', { subnet: { network_id: network.id, cidr: '10.0.0.0/24' } })
  ).json();
  const { router } = (
    await call('POST', '/v2.0/routers', { router: { external_gateway_info: { network_id: external.id } } })
  ).json();
  t.match(router.external_gateway_info, { network_id: external.id, enable_snat: true });
  const added = await call('PUT', `/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
  t.equal(added.statusCode, 200);
  t.match(added.json(), { id: router.id, subnet_id: subnet.id, subnet_ids: [subnet.id], port_id: String });
  const { port } = (await call('POST', '/v2.0/ports', { port: { network_id: network.id } })).json();
  const { floatingip } = (
    await call('POST', '/v2.0/floatingips', { floatingip: { floating_network_id: external.id, port_id: port.id } })
  ).json();
  t.match(floatingip, { status: 'ACTIVE', router_id: router.id, fixed_ip_address: port.fixed_ips[0].ip_address });
  const freed = await call('PUT', `/v2.0/floatingips/${floatingip.id}`, { floatingip: { port_id: null } });
  t.match(freed.json().floatingip, { port_id: null, router_id: null, status: 'DOWN' });
  t.equal((await call('DELETE', `/v2.0/floatingips/${floatingip.id}`)).statusCode, 204);
  const inUse = await call('DELETE', `/v2.0/routers/${router.id}`);
  t.equal(inUse.statusCode, 409);
  t.equal(inUse.json().NeutronError.type, 'RouterInUse');
  await call('PUT', `/v2.0/routers/${router.id}/remove_router_interface`, { subnet_id: subnet.id });
  const cleared = await call('PUT', `/v2.0/routers/${router.id}`, { router: { external_gateway_info: {} } });
  t.equal(cleared.json().router.external_gateway_info, null);
  t.equal((await call('DELETE', `/v2.0/routers/${router.id}`)).statusCode, 204);
});

void t.test('a list of groups shows the default one, and rules come and go', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call } = caller(cloud);
  await call('GET', '/v2.0/security-groups');
  const { security_groups: groups } = (await call('GET', '/v2.0/security-groups?name=default')).json();
  t.equal(groups.length, 1);
  t.equal(groups[0].security_group_rules.length, 4);
  const made = await call('POST', '/v2.0/security-group-rules', {
    security_group_rule: {
      security_group_id: groups[0].id,
      direction: 'ingress',
      protocol: 'tcp',
      port_range_min: '22',
      port_range_max: 22,
    },
  });
  t.equal(made.statusCode, 201);
  t.match(made.json().security_group_rule, { ethertype: 'IPv4', port_range_min: 22, remote_ip_prefix: null });
  const id = made.json().security_group_rule.id;
  t.equal((await call('GET', `/v2.0/security-group-rules/${id}`)).statusCode, 200);
  t.equal((await call('DELETE', `/v2.0/security-group-rules/${id}`)).statusCode, 204);
  t.equal((await call('DELETE', `/v2.0/security-groups/${groups[0].id}`)).statusCode, 409);
});

void t.test('what is there is said without a token, and what one reads without a quorum is marked', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const versions = await cloud.gateway.call('GET', '/networking/', { token: null });
  t.same(
    versions.json().versions.map((version: { id: string }) => version.id),
    ['v2.0'],
  );
  const aliases = (await caller(cloud).call('GET', '/v2.0/extensions')).json().extensions;
  t.ok(aliases.some((extension: { alias: string }) => extension.alias === 'router'));
  cloud.world.state.available = false;
  for (const path of ['networks', 'security-groups', 'ports']) {
    const stale = await caller(cloud).call('GET', `/v2.0/${path}`);
    t.equal(stale.statusCode, 200, path);
    t.ok(stale.headers['x-shoal-stale'], path);
  }
  const refused = await caller(cloud).call('POST', '/v2.0/networks', { network: {} });
  t.equal(refused.statusCode, 503);
  t.ok(refused.json().NeutronError);
});
