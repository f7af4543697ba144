import t from 'tap';
import { FakeComputeDriver, FakeComputeHost } from '../../drivers/fake/compute.ts';
import { qemuFixture, whyNoQemu } from '../support/guests/qemu-host.ts';
import { computeCompliance } from './compute.ts';

await t.test('the fake compute driver', async (t) => {
  const host = new FakeComputeHost();
  await computeCompliance(t, {
    open: () => new FakeComputeDriver(host),
    hardware: async () => ({ disks: [], nics: [], memoryMib: 64, vcpus: 1 }),
    crash: (guest) => host.crash(guest.serverId),
  });
});

await t.test('the QEMU driver', { skip: await whyNoQemu() }, async (t) => {
  await computeCompliance(t, await qemuFixture(t));
});
