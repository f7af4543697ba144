/** IPv6 on real namespaces: two hosts, networks with an IPv4 and an IPv6 subnet each, two of them with the same prefix. */
import t from 'tap';
import type { LocalPortSpec, NetworkSpec, SecurityRuleSpec } from '../../../drivers/types.ts';
import { linkLocalOf } from '../../../drivers/vxlan/model/link-local.ts';
import { tapName } from '../../../drivers/vxlan/model/names.ts';
import type { SubnetId } from '../../../node/base/ids.ts';
import { makeLab, pictureOf, whyNoNetwork } from './bench-host.ts';
import { Cloud, lookUp, networkOf, pings } from './cloud.ts';
import * as wire from './ipv6-wire.ts';

t.setTimeout(400_000);

const open6: readonly SecurityRuleSpec[] = [
  { direction: 'egress' },
  { direction: 'egress', ethertype: 'IPv6' },
  { direction: 'ingress', ethertype: 'IPv6', protocol: 58 },
];

function dualNetwork(name: string, vni: number, prefix: string, prefix6: string): NetworkSpec {
  const network = networkOf(name, vni, prefix);
  return {
    ...network,
    subnets: [
      ...network.subnets,
      {
        subnetId: `subnet6-${name}` as SubnetId,
        cidr: `${prefix6}/64`,
        gatewayIp: `${prefix6}1`,
        serviceIp: `${prefix6}2`,
        dhcp: true,
        dnsServers: [],
        hostRoutes: [],
      },
    ],
  };
}

await t.test('two hosts', { skip: await whyNoNetwork() }, async (t) => {
  t.setTimeout(390_000);
  const signal = AbortSignal.timeout(380_000);
  const lab = await makeLab(t, 2);
  const cloud = new Cloud(lab);
  const drivers = lab.hosts.map((_, host) => lab.open(host));
  await Promise.all(drivers.map((driver) => driver.start(signal)));
  const ensureAll = async (): Promise<void> => {
    await Promise.all(drivers.map((driver, host) => cloud.ensure(driver, host, signal)));
  };
  const on = (name: string): string => cloud.guest(name).namespace;
  const plug = async (name: string, host: number, network: NetworkSpec, ip: string, ip6: string): Promise<void> => {
    const mac = `fa:16:3e:aa:${String(network.vni).slice(-2)}:${ip.split('.').at(-1)}`;
    const guest = await cloud.plug(name, host, network, ip, mac, { ipv6: true });
    guest.port = { ...guest.port, moreIps: [ip6], rules: open6 };
    // A guest that waits out the detection of duplicates would take a second to have its address.
    await lab.run(on(name), ['sysctl', '-qw', 'net.ipv6.conf.eth0.dad_transmits=0']);
  };
  const setPort = async (name: string, fields: Partial<LocalPortSpec>): Promise<void> => {
    const guest = cloud.guest(name);
    guest.port = { ...guest.port, ...fields };
    await drivers[guest.host]?.ensurePort(guest.port, signal);
  };
  const ends = (name: string, from = linkLocalOf(cloud.guest(name).port.mac)) => ({
    mac: cloud.guest(name).port.mac,
    from,
  });

  const a = dualNetwork('a', 5001, '10.0.0', 'fd00:a::');
  const b = dualNetwork('b', 5002, '10.0.1', 'fd00:a::');
  cloud.networks.push(a, b);
  await plug('a1', 0, a, '10.0.0.11', 'fd00:a::11');
  await plug('a2', 1, a, '10.0.0.12', 'fd00:a::12');
  await plug('a3', 0, a, '10.0.0.13', 'fd00:a::13');
  await plug('b1', 0, b, '10.0.1.14', 'fd00:a::14');
  // The other project has the same address on the other host.
  await plug('b2', 1, b, '10.0.1.12', 'fd00:a::12');
  await ensureAll();
  const give = async (name: string, ip6: string): Promise<void> => {
    const { ok, out } = await cloud.in(name, ['ip', 'addr', 'add', `${ip6}/64`, 'dev', 'eth0', 'nodad']);
    if (!ok) throw new Error(out);
  };

  await t.test('DHCPv6 gives each port its own addresses, and names', async (t) => {
    t.equal(await wire.dhcp6(lab, on('a1')), 'fd00:a::11 dns fd00:a::2');
    t.equal(await wire.dhcp6(lab, on('a2')), 'fd00:a::12 dns fd00:a::2', 'of the host of the guest');
    t.equal(await wire.dhcp6(lab, on('b2')), 'fd00:a::12 dns fd00:a::2', 'the same address on the other network');
    for (const name of ['a1', 'a2', 'a3', 'b1', 'b2']) await give(name, cloud.guest(name).port.moreIps?.[0] ?? '');
    t.equal(await lookUp(lab, on('a1'), 'fd00:a::2', { type: 'AAAA', name: 'a2.novalocal' }), 'fd00:a::12');
    t.equal(await lookUp(lab, on('a1'), '[fd00:a::2]', { type: 'PTR', name: 'fd00:a::12' }), 'a2.novalocal');
    t.match(await cloud.dhcp('a1'), 'lease of 10.0.0.11 obtained', 'DHCP of IPv4 goes on');
  });

  await t.test('guests reach each other on a host and across hosts, at full size', async (t) => {
    t.ok(await pings(lab, on('a1'), 'fd00:a::13'), 'on one host');
    t.ok(await pings(lab, on('a1'), 'fd00:a::12', ['-M', 'do', '-s', '1452']), 'across hosts');
    t.ok(await pings(lab, on('a1'), `${linkLocalOf(cloud.guest('a2').port.mac)}%eth0`), 'by link-local address');
    t.ok(await pings(lab, on('a2'), 'fd00:a::2'), 'the service answers');
  });

  await t.test('who is known is not asked for across hosts', async (t) => {
    const heard = await wire.heardDuring(lab, on('a2'), async () => {
      await cloud.in('a1', ['ip', 'neigh', 'flush', 'dev', 'eth0']);
      t.ok(await pings(lab, on('a1'), 'fd00:a::12'));
    });
    t.same(
      heard.filter((frame) => wire.isIcmp(frame, 135) && frame.includes('fd00000a000000000000000000000012')),
      [],
    );
    t.ok(
      heard.some((frame) => wire.isIcmp(frame, 128)),
      'and what was sent was heard',
    );
  });

  await t.test('networks with the same prefix stay apart', async (t) => {
    t.notOk(await pings(lab, on('b1'), 'fd00:a::11'));
    t.notOk(await pings(lab, on('a1'), 'fd00:a::14'));
    t.ok(await pings(lab, on('b1'), 'fd00:a::12'), 'its own one');
    t.notOk(await pings(lab, on('b1'), `${linkLocalOf(cloud.guest('a1').port.mac)}%eth0`));
  });

  await t.test('no guest speaks as another, as a router or as a server', async (t) => {
    const { mac } = cloud.guest('a1').port;
    const victim = 'fd00:a::13';
    const toVictim = { toMac: cloud.guest('a3').port.mac, to: victim };
    const forged: Readonly<Record<string, string>> = {
      'solicitation as another': wire.solicitation(ends('a1', victim), 'fd00:a::13'),
      'solicitation from another MAC': wire.solicitation({ mac: 'fa:16:3e:00:00:99', from: 'fe80::99' }, victim),
      'detection of another’s address': wire.solicitation(ends('a1', '::'), victim),
      'announcement of another’s address': wire.advertisement(ends('a1'), 'fd00:a::12'),
      'announcement of the gateway': wire.advertisement(ends('a1'), 'fd00:a::1'),
      'announcement by another': wire.advertisement({ mac, from: 'fe80::1' }, 'fd00:a::11'),
      'router advertisement': wire.routerAdvertisement(ends('a1'), 'fd00:bad::'),
      'router advertisement in a piece': wire.hiddenAdvertisement(ends('a1'), 'fd00:bad::'),
      redirect: wire.redirect({ ...ends('a1'), ...toVictim }, linkLocalOf(mac), 'fd00:b::1'),
      'answer of a server': wire.dhcpAnswer({ ...ends('a1'), ...toVictim }),
      'packet as another': wire.plain({ ...ends('a1', 'fd00:a::12'), ...toVictim }),
      'packet from elsewhere': wire.plain({ ...ends('a1', '2001:db8::1'), ...toVictim }),
      'packet by another link-local address': wire.plain({ ...ends('a1', 'fe80::1234'), ...toVictim }),
    };
    const honest = [wire.advertisement(ends('a1'), 'fd00:a::11'), wire.solicitation(ends('a1', '::'), 'fd00:a::11')];
    const heard = await wire.heardDuring(lab, on('a3'), () =>
      wire.send(lab, on('a1'), ...Object.values(forged), ...honest),
    );
    const far = await wire.heardDuring(lab, on('a2'), () => wire.send(lab, on('a1'), ...Object.values(forged)));
    for (const [what, frame] of Object.entries(forged)) {
      t.notOk(heard.includes(frame), `${what}, on one host`);
      t.notOk(far.includes(frame), `${what}, across hosts`);
    }
    for (const frame of honest) t.ok(heard.includes(frame), 'what is its own it may say');
  });

  await t.test('rules of IPv6 are their own', async (t) => {
    await setPort('a2', { rules: [{ direction: 'egress', ethertype: 'IPv6' }, { direction: 'ingress' }] });
    t.notOk(await pings(lab, on('a1'), 'fd00:a::12'), 'a rule of IPv4 lets no IPv6 in');
    t.ok(await pings(lab, on('a2'), 'fd00:a::11'), 'answers come back');
    const from = (prefix: string): SecurityRuleSpec[] => [
      { direction: 'ingress', ethertype: 'IPv6', protocol: 58, portMin: 128, portMax: 0, remotePrefixes: [prefix] },
    ];
    await setPort('a2', { rules: from('fd00:a::11/128') });
    t.ok(await pings(lab, on('a1'), 'fd00:a::12'), 'by type, code and prefix');
    await setPort('a2', { rules: from('fd00:b::/64') });
    t.notOk(await pings(lab, on('a1'), 'fd00:a::12'), 'and from nowhere else');
    await setPort('a2', { rules: open6 });
    t.ok(await pings(lab, on('a1'), 'fd00:a::12'));
  });

  await t.test('a port speaks as its pairs', async (t) => {
    const pair = { mac: cloud.guest('a1').port.mac, prefix: 'fd00:a::c0/124' };
    await give('a1', 'fd00:a::c1');
    t.notOk(await pings(lab, on('a1'), 'fd00:a::13', ['-I', 'fd00:a::c1']), 'without one it is forged');
    await setPort('a1', { addressPairs: [pair] });
    t.ok(await pings(lab, on('a1'), 'fd00:a::13', ['-I', 'fd00:a::c1']));
    t.ok(await pings(lab, on('a2'), 'fd00:a::c1'), 'it is found across hosts');
    await setPort('a1', { addressPairs: [] });
    await cloud.in('a1', ['ip', 'addr', 'del', 'fd00:a::c1/64', 'dev', 'eth0']);
  });

  await t.test('a port without an address of IPv6 does not speak it', async (t) => {
    const guest = cloud.guest('a3');
    guest.port = { ...guest.port, moreIps: [] };
    await ensureAll();
    t.notOk(await pings(lab, on('a3'), 'fd00:a::11'));
    t.notOk(await pings(lab, on('a3'), `${linkLocalOf(cloud.guest('a1').port.mac)}%eth0`));
    guest.port = { ...guest.port, moreIps: ['fd00:a::13'] };
    await ensureAll();
    t.ok(await pings(lab, on('a3'), 'fd00:a::11'));
  });

  await t.test('it goes on without an agent, and the next one changes nothing', async (t) => {
    await Promise.all(drivers.map((driver) => driver.stop()));
    t.ok(await pings(lab, on('a1'), 'fd00:a::12'));
    t.equal(await wire.dhcp6(lab, on('a2')), 'fd00:a::12 dns fd00:a::2');
    const before = await pictureOf(lab, 0);
    drivers.splice(0, drivers.length, ...lab.hosts.map((_, host) => lab.open(host)));
    await Promise.all(drivers.map((driver) => driver.start(signal)));
    await ensureAll();
    t.equal(await pictureOf(lab, 0), before);
    t.same(
      drivers.map((driver) => driver.changes),
      [0, 0],
    );
  });

  await t.test('a lease moves with its address', async (t) => {
    const [one, three] = [cloud.guest('a1'), cloud.guest('a3')];
    one.port = { ...one.port, moreIps: ['fd00:a::13'] };
    three.port = { ...three.port, moreIps: ['fd00:a::11'] };
    await drivers[0]?.removePort(three.port.portId, signal);
    await lab.run(lab.hosts[0]?.namespace ?? '', ['ip', 'link', 'show', tapName(three.port.portId)]);
    await drivers[0]?.ensurePort(one.port, signal);
    t.equal(await wire.dhcp6(lab, on('a1')), 'fd00:a::13 dns fd00:a::2');
  });
});
