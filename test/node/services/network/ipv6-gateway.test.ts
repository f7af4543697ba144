/** The way out of IPv6: external addresses of routers, and what hosts are told of them. */
import t from 'tap';
import type { HostId } from '../../../../node/base/ids.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { hostNetworkView } from '../../../../node/services/network/host-view.ts';
import { parseIp } from '../../../../node/services/network/kit/address.ts';
import type { SubnetDraft } from '../../../../node/services/network/subnets.ts';
import { walkPacket } from '../../../../node/services/network/trace/packet-walk.ts';
import { portTable, serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { addExternal, addHost, addNetwork, makeWorld, refusalOf, type World } from '../world.ts';

/** An external network with a subnet of each family, and a tenant network with both. */
async function setUp() {
  const world = makeWorld();
  for (const number of [1, 2]) await addHost(world, number);
  const external = await addExternal(world);
  const six = await add(world, world.admin, { networkId: external.network.id, cidr: 'fd00:e::/64', dhcp: false });
  const { network, subnet } = await addNetwork(world);
  const inner = await add(world, world.alice, { networkId: network.id, cidr: 'fd00:a::/64', ipv6RaMode: 'slaac' });
  return { world, external: external.network, four: external.subnet, six, network, subnet, inner };
}

async function add(world: World, who: World['admin'], draft: SubnetDraft): Promise<shoal.v1.Subnet> {
  const [made] = await world.network.subnets.create(who, [draft]);
  if (made === undefined) throw new Error('a subnet was made');
  return made;
}

const viewOf = (world: World, number: number) =>
  hostNetworkView(world.state.local, `${number}`.repeat(32) as HostId).routers[0];

void t.test('a gateway has an address of each family that the network has', async (t) => {
  const { world, external, four, six } = await setUp();
  const router = await world.network.routers.create(world.alice, { gateway: { networkId: external.id } });
  t.match(router, { externalSubnetId: four.id, externalSubnet6Id: six.id, externalIp6: /^fd00:e::/ });
  const [port] = world.network.ports.list(world.admin, world.state.local, { deviceId: router.id });
  t.same(
    port?.fixedIps.map(({ ip }) => ip),
    [router.externalIp, router.externalIp6],
  );
  const named = [{ ip: 'FD00:E:0::64' }];
  const only6 = await world.network.routers.update(world.admin, router.id, {
    gateway: { networkId: external.id, fixedIps: named },
  });
  t.match(only6, { externalSubnetId: '', externalIp: '', externalSubnet6Id: six.id, externalIp6: 'fd00:e::64' });
  const both = await world.network.routers.update(world.admin, router.id, {
    gateway: { networkId: external.id, fixedIps: [...named, { subnetId: four.id }] },
  });
  t.match(both, { externalIp6: 'fd00:e::64', externalSubnetId: four.id });
  const two = { networkId: external.id, fixedIps: [{ ip: 'fd00:e::65' }, { ip: 'fd00:e::66' }] };
  await t.rejects(
    world.network.routers.update(world.admin, router.id, { gateway: two }),
    /one external address of each/,
  );
  const kept = await world.network.routers.update(world.admin, router.id, { gateway: { networkId: external.id } });
  t.match(kept, { externalIp: both.externalIp, externalIp6: 'fd00:e::64' }, 'what is not named stays');
  const none = await world.network.routers.update(world.alice, router.id, { gateway: null });
  t.match(none, { externalIp: '', externalIp6: '', externalSubnet6Id: '' });
});

void t.test('hosts are told who routes it out, with and without source NAT of IPv4', async (t) => {
  const { world, external, subnet, inner } = await setUp();
  const { routers } = world.network;
  const router = await routers.create(world.alice, { gateway: { networkId: external.id } });
  await routers.addInterface(world.alice, router.id, { subnetId: subnet.id });
  const snat = Number(router.snatHostId[0]);
  t.equal(viewOf(world, snat)?.external6, undefined, 'without an interface of IPv6 there is nothing to route');
  await routers.addInterface(world.alice, router.id, { subnetId: inner.id });
  const told = { gatewayIp: 'fd00:e::1', cidr: 'fd00:e::/64', ip: router.externalIp6, transitVni: router.transitVni };
  t.match(viewOf(world, snat)?.external6, { ...told, snatHere: true });
  await routers.update(world.admin, router.id, { gateway: { networkId: external.id, enableSnat: false } });
  t.match(viewOf(world, snat)?.external, { snatHere: false, transitVni: undefined });
  t.match(viewOf(world, snat)?.external6, { ...told, snatHere: true });
});

void t.test('a trace follows IPv6 out, by the host that it leaves by', async (t) => {
  const { world, external, inner, network } = await setUp();
  const { routers, ports } = world.network;
  const [made] = await ports.create(world.alice, [{ networkId: network.id, deviceOwner: 'compute:nova' }]);
  const router = await routers.create(world.alice, {});
  await routers.addInterface(world.alice, router.id, { subnetId: inner.id });
  const port = await transact(world.deps, world.alice, ({ reader, change }) => {
    const server = new shoal.v1.Server({
      ...{ id: 'server', name: 'server', hostname: 'server', projectId: 'alice-project', hostId: '1'.repeat(32) },
      ...{ generation: 1, portIds: [made?.id ?? ''], status: shoal.v1.ServerStatus.SERVER_STATUS_ACTIVE },
    });
    serverTable.insert(change, server);
    const row = portTable.must(reader, made?.id ?? '');
    const next = new shoal.v1.Port({ ...row.record, deviceId: server.id, hostId: '1'.repeat(32) });
    portTable.update(change, row, next);
    return next;
  });
  const source = parseIp(port.fixedIps[1]?.ip ?? '');
  const destination = parseIp('2001:db8::1');
  if (source === undefined || destination === undefined) throw new Error('both are addresses');
  const way = () => {
    const { end, steps } = walkPacket(world.state.local, port, {
      ...{ source, destination, protocol: 'icmp', destinationPort: 0 },
    });
    return [...steps.map(({ table }) => table), end];
  };
  t.same(way().slice(-2), ['router', 'stopped'], 'no way out yet');
  await routers.update(world.alice, router.id, { gateway: { networkId: external.id } });
  const leaves = routers.show(world.alice, world.state.local, router.id).snatHostId;
  const tunnel = leaves === '1'.repeat(32) ? [] : ['tunnel'];
  t.same(way().slice(3), [...tunnel, 'router', 'external network', 'left the mesh']);
});

void t.test('floating IPs are of IPv4, and keep the gateway’s', async (t) => {
  const { world, external, six, subnet, network } = await setUp();
  const { routers, floatingIps, ports } = world.network;
  const floating = { floatingNetworkId: external.id };
  for (let count = 0; count < 8; count += 1) {
    t.notMatch((await floatingIps.create(world.alice, floating)).floatingIp, /:/);
  }
  await t.rejects(
    floatingIps.create(world.alice, { ...floating, subnetId: six.id }),
    /does not contain any IPv4 subnet/,
  );
  const router = await routers.create(world.alice, { gateway: { networkId: external.id } });
  await routers.addInterface(world.alice, router.id, { subnetId: subnet.id });
  const [port] = await ports.create(world.alice, [{ networkId: network.id }]);
  await floatingIps.create(world.alice, { ...floating, portId: port?.id ?? '' });
  const only6 = { gateway: { networkId: external.id, fixedIps: [{ subnetId: six.id }] } };
  t.equal(await refusalOf(routers.update(world.admin, router.id, only6)), 'RouterExternalGatewayInUseByFloatingIp');
});

void t.test('who waited for the network’s first subnet is given what it is of', async (t) => {
  const world = makeWorld();
  await addHost(world, 1);
  const [network] = await world.network.networks.create(world.admin, [{ external: true }]);
  const networkId = network?.id ?? '';
  const router = await world.network.routers.create(world.alice, { gateway: { networkId } });
  t.match(router, { externalIp: '', externalIp6: '' });
  await add(world, world.admin, { networkId, cidr: 'fd00:e::/64', dhcp: false });
  const shown = world.network.routers.show(world.alice, world.state.local, router.id);
  t.match(shown, { externalIp: '', externalIp6: /^fd00:e::/ });
});
