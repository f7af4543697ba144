/** Port forwardings of floating IPs on real namespaces: three hosts, the last does source NAT. */
import t from 'tap';
import type { PortForward } from '../../../drivers/types.ts';
import { makeLab, whyNoNetwork } from './bench-host.ts';
import { Cloud, get, isClosed, networkOf } from './cloud.ts';

t.setTimeout(115_000);

await t.test('ports of a floating IP lead to guests on any host', { skip: await whyNoNetwork() }, async (t) => {
  t.setTimeout(115_000);
  const signal = AbortSignal.timeout(110_000);
  const lab = await makeLab(t, 3);
  const cloud = new Cloud(lab);
  const outside = lab.outsideNamespace ?? '';
  const drivers = lab.hosts.map((_, host) => lab.open(host));
  await Promise.all(drivers.map((driver) => driver.start(signal)));
  const network = networkOf('a', 5001, '10.0.0');
  cloud.networks.push(network);
  cloud.routed = [network];
  cloud.snatHost = 2;
  for (const [name, host, last] of [
    ['a1', 0, 11],
    ['a2', 1, 12],
    ['a3', 2, 13],
  ] as const) {
    await cloud.plug(name, host, network, `10.0.0.${last}`, `fa:16:3e:aa:00:${last}`);
  }
  const address = '10.97.0.50';
  const forward = (port: number, fixedIp: string): PortForward => ({
    ...{ floatingIp: address, protocol: 'tcp', port, fixedIp, fixedPort: 80 },
  });
  const set = async (...forwards: readonly PortForward[]): Promise<void> => {
    cloud.forwards = forwards;
    await Promise.all(drivers.map((driver, host) => cloud.ensure(driver, host, signal)));
  };
  await set(forward(8001, '10.0.0.11'), forward(8003, '10.0.0.13'));
  const on = (name: string): string => cloud.guest(name).namespace;
  for (const name of ['a1', 'a2', 'a3']) {
    t.match(await cloud.dhcp(name), 'obtained', name);
    await cloud.serve(on(name), name);
  }

  t.equal(
    await get(lab, outside, `http://${address}:8001/`),
    'a1',
    'on another host than the one that does source NAT',
  );
  t.equal(await get(lab, outside, `http://${address}:8003/`), 'a3', 'on that host');
  t.match(await get(lab, outside, `http://${address}:8001/cgi-bin/who`), lab.externalGatewayIp, 'who asks is seen');
  t.ok(await isClosed(lab, outside, `http://${address}:80/`), 'a port that leads nowhere');
  for (const name of ['a1', 'a2', 'a3']) {
    t.equal(await get(lab, on(name), `http://${address}:8001/`), 'a1', `from ${name}, inside`);
    t.equal(await get(lab, on(name), `http://${address}:8003/`), 'a3', `from ${name}, inside`);
    t.equal(await get(lab, on(name), `http://${lab.externalGatewayIp}/`), undefined, 'nobody serves there');
  }

  const picture = drivers.map((driver) => driver.changes);
  await set(...cloud.forwards);
  t.same(
    drivers.map((driver) => driver.changes),
    picture,
    'nothing is left to do',
  );
  await set(forward(8001, '10.0.0.12'));
  t.equal(await get(lab, outside, `http://${address}:8001/`), 'a2', 'it leads elsewhere at once');
  t.ok(await isClosed(lab, outside, `http://${address}:8003/`), 'gone');
  await set();
  t.ok(await isClosed(lab, outside, `http://${address}:8001/`));
});
