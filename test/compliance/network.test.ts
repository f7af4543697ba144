import t from 'tap';
import { FakeNetworkDriver, FakeNetworkHost } from '../../drivers/fake/network.ts';
import { makeLab, pictureOf, whyNoNetwork } from '../drivers/vxlan/bench-host.ts';
import { networkCompliance } from './network.ts';

await t.test('the fake network driver', async (t) => {
  const host = new FakeNetworkHost();
  await networkCompliance(t, {
    open: () => new FakeNetworkDriver(host),
    picture: async () => String(host.changes),
    externalGatewayIp: '10.97.0.1',
    externalCidr: '10.97.0.0/24',
  });
});

await t.test('the VXLAN driver', { skip: await whyNoNetwork() }, async (t) => {
  const lab = await makeLab(t, 1);
  await networkCompliance(t, {
    open: () => lab.open(0),
    picture: () => pictureOf(lab, 0),
    externalGatewayIp: lab.externalGatewayIp,
    externalCidr: '10.97.0.0/24',
  });
  const driver = lab.open(0);
  const { signal } = new AbortController();
  await driver.start(signal);
  await driver.teardown(signal);
});
