import { randomBytes } from 'node:crypto';
import t from 'tap';
import { FakeComputeDriver, FakeComputeHost } from '../../drivers/fake/compute.ts';
import { FakeStorage, FakeStorageDriver } from '../../drivers/fake/storage.ts';
import { qemuFixture, whyNoQemu } from '../support/guests/qemu-host.ts';
import { computeCompliance } from './compute.ts';

await t.test('the fake compute driver', async (t) => {
  const disks = new FakeStorage({ shared: false });
  const others = new FakeStorage({ shared: false, name: 'other' });
  const hosts = new Map<string, FakeComputeHost>();
  const hostAt = (address: string): FakeComputeHost | undefined => hosts.get(address);
  const [host, elsewhere] = ['fake-1', 'fake-2'].map((address) => {
    const made = new FakeComputeHost(undefined, [disks, others], undefined, { address, hostAt });
    hosts.set(address, made);
    return made;
  }) as [FakeComputeHost, FakeComputeHost];
  host.behaviour.unplugDelayMs = Number.POSITIVE_INFINITY;
  await computeCompliance(t, {
    open: () => new FakeComputeDriver(host),
    openElsewhere: () => new FakeComputeDriver(elsewhere),
    hardware: async () => ({ disks: [], nics: [], memoryMib: 64, vcpus: 1 }),
    storage: new FakeStorageDriver(disks),
    otherStorage: new FakeStorageDriver(others),
    newTap: async () => `tap${randomBytes(5).toString('hex')}`,
    crash: (guest) => host.crash(guest.serverId),
  });
});

await t.test('the QEMU driver', { skip: await whyNoQemu() }, async (t) => {
  await computeCompliance(t, await qemuFixture(t));
});

await t.test('the QEMU driver, with guests that are a q35', { skip: await whyNoQemu() }, async (t) => {
  await computeCompliance(t, await qemuFixture(t, { machine: 'pc-q35-7.2' }));
});
