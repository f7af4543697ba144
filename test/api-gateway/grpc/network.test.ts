import t from 'tap';
import type { MethodSpec } from '../../../node/rpc/service.ts';
import { methodsOf } from '../../../node/rpc/service.ts';
import { transact } from '../../../node/services/kit/transact.ts';
import { portTable, serverTable } from '../../../node/state/tables/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { addExternal } from '../../node/services/world.ts';
import { GrpcKnocker } from '../../security/support/native-methods.ts';
import { as, startGrpcGateway } from '../../support/grpc-gateway.ts';

async function started(t: { teardown(clean: () => Promise<void>): void }) {
  const gateway = await startGrpcGateway();
  t.teardown(() => gateway.stop());
  return { ...gateway, calls: gateway.client.calls(shoal.v1.NetworkService) };
}

/** A network of alice's with a router to the outside, a port on it, a floating IP that leads there, and a group. */
async function builtUp(t: { teardown(clean: () => Promise<void>): void }) {
  const gateway = await started(t);
  const { calls, world } = gateway;
  const external = await addExternal(world);
  const alice = as('alice');
  const { network } = await calls.createNetwork({ name: 'net', description: 'first' }, alice);
  const networkId = network?.id ?? '';
  const { subnet } = await calls.createSubnet(
    { networkId, cidr: '10.1.0.0/24', dnsNameservers: ['192.0.2.53'] },
    alice,
  );
  const subnetId = subnet?.id ?? '';
  const { router } = await calls.createRouter(
    { name: 'r', externalGatewayInfo: { networkId: external.network.id } },
    alice,
  );
  const routerId = router?.id ?? '';
  const { port: gatewayPort } = await calls.addRouterInterface({ routerId, subnetId }, alice);
  const { port } = await calls.createPort({ networkId, fixedIps: { values: [{ ipAddress: '10.1.0.77' }] } }, alice);
  const portId = port?.id ?? '';
  const { floatingIp } = await calls.createFloatingIp({ floatingNetworkId: external.network.id, portId }, alice);
  const { securityGroup } = await calls.createSecurityGroup({ name: 'web' }, alice);
  const securityGroupId = securityGroup?.id ?? '';
  const { securityGroupRule } = await calls.createSecurityGroupRule(
    { securityGroupId, direction: 'ingress', protocol: 'tcp', portRangeMin: 80, portRangeMax: 443 },
    alice,
  );
  const made = { network, subnet, router, port, gatewayPort, floatingIp, securityGroup, securityGroupRule };
  const ids = {
    networkId,
    subnetId,
    routerId,
    portId,
    floatingIpId: floatingIp?.id ?? '',
    securityGroupId,
    securityGroupRuleId: securityGroupRule?.id ?? '',
  };
  return { ...gateway, external, made, ids };
}

void t.test('a network, its ports, router and floating IP are made and deleted again', async (t) => {
  const { calls, made, ids, external } = await builtUp(t);
  const alice = as('alice');
  t.match(made.network, { name: 'net', projectId: 'alice-project', adminStateUp: true, external: false, mtu: 1450 });
  t.match(made.network, { providerNetworkType: '', providerSegmentationId: 0 }, 'which wires, is for administrators');
  t.match(made.subnet, { gatewayIp: '10.1.0.1', enableDhcp: true, dnsNameservers: ['192.0.2.53'] });
  t.match(made.gatewayPort, { deviceId: ids.routerId, fixedIps: [{ ipAddress: '10.1.0.1', subnetId: ids.subnetId }] });
  t.match(made.router, { externalGatewayInfo: { networkId: external.network.id, enableSnat: true } });
  t.equal(made.router?.externalGatewayInfo?.externalFixedIps?.length, 1);
  t.match(made.port, { fixedIps: [{ ipAddress: '10.1.0.77' }], portSecurityEnabled: true, status: 'DOWN' });
  t.equal(made.port?.securityGroups.length, 1, 'the default group');
  t.match(made.floatingIp, { status: 'ACTIVE', fixedIpAddress: '10.1.0.77', routerId: ids.routerId });
  t.match(made.securityGroupRule, { ethertype: 'IPv4', portRangeMin: 80, portRangeMax: 443, remoteIpPrefix: '' });
  const { network } = await calls.getNetwork(ids, as('root'));
  t.match(network, { providerNetworkType: 'vxlan', subnetIds: [ids.subnetId] });
  t.ok((network?.providerSegmentationId ?? 0) > 0);
  const { securityGroup } = await calls.getSecurityGroup(ids, alice);
  t.equal(securityGroup?.securityGroupRules.length, 3, 'two that every new group has, and the new one');
  t.ok(securityGroup?.securityGroupRules.some(({ portRangeMin }) => portRangeMin === null));

  await t.rejects(calls.deleteNetwork(ids, alice), { code: 'CONFLICT' });
  await t.rejects(calls.removeRouterInterface(ids, alice), { code: 'NOT_FOUND' }, 'the port is no interface');
  const { routerId, subnetId } = ids;
  await t.rejects(calls.removeRouterInterface({ routerId, subnetId }, alice), { code: 'CONFLICT' });
  t.match(await calls.updateFloatingIp({ floatingIpId: ids.floatingIpId, portId: '' }, alice), {
    floatingIp: { portId: '', status: 'DOWN', fixedIpAddress: '' },
  });
  await calls.deleteFloatingIp(ids, alice);
  await calls.removeRouterInterface({ routerId, subnetId }, alice);
  t.match(await calls.updateRouter({ routerId, externalGatewayInfo: {} }, alice), {
    router: { externalGatewayInfo: null, name: 'r' },
  });
  await calls.deleteRouter(ids, alice);
  await calls.deletePort(ids, alice);
  await calls.deleteSubnet(ids, alice);
  await calls.deleteNetwork(ids, alice);
  await calls.deleteSecurityGroupRule(ids, alice);
  await calls.deleteSecurityGroup(ids, alice);
  await t.rejects(calls.getNetwork(ids, alice), { code: 'NOT_FOUND' });
});

void t.test('a change leaves what is not set, and empties what is set to nothing', async (t) => {
  const { calls, ids } = await builtUp(t);
  const alice = as('alice');
  const { networkId, subnetId, portId, routerId, securityGroupId } = ids;
  const { network } = await calls.updateNetwork({ networkId, name: '', tags: { values: ['x', 'x', 'y'] } }, alice);
  t.match(network, { name: '', description: 'first', tags: ['x', 'y'] });
  t.match(await calls.updateNetwork({ networkId, tags: { values: [] } }, alice), { network: { tags: [] } });
  t.match(await calls.updateSubnet({ subnetId, name: 's', enableDhcp: false }, alice), {
    subnet: { name: 's', enableDhcp: false, dnsNameservers: ['192.0.2.53'], gatewayIp: '10.1.0.1' },
  });
  const hostRoutes = { values: [{ destination: '10.9.0.0/16', nexthop: '10.1.0.9' }] };
  t.match(await calls.updateSubnet({ subnetId, dnsNameservers: { values: [] }, hostRoutes }, alice), {
    subnet: { dnsNameservers: [], hostRoutes: [{ destination: '10.9.0.0/16', nexthop: '10.1.0.9' }] },
  });
  const { port } = await calls.updatePort({ portId, securityGroups: { values: [securityGroupId] } }, alice);
  t.strictSame(port?.securityGroups, [securityGroupId]);
  const pairs = { values: [{ ipAddress: '10.1.0.200' }] };
  t.match(await calls.updatePort({ portId, allowedAddressPairs: pairs }, alice), {
    port: { allowedAddressPairs: [{ ipAddress: '10.1.0.200', macAddress: port?.macAddress }] },
  });
  const bare = { portId, securityGroups: { values: [] }, allowedAddressPairs: { values: [] } };
  t.match(await calls.updatePort(bare, alice), { port: { securityGroups: [], allowedAddressPairs: [] } });
  const routes = { values: [{ destination: '10.8.0.0/16', nexthop: '10.1.0.8' }] };
  t.match(await calls.updateRouter({ routerId, routes }, alice), { router: { routes: [{ nexthop: '10.1.0.8' }] } });
  t.match(await calls.updateSecurityGroup({ securityGroupId, description: 'd' }, alice), {
    securityGroup: { name: 'web', description: 'd' },
  });
  const { network: second } = await calls.createNetwork({}, alice);
  const without = { networkId: second?.id ?? '', cidr: '10.2.0.0/24', gatewayIp: '' };
  const none = await calls.createSubnet(without, alice);
  t.equal(none.subnet?.gatewayIp, '', 'an empty gateway is none');
});

void t.test('a subnet of IPv6 says so', async (t) => {
  const { calls } = await started(t);
  const alice = as('alice');
  const { network } = await calls.createNetwork({ name: 'net' }, alice);
  const networkId = network?.id ?? '';
  const asked = { networkId, cidr: 'fd00:a::/64', ipVersion: 6, ipv6AddressMode: 'dhcpv6-stateful' };
  const { subnet } = await calls.createSubnet(asked, alice);
  t.match(subnet, { ipVersion: 6, ipv6AddressMode: 'dhcpv6-stateful', ipv6RaMode: '', gatewayIp: 'fd00:a::1' });
  const { port } = await calls.createPort({ networkId }, alice);
  t.match(port?.fixedIps, [{ ipAddress: /^fd00:a::/ }]);
  await t.rejects(calls.createSubnet({ ...asked, cidr: 'fd00:b::/64', ipVersion: 4 }, alice), {
    code: 'INVALID_ARGUMENT',
  });
  const auto = await calls.createSubnet(
    { ...asked, cidr: 'fd00:b::/64', ipv6AddressMode: '', ipv6RaMode: 'slaac' },
    alice,
  );
  t.match(auto.subnet, { ipv6AddressMode: '', ipv6RaMode: 'slaac' });
  const shown = await calls.getPort({ portId: port?.id ?? '' }, alice);
  t.match(shown.port?.fixedIps?.at(-1), { ipAddress: /^fd00:b::f816:3eff:fe/ });
  await t.rejects(calls.createSubnet({ ...asked, cidr: 'fd00:c::/80', ipv6AddressMode: 'slaac' }, alice), {
    code: 'INVALID_ARGUMENT',
  });
});

void t.test('what is another project’s is not there: to be shown, changed, deleted or named', async (t) => {
  const gateway = await builtUp(t);
  const { calls, ids, port: tcpPort } = gateway;
  const knocker = new GrpcKnocker(tcpPort);
  t.teardown(() => knocker.close());
  const methods: readonly MethodSpec[] = methodsOf(shoal.v1.NetworkService);
  const byId = methods.filter(({ name }) => /^(get|update|delete|add|remove)/.test(name));
  t.equal(byId.length, 22);
  for (const { path, requestSerialize } of byId) {
    const { subnetId: _one, ...withoutSubnet } = ids;
    const message = requestSerialize(path.includes('Interface') ? withoutSubnet : ids);
    t.equal((await knocker.ask(path, 'bob', message)).code, 'NOT_FOUND', path);
  }
  const bob = as('bob');
  const { networkId, subnetId, portId, routerId, securityGroupId } = ids;
  const own = (await calls.createNetwork({}, bob)).network?.id ?? '';
  await calls.createSubnet({ networkId: own, cidr: '10.3.0.0/24' }, bob);
  const notThere = { code: 'NOT_FOUND' };
  await t.rejects(calls.createSubnet({ networkId, cidr: '10.4.0.0/24' }, bob), notThere);
  await t.rejects(calls.createPort({ networkId }, bob), notThere);
  await t.rejects(calls.createPort({ networkId: own, securityGroups: { values: [securityGroupId] } }, bob), notThere);
  await t.rejects(calls.createPort({ networkId: own, fixedIps: { values: [{ subnetId }] } }, bob), {
    code: 'NOT_FOUND',
  });
  await t.rejects(calls.createPort({ networkId: own, deviceId: routerId }, bob), { code: 'CONFLICT' });
  await t.rejects(calls.createRouter({ externalGatewayInfo: { networkId } }, bob), notThere);
  const router = (await calls.createRouter({}, bob)).router?.id ?? '';
  await t.rejects(calls.addRouterInterface({ routerId: router, subnetId }, bob), notThere);
  await t.rejects(calls.addRouterInterface({ routerId: router, portId }, bob), notThere);
  const floatingNetworkId = gateway.external.network.id;
  await t.rejects(calls.createFloatingIp({ floatingNetworkId, portId }, bob), notThere);
  await t.rejects(calls.createSecurityGroupRule({ securityGroupId, direction: 'egress' }, bob), notThere);
  for (const projectId of ['alice-project']) {
    await t.rejects(calls.createNetwork({ projectId }, bob), { code: 'FORBIDDEN' });
    await t.rejects(calls.createSecurityGroup({ name: 'x', projectId }, bob), { code: 'FORBIDDEN' });
  }
  t.strictSame((await calls.listPorts({ networkId }, bob)).ports, []);
  t.strictSame((await calls.listSecurityGroupRules({ securityGroupId }, bob)).securityGroupRules, []);
  t.equal((await calls.listPorts({ networkId }, as('root'))).ports.length > 0, true, 'but for administrators');
});

void t.test('lists come in pages, and by what they are asked for', async (t) => {
  const { calls, ids } = await builtUp(t);
  const alice = as('alice');
  const seen: string[] = [];
  let pageToken = '';
  do {
    const page = await calls.listSecurityGroupRules({ pageSize: 2, pageToken }, alice);
    t.ok(page.securityGroupRules.length <= 2 && page.revision > 0);
    seen.push(...page.securityGroupRules.map(({ id }) => id));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  t.equal(new Set(seen).size, seen.length);
  t.equal(seen.length, 7, 'four of the default group, three of the other');
  const { networkId, subnetId, routerId, portId, securityGroupId } = ids;
  t.match((await calls.listNetworks({ name: 'public' }, alice)).networks, [{ external: true }]);
  t.match((await calls.listNetworks({ name: 'net' }, alice)).networks, [{ id: networkId }]);
  t.match((await calls.listSubnets({ networkId }, alice)).subnets, [{ id: subnetId }]);
  t.match((await calls.listPorts({ deviceId: routerId }, alice)).ports, [{ networkId }]);
  t.match((await calls.listRouters({ name: 'r' }, alice)).routers, [{ id: routerId }]);
  t.match((await calls.listFloatingIps({ portId }, alice)).floatingIps, [{ portId }]);
  t.strictSame((await calls.listFloatingIps({ portId: 'none' }, alice)).floatingIps, []);
  t.equal((await calls.listSecurityGroupRules({ securityGroupId }, alice)).securityGroupRules.length, 3);
  t.strictSame(
    (await calls.listSecurityGroups({}, as('bob'))).securityGroups.map(({ name }) => name),
    ['default'],
    'a list shows the default group',
  );
  await t.rejects(calls.listPorts({ pageSize: 1001 }, alice), { code: 'INVALID_ARGUMENT' });
});

void t.test('what REST refuses is refused, in this API’s names', async (t) => {
  const { calls, operator, ids } = await builtUp(t);
  const { networkId, routerId, subnetId, portId } = ids;
  const alice = as('alice');
  const refused = (work: Promise<unknown>, message: RegExp, code = 'INVALID_ARGUMENT') =>
    t.rejects(work, { code, message });
  await refused(
    calls.createNetwork({ name: 'x'.repeat(256) }, alice),
    /Invalid input for name\. .*maximum length of 255/,
  );
  await refused(calls.createNetwork({ mtu: 9 }, alice), /MTU/);
  await refused(calls.createNetwork({ shared: true }, alice), /create_network:shared/, 'FORBIDDEN');
  await refused(calls.createNetwork({ external: true }, alice), /disallowed by policy/, 'FORBIDDEN');
  const { createNetwork } = calls;
  await refused(createNetwork({ providerNetworkType: 'gre' }, as('root')), /: provider_network_type value 'gre'/);
  await refused(createNetwork({ providerSegmentationId: 0 }, as('root')), /: provider_segmentation_id out of range/);
  await refused(
    createNetwork({ external: true, providerPhysicalNetwork: 'wire' }, as('root')),
    /Unknown provider_physical_network wire/,
  );
  await refused(
    createNetwork({ providerNetworkType: 'x'.repeat(33) }, as('root')),
    /Invalid input for provider_network_type/,
  );
  await refused(calls.createSubnet({ cidr: '10.0.0.0/24' }, alice), /Required attribute 'network_id' not specified/);
  await refused(calls.createSubnet({ networkId: 'x', cidr: '10.0.0.0/24' }, alice), /network_id\. .*not a valid UUID/);
  await refused(calls.createSubnet({ networkId, cidr: '10.0.0.0/33' }, alice), /10\.0\.0\.0\/33/);
  await refused(calls.createPort({ networkId, macAddress: 'zz' }, as('root')), /mac_address/);
  await refused(calls.createPort({ networkId, deviceOwner: 'network:dhcp' }, alice), /./, 'FORBIDDEN');
  await refused(calls.updateNetwork({ networkId, tags: { values: ['a,b'] } }, alice), /tags/);
  await refused(calls.addRouterInterface({ routerId, subnetId, portId }, alice), /Either subnet_id or port_id/);
  await refused(calls.addRouterInterface({ routerId }, alice), /Either subnet_id or port_id/);
  await refused(calls.addRouterInterface({ routerId, subnetId: 'x' }, alice), /subnet_id\. .*not a valid UUID/);
  await refused(calls.createSecurityGroupRule({ ...ids, direction: 'up' }, alice), /direction/);
  await refused(calls.createSecurityGroupRule({ ...ids, direction: 'ingress', portRangeMin: 1 }, alice), /protocol/);
  const own = operator.calls(shoal.v1.NetworkService);
  const soon = { timeoutMs: 5000 };
  await refused(own.createNetwork({}, soon), /project_id is needed/);
  await refused(own.createRouter({}, soon), /project_id is needed/);
  t.match(await own.createNetwork({ projectId: 'alice-project' }, soon), { network: { projectId: 'alice-project' } });
});

void t.test('a packet is traced for operators alone: where it would go, and why it stops', async (t) => {
  const { calls, world, ids } = await builtUp(t);
  const question = { source: 'traced', destination: '10.1.0.1' };
  await t.rejects(calls.tracePacket(question, as('alice')), { code: 'FORBIDDEN' });
  await t.rejects(calls.tracePacket(question, as('root')), { code: 'NOT_FOUND', message: /no|neither/ });
  await transact(world.deps, world.alice, ({ reader, change }) => {
    const row = portTable.must(reader, ids.portId);
    serverTable.insert(
      change,
      new shoal.v1.Server({ id: 'traced', name: 'traced', projectId: row.record.projectId, portIds: [ids.portId] }),
    );
    portTable.update(
      change,
      row,
      new shoal.v1.Port({ ...row.record, deviceId: 'traced', deviceOwner: 'compute:nova' }),
    );
  });
  t.match(await calls.tracePacket(question, as('root')), {
    end: 'stopped',
    steps: [{ hostName: '', table: 'guest', passes: false, detail: /is on no host/, recordId: 'traced' }],
    stale: false,
  });
  await t.rejects(calls.tracePacket({ ...question, protocol: 'gre' }, as('root')), { code: 'INVALID_ARGUMENT' });
});
