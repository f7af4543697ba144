/** NICs of a server that is there already: asked for, plugged in and out by its host, over every death of the agent between. */
import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { declaredPoints } from '../../../../../node/base/buggify/declared-points.ts';
import { ShoalError } from '../../../../../node/base/errors.ts';
import { ServerInterfaces } from '../../../../../node/services/compute/interfaces/server-interfaces.ts';
import type { RequestContext } from '../../../../../node/services/kit/context.ts';
import { NetworkService } from '../../../../../node/services/network/index.ts';
import { portTable } from '../../../../../node/state/tables/index.ts';
import { shoal } from '../../../../../proto/messages.ts';
import { portId as firstPortId, serverId } from '../../host-world.ts';
import { type VolumeHost, volumeHost } from '../../volume-host.ts';

const { PowerWanted, ServerStatus } = shoal.v1;

interface NicHost {
  readonly host: VolumeHost;
  readonly interfaces: ServerInterfaces;
  readonly network: NetworkService;
  readonly networkId: string;
  /** What the guest has. */
  readonly nics: () => readonly string[];
  /** What the host has taps for. */
  readonly taps: () => readonly string[];
  readonly port: (id: string) => shoal.v1.Port | undefined;
  readonly want: (power: shoal.v1.PowerWanted) => Promise<void>;
}

async function nicHost(t: Test): Promise<NicHost> {
  const host = await volumeHost(t);
  const { world, context } = host;
  const network = new NetworkService(world.deps);
  const [made] = await network.networks.create(context, [{ name: 'inner' }]);
  const networkId = made?.id ?? '';
  await network.subnets.create(context, [{ networkId, cidr: '10.7.0.0/24' }]);
  return {
    host,
    interfaces: new ServerInterfaces(world.deps),
    network,
    networkId,
    nics: () => (world.compute.guests.get(serverId)?.spec.nics ?? []).map(({ portId }) => portId),
    taps: () => [...world.network.ports.keys()],
    port: (id) => portTable.get(world.state.local, id)?.record,
    want: (power) =>
      world.change((server) => {
        server.powerWanted = power;
      }),
  };
}

const eventsOf = ({ server }: VolumeHost, action: string): readonly (string | null | undefined)[] =>
  (server?.actions ?? []).filter((one) => one.action === action).flatMap(({ events }) => events?.map((e) => e.result));

/** A NIC on a port that is made, and one on a port that is there; both go again. */
async function wholeLife(t: Test, world: NicHost, restarts: () => boolean): Promise<void> {
  const { host, interfaces, network, networkId, nics, taps, port } = world;
  const until = (what: string, holds: () => boolean): Promise<void> => host.until(what, holds, restarts);
  const asking = (): RequestContext => ({ ...host.context, requestId: `req-${randomUUID()}` });
  const [own] = await network.ports.create(asking(), [{ networkId }]);
  const ownId = own?.id ?? '';
  const { port: made } = await interfaces.attach(asking(), serverId, { networkId, tag: 'storage' });
  t.match(made, { deviceId: serverId, deviceOwner: 'compute:nova', madeForServer: true });
  await interfaces.attach(asking(), serverId, { portId: ownId });
  const arrived = (): boolean => host.server?.nics.every(({ arriving }) => arriving !== true) === true;
  await until('both are recorded as plugged in', arrived);
  t.same(nics(), [firstPortId, made.id, ownId], 'the guest has them, in their order');
  t.same(
    host.server?.nics.map(({ portId, tag }) => [portId, tag]),
    [[made.id, 'storage']],
  );
  t.equal(port(ownId)?.status, 'ACTIVE');
  t.match(eventsOf(host, 'attach_interface'), ['Success', 'Success']);

  await interfaces.detach(asking(), serverId, made.id);
  await interfaces.detach(asking(), serverId, ownId);
  await until('both are gone', () => host.server?.portIds.length === 1);
  t.same(nics(), [firstPortId], 'the guest has them no more');
  t.equal(port(made.id), undefined, 'the port that was made for it is gone');
  t.match(port(ownId), { deviceId: '', deviceOwner: '', hostId: '', status: 'DOWN' }, 'the other one is free');
  t.match(eventsOf(host, 'detach_interface'), ['Success', 'Success']);
  await until('their taps are gone', () => taps().length === 1);
  t.same(host.server?.leavingPortIds, []);
  t.same(host.server?.nics, []);
}

t.test('NICs come and go while the guest runs', async (t) => wholeLife(t, await nicHost(t), () => false));

t.test('the agent is killed at every step of it, and the next one goes on', async (t) => {
  const points = declaredPoints('failpoint')
    .map(({ name }) => name)
    .filter((name) => /^(attach|detach)-nic\./.test(name));
  t.strictSame([...points].sort(), [
    'attach-nic.plugged',
    'attach-nic.reported',
    'detach-nic.reported',
    'detach-nic.unplugged',
  ]);
  for (const point of points) {
    await t.test(point, async (t) => {
      const world = await nicHost(t);
      const { hits } = world.host.killAt(point);
      await wholeLife(t, world, () => hits() > 0);
      t.ok(hits() > 0, 'it was killed there');
    });
  }
});

t.test('a tap stays as long as the guest has its NIC', async (t) => {
  const { host, interfaces, networkId, nics, taps, port } = await nicHost(t);
  const { context, world } = host;
  const { port: made } = await interfaces.attach(context, serverId, { networkId });
  await host.until('it is plugged in', () => nics().includes(made.id));
  world.compute.behaviour.unplugDelayMs = 300;
  await interfaces.detach(context, serverId, made.id);
  await host.quiet();
  t.ok(nics().includes(made.id), 'the guest takes its time');
  t.ok(taps().includes(made.id));
  t.match(port(made.id), { deviceId: serverId }, 'its address is nobody else’s');
  await host.until('it has gone', () => port(made.id) === undefined);
  await host.until('and its tap', () => !taps().includes(made.id));
});

t.test('a paused guest gets a NIC, and lets go of it once it runs on', async (t) => {
  const { host, interfaces, networkId, nics, want } = await nicHost(t);
  const { context } = host;
  await want(PowerWanted.POWER_WANTED_PAUSED);
  await host.until('it is paused', () => host.server?.status === ServerStatus.SERVER_STATUS_PAUSED);
  const { port: made } = await interfaces.attach(context, serverId, { networkId });
  await host.until('it has it', () => nics().includes(made.id));
  await host.until('it is recorded', () => host.server?.nics.length === 0);
  await interfaces.detach(context, serverId, made.id);
  await host.quiet();
  t.same(host.server?.leavingPortIds, [made.id]);
  await want(PowerWanted.POWER_WANTED_RUNNING);
  await host.until('it has let go', () => !nics().includes(made.id) && host.server?.portIds.length === 1);
});

t.test('a guest that is off finds its NICs when it starts', async (t) => {
  const { host, interfaces, networkId, nics, want, port } = await nicHost(t);
  const { context } = host;
  await want(PowerWanted.POWER_WANTED_STOPPED);
  await host.until('it is off', () => host.server?.status === ServerStatus.SERVER_STATUS_SHUTOFF);
  const { port: gone } = await interfaces.attach(context, serverId, { networkId });
  const { port: kept } = await interfaces.attach(context, serverId, { networkId });
  await host.until('both are recorded', () => host.server?.nics.length === 0);
  t.equal(port(kept.id)?.status, 'DOWN', 'nothing runs');
  await interfaces.detach(context, serverId, gone.id);
  await host.until('one is gone', () => port(gone.id) === undefined);
  await want(PowerWanted.POWER_WANTED_RUNNING);
  await host.until('it runs', () => nics().length === 2);
  t.same(nics(), [firstPortId, kept.id]);
});

t.test('a suspended guest goes on with the NICs that its memory knows', async (t) => {
  const { host, interfaces, network, networkId, nics, want, port } = await nicHost(t);
  const { context, world } = host;
  const { port: made } = await interfaces.attach(context, serverId, { networkId });
  await host.until('it has it', () => nics().includes(made.id) && host.server?.nics.length === 0);
  await want(PowerWanted.POWER_WANTED_SUSPENDED);
  await host.until('it is suspended', () => host.server?.status === ServerStatus.SERVER_STATUS_SUSPENDED);
  await network.ports.delete(context, made.id);
  await host.quiet();
  t.match(port(made.id), { deviceId: serverId }, 'nobody can take it from a memory');
  const before = world.compute.guests.get(serverId);
  await want(PowerWanted.POWER_WANTED_RUNNING);
  await host.until('it has let go', () => port(made.id) === undefined);
  t.equal(world.compute.guests.get(serverId), before, 'it went on from its memory');
  t.same(nics(), [firstPortId]);
});

t.test('a NIC that cannot be plugged in is taken back, its owner is told, and the server runs', async (t) => {
  const { host, interfaces, networkId, nics, port } = await nicHost(t);
  const { context, world } = host;
  world.compute.faults.failNext('attachNic', new ShoalError('CONFLICT', 'the guest has no place left'));
  const { port: made } = await interfaces.attach(context, serverId, { networkId });
  await host.until('it is taken back', () => port(made.id) === undefined);
  t.same(host.server?.portIds, [firstPortId]);
  t.same(nics(), [firstPortId]);
  t.match(eventsOf(host, 'attach_interface'), ['Error']);
  t.equal(host.server?.status, ServerStatus.SERVER_STATUS_ACTIVE);
  const again = await interfaces.attach(context, serverId, { networkId });
  await host.until('the next time it works', () => nics().includes(again.port.id));
});

t.test('a guest that does not let go keeps its NIC, and has it plugged in again when it does after all', async (t) => {
  const { host, interfaces, networkId, nics, port } = await nicHost(t);
  const { context, world } = host;
  const { port: made } = await interfaces.attach(context, serverId, { networkId });
  await host.until('it has it', () => nics().includes(made.id) && host.server?.nics.length === 0);
  world.compute.faults.failNext('detachNic', new ShoalError('DRIVER_FAILED', 'it does not'), 1);
  await interfaces.detach(context, serverId, made.id);
  await host.until('its owner is told', () => eventsOf(host, 'detach_interface').includes('Error'));
  t.same(host.server?.leavingPortIds, []);
  t.match(port(made.id), { deviceId: serverId });
  await host.stop();
  const guest = world.compute.guests.get(serverId);
  if (guest !== undefined)
    guest.spec = { ...guest.spec, nics: guest.spec.nics.filter((nic) => nic.portId !== made.id) };
  await host.start();
  await host.until('it has it again', () => nics().includes(made.id));
});

t.test('a port that Neutron deletes, or takes from its server, is cut from the guest first', async (t) => {
  const { host, interfaces, network, networkId, nics, taps, port } = await nicHost(t);
  const { context } = host;
  const { port: deleted } = await interfaces.attach(context, serverId, { networkId });
  const [own] = await network.ports.create(context, [{ networkId }]);
  const ownId = own?.id ?? '';
  await interfaces.attach(context, serverId, { portId: ownId });
  await host.until('the guest has both', () => nics().length === 3 && host.server?.nics.length === 0);
  await network.ports.delete(context, deleted.id);
  await network.ports.update(context, ownId, { deviceId: '', deviceOwner: '' });
  await host.until('both are cut', () => host.server?.portIds.length === 1);
  t.same(nics(), [firstPortId]);
  t.equal(port(deleted.id), undefined);
  t.match(port(ownId), { deviceId: '', deviceOwner: '', hostId: '' });
  await host.until('without taps', () => taps().length === 1);
});

t.test('a NIC of which the records know nothing is cut from the guest', async (t) => {
  const { host, interfaces, networkId, nics } = await nicHost(t);
  const { context, world } = host;
  const { port: made } = await interfaces.attach(context, serverId, { networkId });
  await host.until('it has it', () => nics().includes(made.id) && host.server?.nics.length === 0);
  // As versions did that deleted a port under its guest.
  await world.change((server) => {
    server.portIds = server.portIds.filter((id) => id !== made.id);
  });
  await host.until('it is cut', () => !nics().includes(made.id));
});
