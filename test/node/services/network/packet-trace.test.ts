/** Where packets go, by the records: each way that there is, and each thing that stops one. */
import t from 'tap';
import type { SecurityRuleSpec } from '../../../../drivers/types.ts';
import type { HostId } from '../../../../node/base/ids.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { parseIp } from '../../../../node/services/network/kit/address.ts';
import { type Packet, ruleFor } from '../../../../node/services/network/trace/packet.ts';
import { tracePacket } from '../../../../node/services/network/trace/packet-traces.ts';
import { hostTable, portTable, routerTable, serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { addExternal, addHost, addNetwork, makeWorld, type World } from '../world.ts';

const { ServerStatus } = shoal.v1;
const host = (number: number): HostId => `${number}`.repeat(32) as HostId;

/** A server that runs, with one port, as `server create` leaves it. */
async function addGuest(world: World, networkId: string, hostNumber: number, name: string): Promise<shoal.v1.Port> {
  const [port] = await world.network.ports.create(world.alice, [{ networkId, deviceOwner: 'compute:nova' }]);
  if (port === undefined) throw new Error('no port was made');
  return transact(world.deps, world.alice, ({ reader, change }) => {
    const server = new shoal.v1.Server({
      ...{ id: `server-${name}`, name, hostname: name, projectId: 'alice-project', hostId: host(hostNumber) },
      ...{ generation: 1, portIds: [port.id], status: ServerStatus.SERVER_STATUS_ACTIVE },
      flavor: new shoal.v1.Flavor({ name: 'small' }),
    });
    serverTable.insert(change, server);
    const row = portTable.must(reader, port.id);
    const next = new shoal.v1.Port({ ...row.record, deviceId: server.id, hostId: host(hostNumber) });
    portTable.update(change, row, next);
    return next;
  });
}

/** Networks a and b behind a router whose source NAT is on host 3, c apart; guests a on host 1, b and c on 2, d beside a on 1. */
async function cloud() {
  const world = makeWorld();
  for (const number of [1, 2, 3]) await addHost(world, number);
  const [a, b, c] = [
    await addNetwork(world, '10.0.0.0/24'),
    await addNetwork(world, '10.0.1.0/24'),
    await addNetwork(world, '10.9.0.0/24'),
  ];
  const external = await addExternal(world);
  const router = await world.network.routers.create(world.alice, { gateway: { networkId: external.network.id } });
  for (const { subnet } of [a, b]) {
    await world.network.routers.addInterface(world.alice, router.id, { subnetId: subnet.id });
  }
  await transact(world.deps, world.alice, ({ reader, change }) => {
    const row = routerTable.must(reader, router.id);
    routerTable.update(change, row, new shoal.v1.Router({ ...row.record, snatHostId: host(3) }));
  });
  const guests = {
    a: await addGuest(world, a.network.id, 1, 'a'),
    b: await addGuest(world, b.network.id, 2, 'b'),
    c: await addGuest(world, c.network.id, 2, 'c'),
    d: await addGuest(world, a.network.id, 1, 'd'),
  };
  const trace = (source: string, destination: string, more: Partial<Parameters<typeof tracePacket>[1]> = {}) =>
    tracePacket(world.state.local, {
      ...{ source, destination, sourcePortId: '', protocol: '', destinationPort: 0 },
      ...more,
    });
  /** The tables passed, and the one that stops it. */
  const way = (...asked: Parameters<typeof trace>): readonly string[] => {
    const { end, steps } = trace(...asked);
    return [...steps.map((step) => `${step.passes ? '' : 'not '}${step.table}`), end];
  };
  const openToAll = async (protocol: string, port?: number): Promise<void> => {
    const groupId = guests.a.securityGroupIds[0] ?? '';
    await world.network.securityGroups.createRules(world.alice, [
      {
        ...{ securityGroupId: groupId, direction: 'ingress', ethertype: 'IPv4', protocol },
        ...(port === undefined ? {} : { portMin: port, portMax: port }),
      },
    ]);
  };
  return { world, a, b, c, external, router, guests, trace, way, openToAll };
}

const ipOf = (port: shoal.v1.Port): string => port.fixedIps[0]?.ip ?? '';
const out = ['port', 'security groups'];

t.test('guests of one group reach each other: on a host, between hosts by a tunnel, through the router', async (t) => {
  const { way, trace, guests } = await cloud();
  t.same(way('a', 'd'), [...out, 'switch', 'security groups', 'port', 'delivered']);
  t.same(way('a', ipOf(guests.b)), [
    ...[...out, 'guest routes', 'router', 'tunnel', 'security groups', 'port', 'delivered'],
  ]);
  const tunnel = trace('a', 'b').steps.find(({ table }) => table === 'tunnel');
  t.match(tunnel?.detail, /VXLAN [0-9]+ carries it to .* at 192\.0\.2\.2\./);
  t.same(way('a', '10.0.0.1'), [...out, 'router', 'answered by router'], 'its gateway');
});

t.test('what security groups do not let in is stopped there, and named; a rule lets it in', async (t) => {
  const { world, way, trace, guests, openToAll } = await cloud();
  const groups = world.network.securityGroups;
  const group = groups.show(world.alice, world.state.local, guests.a.securityGroupIds[0] ?? '');
  for (const rule of group.rules.filter(({ direction }) => direction === 'ingress')) {
    await groups.deleteRule(world.alice, rule.id);
  }
  t.same(way('a', 'd', { protocol: 'tcp', destinationPort: 22 }), [...out, 'switch', 'not security groups', 'stopped']);
  t.match(trace('a', 'd').steps.at(-1)?.detail, /None of 0 ingress rules lets it in/);
  await openToAll('tcp', 22);
  t.equal(trace('a', 'd', { protocol: 'tcp', destinationPort: 22 }).end, 'delivered');
  t.equal(trace('a', 'd', { protocol: 'tcp', destinationPort: 23 }).end, 'stopped', 'another port');
  t.equal(trace('a', 'd', { protocol: 'udp', destinationPort: 22 }).end, 'stopped', 'another protocol');
  t.match(trace('a', 'd', { protocol: 'tcp', destinationPort: 22 }).steps.at(-2)?.detail, /IPv4 tcp 22-22 from any/);
});

t.test('to the outside: by the router’s source NAT on its host, or by a floating IP on the guest’s own', async (t) => {
  const { world, way, trace, guests, external, openToAll } = await cloud();
  t.same(way('a', '8.8.8.8'), [
    ...[...out, 'guest routes', 'tunnel', 'source nat', 'external network', 'left the mesh'],
  ]);
  t.same(
    new Set(
      trace('a', '8.8.8.8')
        .steps.slice(-2)
        .map(({ host }) => host),
    ).size,
    1,
  );
  const address = await world.network.floatingIps.create(world.alice, {
    floatingNetworkId: external.network.id,
    portId: guests.b.id,
  });
  t.same(way('b', '8.8.8.8'), [...out, 'guest routes', 'floating ip', 'external network', 'left the mesh']);
  t.same(
    way('a', address.floatingIp),
    [...out, 'guest routes', 'tunnel', 'source nat', 'floating ip', 'not security groups', 'stopped'],
    'the source is the router’s address by then, which no rule lets in',
  );
  await openToAll('icmp');
  t.same(way('a', address.floatingIp).slice(-3), ['security groups', 'port', 'delivered']);
  t.match(trace('c', address.floatingIp).steps.at(-1)?.detail, /has no gateway|Nobody on network/);
});

t.test('whatever is missing on the way is what the last step says', async (t) => {
  const { world, trace, guests, c } = await cloud();
  const last = (...asked: Parameters<typeof trace>): string => trace(...asked).steps.at(-1)?.detail ?? '';
  t.match(last('a', '10.0.0.200'), /Nobody on network .* has the address 10\.0\.0\.200/);
  t.match(last('a', '10.0.1.200'), /knows no port of subnet .* with 10\.0\.1\.200 that is on a host/);
  t.match(last('c', ipOf(guests.a)), /Nobody on network .* has the address 10\.9\.0\.1/);
  const change = (id: string, fields: Partial<shoal.v1.Server>) =>
    transact(world.deps, world.alice, ({ reader, change: rows }) => {
      const row = serverTable.must(reader, id);
      serverTable.update(rows, row, new shoal.v1.Server({ ...row.record, ...fields }));
    });
  await change('server-b', { status: ServerStatus.SERVER_STATUS_SHUTOFF });
  t.match(last('a', 'b'), /Server b \(server-b\) is SHUTOFF, not ACTIVE/);
  await change('server-b', { status: ServerStatus.SERVER_STATUS_ACTIVE });
  await world.network.ports.update(world.alice, guests.b.id, { adminStateUp: false });
  t.match(last('a', 'b'), /administratively down/);
  await world.network.ports.update(world.alice, guests.b.id, { adminStateUp: true });
  await transact(world.deps, world.alice, ({ reader, change: rows }) => {
    const row = hostTable.must(reader, host(2));
    hostTable.update(rows, row, new shoal.v1.Host({ ...row.record, vtepIp: '' }));
  });
  t.match(last('a', 'b'), /has no forwarding entry for .* has no VXLAN address/);
  await world.network.subnets.update(world.alice, c.subnet.id, { gatewayIp: null });
  t.match(last('c', '8.8.8.8'), /has no gateway, and no host route leads there/);
});

t.test('a question that is none is refused', async (t) => {
  const { world, trace, guests, a } = await cloud();
  t.throws(() => trace('nobody', '10.0.0.1'), { code: 'NOT_FOUND' });
  t.throws(() => trace('a', 'nowhere'), { code: 'NOT_FOUND' });
  t.throws(() => trace('a', '10.0.0.1', { protocol: 'sctp' }), { code: 'INVALID_ARGUMENT' });
  t.throws(() => trace('a', '10.0.0.1', { protocol: 'tcp' }), { code: 'INVALID_ARGUMENT' });
  t.throws(() => trace('a', '10.0.0.1', { protocol: 'tcp', destinationPort: 65_536 }), { code: 'INVALID_ARGUMENT' });
  t.throws(() => trace('a', '10.0.0.1', { sourcePortId: guests.b.id }), { code: 'NOT_FOUND' });
  t.throws(() => trace('a', 'fd00::1'), { code: 'INVALID_ARGUMENT' });
  const twin = await addGuest(world, a.network.id, 1, 'e');
  await transact(world.deps, world.alice, ({ reader, change }) => {
    const row = serverTable.must(reader, twin.deviceId);
    serverTable.update(change, row, new shoal.v1.Server({ ...row.record, name: 'a' }));
  });
  t.throws(() => trace('a', '10.0.0.1'), { code: 'CONFLICT' });
});

t.test('a rule is about packets of its family, protocol and ports', async (t) => {
  const six = { source: parseIp('fd00::1'), destination: parseIp('fd00::2') };
  const four = { source: parseIp('10.0.0.1'), destination: parseIp('10.0.0.2') };
  const isLetIn = (
    rule: Omit<SecurityRuleSpec, 'direction'>,
    ends: typeof six,
    protocol: Packet['protocol'],
    port = 0,
  ): boolean => {
    const { source, destination } = ends;
    if (source === undefined || destination === undefined) throw new Error('no addresses');
    const packet = { source, destination, protocol, destinationPort: port };
    return ruleFor({ rules: [{ direction: 'ingress', ...rule }] }, 'ingress', packet) !== undefined;
  };
  t.ok(isLetIn({}, four, 'icmp'));
  t.notOk(isLetIn({}, six, 'icmp'), 'of IPv4');
  t.ok(isLetIn({ ethertype: 'IPv6', protocol: 58 }, six, 'icmp'));
  t.ok(isLetIn({ ethertype: 'IPv6', protocol: 58, portMin: 128, portMax: 0 }, six, 'icmp'), 'an echo request');
  t.notOk(isLetIn({ protocol: 'icmp', portMin: 0 }, four, 'icmp'), 'an echo reply');
  t.ok(isLetIn({ protocol: 6, portMin: 80, portMax: 90 }, four, 'tcp', 90));
  t.notOk(isLetIn({ protocol: 6, portMin: 80, portMax: 90 }, four, 'tcp', 91));
  t.notOk(isLetIn({ remotePrefixes: [] }, four, 'udp', 53), 'a group with no member');
  t.ok(isLetIn({ remotePrefixes: ['192.0.2.0/24', '10.0.0.1/32'] }, four, 'udp', 53));
});
