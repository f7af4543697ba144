/** What a body may say, as Neutron reads it: text for numbers, sets that are no lists, and its words where it refuses. */
import t from 'tap';
import { type Cloud, startCloud } from '../cloud.ts';

const unknownId = '00000000-0000-4000-8000-00000000dead';

function caller(cloud: Cloud, token = cloud.memberToken) {
  const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    cloud.gateway.call(method, `/networking/v2.0/${path}`, {
      token,
      ...(body === undefined ? {} : { body }),
      ...(headers === undefined ? {} : { headers }),
    });
  return {
    call,
    /** The one thing that a 2xx answer holds. */
    async get(method: string, path: string, body?: unknown) {
      const answer = await call(method, path, body);
      if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${answer.body}`);
      const [first] = Object.values(answer.json());
      return JSON.parse(JSON.stringify(first));
    },
    async refusal(method: string, path: string, body?: unknown): Promise<string> {
      const answer = await call(method, path, body);
      const { type, message } = answer.json().NeutronError ?? {};
      return `${answer.statusCode} ${type}: ${message}`;
    },
  };
}

void t.test('api 19: numbers and booleans may come as text, in every resource', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const admin = caller(cloud, cloud.gateway.token);
  const network = await admin.get('POST', 'networks', {
    network: {
      mtu: '1400',
      'provider:segmentation_id': '4242',
      admin_state_up: 'true',
      shared: 'False',
      port_security_enabled: 0,
      is_default: 'no',
    },
  });
  t.match(network, {
    mtu: 1400,
    'provider:segmentation_id': 4242,
    admin_state_up: true,
    shared: false,
    port_security_enabled: false,
  });
  t.equal((await admin.get('PUT', `networks/${network.id}`, { network: { mtu: ' 1300 ' } })).mtu, 1300);
  const subnet = await admin.get('POST', 'subnets', {
    subnet: { network_id: network.id, cidr: '10.0.0.0/24', ip_version: '4', enable_dhcp: 'off' },
  });
  t.match(subnet, { ip_version: 4, enable_dhcp: false });
  const port = await admin.get('POST', 'ports', { port: { network_id: network.id, admin_state_up: 'n' } });
  t.equal(port.admin_state_up, false);
  const router = await admin.get('POST', 'routers', { router: { admin_state_up: '0', distributed: 'true', ha: '0' } });
  t.match(router, { admin_state_up: false, distributed: true, ha: false });
  const group = await admin.get('POST', 'security-groups', { security_group: { name: 'g', stateful: 'True' } });
  const rule = await admin.get('POST', 'security-group-rules', {
    security_group_rule: {
      security_group_id: group.id,
      direction: 'ingress',
      protocol: 6,
      port_range_min: '22',
      port_range_max: ' 23',
      ethertype: 'ipv4',
    },
  });
  t.match(rule, { protocol: '6', port_range_min: 22, port_range_max: 23, ethertype: 'IPv4' });
  const quota = await admin.get('PUT', `quotas/${cloud.memberProjectId}`, { quota: { network: '7' } });
  t.equal(quota.network, 7);
  for (const [mtu, why] of [
    ['wide', "'wide' is not an integer"],
    ['1400.5', "'1400.5' is not an integer"],
    [true, "'true' is not an integer"],
    [-1, "'-1' is too small - must be at least '0'"],
  ] as const) {
    t.equal(
      await admin.refusal('POST', 'networks', { network: { mtu } }),
      `400 HTTPBadRequest: Invalid input for mtu. Reason: ${why}.`,
    );
  }
  t.equal(
    await admin.refusal('POST', 'networks', { network: { admin_state_up: 'maybe' } }),
    "400 HTTPBadRequest: Invalid input for admin_state_up. Reason: 'maybe' cannot be converted to boolean.",
  );
});

void t.test('api 6: a refusal says what is wrong with which attribute, and never quotes a schema', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { refusal, get } = caller(cloud);
  const { id } = await get('POST', 'networks', { network: {} });
  const cases: readonly [string, string, unknown, RegExp][] = [
    ['POST', 'networks', undefined, /Resource body required/],
    ['POST', 'networks', { net: {} }, /Unable to find 'network' in request body/],
    ['POST', 'networks', { networks: [] }, /Resources required/],
    ['POST', 'networks', { network: { status: 'UP' } }, /Attribute 'status' not allowed in POST/],
    ['PUT', `networks/${id}`, { network: { id: unknownId } }, /Cannot update read-only attribute id/],
    ['PUT', `networks/${id}`, { network: { tenant_id: 'x' } }, /Cannot update read-only attribute tenant_id/],
    ['POST', 'networks', { network: { colour: 1, taste: 2 } }, /Unrecognized attribute\(s\) 'colour, taste'/],
    ['POST', 'networks', { network: { name: null } }, /Invalid input for name. Reason: 'null' is not a valid string/],
    ['POST', 'networks', { network: { name: 'n'.repeat(256) } }, /exceeds maximum length of 255/],
    ['POST', 'subnets', { subnet: { cidr: '10.0.0.0/24' } }, /Required attribute 'network_id' not specified/],
    ['POST', 'routers', { router: { distributed: false } }, /Invalid input for distributed. Reason: every router/],
    ['POST', 'routers', { router: { ha: true } }, /Invalid input for ha. Reason: a distributed router/],
    ['POST', 'routers', { router: { external_gateway_info: { color: 1 } } }, /Unexpected keys supplied: color/],
    ['POST', 'ports', { port: { network_id: id, 'binding:vnic_type': 'direct' } }, /only vnic_type 'normal'/],
    ['POST', 'ports', { port: { network_id: id, 'binding:profile': { a: 1 } } }, /binding profiles are not served/],
    ['POST', 'ports', { port: { network_id: id, extra_dhcp_opts: [{}] } }, /extra DHCP options are not served/],
    ['POST', 'networks', { network: { shared: true } }, /\(rule:create_network:shared\) is disallowed by policy/],
    ['PUT', `networks/${id}`, { network: { shared: true } }, /\(rule:update_network:shared\)/],
    ['POST', 'networks', { network: { 'provider:network_type': 'vxlan' } }, /create_network:provider:network_type/],
    ['PUT', `quotas/${cloud.memberProjectId}`, { quota: { network: 1 } }, /update_quota/],
  ];
  for (const [method, path, body, expected] of cases) {
    const refused = await refusal(method, path, body);
    t.match(refused, expected, `${method} ${path} ${JSON.stringify(body)}`);
    t.notMatch(refused, /must be equal to constant|none of what is allowed|Policy does not allow admin/, refused);
    t.match(refused, /^40[03]/, refused);
  }
  const admin = caller(cloud, cloud.gateway.token);
  t.match(
    await admin.refusal('PUT', `quotas/${cloud.memberProjectId}`, { quota: { vip: 1 } }),
    /400 HTTPBadRequest: Unrecognized attribute\(s\) 'vip'/,
  );
});

void t.test('B10: explicit addresses are matched first, and the same twice is refused', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { get, refusal } = caller(cloud);
  const { id } = await get('POST', 'networks', { network: {} });
  const subnet = await get('POST', 'subnets', { subnet: { network_id: id, cidr: '10.0.0.0/24' } });
  const any = { subnet_id: subnet.id };
  const port = await get('POST', 'ports', { port: { network_id: id } });
  const held = port.fixed_ips[0].ip_address;
  const both = await get('PUT', `ports/${port.id}`, { port: { fixed_ips: [any, { ...any, ip_address: held }] } });
  const ips = both.fixed_ips.map((fixed: { ip_address: string }) => fixed.ip_address);
  t.equal(ips[1], held, 'in the order asked for');
  t.not(ips[0], held);
  t.equal(new Set(ips).size, 2);
  for (const fixed_ips of [
    [{ ip_address: held }, { ...any, ip_address: held }],
    [any, { ip_address: '10.0.0.77' }, { ip_address: '10.0.0.77' }],
  ]) {
    t.match(
      await refusal('PUT', `ports/${port.id}`, { port: { fixed_ips } }),
      /^400 HTTPBadRequest: Invalid input for fixed_ips. Reason: Duplicate IP address/,
    );
  }
  const kept = await get('PUT', `ports/${port.id}`, { port: { fixed_ips: [any] } });
  t.ok(ips.includes(kept.fixed_ips[0].ip_address), 'one that it has is kept');
});

void t.test('B11: sets hold each member once, and a route goes to a prefix', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { get, refusal } = caller(cloud);
  const { id } = await get('POST', 'networks', { network: {} });
  const subnet = await get('POST', 'subnets', { subnet: { network_id: id, cidr: '10.0.0.0/24' } });
  const port = await get('POST', 'ports', { port: { network_id: id } });
  const router = await get('POST', 'routers', { router: {} });
  await cloud.gateway.call('PUT', `/networking/v2.0/routers/${router.id}/add_router_interface`, {
    token: cloud.memberToken,
    body: { subnet_id: subnet.id },
  });
  const route = { destination: '10.97.0.0/24', nexthop: '10.0.0.9' };
  const pair = { ip_address: '10.0.0.200' };
  const cases: readonly [string, unknown, RegExp][] = [
    [`ports/${port.id}`, { port: { allowed_address_pairs: [pair, pair] } }, /DuplicateAddressPairInRequest/],
    [
      `ports/${port.id}`,
      { port: { allowed_address_pairs: [pair, { ...pair, mac_address: port.mac_address }] } },
      /DuplicateAddressPairInRequest/,
    ],
    [`ports/${port.id}`, { port: { allowed_address_pairs: [{}] } }, /AllowedAddressPairsMissingIP/],
    [`ports/${port.id}`, { port: { allowed_address_pairs: [{ ip_address: '224.0.0.18' }] } }, /multicast/],
    [`ports/${port.id}`, { port: { allowed_address_pairs: [{ ip_address: '10.0.0.0/33' }] } }, /not a valid IP subnet/],
    [`subnets/${subnet.id}`, { subnet: { dns_nameservers: ['9.9.9.9', '9.9.9.9'] } }, /Duplicate nameserver/],
    [`subnets/${subnet.id}`, { subnet: { dns_nameservers: ['ns'] } }, /is not a valid nameserver/],
    [`subnets/${subnet.id}`, { subnet: { host_routes: [route, route] } }, /Duplicate hostroute/],
    [
      `subnets/${subnet.id}`,
      { subnet: { host_routes: [{ ...route, destination: '10.97.0.9/24' }] } },
      /not a valid CIDR/,
    ],
    [`routers/${router.id}`, { router: { routes: [route, route] } }, /Duplicate hostroute/],
    [`routers/${router.id}`, { router: { routes: [{ ...route, destination: '10.97.0.9/24' }] } }, /not a valid CIDR/],
    [`routers/${router.id}`, { router: { routes: [{ ...route, destination: '127.0.0.0/8' }] } }, /not a routable CIDR/],
  ];
  for (const [path, body, expected] of cases) {
    const refused = await refusal('PUT', path, body);
    t.match(refused, expected, JSON.stringify(body));
    t.match(refused, /^400/, refused);
  }
  const given = { ip_address: '10.0.0.200', mac_address: 'fa:16:3e:00:00:99' };
  const paired = await get('PUT', `ports/${port.id}`, { port: { allowed_address_pairs: [pair, given] } });
  t.same(paired.allowed_address_pairs, [{ ...pair, mac_address: port.mac_address }, given]);
});

void t.test('B13, api 21: rules are refused where Neutron refuses them, in its words', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { get, refusal } = caller(cloud);
  const { id } = await get('POST', 'security-groups', { security_group: { name: 'g' } });
  const rule = (fields: object) => ({
    security_group_rule: { security_group_id: id, direction: 'ingress', ...fields },
  });
  const ports = (min: number | string | null, max: number | string | null) => ({
    port_range_min: min,
    port_range_max: max,
  });
  const cases: readonly [object, string][] = [
    [{ protocol: 'tcp', ...ports(-1, -1) }, 'SecurityGroupInvalidPortValue: Invalid value for port -1'],
    [{ protocol: 'tcp', ...ports(0, 0) }, 'SecurityGroupInvalidPortValue: Invalid value for port 0'],
    [{ protocol: 'udp', ...ports(0, 5) }, 'SecurityGroupInvalidPortValue: Invalid value for port 0'],
    [{ protocol: 'tcp', ...ports(1, 65536) }, 'SecurityGroupInvalidPortValue: Invalid value for port 65536'],
    [{ protocol: 'tcp', ...ports(22, null) }, 'SecurityGroupInvalidPortRange'],
    [{ protocol: 'icmpv6' }, 'SecurityGroupEthertypeConflictWithProtocol: Invalid ethertype IPv4 for protocol icmpv6.'],
    [{ protocol: '58' }, 'SecurityGroupEthertypeConflictWithProtocol'],
    [{ protocol: 'ipv6-nonxt' }, 'SecurityGroupEthertypeConflictWithProtocol'],
    [
      { protocol: 'icmp', ...ports(256, null) },
      'SecurityGroupInvalidIcmpValue: Invalid value for ICMP type (port_range_min) 256. It must be 0 to 255.',
    ],
    [
      { protocol: 'icmp', ...ports(8, 256) },
      'SecurityGroupInvalidIcmpValue: Invalid value for ICMP code (port_range_max) 256. It must be 0 to 255.',
    ],
    [
      { protocol: 'icmp', ...ports(null, 0) },
      'SecurityGroupMissingIcmpType: ICMP code (port-range-max) 0 is provided but ICMP type (port-range-min) is missing.',
    ],
    [{ protocol: 'esp', ...ports(1, 2) }, 'SecurityGroupInvalidProtocolForPort'],
    [{ protocol: 'nothing' }, 'SecurityGroupRuleInvalidProtocol'],
    [{ protocol: 256 }, 'SecurityGroupRuleInvalidProtocol'],
    [{ ethertype: 'IPv5' }, 'SecurityGroupRuleInvalidEtherType'],
    [{ remote_ip_prefix: 'here' }, 'InvalidCIDR'],
    [{ ethertype: 'IPv6', remote_ip_prefix: ':junk:/200' }, 'InvalidCIDR'],
    [{ remote_ip_prefix: '::/0' }, 'SecurityGroupRuleParameterConflict'],
    [
      { direction: 'sideways' },
      "HTTPBadRequest: Invalid input for direction. Reason: 'sideways' is not in ['ingress', 'egress'].",
    ],
  ];
  for (const [fields, expected] of cases) {
    const refused = await refusal('POST', 'security-group-rules', rule(fields));
    t.ok(refused.startsWith(`400 ${expected}`), `${JSON.stringify(fields)}: ${refused}`);
  }
  const all = await get('POST', 'security-group-rules', rule({ protocol: 'tcp', ...ports(1, 65535) }));
  t.match(all, { port_range_min: null, port_range_max: null }, 'all ports are no ports');
  const six = await get('POST', 'security-group-rules', rule({ protocol: 'icmp', ethertype: 'IPv6' }));
  t.equal(six.protocol, 'ipv6-icmp');
  const wide = await get('POST', 'security-group-rules', rule({ remote_ip_prefix: '10.0.0.9/24' }));
  t.match(wide, { remote_ip_prefix: '10.0.0.9/24', normalized_cidr: '10.0.0.0/24' });
  t.match(await refusal('POST', 'security-groups', { security_group: { name: 'DEFAULT' } }), /^409/);
});

void t.test('B14, api 5, api 20: a router’s gateway and its routes', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const admin = caller(cloud, cloud.gateway.token);
  const { get, refusal, call } = caller(cloud);
  const external = await admin.get('POST', 'networks', { network: { 'router:external': true } });
  const router = await get('POST', 'routers', { router: { external_gateway_info: { network_id: external.id } } });
  t.match(router.external_gateway_info, { network_id: external.id, external_fixed_ips: [] }, 'before it has a subnet');
  const allocation_pools = [{ start: '198.51.100.2', end: '198.51.100.200' }];
  await admin.get('POST', 'subnets', {
    subnet: { network_id: external.id, cidr: '198.51.100.0/24', allocation_pools },
  });
  const { external_gateway_info: gateway } = await get('GET', `routers/${router.id}`);
  t.match(gateway.external_fixed_ips, [{ ip_address: /^198\.51\.100\./ }], 'and once it has one');
  t.same(await get('GET', 'subnets'), [], 'a member does not see the subnets of an external network');
  const network = await get('POST', 'networks', { network: {} });
  const subnet = await get('POST', 'subnets', { subnet: { network_id: network.id, cidr: '10.0.0.0/24' } });
  await call('PUT', `routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
  const routesBy = (nexthop: string) => ({ router: { routes: [{ destination: '10.97.0.0/24', nexthop }] } });
  for (const own of ['10.0.0.1', gateway.external_fixed_ips[0].ip_address]) {
    t.match(await refusal('PUT', `routers/${router.id}`, routesBy(own)), /^400 InvalidRoutes: .*used by router/);
  }
  t.match(await refusal('PUT', `routers/${router.id}`, routesBy('10.1.0.9')), /^400 InvalidRoutes: .*not connected/);
  for (const nexthop of ['198.51.100.254', '10.0.0.9']) {
    t.equal((await get('PUT', `routers/${router.id}`, routesBy(nexthop))).routes[0].nexthop, nexthop);
  }
  const more = { destination: '10.98.0.0/24', nexthop: '10.0.0.7' };
  const reroute = async (verb: string, routes: object[]) =>
    (await get('PUT', `routers/${router.id}/${verb}_extraroutes`, { router: { routes } })).routes;
  t.equal((await reroute('add', [more])).length, 2, 'the other route stays');
  t.equal((await reroute('add', [more])).length, 2, 'again');
  t.match(
    await refusal('PUT', `routers/${router.id}/add_extraroutes`, {
      router: { routes: [{ destination: '10.99.0.0/24', nexthop: '10.1.0.9' }] },
    }),
    /^400 InvalidRoutes/,
  );
  const left = await reroute('remove', [more, { destination: '10.99.0.0/24', nexthop: '10.0.0.1' }]);
  t.same(left, [{ destination: '10.97.0.0/24', nexthop: '10.0.0.9' }], 'one that is not there is no error');
  const inUse = await call('PUT', `routers/${router.id}/remove_router_interface`, { subnet_id: subnet.id });
  t.equal(inUse.json().NeutronError.type, 'RouterInterfaceInUseByRoute');
  t.same((await get('PUT', `routers/${router.id}`, { router: { routes: null } })).routes, [], 'null is none');
  t.equal(
    (await call('PUT', `routers/${router.id}/remove_router_interface`, { subnet_id: subnet.id })).statusCode,
    200,
  );
});

void t.test('api 20: no DHCP, no DHCP port; and members see no agents', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { get } = caller(cloud);
  const network = await get('POST', 'networks', { network: {} });
  const subnet = await get('POST', 'subnets', {
    subnet: { network_id: network.id, cidr: '10.0.0.0/24', enable_dhcp: false },
  });
  const dhcpPorts = () => get('GET', `ports?network_id=${network.id}&device_owner=network:dhcp`);
  t.same(await dhcpPorts(), []);
  await get('PUT', `subnets/${subnet.id}`, { subnet: { enable_dhcp: true } });
  t.equal((await dhcpPorts()).length, 1);
  await get('PUT', `subnets/${subnet.id}`, { subnet: { enable_dhcp: false } });
  t.same(await dhcpPorts(), []);
  t.same(await get('GET', 'agents'), []);
  t.equal((await caller(cloud, cloud.gateway.token).get('GET', 'agents')).length, 2);
});

void t.test('api 5: If-Match: revision_number lets a change through only while nothing has changed', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { get, call } = caller(cloud);
  const network = await get('POST', 'networks', { network: { name: 'one' } });
  const rename = (name: string, match: string) =>
    call('PUT', `networks/${network.id}`, { network: { name } }, { 'if-match': match });
  const wrong = await rename('two', 'revision_number=99999');
  t.equal(wrong.statusCode, 412);
  t.match(wrong.json().NeutronError, { type: 'RevisionNumberConstraintFailed', message: /current revision is \d+/ });
  t.equal((await get('GET', `networks/${network.id}`)).name, 'one');
  t.equal((await rename('two', `revision_number=${network.revision_number}`)).statusCode, 200);
  t.equal((await rename('three', `"revision_number=${network.revision_number}"`)).statusCode, 412, 'it has changed');
  t.equal((await rename('three', 'revision_number=x')).statusCode, 400);
  const remove = (match: string) => call('DELETE', `networks/${network.id}`, undefined, { 'if-match': match });
  t.equal((await remove(`revision_number=${network.revision_number}`)).statusCode, 412);
  const { revision_number: now } = await get('GET', `networks/${network.id}`);
  t.equal((await remove(`revision_number=${now}`)).statusCode, 204);
});

void t.test('G9: a network’s MTU is that of its wires', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const admin = caller(cloud, cloud.gateway.token);
  const external = await admin.get('POST', 'networks', { network: { 'router:external': true } });
  t.equal(external.mtu, 1500);
  t.match(await admin.refusal('PUT', `networks/${external.id}`, { network: { mtu: 1600 } }), /MTU is too big/);
  const tenant = await admin.get('POST', 'networks', { network: {} });
  t.equal(tenant.mtu, 1450);
  t.match(await admin.refusal('PUT', `networks/${tenant.id}`, { network: { mtu: 1451 } }), /MTU is too big/);
  t.equal((await admin.get('PUT', `networks/${tenant.id}`, { network: { mtu: 0 } })).mtu, 1450, '0 is the largest');
});
