/** Several subnets on one network, on real namespaces: two hosts, DHCP for each, and a router between them. */
import t from 'tap';
import type { NetworkSpec } from '../../../drivers/types.ts';
import type { SubnetId } from '../../../node/base/ids.ts';
import { makeLab, whyNoNetwork } from './bench-host.ts';
import { Cloud, get, isClosed, lookUp, networkOf, openRules, pings } from './cloud.ts';

t.setTimeout(115_000);

await t.test('a network of three subnets on two hosts', { skip: await whyNoNetwork() }, async (t) => {
  t.setTimeout(115_000);
  const signal = AbortSignal.timeout(110_000);
  const lab = await makeLab(t, 2);
  const cloud = new Cloud(lab);
  const drivers = lab.hosts.map((_, host) => lab.open(host));
  await Promise.all(drivers.map((driver) => driver.start(signal)));
  const ensureAll = async (): Promise<void> => {
    await Promise.all(drivers.map((driver, host) => cloud.ensure(driver, host, signal)));
  };
  const on = (name: string): string => cloud.guest(name).namespace;

  const base = networkOf('a', 5001, '10.0.0');
  const [first] = base.subnets;
  if (first === undefined) throw new Error('the network has a subnet');
  const at = (prefix: string): (typeof base.subnets)[number] => ({
    ...first,
    subnetId: `subnet-${prefix.replaceAll('.', '-')}` as SubnetId,
    cidr: `${prefix}.0/24`,
    gatewayIp: `${prefix}.1`,
    serviceIp: `${prefix}.2`,
  });
  const { serviceIp: _none, ...bare } = at('10.0.2');
  const network: NetworkSpec = { ...base, subnets: [first, at('10.0.1'), { ...bare, dhcp: false }] };
  cloud.networks.push(network);
  cloud.routed = [network];
  await cloud.plug('a1', 0, network, '10.0.0.11', 'fa:16:3e:aa:00:01');
  await cloud.plug('a2', 0, network, '10.0.1.12', 'fa:16:3e:aa:00:02');
  await cloud.plug('a3', 1, network, '10.0.1.13', 'fa:16:3e:aa:00:03');
  await cloud.plug('a4', 1, network, '10.0.2.14', 'fa:16:3e:aa:00:04');
  // The first of its addresses is in a subnet without DHCP: it is leased the other one.
  cloud.guest('a4').port = { ...cloud.guest('a4').port, moreIps: ['10.0.0.14'] };
  await ensureAll();

  await t.test('each guest is leased an address of its own subnet, with that subnet’s gateway', async (t) => {
    for (const [name, ip] of [
      ['a1', '10.0.0.11'],
      ['a2', '10.0.1.12'],
      ['a3', '10.0.1.13'],
      ['a4', '10.0.0.14'],
    ] as const) {
      t.match(await cloud.dhcp(name), `lease of ${ip} obtained`, name);
      const { out } = await cloud.in(name, ['ip', 'route']);
      t.match(out, `default via ${ip.replace(/\.\d+$/, '.1')}`, name);
      await cloud.serve(on(name), name);
    }
  });

  await t.test('guests of one subnet speak directly, those of two through the router', async (t) => {
    t.equal(await get(lab, on('a2'), 'http://10.0.1.13/'), 'a3', 'one subnet, two hosts');
    t.equal(await get(lab, on('a1'), 'http://10.0.1.12/'), 'a2', 'two subnets, one host');
    t.equal(await get(lab, on('a1'), 'http://10.0.1.13/'), 'a3', 'two subnets, two hosts');
    t.equal(await get(lab, on('a3'), 'http://10.0.0.11/'), 'a1', 'and back');
    await lab.run(on('a4'), ['ip', 'addr', 'add', '10.0.2.14/24', 'dev', 'eth0']);
    t.equal(await get(lab, on('a1'), 'http://10.0.2.14/'), 'a4', 'a subnet without DHCP');
    t.ok(await pings(lab, on('a1'), '10.0.2.1'), 'the router answers on it');
  });

  await t.test('rules hold between subnets', async (t) => {
    const guest = cloud.guest('a3');
    guest.port = { ...guest.port, rules: [{ direction: 'egress' }] };
    await ensureAll();
    t.ok(await isClosed(lab, on('a1'), 'http://10.0.1.13/'), 'through the router');
    t.ok(await isClosed(lab, on('a2'), 'http://10.0.1.13/'), 'directly');
    guest.port = { ...guest.port, rules: openRules };
    await ensureAll();
    t.equal(await get(lab, on('a1'), 'http://10.0.1.13/'), 'a3');
  });

  await t.test('metadata and names are there in each subnet', async (t) => {
    for (const name of ['a1', 'a2', 'a3', 'a4']) {
      t.equal(await get(lab, on(name), 'http://169.254.169.254/latest/meta-data/hostname'), name);
    }
    t.equal(await lookUp(lab, on('a2'), '10.0.1.2', { type: 'A', name: 'a1.novalocal' }), '10.0.0.11');
  });

  await t.test('a subnet goes, and the others stay', async (t) => {
    cloud.networks[0] = { ...network, subnets: network.subnets.slice(0, 2) };
    const [left] = cloud.networks;
    cloud.routed = left === undefined ? [] : [left];
    cloud.guest('a4').port = { ...cloud.guest('a4').port, ip: '10.0.0.14', moreIps: [] };
    await ensureAll();
    t.equal(await get(lab, on('a1'), 'http://10.0.1.13/'), 'a3');
    t.notOk(await pings(lab, on('a1'), '10.0.2.1'));
    t.match(await cloud.dhcp('a3'), 'lease of 10.0.1.13 obtained');
  });
});
