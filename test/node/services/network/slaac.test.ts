/** Subnets whose guests make their addresses of their MACs, and routers of IPv6: records, and what hosts are told of them. */
import t from 'tap';
import { linkLocalOf } from '../../../../drivers/vxlan/model/link-local.ts';
import { serviceMac } from '../../../../drivers/vxlan/model/names.ts';
import type { HostId } from '../../../../node/base/ids.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { hostNetworkView } from '../../../../node/services/network/host-view.ts';
import type { PortDraft } from '../../../../node/services/network/ports.ts';
import type { SubnetDraft } from '../../../../node/services/network/subnets.ts';
import { portTable, serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { addHost, addNetwork, makeWorld, refusalOf, type World } from '../world.ts';

const slaac = { ipv6AddressMode: 'slaac', ipv6RaMode: 'slaac' };
const stateless = { ipv6AddressMode: 'dhcpv6-stateless', ipv6RaMode: 'dhcpv6-stateless' };
const stateful = { ipv6AddressMode: 'dhcpv6-stateful', ipv6RaMode: 'dhcpv6-stateful' };

/** What an interface makes of its MAC: the link-local address shows the lower half. */
const auto = (prefix: string, mac: string): string => linkLocalOf(mac).replace('fe80::', prefix);

async function addSubnet(world: World, networkId: string, draft: Partial<SubnetDraft>): Promise<shoal.v1.Subnet> {
  const [made] = await world.network.subnets.create(world.alice, [{ networkId, cidr: 'fd00:a::/64', ...draft }]);
  if (made === undefined) throw new Error('a subnet was made');
  return made;
}

async function addPort(world: World, networkId: string, draft: Partial<PortDraft> = {}): Promise<shoal.v1.Port> {
  const [port] = await world.network.ports.create(world.alice, [{ networkId, ...draft }]);
  if (port === undefined) throw new Error('a port was made');
  return port;
}

const ipsOf = (port: shoal.v1.Port | undefined): string[] => (port?.fixedIps ?? []).map(({ ip }) => ip);
const shown = (world: World, id: string): shoal.v1.Port => world.network.ports.show(world.alice, world.state.local, id);

void t.test('every legal pair of modes is taken', async (t) => {
  const world = makeWorld();
  const modes = ['slaac', 'dhcpv6-stateless', 'dhcpv6-stateful'];
  for (const mode of modes) {
    for (const pair of [{ ipv6AddressMode: mode, ipv6RaMode: mode }, { ipv6AddressMode: mode }, { ipv6RaMode: mode }]) {
      const { network } = await addNetwork(world);
      const subnet = await addSubnet(world, network.id, pair);
      t.match(subnet, pair);
      const port = await addPort(world, network.id);
      const isAuto = mode !== 'dhcpv6-stateful';
      t.equal(ipsOf(port)[1] === auto('fd00:a::', port.mac), isAuto, JSON.stringify(pair));
      t.equal(subnet.serviceIp, isAuto ? auto('fd00:a::', serviceMac) : 'fd00:a::2');
    }
  }
});

void t.test('a port has its own address of each such subnet, whatever it asks for', async (t) => {
  const world = makeWorld();
  const { network, subnet } = await addNetwork(world);
  const six = await addSubnet(world, network.id, slaac);
  const other = await addSubnet(world, network.id, { ...stateless, cidr: 'fd00:b::/64' });
  const mac = 'fa:16:3e:00:00:07';
  const port = await addPort(world, network.id, { mac, fixedIps: [{ subnetId: subnet.id }, { subnetId: six.id }] });
  t.same(ipsOf(port).slice(1).sort(), [auto('fd00:a::', mac), auto('fd00:b::', mac)]);
  const named = addPort(world, network.id, { fixedIps: [{ ip: 'fd00:a::77' }] });
  await t.rejects(named, /can not be directly assigned to a port on subnet/);
  t.equal(await refusalOf(named), 'AllocationOnAutoAddressSubnet');
  const none = await world.network.ports.update(world.alice, port.id, { fixedIps: [] });
  t.same(ipsOf(none).sort(), [auto('fd00:a::', mac), auto('fd00:b::', mac)], 'they stay when the others go');
  const same = await world.network.ports.update(world.alice, port.id, { fixedIps: [{ ip: auto('fd00:a::', mac) }] });
  t.same(ipsOf(same).sort(), ipsOf(none).sort(), 'its own may be named');
  const moved = await world.network.ports.update(world.alice, port.id, { mac: 'fa:16:3e:00:00:08' });
  t.same(ipsOf(moved).sort(), [auto('fd00:a::', moved.mac), auto('fd00:b::', moved.mac)], 'they go with the MAC');
  t.notOk(portTable.isTaken(world.state.local, 'ip', `${other.id}/${auto('fd00:b::', mac)}`));
});

void t.test('ports that are there get their address with the subnet, and lose it with it', async (t) => {
  const world = makeWorld();
  const { network } = await addNetwork(world);
  const ports = await Promise.all([addPort(world, network.id), addPort(world, network.id)]);
  const six = await addSubnet(world, network.id, slaac);
  for (const { id, mac } of ports) t.same(ipsOf(shown(world, id)).slice(1), [auto('fd00:a::', mac)]);
  const router = await world.network.routers.create(world.alice, {});
  await world.network.routers.addInterface(world.alice, router.id, { subnetId: six.id });
  t.equal(await refusalOf(world.network.subnets.delete(world.alice, six.id)), 'SubnetInUse', 'a router is on it');
  for (const { id, mac } of ports)
    t.same(ipsOf(shown(world, id)).slice(1), [auto('fd00:a::', mac)], 'nothing is taken');
  await world.network.routers.removeInterface(world.alice, router.id, { subnetId: six.id });
  await world.network.subnets.delete(world.alice, six.id);
  for (const { id } of ports) t.equal(ipsOf(shown(world, id)).length, 1);
  const again = await addSubnet(world, network.id, stateful);
  await world.network.subnets.delete(world.alice, again.id);
});

void t.test(
  'a router has interfaces of both families, routes of both, and says what the subnet’s mode is',
  async (t) => {
    const world = makeWorld();
    await addHost(world, 1);
    const { network, subnet } = await addNetwork(world);
    const six = await addSubnet(world, network.id, { ...slaac, dnsServers: ['2001:db8::53'] });
    const silent = await addSubnet(world, network.id, { cidr: 'fd00:b::/64' });
    const foreign = await addSubnet(world, network.id, { cidr: 'fd00:c::/64', ipv6AddressMode: 'slaac' });
    const { routers } = world.network;
    const router = await routers.create(world.alice, {});
    for (const { id } of [subnet, six, silent]) await routers.addInterface(world.alice, router.id, { subnetId: id });
    await t.rejects(
      routers.addInterface(world.alice, router.id, { subnetId: foreign.id }),
      /configured to receive RAs from an external router cannot be added/,
    );
    const port = await addPort(world, network.id);
    await routers.update(world.alice, router.id, {
      routes: [{ destination: 'fd00:77::/64', nextHop: auto('fd00:a::', port.mac) }],
    });
    const wrong = [{ destination: 'fd00:78::/64', nextHop: 'fd00:dead::1' }];
    t.equal(await refusalOf(routers.update(world.alice, router.id, { routes: wrong })), 'InvalidRoutes');
    t.equal(
      await refusalOf(routers.removeInterface(world.alice, router.id, { subnetId: six.id })),
      'RouterInterfaceInUseByRoute',
    );
    await transact(world.deps, world.alice, ({ reader, change }) => {
      const server = new shoal.v1.Server({
        ...{ id: 'server', projectId: 'alice-project', hostId: '1'.repeat(32), generation: 1, portIds: [port.id] },
      });
      serverTable.insert(change, server);
      const row = portTable.must(reader, port.id);
      portTable.update(change, row, new shoal.v1.Port({ ...row.record, deviceId: server.id, hostId: '1'.repeat(32) }));
    });
    const view = hostNetworkView(world.state.local, '1'.repeat(32) as HostId);
    t.same(view.failures, []);
    const legs = view.routers[0]?.interfaces ?? [];
    t.same(
      legs.map(({ ip, prefixLength, advertisement }) => [ip, prefixLength, advertisement?.mode]).sort(),
      [
        ['10.0.0.1', 24, undefined],
        ['fd00:a::1', 64, 'slaac'],
        ['fd00:b::1', 64, undefined],
      ].sort(),
    );
    t.same(legs.find(({ ip }) => ip === 'fd00:a::1')?.advertisement?.dnsServers, ['2001:db8::53']);
    t.ok(
      legs.find(({ ip }) => ip === 'fd00:a::1')?.neighbours.some(({ ip, mac }) => ip === auto('fd00:a::', mac)),
      'guests are its neighbours',
    );
    t.same(view.routers[0]?.routes, [{ destination: 'fd00:77::/64', nextHop: auto('fd00:a::', port.mac) }]);
    const told = view.networks[0]?.subnets ?? [];
    t.equal(told.find(({ subnetId }) => subnetId === six.id)?.addressing, 'slaac');
    t.equal(told.find(({ subnetId }) => subnetId === silent.id)?.addressing, undefined);
  },
);

void t.test('a port of both families becomes a router’s', async (t) => {
  const world = makeWorld();
  const { network } = await addNetwork(world);
  await addSubnet(world, network.id, slaac);
  const port = await addPort(world, network.id);
  const router = await world.network.routers.create(world.alice, {});
  await world.network.routers.addInterface(world.alice, router.id, { portId: port.id });
  t.same(ipsOf(shown(world, port.id)), ipsOf(port), 'with the addresses that it has');
  await world.network.routers.removeInterface(world.alice, router.id, { portId: port.id });
  t.equal(await refusalOf(Promise.resolve().then(() => shown(world, port.id))), 'PortNotFound');
});
