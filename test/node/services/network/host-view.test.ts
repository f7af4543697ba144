import t from 'tap';
import type { HostId } from '../../../../node/base/ids.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { HostNetworkViews, hostNetworkView } from '../../../../node/services/network/host-view.ts';
import { portTable, routerTable, serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { addExternal, addHost, addNetwork, makeWorld, type World } from '../world.ts';

const host = (number: number): HostId => `${number}`.repeat(32) as HostId;
const view = (world: World, number: number) => hostNetworkView(world.state.local, host(number));

/** A server's port on a network, as `server create` would leave it. */
async function addGuest(world: World, networkId: string, hostNumber: number, name: string): Promise<shoal.v1.Port> {
  const [port] = await world.network.ports.create(world.alice, [{ networkId, deviceOwner: 'compute:nova' }]);
  if (port === undefined) throw new Error('no port was made');
  return transact(world.deps, world.alice, ({ reader, change }) => {
    const server = new shoal.v1.Server({
      id: `server-${name}`,
      name,
      hostname: name,
      projectId: 'alice-project',
      hostId: host(hostNumber),
      generation: 1,
      portIds: [port.id],
      flavor: new shoal.v1.Flavor({ name: 'small' }),
    });
    serverTable.insert(change, server);
    const row = portTable.must(reader, port.id);
    const next = new shoal.v1.Port({ ...row.record, deviceId: server.id, hostId: host(hostNumber) });
    portTable.update(change, row, next);
    return next;
  });
}

/** Two networks behind one router, a third apart; guests on hosts 1 and 2; source NAT wherever it fell. */
async function island(world: World) {
  for (const number of [1, 2, 3]) await addHost(world, number);
  const a = await addNetwork(world, '10.0.0.0/24');
  const b = await addNetwork(world, '10.0.1.0/24');
  const apart = await addNetwork(world, '10.0.0.0/24');
  const external = await addExternal(world);
  const router = await world.network.routers.create(world.alice, { gateway: { networkId: external.network.id } });
  await world.network.routers.addInterface(world.alice, router.id, { subnetId: a.subnet.id });
  await world.network.routers.addInterface(world.alice, router.id, { subnetId: b.subnet.id });
  await transact(world.deps, world.alice, ({ reader, change }) => {
    const row = routerTable.must(reader, router.id);
    routerTable.update(change, row, new shoal.v1.Router({ ...row.record, snatHostId: host(3) }));
  });
  const guestA = await addGuest(world, a.network.id, 1, 'a');
  const guestB = await addGuest(world, b.network.id, 2, 'b');
  const guestC = await addGuest(world, apart.network.id, 2, 'c');
  return { a, b, apart, external, router, guestA, guestB, guestC };
}

void t.test(
  'a network’s subnets are all served, and a router on two of them knows the neighbours of each',
  async (t) => {
    const world = makeWorld();
    await addHost(world, 1);
    const { network, subnet } = await addNetwork(world, '10.0.0.0/24');
    const [second] = await world.network.subnets.create(world.alice, [{ networkId: network.id, cidr: '10.0.1.0/24' }]);
    const router = await world.network.routers.create(world.alice, {});
    for (const id of [subnet.id, second?.id ?? '']) {
      await world.network.routers.addInterface(world.alice, router.id, { subnetId: id });
    }
    const guest = await addGuest(world, network.id, 1, 'a');
    await world.network.ports.update(world.alice, guest.id, { fixedIps: [{ ip: '10.0.0.9' }, { ip: '10.0.1.9' }] });
    const { networks, ports, routers, failures } = view(world, 1);
    t.same(failures, []);
    t.same(networks.flatMap(({ subnets }) => subnets.map(({ cidr }) => cidr)).sort(), ['10.0.0.0/24', '10.0.1.0/24']);
    t.same(
      ports.map(({ ip, moreIps }) => [ip, moreIps]),
      [['10.0.0.9', ['10.0.1.9']]],
    );
    const legs = routers.flatMap(({ interfaces }) => interfaces);
    t.same(legs.map(({ ip, neighbours }) => [ip, neighbours.map((each) => each.ip)]).sort(), [
      ['10.0.0.1', ['10.0.0.2', '10.0.0.9']],
      ['10.0.1.1', ['10.0.1.2', '10.0.1.9']],
    ]);
  },
);

void t.test('a host carries the networks of its guests and all that their routers join', async (t) => {
  const world = makeWorld();
  const { a, b, apart } = await island(world);
  const ids = (number: number) => view(world, number).networks.map((spec) => spec.networkId as string);
  t.same(ids(1), [a.network.id, b.network.id].sort());
  t.same(ids(2), [a.network.id, b.network.id, apart.network.id].sort());
  t.same(ids(3), [a.network.id, b.network.id].sort(), 'the host of the source NAT needs the way back');
  t.same(ids(4), []);
});

void t.test('a guest elsewhere is known by its port alone: the record of its server is not read', async (t) => {
  const world = makeWorld();
  const { b, guestB } = await island(world);
  const read = new Set<string>();
  const { local } = world.state;
  const noting = {
    revision: local.revision,
    get: (key: string) => {
      read.add(key);
      return local.get(key);
    },
    range: (start: string, end: string, limit?: number) => local.range(start, end, limit),
    counter: (key: string) => local.counter(key),
  };
  const nameOfB = (): string | undefined =>
    hostNetworkView(noting, host(1)).forwarding.find(({ networkId }) => networkId === b.network.id)?.remotePorts[0]
      ?.hostname;
  t.equal(nameOfB(), 'b', 'of a port that an older version has written: the server says');
  t.ok(read.has(serverTable.key('server-b')));
  await transact(world.deps, world.alice, ({ reader, change }) => {
    const row = portTable.must(reader, guestB.id);
    portTable.update(change, row, new shoal.v1.Port({ ...row.record, dnsName: 'said-by-port' }));
  });
  read.clear();
  t.equal(nameOfB(), 'said-by-port');
  t.notOk(read.has(serverTable.key('server-b')));
});

void t.test('forwarding names the ports of other hosts and all hosts that carry the network', async (t) => {
  const world = makeWorld();
  const { a, b, apart, guestB } = await island(world);
  const forwarding = new Map(view(world, 1).forwarding.map((spec) => [spec.networkId as string, spec]));
  t.same(forwarding.get(a.network.id), {
    networkId: a.network.id,
    peerVtepIps: ['192.0.2.2', '192.0.2.3'],
    remotePorts: [],
  });
  t.same(forwarding.get(b.network.id)?.remotePorts, [
    {
      mac: guestB.mac,
      ip: guestB.fixedIps[0]?.ip,
      vtepIp: '192.0.2.2',
      hostname: 'b',
    },
  ]);
  const ofTwo = view(world, 2).forwarding.find((spec) => spec.networkId === apart.network.id);
  t.same(ofTwo?.peerVtepIps, [], 'nobody else carries the network that stands apart');
});

void t.test('a router is on each of its hosts, with neighbours, source NAT at one and a transit to it', async (t) => {
  const world = makeWorld();
  const { router, guestA, guestB, a } = await island(world);
  const [one] = view(world, 1).routers;
  t.equal(one?.routerId, router.id);
  const leg = one?.interfaces.find((entry) => entry.networkId === a.network.id);
  t.equal(leg?.ip, '10.0.0.1');
  t.equal(leg?.prefixLength, 24);
  t.ok(leg?.neighbours.some((entry) => entry.mac === guestA.mac && entry.ip === guestA.fixedIps[0]?.ip));
  t.match(one?.external, {
    gatewayIp: '198.51.100.1',
    cidr: '198.51.100.0/24',
    snatHere: false,
    snatIp: router.externalIp,
    snatVtepIp: '192.0.2.3',
    transitVni: router.transitVni,
    transitIndex: 1,
    snatTransitIndex: 3,
    transitPeerVtepIps: ['192.0.2.2', '192.0.2.3'],
  });
  t.equal(view(world, 3).routers[0]?.external?.snatHere, true);

  const floating = await world.network.floatingIps.create(world.alice, {
    floatingNetworkId: router.externalNetworkId,
    portId: guestB.id,
  });
  t.same(view(world, 1).routers[0]?.external?.floatingIps, []);
  t.same(view(world, 2).routers[0]?.external?.floatingIps, [
    { floatingIp: floating.floatingIp, fixedIp: guestB.fixedIps[0]?.ip },
  ]);
});

void t.test('a local port has its rules resolved to addresses, each once', async (t) => {
  const world = makeWorld();
  const { guestA, guestB, guestC } = await island(world);
  const members = [guestA, guestB, guestC].map((port) => `${port.fixedIps[0]?.ip}/32`);
  const [port] = view(world, 1).ports;
  t.equal(port?.portId, guestA.id);
  t.equal(port?.hostname, 'a');
  t.equal(port?.portSecurity, true);
  const [ingress, egress] = port?.rules ?? [];
  t.equal(ingress?.direction, 'ingress');
  t.same([...(ingress?.remotePrefixes ?? [])].sort(), [...new Set(members)].sort());
  t.same(egress, { direction: 'egress' });

  const group = await world.network.securityGroups.create(world.alice, { name: 'web' });
  await world.network.securityGroups.createRules(world.alice, [
    { securityGroupId: group.id, direction: 'ingress', protocol: 'tcp', portMin: 80, portMax: 81 },
    { securityGroupId: group.id, direction: 'ingress', protocol: 'icmp', remotePrefix: '192.0.2.0/24' },
    { securityGroupId: group.id, direction: 'ingress', protocol: 'sctp', remoteGroupId: group.id },
  ]);
  await world.network.ports.update(world.alice, guestA.id, { securityGroupIds: [group.id] });
  t.same(view(world, 1).ports[0]?.rules, [
    { direction: 'egress' },
    { direction: 'ingress', protocol: 'tcp', portMin: 80, portMax: 81 },
    { direction: 'ingress', protocol: 'icmp', remotePrefixes: ['192.0.2.0/24'] },
    { direction: 'ingress', protocol: 132, remotePrefixes: [`${guestA.fixedIps[0]?.ip}/32`] },
  ]);
  await world.network.ports.update(world.alice, guestA.id, { adminStateUp: false });
  t.same(view(world, 1).ports[0]?.rules, [], 'what is administratively down lets nothing through');
});

void t.test('the same records give the same view, byte for byte', async (t) => {
  const world = makeWorld();
  await island(world);
  for (const number of [1, 2, 3]) {
    t.equal(JSON.stringify(view(world, number)), JSON.stringify(view(world, number)));
  }
});

void t.test('views one after the other equal those made from nothing, and share what has not changed', async (t) => {
  const world = makeWorld();
  const views = [1, 2, 3].map((number) => new HostNetworkViews(host(number)));
  world.state.watch({ prefix: '' }, (events) => {
    for (const each of views) each.heard(events.map(({ key }) => key));
  });
  const look = () => views.map((each) => each.of(world.state.local));
  const check = (what: string): void => {
    look().forEach((kept, at) => {
      t.same(kept, view(world, at + 1), `host ${at + 1} after ${what}`);
    });
  };
  check('nothing');
  const { guestA, guestC, apart } = await island(world);
  check('guests came');
  const setMetadata = (port: shoal.v1.Port, metadata: Readonly<Record<string, string>>): Promise<void> =>
    transact(world.deps, world.alice, ({ reader, change }) => {
      const row = serverTable.must(reader, port.deviceId);
      serverTable.update(change, row, new shoal.v1.Server({ ...row.record, metadata }));
    });
  const before = look();
  await setMetadata(guestC, { colour: 'red' });
  t.equal(look()[0]?.ports, before[0]?.ports, 'host 1 has nothing to do with the guest of host 2');
  check('a guest of host 2 has changed');
  const [, old] = look();
  await addGuest(world, apart.network.id, 2, 'd');
  const [, now] = look();
  t.equal(now?.ports.length, (old?.ports.length ?? 0) + 1);
  const metadataOf = (of: typeof now, port: shoal.v1.Port) =>
    of?.ports.find(({ portId }) => portId === port.id)?.metadata;
  t.equal(metadataOf(now, guestC), metadataOf(old, guestC), 'what the other guest reads is not made again');
  check('a guest came');
  await setMetadata(guestA, { colour: 'blue' });
  t.match(JSON.stringify(look()[0]?.ports), /blue/);
  check('a guest has other metadata');
});
