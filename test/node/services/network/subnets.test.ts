/** Several subnets on one network: addresses, DHCP ports, and a router's interfaces, which share what the network has once. */
import t from 'tap';
import { indexKey } from '../../../../node/state/table.ts';
import { portTable } from '../../../../node/state/tables/index.ts';
import type { shoal } from '../../../../proto/messages.ts';
import { makeWorld, refusalOf } from '../world.ts';

type World = ReturnType<typeof makeWorld>;

/** A network with a subnet for each of `cidrs`, made in one request. */
async function networkWith(world: World, ...cidrs: readonly string[]) {
  const [network] = await world.network.networks.create(world.alice, [{}]);
  if (network === undefined) throw new Error('one was asked for');
  const subnets = await world.network.subnets.create(
    world.alice,
    cidrs.map((cidr) => ({ networkId: network.id, cidr })),
  );
  return { network, subnets };
}

/** Ports of a network that keep their MAC from others, by MAC. */
function keepers(world: World, networkId: string): readonly string[] {
  return portTable
    .by(world.state.local, 'network', indexKey(networkId))
    .filter(({ record }) => !record.sharesMac)
    .map(({ record }) => record.mac);
}

const ipsOf = (port: shoal.v1.Port | undefined): readonly string[] => port?.fixedIps.map(({ ip }) => ip) ?? [];

void t.test('each subnet with DHCP has a port of it, and one of them keeps the MAC', async (t) => {
  const world = makeWorld();
  const { network, subnets } = await networkWith(world, '10.0.0.0/24', '10.0.1.0/24');
  const [later] = await world.network.subnets.create(world.alice, [{ networkId: network.id, cidr: '10.0.2.0/24' }]);
  const ports = world.network.ports.list(world.alice, world.state.local, { networkId: network.id });
  t.same(ports.flatMap(ipsOf).sort(), ['10.0.0.2', '10.0.1.2', '10.0.2.2']);
  t.equal(new Set(ports.map(({ mac }) => mac)).size, 1, 'guests see one service');
  t.equal(keepers(world, network.id).length, 1);
  // Whichever goes, the MAC stays nobody else's.
  for (const { id } of [...subnets, later].flatMap((subnet) => (subnet === undefined ? [] : [subnet]))) {
    t.equal(keepers(world, network.id).length, 1);
    await world.network.subnets.delete(world.alice, id);
  }
  t.equal(keepers(world, network.id).length, 0);
});

void t.test('DHCP of one subnet goes and comes back', async (t) => {
  const world = makeWorld();
  const { network, subnets } = await networkWith(world, '10.0.0.0/24', '10.0.1.0/24');
  for (const { id } of subnets) {
    const off = await world.network.subnets.update(world.alice, id, { dhcp: false });
    t.equal(off.serviceIp, '');
    t.equal(keepers(world, network.id).length, 1);
    t.not((await world.network.subnets.update(world.alice, id, { dhcp: true })).serviceIp, '');
    t.equal(keepers(world, network.id).length, 1);
  }
});

void t.test('a port gets an address of any subnet that has one left, or of those that are named', async (t) => {
  const world = makeWorld();
  const { network, subnets } = await networkWith(world, '10.0.0.0/30', '10.0.1.0/24');
  const make = async (draft: object): Promise<readonly string[]> =>
    ipsOf((await world.network.ports.create(world.alice, [{ networkId: network.id, ...draft }]))[0]);
  const [small, large] = subnets;
  // What is named comes before anything is drawn that might be the same.
  t.same(await make({ fixedIps: [{ ip: '10.0.1.78' }] }), ['10.0.1.78'], 'the subnet follows from the address');
  t.match(await make({ fixedIps: [{ subnetId: large?.id }, { ip: '10.0.1.77' }] }), [/^10\.0\.1\./, '10.0.1.77']);
  // A /30 has a gateway and a service: no room for a guest.
  t.match(await make({}), [/^10\.0\.1\./]);
  t.equal(
    await refusalOf(
      world.network.ports.create(world.alice, [{ networkId: network.id, fixedIps: [{ subnetId: small?.id ?? '' }] }]),
    ),
    'IpAddressGenerationFailure',
  );
});

void t.test('a router has an interface on each subnet, and one of them keeps its MAC', async (t) => {
  const world = makeWorld();
  const { network, subnets } = await networkWith(world, '10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24');
  const { routers, ports } = world.network;
  const router = await routers.create(world.alice, {});
  for (const { id } of subnets.slice(0, 2)) await routers.addInterface(world.alice, router.id, { subnetId: id });
  const [third] = await ports.create(world.alice, [
    { networkId: network.id, fixedIps: [{ subnetId: subnets[2]?.id ?? '', ip: '10.0.2.1' }] },
  ]);
  await routers.addInterface(world.alice, router.id, { portId: third?.id ?? '' });
  const legs = () => portTable.by(world.state.local, 'device', indexKey(router.id)).map(({ record }) => record);
  t.same(legs().flatMap(ipsOf).sort(), ['10.0.0.1', '10.0.1.1', '10.0.2.1']);
  t.equal(new Set(legs().map(({ mac }) => mac)).size, 1, 'it is one device on the network');
  const { mac } = legs()[0] ?? {};
  t.equal(await refusalOf(ports.create(world.alice, [{ networkId: network.id, mac: mac ?? '' }])), 'MacAddressInUse');
  for (const { id } of subnets) {
    await routers.removeInterface(world.alice, router.id, { subnetId: id });
    t.equal(legs().filter(({ sharesMac }) => !sharesMac).length, legs().length === 0 ? 0 : 1);
  }
  t.equal(legs().length, 0);
});
