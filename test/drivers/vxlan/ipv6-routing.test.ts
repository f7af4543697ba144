/** IPv6 through routers on real namespaces: two hosts, a network in each mode, advertisements, and the way out. */
import t from 'tap';
import type { AdvertisementSpec, NetworkSpec, SecurityRuleSpec, SubnetSpec } from '../../../drivers/types.ts';
import { ipNumber, ipText } from '../../../drivers/vxlan/model/cidr.ts';
import { interfaceIdOf, linkLocalOf } from '../../../drivers/vxlan/model/link-local.ts';
import { routerMac, routerNamespace, serviceMac } from '../../../drivers/vxlan/model/names.ts';
import type { NetworkId, SubnetId } from '../../../node/base/ids.ts';
import { labRouterId, makeLab, pictureOf, whyNoNetwork } from './bench-host.ts';
import { Cloud, pings } from './cloud.ts';
import * as wire from './ipv6-wire.ts';

t.setTimeout(500_000);

const rules: readonly SecurityRuleSpec[] = [
  { direction: 'egress', ethertype: 'IPv6' },
  { direction: 'ingress', ethertype: 'IPv6', protocol: 58 },
];

/** The address that a guest with this MAC makes itself. */
const autoAddress = (prefix: string, mac: string): string => ipText(ipNumber(prefix) | interfaceIdOf(mac), 6);

function networkOf6(
  name: string,
  vni: number,
  prefix: string,
  { mtu = 1500, addressing }: { readonly mtu?: number; readonly addressing?: SubnetSpec['addressing'] } = {},
): NetworkSpec {
  const auto = addressing === undefined ? {} : { addressing };
  return {
    networkId: `network-${name}` as NetworkId,
    vni,
    mtu,
    subnets: [
      {
        ...{ subnetId: `subnet-${name}` as SubnetId, cidr: `${prefix}/64`, gatewayIp: `${prefix}1`, dhcp: true },
        ...{ serviceIp: addressing === undefined ? `${prefix}2` : autoAddress(prefix, serviceMac) },
        ...{ dnsServers: [], hostRoutes: [], ...auto },
      },
    ],
  };
}

await t.test('two hosts and a router', { skip: await whyNoNetwork() }, async (t) => {
  t.setTimeout(480_000);
  const signal = AbortSignal.timeout(470_000);
  const lab = await makeLab(t, 2);
  const cloud = new Cloud(lab);
  const drivers = lab.hosts.map((_, host) => lab.open(host));
  await Promise.all(drivers.map((driver) => driver.start(signal)));
  const ensureAll = async (): Promise<void> => {
    await Promise.all(drivers.map((driver, host) => cloud.ensure(driver, host, signal)));
  };
  const on = (name: string): string => cloud.guest(name).namespace;
  const plug = async (name: string, host: number, network: NetworkSpec, ip: string, mac: string): Promise<void> => {
    const guest = await cloud.plug(name, host, network, ip, mac, { ipv6: true });
    guest.port = { ...guest.port, rules };
    await lab.run(on(name), ['sysctl', '-qw', 'net.ipv6.conf.eth0.dad_transmits=0']);
  };

  const a = networkOf6('a', 5101, 'fd00:a::', { addressing: 'slaac' });
  const b = networkOf6('b', 5102, 'fd00:b::', { addressing: 'dhcpv6-stateless', mtu: 1400 });
  const c = networkOf6('c', 5103, 'fd00:c::');
  cloud.networks.push(a, b, c);
  cloud.routed = [a, b, c];
  const modes = { a: 'slaac', b: 'dhcpv6-stateless', c: 'dhcpv6-stateful' } as const;
  for (const [name, mode] of Object.entries(modes)) {
    const said: AdvertisementSpec = { mode, dnsServers: [`fd00:${name}::53`] };
    cloud.advertised.set(`subnet-${name}` as SubnetId, said);
  }
  const macs = { a1: 'fa:16:3e:aa:00:11', a2: 'fa:16:3e:aa:00:12', b1: 'fa:16:3e:bb:00:11', c1: 'fa:16:3e:cc:00:11' };
  const ips = {
    ...{ a1: autoAddress('fd00:a::', macs.a1), a2: autoAddress('fd00:a::', macs.a2) },
    ...{ b1: autoAddress('fd00:b::', macs.b1), c1: 'fd00:c::11' },
  };
  await plug('a1', 0, a, ips.a1, macs.a1);
  await plug('a2', 1, a, ips.a2, macs.a2);
  await plug('b1', 1, b, ips.b1, macs.b1);
  await plug('c1', 0, c, ips.c1, macs.c1);
  await ensureAll();

  const gateway = linkLocalOf(routerMac(labRouterId));
  /** The guest comes up as one that was just switched on does: it solicits. */
  const comesUp = async (name: string): Promise<void> => {
    for (const word of ['down', 'up']) await cloud.in(name, ['ip', 'link', 'set', 'eth0', word]);
  };
  const has = async (name: string, what: 'addr' | 'route', text: string): Promise<boolean> => {
    for (let look = 0; look < 60; look += 1) {
      const { out } = await cloud.in(name, ['ip', '-6', '-o', what, 'show', 'dev', 'eth0']);
      // An address that is still looked for as somebody else's is no source yet.
      if (out.split('\n').some((line) => line.includes(text) && !line.includes('tentative'))) return true;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    return false;
  };
  /** Flags of the advertisements that a guest hears: 80 is "managed", 40 "other". */
  const flagsHeard = async (name: string): Promise<readonly string[]> => {
    const { mac } = cloud.guest(name).port;
    const asks = wire.routerSolicitation({ mac, from: linkLocalOf(mac) });
    const heard = await wire.heardDuring(lab, on(name), () => wire.send(lab, on(name), asks));
    const advertisements = heard.filter((frame) => wire.isIcmp(frame, 134));
    return [...new Set(advertisements.map((frame) => frame.slice(118, 120)))];
  };

  await t.test('guests make the addresses that their ports have, and their router is their way', async (t) => {
    for (const name of ['a1', 'a2', 'b1'] as const) {
      await comesUp(name);
      t.ok(await has(name, 'addr', `${ips[name]}/64`), `${name} has ${ips[name]}`);
      t.ok(await has(name, 'route', `default via ${gateway}`), `${name} has a way out`);
    }
    await comesUp('c1');
    t.ok(await has('c1', 'route', `default via ${gateway}`));
    const { out } = await cloud.in('c1', ['ip', '-6', '-o', 'addr', 'show', 'dev', 'eth0']);
    t.notMatch(out, /fd00:c::/, 'where DHCPv6 gives addresses none is made');
  });

  await t.test('each mode is said as it is', async (t) => {
    t.same(await flagsHeard('a1'), ['00']);
    t.same(await flagsHeard('b1'), ['40']);
    t.same(await flagsHeard('c1'), ['c0']);
    t.equal(await wire.dhcp6(lab, on('c1')), `${ips.c1} dns fd00:c::2`, 'a lease');
    t.match(await wire.dhcp6(lab, on('b1'), 'information'), / ?dns fd00:b::/, 'options alone');
    t.equal(await wire.dhcp6(lab, on('b1')), 'none', 'no lease where addresses are made of MACs');
    t.equal(await wire.dhcp6(lab, on('a1'), 'information'), 'none', 'nor anything by SLAAC');
    await cloud.in('c1', ['ip', 'addr', 'add', `${ips.c1}/64`, 'dev', 'eth0', 'nodad']);
  });

  await t.test('routed on one host and across hosts, and back', async (t) => {
    t.ok(await pings(lab, on('a1'), ips.c1), 'on one host');
    t.ok(await pings(lab, on('a1'), ips.b1), 'across hosts');
    t.ok(await pings(lab, on('b1'), ips.a1));
    t.ok(await pings(lab, on('a2'), ips.c1));
    t.ok(await pings(lab, on('c1'), ips.a2, ['-M', 'do', '-s', '1452']), 'at full size');
    t.ok(await pings(lab, on('a1'), 'fd00:b::1'), 'the router’s other side answers');
  });

  await t.test('what is too big for the way is said, through the security groups', async (t) => {
    await cloud.in('a1', ['ip', '-6', 'route', 'flush', 'cache']);
    const { out } = await cloud.in('a1', ['ping', '-c', '3', '-i', '0.2', '-w', '3', '-M', 'do', '-s', '1452', ips.b1]);
    t.match(out, /mtu[=: ]+1400/i);
    t.ok(await pings(lab, on('a1'), ips.b1, ['-s', '1452']), 'in pieces it arrives');
  });

  await t.test('security groups judge what was routed', async (t) => {
    const guest = cloud.guest('b1');
    const driver = drivers[guest.host];
    const from = (prefix: string): SecurityRuleSpec[] => [
      { direction: 'egress', ethertype: 'IPv6' },
      { direction: 'ingress', ethertype: 'IPv6', protocol: 58, remotePrefixes: [prefix] },
    ];
    await driver?.ensurePort({ ...guest.port, rules: from(`${ips.a2}/128`) }, signal);
    t.notOk(await pings(lab, on('a1'), ips.b1));
    t.ok(await pings(lab, on('a2'), ips.b1));
    await driver?.ensurePort(guest.port, signal);
  });

  await t.test('a static route leads to a guest that routes', async (t) => {
    await cloud.in('c1', ['ip', 'addr', 'add', 'fd00:77::1/128', 'dev', 'lo', 'nodad']);
    const guest = cloud.guest('c1');
    guest.port = { ...guest.port, addressPairs: [{ mac: guest.port.mac, prefix: 'fd00:77::/64' }] };
    cloud.routes = [{ destination: 'fd00:77::/64', nextHop: ips.c1 }];
    await ensureAll();
    t.ok(await pings(lab, on('b1'), 'fd00:77::1'));
    cloud.routes = [];
    guest.port = { ...guest.port, addressPairs: [] };
    await ensureAll();
    t.notOk(await pings(lab, on('b1'), 'fd00:77::1'));
  });

  await t.test('the way out is routed by one host, and moves', async (t) => {
    const outside = lab.outsideNamespace ?? '';
    const dev = `${lab.name}-x0`;
    await lab.run(outside, [
      'sysctl',
      '-qw',
      `net.ipv6.conf.${dev}.disable_ipv6=0`,
      `net.ipv6.conf.${dev}.accept_dad=0`,
    ]);
    await lab.run(outside, ['ip', 'addr', 'add', 'fd00:e::1/64', 'dev', dev, 'nodad']);
    for (const prefix of ['fd00:a::/64', 'fd00:b::/64', 'fd00:c::/64']) {
      await lab.run(outside, ['ip', '-6', 'route', 'add', prefix, 'via', 'fd00:e::64']);
    }
    t.notOk(await pings(lab, on('a1'), 'fd00:e::1'), 'there is none yet');
    cloud.external6 = { gatewayIp: 'fd00:e::1', cidr: 'fd00:e::/64', ip: 'fd00:e::64' };
    cloud.snatHost = 1;
    await ensureAll();
    t.ok(await pings(lab, on('a1'), 'fd00:e::1'), 'by the other host');
    t.ok(await pings(lab, on('a2'), 'fd00:e::1'), 'by its own');
    t.ok(await pings(lab, outside, ips.a1), 'untranslated, so from outside, too');
    const heard = await wire.heardDuring(lab, on('a2'), async () => {
      await lab.run(outside, ['ping', '-c', '1', '-w', '1', ips.a2]);
    });
    t.ok(
      heard.some((frame) => frame.slice(44, 76) === ipNumber('fd00:e::1').toString(16)),
      'from the address that it has',
    );
    cloud.snatHost = 0;
    await ensureAll();
    t.ok(await pings(lab, on('a2'), 'fd00:e::1'), 'by the other host, after it moved');
    t.ok(await pings(lab, outside, ips.a2), 'and in: where it is was announced');
    cloud.external6 = undefined;
    await ensureAll();
    t.notOk(await pings(lab, on('a1'), 'fd00:e::1'), 'it is gone again');
    t.notOk(await pings(lab, outside, ips.a1));
  });

  await t.test('it goes on without an agent, and the next one changes nothing', async (t) => {
    await Promise.all(drivers.map((driver) => driver.stop()));
    await cloud.in('a1', ['ip', '-6', 'addr', 'flush', 'dev', 'eth0']);
    await comesUp('a1');
    t.ok(await has('a1', 'addr', `${ips.a1}/64`), 'a guest that comes up makes its address');
    t.ok(await has('a1', 'route', `default via ${gateway}`), 'and finds its way');
    t.ok(await pings(lab, on('a1'), ips.b1, ['-w', '10']));
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

  await t.test('who advertises comes back when it was killed, and goes with the subnet', async (t) => {
    const netns = routerNamespace(lab.hosts[0]?.namespace ?? '', labRouterId);
    const names = 'for pid in $(ip netns pids "$0"); do grep -qsx dnsmasq "/proc/$pid/comm" && echo "$pid"; done; true';
    const pids = async (): Promise<string> => (await lab.run(netns, ['sh', '-c', names, netns])).out.trim();
    const before = await pids();
    t.match(before, /^\d+$/);
    process.kill(Number(before), 'SIGKILL');
    await ensureAll();
    const after = await pids();
    t.match(after, /^\d+$/);
    t.not(after, before);
    cloud.routed = [];
    for (const driver of drivers) await driver.removeRouter(labRouterId, signal);
    t.notOk(await pings(lab, on('a1'), ips.b1));
  });
});
