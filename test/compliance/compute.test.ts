import { randomBytes } from 'node:crypto';
import t from 'tap';
import { FakeComputeDriver, FakeComputeHost } from '../../drivers/fake/compute.ts';
import { FakeStorage, FakeStorageDriver } from '../../drivers/fake/storage.ts';
import { qemuFixture, whyNoQemu } from '../support/guests/qemu-host.ts';
import { computeCompliance } from './compute.ts';

await t.test('the fake compute driver', async (t) => {
  const disks = new FakeStorage({ shared: false });
  const others = new FakeStorage({ shared: false, name: 'other' });
  const host = new FakeComputeHost(undefined, [disks, others]);
  host.behaviour.unplugDelayMs = Number.POSITIVE_INFINITY;
  await computeCompliance(t, {
    open: () => new FakeComputeDriver(host),
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
