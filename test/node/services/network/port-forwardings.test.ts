import t from 'tap';
import type { HostId } from '../../../../node/base/ids.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { readCarried } from '../../../../node/services/network/carried-networks.ts';
import { hostNetworkView } from '../../../../node/services/network/host-view.ts';
import { floatingIpTable, portTable, routerTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { addExternal, addHost, addNetwork, beforeCommit, makeWorld, refusalOf, type World } from '../world.ts';

const host = (number: number): HostId => `${number}`.repeat(32) as HostId;

/** Two ports of alice's behind a router, plugged in on host 1, a floating IP, and source NAT on host 2. */
async function behindRouter(world: World) {
  for (const number of [1, 2]) await addHost(world, number);
  const { network, subnet } = await addNetwork(world);
  const external = await addExternal(world);
  const { routers, ports, floatingIps } = world.network;
  const router = await routers.create(world.alice, { gateway: { networkId: external.network.id } });
  await routers.addInterface(world.alice, router.id, { subnetId: subnet.id });
  const draft = { networkId: network.id };
  const [port, other] = await ports.create(world.alice, [draft, draft]);
  if (port === undefined || other === undefined) throw new Error('two were asked for');
  await transact(world.deps, world.alice, ({ reader, change }) => {
    const row = routerTable.must(reader, router.id);
    routerTable.update(change, row, new shoal.v1.Router({ ...row.record, snatHostId: host(2) }));
    for (const { id } of [port, other]) {
      const at = portTable.must(reader, id);
      portTable.update(change, at, new shoal.v1.Port({ ...at.record, hostId: host(1) }));
    }
  });
  const floatingNetworkId = external.network.id;
  const floating = await floatingIps.create(world.alice, { floatingNetworkId });
  return { network, subnet, router, port, other, floating, floatingNetworkId };
}

const web = { protocol: 'TCP', externalPort: 8080, internalPort: 80 };

void t.test('forwardings are made, changed and taken away, and the host that does source NAT has them', async (t) => {
  const world = makeWorld();
  const { portForwardings, floatingIps } = world.network;
  const { port, other, floating, router } = await behindRouter(world);
  const made = await portForwardings.create(world.alice, floating.id, { ...web, internalPortId: port.id });
  t.match(made, { protocol: 'tcp', fixedIp: port.fixedIps[0]?.ip, portId: port.id });
  const view = (number: number) => hostNetworkView(world.state.local, host(number)).routers[0]?.external;
  const forward = {
    floatingIp: floating.floatingIp,
    protocol: 'tcp',
    port: 8080,
    fixedIp: made.fixedIp,
    fixedPort: 80,
  };
  t.same(view(2)?.forwards, [forward]);
  t.equal(view(1)?.forwards, undefined, 'and no other');
  readCarried(world.state.local, host(2));
  t.equal(floatingIps.show(world.alice, world.state.local, floating.id).routerId, router.id);

  const refused = (draft: object) =>
    refusalOf(portForwardings.create(world.alice, floating.id, { ...web, internalPortId: port.id, ...draft }));
  t.equal(await refused({}), 'BadRequest', 'the same again');
  t.equal(await refused({ internalPort: 81 }), 'BadRequest', 'the external port is taken');
  t.equal(await refused({ externalPort: 8081 }), 'BadRequest', 'the internal port is taken');
  t.equal(await refused({ externalPort: 0 }), 'HTTPBadRequest');
  t.equal(await refused({ externalPort: 1, protocol: 'icmp' }), 'HTTPBadRequest');
  t.equal(await refused({ externalPort: 1, internalIp: '10.0.0.250' }), 'BadRequest');
  t.equal(
    await refusalOf(portForwardings.create(world.bob, floating.id, { ...web, internalPortId: port.id })),
    'FloatingIPNotFound',
  );
  const udp = await portForwardings.create(world.alice, floating.id, {
    ...web,
    protocol: 'udp',
    internalPortId: other.id,
  });
  await portForwardings.update(world.alice, floating.id, udp.id ?? '', { externalPort: 53, description: 'names' });
  t.match(portForwardings.show(world.alice, world.state.local, floating.id, udp.id ?? ''), {
    ...{ externalPort: 53, internalPort: 80, description: 'names', portId: other.id },
  });
  t.equal(view(2)?.forwards?.length, 2);
  await portForwardings.delete(world.alice, floating.id, made.id ?? '');
  t.equal(await refusalOf(portForwardings.delete(world.alice, floating.id, made.id ?? '')), 'PortForwardingNotFound');
  await portForwardings.delete(world.alice, floating.id, udp.id ?? '');
  t.equal(floatingIps.show(world.alice, world.state.local, floating.id).routerId, '');
  t.equal(view(2)?.forwards, undefined);
});

void t.test('what a forwarding needs stays, and an address has one use', async (t) => {
  const world = makeWorld();
  const { portForwardings, floatingIps, routers, ports } = world.network;
  const { port, other, floating, floatingNetworkId, router, subnet } = await behindRouter(world);
  await portForwardings.create(world.alice, floating.id, { ...web, internalPortId: port.id });
  t.equal(await refusalOf(floatingIps.delete(world.alice, floating.id)), 'FipInUseByPortForwarding');
  const associated = floatingIps.update(world.alice, floating.id, { portId: other.id });
  t.equal(await refusalOf(associated), 'FipInUseByPortForwarding');
  await floatingIps.update(world.alice, floating.id, { portId: null, description: 'kept' });
  t.equal(floatingIps.show(world.alice, world.state.local, floating.id).routerId, router.id);
  const toPort = floatingIps.create(world.alice, { floatingNetworkId, portId: port.id });
  t.equal(await refusalOf(toPort), 'PortHasPortForwarding');
  const second = await floatingIps.create(world.alice, { floatingNetworkId, portId: other.id });
  const beside = portForwardings.create(world.alice, floating.id, {
    ...web,
    externalPort: 1,
    internalPortId: other.id,
  });
  t.equal(await refusalOf(beside), 'PortHasBindingFloatingIP');
  const onSecond = portForwardings.create(world.alice, second.id, { ...web, internalPortId: port.id });
  t.equal(await refusalOf(onSecond), 'FloatingIPPortAlreadyAssociated');
  await floatingIps.delete(world.alice, second.id);
  t.equal(
    await refusalOf(routers.removeInterface(world.alice, router.id, { subnetId: subnet.id })),
    'RouterInterfaceInUseByFloatingIP',
  );
  t.equal(
    await refusalOf(routers.update(world.alice, router.id, { gateway: null })),
    'RouterExternalGatewayInUseByFloatingIp',
  );
  const noSnat = { gateway: { networkId: floatingNetworkId, enableSnat: false } };
  t.equal(await refusalOf(routers.update(world.admin, router.id, noSnat)), 'RouterInUse');
  await ports.delete(world.alice, port.id);
  t.same(portForwardings.list(world.alice, world.state.local, floating.id), [], 'they go with the port');
  await routers.update(world.admin, router.id, noSnat);
  const without = portForwardings.create(world.alice, floating.id, { ...web, internalPortId: other.id });
  t.equal(await refusalOf(without), 'BadRequest', 'a router without source NAT');
  await routers.removeInterface(world.alice, router.id, { subnetId: subnet.id });
  const apart = portForwardings.create(world.alice, floating.id, { ...web, internalPortId: other.id });
  t.equal(await refusalOf(apart), 'BadRequest', 'no router');
  await floatingIps.delete(world.alice, floating.id);
});

void t.test('a floating IP and a forwarding that come to a port at once: one of the two is refused', async (t) => {
  for (const isForwardingFirst of [true, false]) {
    const world = makeWorld();
    const { port, floating, floatingNetworkId } = await behindRouter(world);
    const forward = () =>
      world.network.portForwardings.create(world.alice, floating.id, { ...web, internalPortId: port.id });
    const lead = () => world.network.floatingIps.create(world.alice, { floatingNetworkId, portId: port.id });
    beforeCommit(world.state, () => true, isForwardingFirst ? forward : lead);
    const refusal = await refusalOf((isForwardingFirst ? lead : forward)());
    t.equal(refusal, isForwardingFirst ? 'PortHasPortForwarding' : 'PortHasBindingFloatingIP');
    const [own] = floatingIpTable.list(world.state.local).filter(({ record }) => record.id === floating.id);
    t.equal(own?.record.portForwardings.length, isForwardingFirst ? 1 : 0);
  }
});
