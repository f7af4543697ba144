/** Subnets of IPv6: records, addresses, and what a host and a guest are told of them. */
import t from 'tap';
import type { HostId } from '../../../../node/base/ids.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { hostNetworkView } from '../../../../node/services/network/host-view.ts';
import { serverMetadata } from '../../../../node/services/network/metadata.ts';
import type { SubnetDraft } from '../../../../node/services/network/subnets.ts';
import { portTable, serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { addExternal, addHost, addNetwork, makeWorld, refusalOf, type World } from '../world.ts';

const host = (number: number): HostId => `${number}`.repeat(32) as HostId;

async function addSubnet(world: World, networkId: string, draft: Partial<SubnetDraft> = {}): Promise<shoal.v1.Subnet> {
  const [made] = await world.network.subnets.create(world.alice, [{ networkId, cidr: 'fd00:a::/64', ...draft }]);
  if (made === undefined) throw new Error('a subnet was made');
  return made;
}

/** A network with a subnet of each family. */
async function dual(world: World, draft: Partial<SubnetDraft> = {}) {
  const { network, subnet } = await addNetwork(world);
  return { network, subnet, subnet6: await addSubnet(world, network.id, draft) };
}

/** A server on a host, with the port. */
async function plugIn(world: World, port: shoal.v1.Port, number: number, hostname: string): Promise<shoal.v1.Server> {
  return transact(world.deps, world.alice, ({ reader, change }) => {
    const server = new shoal.v1.Server({
      ...{ id: `server-${hostname}`, name: hostname, hostname, projectId: 'alice-project', hostId: host(number) },
      ...{ generation: 1, portIds: [port.id], flavor: new shoal.v1.Flavor({ name: 'small' }) },
    });
    serverTable.insert(change, server);
    const row = portTable.must(reader, port.id);
    portTable.update(change, row, new shoal.v1.Port({ ...row.record, deviceId: server.id, hostId: host(number) }));
    return server;
  });
}

async function addPort(world: World, networkId: string, draft: object = {}): Promise<shoal.v1.Port> {
  const [port] = await world.network.ports.create(world.alice, [{ networkId, ...draft }]);
  if (port === undefined) throw new Error('a port was made');
  return port;
}

void t.test('a subnet takes its gateway, its pool and its service address as one of IPv4 does', async (t) => {
  const world = makeWorld();
  const { subnet6 } = await dual(world, { cidr: 'FD00:A:0::77/64', dnsServers: ['2001:DB8::53'] });
  t.match(subnet6, { cidr: 'fd00:a::/64', gatewayIp: 'fd00:a::1', serviceIp: 'fd00:a::2', dhcp: true });
  t.same(
    subnet6.pools.map((pool) => [pool.start, pool.end]),
    [['fd00:a::2', 'fd00:a::ffff:ffff:ffff:ffff']],
  );
  t.same(subnet6.dnsServers, ['2001:db8::53'], 'one text for one address');
});

void t.test('what is wrong with a subnet is said in Neutron’s words', async (t) => {
  const world = makeWorld();
  const { network } = await addNetwork(world);
  const external = await addExternal(world);
  const cases: readonly (readonly [Partial<SubnetDraft>, string, RegExp?])[] = [
    [{ ipVersion: 4 }, 'InvalidInput', /cidr 'fd00:a::\/64' does not match the ip_version '4'/],
    [{ ipVersion: 6, cidr: '10.9.0.0/24' }, 'InvalidInput'],
    [{ ipv6AddressMode: 'magic' }, 'HTTPBadRequest', /'magic' is not in \['dhcpv6-stateful'/],
    [{ ipv6AddressMode: 'slaac', cidr: '10.9.0.0/24' }, 'InvalidInput', /when ip_version is not 6/],
    [{ ipv6AddressMode: 'dhcpv6-stateful', dhcp: false }, 'InvalidInput', /when enable_dhcp is set to False/],
    [{ ipv6AddressMode: 'slaac', ipv6RaMode: 'dhcpv6-stateful' }, 'InvalidInput', /they must be the same value/],
    [{ ipv6AddressMode: 'slaac', cidr: 'fd00:a::/80' }, 'InvalidInput', /requires the prefix to be \/64/],
    [{ ipv6RaMode: 'dhcpv6-stateless', cidr: 'fd00:a::/56' }, 'InvalidInput', /requires the prefix to be \/64/],
    [{ pool: 'prefix_delegation', cidr: undefined as never }, 'NotImplemented', /prefix delegation/],
    [{ gatewayIp: 'fd00:b::1' }, 'InvalidInput'],
    [{ gatewayIp: 'fd00:a::' }, 'InvalidInput', /Gateway is not valid on subnet/],
    [{ gatewayIp: '10.0.0.1' }, 'InvalidInput'],
    [{ pools: [{ start: '10.0.0.1', end: '10.0.0.9' }] }, 'OutOfBoundsAllocationPool'],
    [{ dnsServers: ['10.0.0.53'] }, 'InvalidInput', /does not match the ip_version '6'/],
    [{ hostRoutes: [{ destination: '10.1.0.0/16', nextHop: '10.0.0.9' }] }, 'HTTPBadRequest'],
    [{ hostRoutes: [{ destination: 'fd01::/64', nextHop: '10.0.0.9' }] }, 'HTTPBadRequest'],
    [{ cidr: 'fe80::/64' }, 'InvalidInput', /reserved/],
    [{ cidr: 'ff02::/64' }, 'InvalidInput', /reserved/],
    [{ cidr: '::/64' }, 'InvalidInput', /reserved/],
    [{ cidr: 'fd00:a::/127' }, 'InvalidInput', /no room/],
  ];
  for (const [draft, type, words] of cases) {
    const made = world.network.subnets.create(world.alice, [{ networkId: network.id, cidr: 'fd00:a::/64', ...draft }]);
    if (words !== undefined) await t.rejects(made, words);
    t.equal(await refusalOf(made), type, JSON.stringify(draft));
  }
  const admin = { networkId: external.network.id, cidr: 'fd00:e::/64', ipv6AddressMode: 'slaac' };
  t.equal(await refusalOf(world.network.subnets.create(world.admin, [admin])), 'NotImplemented');
});

void t.test('a network with IPv6 keeps the MTU that IPv6 needs', async (t) => {
  const world = makeWorld();
  const { networks, subnets } = world.network;
  const [narrow] = await networks.create(world.alice, [{ mtu: 1279 }]);
  const networkId = narrow?.id ?? '';
  const make = () => subnets.create(world.alice, [{ networkId, cidr: 'fd00:a::/64' }]);
  await t.rejects(make(), /IPv6 needs an MTU of 1280/);
  await networks.update(world.alice, networkId, { mtu: 1280 });
  await make();
  t.equal(await refusalOf(networks.update(world.alice, networkId, { mtu: 1279 })), 'InvalidInput');
});

void t.test('a port has an address of each family, and those that it names', async (t) => {
  const world = makeWorld();
  const { network, subnet, subnet6 } = await dual(world);
  const port = await addPort(world, network.id);
  t.same(
    port.fixedIps.map(({ subnetId }) => subnetId),
    [subnet.id, subnet6.id],
  );
  const named = await addPort(world, network.id, { fixedIps: [{ ip: 'FD00:A:0:0::0077' }] });
  t.match(named.fixedIps, [{ subnetId: subnet6.id, ip: 'fd00:a::77' }]);
  const again = (ip: string) => refusalOf(addPort(world, network.id, { fixedIps: [{ ip }] }));
  t.equal(await again('fd00:a::77'), 'IpAddressAlreadyAllocated', 'in whatever way it is written');
  t.equal(await again('fd00:b::77'), 'InvalidIpForNetwork');
  t.equal(await again('fd00:a::'), 'InvalidIpForSubnet', 'all routers’ own');
  t.equal(
    await refusalOf(addPort(world, network.id, { fixedIps: [{ ip: 'fd00:a::9' }, { ip: 'fd00:a:0::9' }] })),
    'HTTPBadRequest',
    'twice the same',
  );
  const kept = await world.network.ports.update(world.alice, named.id, { fixedIps: [{ ip: 'fd00:a:0::77' }] });
  t.match(kept.fixedIps, [{ ip: 'fd00:a::77' }]);
});

void t.test('pairs are of either family, and what is nobody’s source is refused', async (t) => {
  const world = makeWorld();
  const { network } = await dual(world);
  const port = await addPort(world, network.id, { allowedAddressPairs: [{ ip: 'fd00:a::c0/124' }, { ip: 'fd00::1' }] });
  t.same(
    port.allowedAddressPairs.map(({ ip }) => ip),
    ['fd00:a::c0/124', 'fd00::1'],
  );
  for (const ip of ['ff02::1', 'fd00::1/129', 'fd00:::1'])
    t.equal(await refusalOf(addPort(world, network.id, { allowedAddressPairs: [{ ip }] })), 'HTTPBadRequest', ip);
});

void t.test('what is not there yet is refused by name, and a floating IP leads to IPv4 alone', async (t) => {
  const world = makeWorld();
  await addHost(world, 1);
  const { network, subnet, subnet6 } = await dual(world);
  const external = await addExternal(world);
  const { routers, floatingIps } = world.network;
  const router = await routers.create(world.alice, { gateway: { networkId: external.network.id } });
  await routers.addInterface(world.alice, router.id, { subnetId: subnet.id });
  const six = await addPort(world, network.id, { fixedIps: [{ subnetId: subnet6.id }] });
  const both = await addPort(world, network.id, { fixedIps: [{ subnetId: subnet6.id }, { subnetId: subnet.id }] });
  const floating = { floatingNetworkId: external.network.id };
  await t.rejects(floatingIps.create(world.alice, { ...floating, portId: six.id }), /no fixed IPv4 addresses/);
  const made = await floatingIps.create(world.alice, { ...floating, portId: both.id });
  t.equal(made.fixedIp, both.fixedIps[1]?.ip);
  const fixedIp = both.fixedIps[0]?.ip ?? '';
  await t.rejects(floatingIps.create(world.alice, { ...floating, portId: both.id, fixedIp }), /does not have fixed ip/);
});

void t.test('subnet pools are of one family, with Neutron’s lengths', async (t) => {
  const world = makeWorld();
  const { subnetPools } = world.network;
  const pool = await subnetPools.create(world.alice, { name: 'six', prefixes: ['fd00:a::/56'] });
  t.match(pool, { minPrefixLength: 64, maxPrefixLength: 128, defaultPrefixLength: 64 });
  t.equal(await refusalOf(subnetPools.addPrefixes(world.alice, pool.id, ['10.0.0.0/8'])), 'PrefixVersionMismatch');
  const { network } = await addNetwork(world);
  const draft = { cidr: undefined as never, pool: pool.id };
  await t.rejects(addSubnet(world, network.id, { ...draft, ipVersion: 4 }), /Cannot allocate IPv4 subnet from IPv6/);
  const first = await addSubnet(world, network.id, { ...draft, ipVersion: 6 });
  t.equal(first.cidr, 'fd00:a::/64', 'beside a subnet of IPv4 that is from no pool');
  t.equal((await addSubnet(world, network.id, draft)).cidr, 'fd00:a:0:1::/64');
});

void t.test('a host is told addresses, names and rules of both families', async (t) => {
  const world = makeWorld();
  for (const number of [1, 2]) await addHost(world, number);
  const { network, subnet6 } = await dual(world);
  const [here, there] = [await addPort(world, network.id), await addPort(world, network.id)];
  await plugIn(world, here, 1, 'here');
  await plugIn(world, there, 2, 'there');
  const only4 = await addPort(world, network.id, { fixedIps: [{ subnetId: here.fixedIps[0]?.subnetId }] });
  await plugIn(world, only4, 1, 'four');
  const view = hostNetworkView(world.state.local, host(1));
  t.same(view.failures, []);
  t.match(
    view.networks[0]?.subnets.find(({ subnetId }) => subnetId === subnet6.id),
    {
      cidr: 'fd00:a::/64',
      gatewayIp: 'fd00:a::1',
      serviceIp: 'fd00:a::2',
    },
  );
  const spec = view.ports.find(({ portId }) => portId === here.id);
  t.same(
    [spec?.ip, ...(spec?.moreIps ?? [])],
    here.fixedIps.map(({ ip }) => ip),
  );
  const members = [here, there].map(({ fixedIps }) => `${fixedIps[1]?.ip}/128`);
  t.match(
    spec?.rules
      .filter(({ ethertype }) => ethertype === 'IPv6')
      .map(({ direction }) => direction)
      .sort(),
    ['egress', 'ingress'],
  );
  const ingress = spec?.rules.find(({ ethertype, direction }) => ethertype === 'IPv6' && direction === 'ingress');
  t.same([...(ingress?.remotePrefixes ?? [])].sort(), members.sort(), 'members of its own family');
  const four = view.ports.find(({ portId }) => portId === only4.id);
  t.notOk(
    four?.rules.some(({ ethertype }) => ethertype === 'IPv6'),
    'who has no IPv6 is not judged by it',
  );
  t.same(
    view.forwarding[0]?.remotePorts.map(({ ip, hostname }) => [ip, hostname]),
    there.fixedIps.map(({ ip }) => [ip, 'there']).sort(),
  );
});

void t.test('a guest reads its network in Nova’s words', async (t) => {
  const world = makeWorld();
  await addHost(world, 1);
  const typesOf = async (draft: Partial<SubnetDraft>): Promise<unknown> => {
    const { network, subnet6 } = await dual(world, draft);
    const port = await addPort(world, network.id, { fixedIps: [{ subnetId: subnet6.id }] });
    const server = await plugIn(world, port, 1, port.id.slice(0, 8));
    const bodies = serverMetadata(world.state.local, server);
    const [described] = JSON.parse(String(bodies['/openstack/latest/network_data.json'])).networks;
    t.equal(described.ip_address, port.fixedIps[0]?.ip);
    t.equal(described.netmask, 'ffff:ffff:ffff:ffff::');
    t.same(described.routes, [{ network: '::', netmask: '::', gateway: 'fd00:a::1' }]);
    t.equal(bodies['/latest/meta-data/local-ipv4'], '');
    t.equal(bodies['/latest/meta-data/ipv6'], port.fixedIps[0]?.ip);
    return described.type;
  };
  t.equal(await typesOf({ dhcp: false }), 'ipv6');
  t.equal(await typesOf({}), 'ipv6_dhcp');
  t.equal(await typesOf({ ipv6AddressMode: 'dhcpv6-stateful' }), 'ipv6_dhcpv6-stateful');
});
