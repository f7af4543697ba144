/** A host starts a guest with the hardware that its record asks for, and tells the record which machine that was. */
import t from 'tap';
import { shoal } from '../../../../proto/messages.ts';
import { serverId } from '../host-world.ts';
import { volumeHost } from '../volume-host.ts';

const { PowerWanted, ServerStatus } = shoal.v1;

t.test('of its flavor and its image, on the machine of its first start', async (t) => {
  const host = await volumeHost(t);
  const { world } = host;
  const reach = async (wanted: shoal.v1.PowerWanted, status: shoal.v1.ServerStatus): Promise<void> => {
    await world.change((server) => {
      server.powerWanted = wanted;
      server.taskState = 'powering';
    });
    await host.until('it is so', () => host.server?.status === status && host.server.taskState === '');
  };
  t.equal(host.server?.machine, 'fake-pc', 'told with the first start');
  const restart = async (edit: (server: shoal.v1.Server) => void): Promise<void> => {
    await reach(PowerWanted.POWER_WANTED_STOPPED, ServerStatus.SERVER_STATUS_SHUTOFF);
    await world.change(edit);
    await reach(PowerWanted.POWER_WANTED_RUNNING, ServerStatus.SERVER_STATUS_ACTIVE);
  };
  const extraSpecs = { 'hw:boot_menu': 'true', 'quota:disk_total_iops_sec': '200' };
  await restart((server) => {
    server.imageProperties = { hw_disk_bus: 'sata', hw_vif_model: 'e1000', hw_watchdog_action: 'reset' };
    server.flavor = new shoal.v1.Flavor({ ...(server.flavor ?? {}), extraSpecs });
  });
  const asked = { watchdog: 'reset', bootMenu: true };
  const now = () => world.compute.guests.get(serverId)?.spec;
  t.same(now()?.hardware, { ...asked, machine: 'fake-pc' }, 'the machine of its first start');
  for (const { volumeId, bus, limits } of now()?.disks ?? []) {
    const isRoot = volumeId === host.server?.rootVolumeId;
    if (isRoot) t.same({ bus, limits }, { bus: 'sata', limits: { iops: 200 } });
  }
  for (const nic of now()?.nics ?? []) t.equal(nic.model, 'e1000');
  await restart((server) => {
    server.imageProperties = {};
    server.machine = 'fake-of-another-release';
  });
  t.same(now()?.hardware, { bootMenu: true, machine: 'fake-of-another-release' });
  t.equal(host.server?.machine, 'fake-of-another-release', 'it stays');
});
