/** What a tenant writes into its own records opens nothing of another's: F2, F8, F10 and their kin. */
import t from 'tap';
import type { HostId } from '../../node/base/ids.ts';
import type { RequestContext } from '../../node/services/kit/context.ts';
import { interfacesOf, portsOfServer } from '../../node/services/kit/ownership.ts';
import { transact } from '../../node/services/kit/transact.ts';
import { hostNetworkView } from '../../node/services/network/host-view.ts';
import type { PortDraft } from '../../node/services/network/ports.ts';
import { portTable, routerTable, serverTable } from '../../node/state/tables/index.ts';
import { shoal } from '../../proto/messages.ts';
import { type ComputeWorld, hostsAct, makeComputeWorld } from '../node/services/compute-world.ts';
import { addExternal, addNetwork, refusalOf } from '../node/services/world.ts';

const unknownId = '00000000-0000-4000-8000-00000000dead';
const draft = { name: 'victim', flavorId: '1', imageId: 'image-1' };

/** Alice has a server behind a router with a way out; Bob has a network and a server. */
async function twoTenants() {
  const world = await makeComputeWorld();
  const alices = await addNetwork(world, '10.0.0.0/24');
  const bobs = await addNetwork(world, '10.9.0.0/24', world.bob);
  const external = await addExternal(world);
  const router = await world.network.routers.create(world.alice, { gateway: { networkId: external.network.id } });
  await world.network.routers.addInterface(world.alice, router.id, { subnetId: alices.subnet.id });
  const make = async (context: RequestContext, networkId: string): Promise<shoal.v1.Server> => {
    const { servers } = await world.compute.servers.create(context, { ...draft, networks: [{ networkId }] });
    const [server] = servers;
    if (server === undefined) throw new Error('no server was made');
    return server;
  };
  const victim = await make(world.alice, alices.network.id);
  const bobsServer = await make(world.bob, bobs.network.id);
  const floating = await world.network.floatingIps.create(world.alice, {
    floatingNetworkId: external.network.id,
    portId: victim.portIds[0] ?? '',
  });
  await hostsAct(world);
  return { world, alices, bobs, external, router, victim, bobsServer, floating };
}

const portOf = async (world: ComputeWorld, context: RequestContext, port: PortDraft): Promise<shoal.v1.Port> => {
  const [made] = await world.network.ports.create(context, [port]);
  if (made === undefined) throw new Error('no port was made');
  return made;
};

/** What an older version let a tenant write: the record as it is then, whatever the API says today. */
async function forge(world: ComputeWorld, port: shoal.v1.Port, fields: Partial<shoal.v1.Port>): Promise<void> {
  await transact(world.deps, world.bob, ({ reader, change }) => {
    const row = portTable.must(reader, port.id);
    portTable.update(change, row, new shoal.v1.Port({ ...row.record, ...fields }));
  });
}

void t.test('F2: nobody but an administrator gives a port a network: owner', async (t) => {
  const { world, bobs, router, floating } = await twoTenants();
  const networkId = bobs.network.id;
  const plain = await portOf(world, world.bob, { networkId });
  for (const deviceOwner of [
    'router_interface',
    'router_gateway',
    'floatingip',
    'dhcp',
    'ha_router_replicated_interface',
  ]) {
    const device = { deviceOwner: `network:${deviceOwner}`, deviceId: router.id };
    t.equal(await refusalOf(world.network.ports.create(world.bob, [{ networkId, ...device }])), 'PolicyNotAuthorized');
    t.equal(await refusalOf(world.network.ports.update(world.bob, plain.id, device)), 'PolicyNotAuthorized');
    const bare = { deviceOwner: device.deviceOwner };
    t.equal(await refusalOf(world.network.ports.update(world.bob, plain.id, bare)), 'PolicyNotAuthorized');
  }
  for (const deviceId of [router.id, floating.id, unknownId]) {
    const refused = world.network.ports.create(world.bob, [{ networkId, deviceId }]);
    t.equal(await refusalOf(refused), 'DeviceIDNotOwnedByTenant', 'a foreign id and one that nobody has');
    t.equal(await refusalOf(world.network.ports.update(world.bob, plain.id, { deviceId })), 'DeviceIDNotOwnedByTenant');
  }
  await portOf(world, world.bob, { networkId, deviceId: 'rack-7', deviceOwner: 'baremetal:none' });
});

void t.test('F2: a leg that a stranger’s port claims to be is none, on no host and in no answer', async (t) => {
  const { world, bobs, alices, router, victim } = await twoTenants();
  const port = await portOf(world, world.bob, { networkId: bobs.network.id });
  const host = victim.hostId as HostId;
  const before = JSON.stringify({ ...hostNetworkView(world.state.local, host), revision: 0 });
  await forge(world, port, { deviceId: router.id, deviceOwner: 'network:router_interface' });
  t.equal(JSON.stringify({ ...hostNetworkView(world.state.local, host), revision: 0 }), before);
  t.equal(interfacesOf(world.state.local, router).length, 1);
  const bobsPort = await portOf(world, world.bob, { networkId: bobs.network.id });
  const reach = world.network.floatingIps.create(world.bob, {
    floatingNetworkId: router.externalNetworkId,
    portId: bobsPort.id,
  });
  t.equal(await refusalOf(reach), 'ExternalGatewayForFloatingIPNotFound', 'no floating IP through another’s router');
  for (const { record } of portTable.list(world.state.local)) {
    if (record.deviceId !== victim.id) continue;
    await world.compute.servers.delete(world.alice, victim.id);
  }
  await hostsAct(world);
  await world.network.routers.removeInterface(world.alice, router.id, { subnetId: alices.subnet.id });
  for (const fip of world.network.floatingIps.list(world.alice, world.state.local)) {
    await world.network.floatingIps.delete(world.alice, fip.id);
  }
  await world.network.routers.delete(world.alice, router.id);
  t.equal(
    routerTable.get(world.state.local, router.id),
    undefined,
    'the router goes though the stranger’s port names it',
  );
  await world.network.ports.delete(world.bob, port.id);
  t.equal(portTable.get(world.state.local, port.id), undefined, 'and the stranger may take his port back');
});

void t.test('F2: forged gateway and floating IP ports are not taken for the system’s own', async (t) => {
  const { world, bobs, router, floating } = await twoTenants();
  const gateway = await portOf(world, world.bob, { networkId: bobs.network.id });
  await forge(world, gateway, { deviceId: router.id, deviceOwner: 'network:router_gateway' });
  const reserved = await portOf(world, world.bob, { networkId: bobs.network.id });
  await forge(world, reserved, { deviceId: floating.id, deviceOwner: 'network:floatingip' });
  await world.network.floatingIps.delete(world.alice, floating.id);
  await world.network.routers.update(world.alice, router.id, { gateway: null });
  t.ok(portTable.get(world.state.local, gateway.id), 'the stranger’s port is not removed in the gateway’s place');
  t.ok(portTable.get(world.state.local, reserved.id));
  const left = portTable.list(world.state.local).filter(({ record }) => record.projectId === '');
  t.same(left, [], 'and the real ones are gone');
});

void t.test('F2: the owner of a network does not plug in what others have on it', async (t) => {
  const { world, alices } = await twoTenants();
  await world.network.networks.update(world.admin, alices.network.id, { shared: true });
  const guest = await portOf(world, world.bob, { networkId: alices.network.id });
  const second = await world.network.routers.create(world.alice, {});
  const add = (portId: string) => refusalOf(world.network.routers.addInterface(world.alice, second.id, { portId }));
  t.equal(await add(guest.id), 'PortNotFound');
  t.equal(await add(unknownId), 'PortNotFound');
});

void t.test('F8: ports that name a victim’s server are refused, and those that are there do not count', async (t) => {
  const { world, bobs, victim } = await twoTenants();
  const networkId = bobs.network.id;
  for (const device of [
    { deviceId: victim.id },
    { deviceId: victim.id, deviceOwner: 'compute:nova' },
    { deviceId: unknownId, deviceOwner: 'compute:nova' },
    { deviceId: 'text', deviceOwner: 'compute:kuryr' },
  ]) {
    t.equal(
      await refusalOf(world.network.ports.create(world.bob, [{ networkId, ...device }])),
      'DeviceIDNotOwnedByTenant',
    );
  }
  const tags = Array.from({ length: 50 }, (_, at) => '\u6f22'.repeat(250) + at);
  for (let count = 0; count < 130; count++) {
    const port = await portOf(world, world.bob, { networkId });
    await forge(world, port, { deviceId: victim.id, deviceOwner: 'compute:nova', tags });
  }
  t.same(
    portsOfServer(world.state.local, victim).map(({ record }) => record.id),
    victim.portIds,
  );
  await world.compute.servers.delete(world.alice, victim.id);
  await hostsAct(world);
  t.equal(serverTable.get(world.state.local, victim.id), undefined, 'the server is gone');
  t.equal(world.network.ports.list(world.bob, world.state.local, { deviceId: victim.id }).length, 130);
});

void t.test('F8: a deletion ends though its owner’s own ports name the server by the hundred', async (t) => {
  const { world, alices, victim } = await twoTenants();
  const tags = Array.from({ length: 50 }, (_, at) => '\u6f22'.repeat(250) + at);
  for (let count = 0; count < 130; count++) {
    const port = await portOf(world, world.alice, { networkId: alices.network.id, deviceId: victim.id });
    await world.network.ports.update(world.alice, port.id, { tags });
  }
  await world.compute.servers.delete(world.alice, victim.id);
  await hostsAct(world);
  t.equal(serverTable.get(world.state.local, victim.id), undefined);
  t.same(world.network.ports.list(world.alice, world.state.local, { deviceId: victim.id }), [], 'all are free again');
});

void t.test('F8: a guest does not read another’s metadata by its port’s device_id', async (t) => {
  const { world, victim, bobsServer } = await twoTenants();
  const plugged = portTable.must(world.state.local, bobsServer.portIds[0] ?? '').record;
  const update = world.network.ports.update(world.bob, plugged.id, { deviceId: victim.id });
  t.equal(await refusalOf(update), 'PortInUse');
  await forge(world, plugged, { deviceId: victim.id });
  const view = hostNetworkView(world.state.local, plugged.hostId as HostId);
  const spec = view.ports.find(({ portId }) => portId === plugged.id);
  t.ok(spec, 'the port is still carried');
  t.same(spec?.metadata, {});
  t.notMatch(spec?.hostname, /victim/);
});

void t.test('F10: the gateway of a shared network is not a guest’s, nor a stranger’s router’s', async (t) => {
  const { world, alices, bobs } = await twoTenants();
  const [shared] = await world.network.networks.create(world.admin, [{ name: 'shared', shared: true }]);
  const networkId = shared?.id ?? '';
  const [subnet] = await world.network.subnets.create(world.admin, [{ networkId, cidr: '10.5.0.0/24' }]);
  for (const fixedIp of ['10.5.0.1', '10.5.0.99']) {
    const server = world.compute.servers.create(world.bob, { ...draft, networks: [{ networkId, fixedIp }] });
    t.equal(await refusalOf(server), 'PolicyNotAuthorized', `a server at ${fixedIp}`);
    t.equal(
      await refusalOf(world.network.ports.create(world.bob, [{ networkId, fixedIps: [{ ip: fixedIp }] }])),
      'PolicyNotAuthorized',
      `a port at ${fixedIp}`,
    );
  }
  const pairs = { allowedAddressPairs: [{ ip: '10.5.0.1' }] };
  t.equal(await refusalOf(world.network.ports.create(world.bob, [{ networkId, ...pairs }])), 'PolicyNotAuthorized');
  const port = await portOf(world, world.bob, { networkId });
  t.equal(await refusalOf(world.network.ports.update(world.bob, port.id, pairs)), 'PolicyNotAuthorized');
  const router = await world.network.routers.create(world.bob, {});
  t.equal(
    await refusalOf(world.network.routers.addInterface(world.bob, router.id, { subnetId: subnet?.id ?? '' })),
    'BadRequest',
  );
  const own = await world.compute.servers.create(world.alice, {
    ...draft,
    networks: [{ networkId: alices.network.id, fixedIp: '10.0.0.99' }],
  });
  t.equal(own.servers.length, 1, 'on one’s own network one chooses');
  t.equal(
    await refusalOf(world.network.ports.create(world.bob, [{ networkId: bobs.network.id, ...pairs }])),
    'no refusal',
  );
});

void t.test('a tenant’s prefix is not the agents’ own', async (t) => {
  const { world } = await twoTenants();
  const [network] = await world.network.networks.create(world.bob, [{}]);
  const networkId = network?.id ?? '';
  for (const cidr of [
    '100.64.0.0/16',
    '100.64.9.0/24',
    '100.127.0.0/24',
    '169.254.169.0/24',
    '192.0.2.0/24',
    '100.64.0.0/10',
  ]) {
    t.equal(await refusalOf(world.network.subnets.create(world.bob, [{ networkId, cidr }])), 'InvalidInput', cidr);
  }
  t.equal(
    await refusalOf(world.network.subnets.create(world.bob, [{ networkId, cidr: '100.65.0.0/24' }])),
    'no refusal',
  );
});
