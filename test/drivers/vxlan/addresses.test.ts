/** What a port may speak as besides its first address, and where routers send: B4, B5, B6 on real namespaces. */
import t from 'tap';
import type { LocalPortSpec } from '../../../drivers/types.ts';
import { makeLab, pictureOf, whyNoNetwork } from './bench-host.ts';
import { Cloud, get, isClosed, networkOf, openRules, pings } from './cloud.ts';

t.setTimeout(300_000);

await t.test('two hosts', { skip: await whyNoNetwork() }, async (t) => {
  t.setTimeout(300_000);
  const signal = AbortSignal.timeout(290_000);
  const lab = await makeLab(t, 2);
  const cloud = new Cloud(lab);
  const outside = lab.outsideNamespace ?? '';
  const drivers = lab.hosts.map((_, host) => lab.open(host));
  await Promise.all(drivers.map((driver) => driver.start(signal)));
  const ensureAll = async (): Promise<void> => {
    await Promise.all(drivers.map((driver, host) => cloud.ensure(driver, host, signal)));
  };
  const setPort = async (name: string, fields: Partial<LocalPortSpec>): Promise<void> => {
    const guest = cloud.guest(name);
    guest.port = { ...guest.port, ...fields };
    // Other hosts have to know of addresses, and of nothing else.
    if (fields.moreIps === undefined) await drivers[guest.host]?.ensurePort(guest.port, signal);
    else await ensureAll();
  };
  const on = (name: string): string => cloud.guest(name).namespace;
  const ip = async (name: string, words: string): Promise<void> => {
    const { ok, out } = await cloud.in(name, ['ip', ...words.split(' ')]);
    if (!ok) throw new Error(`ip ${words} in ${name}: ${out}`);
  };
  /** Says on the wire who has an address now, as keepalived does when it becomes master. */
  const announce = (name: string, address: string, dev = 'eth0') =>
    cloud.in(name, ['arping', '-q', '-U', '-c', '2', '-w', '2', '-I', dev, '-s', address, address]);

  const a = networkOf('a', 5001, '10.0.0');
  const b = networkOf('b', 5002, '10.0.1');
  cloud.networks.push(a, b);
  cloud.routed = [a, b];
  await cloud.plug('a1', 0, a, '10.0.0.11', 'fa:16:3e:aa:00:01');
  await cloud.plug('a2', 1, a, '10.0.0.12', 'fa:16:3e:aa:00:02');
  await cloud.plug('a3', 0, a, '10.0.0.13', 'fa:16:3e:aa:00:03');
  await cloud.plug('b1', 1, b, '10.0.1.11', 'fa:16:3e:bb:00:01');
  await ensureAll();
  await Promise.all(cloud.guests.map((guest) => cloud.dhcp(guest.name)));
  await Promise.all(cloud.guests.map((guest) => cloud.serve(guest.namespace, guest.name)));
  await cloud.serve(outside, 'outside');

  const vip = '10.0.0.200';
  await t.test('B4: a virtual address that two ports may speak as is reached wherever it is', async (t) => {
    await ip('a1', `addr add ${vip}/24 dev eth0`);
    t.notOk(await pings(lab, on('a3'), vip), 'without a pair it is forged');
    for (const name of ['a1', 'a2']) {
      await setPort(name, { addressPairs: [{ mac: cloud.guest(name).port.mac, prefix: `${vip}/32` }] });
    }
    await announce('a1', vip);
    t.equal(await get(lab, on('a3'), `http://${vip}/`), 'a1', 'on the same host');
    t.equal(await get(lab, on('b1'), `http://${vip}/`), 'a1', 'routed, from the other host');
    await ip('a1', `addr del ${vip}/24 dev eth0`);
    await ip('a2', `addr add ${vip}/24 dev eth0`);
    await announce('a2', vip);
    t.equal(await get(lab, on('a3'), `http://${vip}/`), 'a2', 'it has moved');
    t.equal(await get(lab, on('b1'), `http://${vip}/`), 'a2', 'for the router too');
    t.ok(await pings(lab, on('a2'), '10.0.0.13', ['-I', vip]), 'and is spoken from');
  });

  await t.test('B4: the rules of the port that has it now hold for the virtual address', async (t) => {
    await setPort('a2', { rules: [{ direction: 'egress' }, { direction: 'ingress', protocol: 'icmp' }] });
    t.ok(await pings(lab, on('a3'), vip));
    t.ok(await isClosed(lab, on('a3'), `http://${vip}/`));
    await setPort('a2', { rules: [{ direction: 'ingress', protocol: 'icmp' }] });
    t.notOk(await pings(lab, on('a2'), '10.0.0.13', ['-I', vip]), 'outwards as well');
    await setPort('a2', { rules: openRules });
  });

  await t.test('B4: a virtual MAC is learned where it speaks', async (t) => {
    const mac = '00:00:5e:00:01:33';
    const address = '10.0.0.201';
    // What it sends by itself leaves with its own MAC, as keepalived's answers do.
    for (const name of ['a1', 'a2']) {
      const own = { mac: cloud.guest(name).port.mac, prefix: address };
      await setPort(name, { addressPairs: [{ mac, prefix: address }, own] });
    }
    for (const name of ['a1', 'a2']) {
      await ip(name, `link add vrrp link eth0 address ${mac} type macvlan mode bridge`);
      await ip(name, `addr add ${address}/32 dev vrrp`);
      await ip(name, 'link set vrrp up');
      await announce(name, address, 'vrrp');
      t.equal(await get(lab, on('a3'), `http://${address}/`), name, name);
      await ip(name, 'link del vrrp');
    }
  });

  await t.test('B4: a pair that is taken away is forged again, and prefixes that overlap are no trouble', async (t) => {
    await setPort('a2', {
      addressPairs: [
        { mac: cloud.guest('a2').port.mac, prefix: '10.0.0.0/24' },
        { mac: cloud.guest('a2').port.mac, prefix: `${vip}/32` },
        { mac: 'fa:16:3e:aa:00:77', prefix: '0.0.0.0/0' },
      ],
    });
    await announce('a2', vip);
    t.ok(await pings(lab, on('a3'), vip));
    const pictures = await Promise.all(lab.hosts.map((_, host) => pictureOf(lab, host)));
    await ensureAll();
    t.same(await Promise.all(lab.hosts.map((_, host) => pictureOf(lab, host))), pictures, 'again changes nothing');
    await setPort('a2', { addressPairs: [] });
    await setPort('a1', { addressPairs: [] });
    t.notOk(await pings(lab, on('a3'), vip));
    await ip('a2', `addr del ${vip}/24 dev eth0`);
  });

  await t.test('B5: a router sends by its routes, on every host', async (t) => {
    await ip('a1', 'addr add 10.50.0.9/32 dev lo');
    await setPort('a1', { addressPairs: [{ mac: cloud.guest('a1').port.mac, prefix: '10.50.0.0/24' }] });
    t.notOk(await pings(lab, on('b1'), '10.50.0.9'), 'without a route it goes out by the gateway');
    cloud.routes = [{ destination: '10.50.0.0/24', nextHop: '10.0.0.11' }];
    await ensureAll();
    t.ok(await pings(lab, on('b1'), '10.50.0.9'), 'from the other host');
    t.ok(await pings(lab, on('a3'), '10.50.0.9'), 'from the same network');
    t.equal(await get(lab, on('b1'), 'http://10.50.0.9/'), 'a1');
    cloud.routes = [];
    await ensureAll();
    t.notOk(await pings(lab, on('b1'), '10.50.0.9'), 'a route that went');
  });

  await t.test('B5: a route by a neighbour on the external network holds where traffic leaves', async (t) => {
    await lab.run(outside, ['ip', 'addr', 'add', '203.0.113.9/32', 'dev', 'lo']);
    const { out } = await lab.run(outside, ['ip', '-br', '-4', 'addr']);
    const dev = /^(\S+?)(@\S+)?\s+\S+\s+10\.97\.0\./m.exec(out)?.[1] ?? '';
    await lab.run(outside, ['ip', 'addr', 'add', '10.97.0.250/24', 'dev', dev]);
    cloud.routes = [{ destination: '203.0.113.0/24', nextHop: '10.97.0.250' }];
    await ensureAll();
    t.ok(await pings(lab, on('b1'), '203.0.113.9'));
    cloud.routes = [];
    await ensureAll();
  });

  await t.test('B6: a second address is the port’s own, and a floating IP leads to it', async (t) => {
    await ip('a3', 'addr add 10.0.0.33/24 dev eth0');
    t.notOk(await pings(lab, on('a2'), '10.0.0.33'), 'before the port has it');
    await setPort('a3', { moreIps: ['10.0.0.33'] });
    t.equal(await get(lab, on('a2'), 'http://10.0.0.33/'), 'a3', 'from the other host');
    t.equal(await get(lab, on('b1'), 'http://10.0.0.33/'), 'a3', 'routed');
    t.ok(await pings(lab, on('a3'), '10.0.0.12', ['-I', '10.0.0.33']));
    t.match(await cloud.dhcp('a3'), 'lease of 10.0.0.13 obtained', 'DHCP gives the first');
    await ip('a3', 'addr add 10.0.0.33/24 dev eth0');
    cloud.floating.set('a3', '10.97.0.33');
    await ensureAll();
    t.equal(await get(lab, outside, 'http://10.97.0.33/'), 'a3');
    const metadata = 'http://169.254.169.254/latest/meta-data/hostname';
    t.equal(await get(lab, on('a3'), metadata), 'a3');
    await setPort('a3', { rules: [{ direction: 'egress' }] });
    t.ok(await isClosed(lab, on('a2'), 'http://10.0.0.33/'), 'its rules hold for it');
    await setPort('a3', { rules: openRules, moreIps: [] });
    t.notOk(await pings(lab, on('a2'), '10.0.0.33'), 'once it is not the port’s any more');
  });

  await t.test(
    'api 20: without DHCP there is no service address, and metadata is still there on the wire',
    async (t) => {
      const [subnet] = a.subnets;
      if (subnet === undefined) throw new Error('the network has a subnet');
      const { serviceIp: _gone, ...bare } = subnet;
      const without = { ...a, subnets: [{ ...bare, dhcp: false }] };
      await drivers[0]?.ensureNetwork(without, signal);
      t.notOk(await pings(lab, on('a1'), '10.0.0.2'));
      await ip('a1', 'route replace 169.254.169.254/32 dev eth0');
      t.equal(await get(lab, on('a1'), 'http://169.254.169.254/latest/meta-data/hostname'), 'a1');
      await drivers[0]?.ensureNetwork(a, signal);
      t.match(await cloud.dhcp('a1'), 'lease of 10.0.0.11 obtained', 'and DHCP comes back');
      t.ok(await pings(lab, on('a1'), '10.0.0.2'));
    },
  );
});
