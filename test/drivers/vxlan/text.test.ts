/** What the driver says to the kernel's tools, compared as text. */
import t from 'tap';
import type { LocalPortSpec, RouterSpec, SecurityRuleSpec } from '../../../drivers/types.ts';
import {
  addressLines,
  neighbourLines,
  readRoutes,
  readRules,
  routeLines,
  ruleLines,
} from '../../../drivers/vxlan/links/address.ts';
import { fdbLines, floodMac, readFdb } from '../../../drivers/vxlan/links/forwarding.ts';
import { bridge, linkBatch, readLinks, tap, vxlan } from '../../../drivers/vxlan/links/link.ts';
import { saysFlowVanished, saysNoFlow } from '../../../drivers/vxlan/links/netns.ts';
import { readTables, tableHash, tableText } from '../../../drivers/vxlan/links/nft.ts';
import { checkVni, lowestFree, transitIp, vniMax } from '../../../drivers/vxlan/links/vni.ts';
import { disjointPrefixes, holds, netmask, readCidr } from '../../../drivers/vxlan/model/cidr.ts';
import { linkLocalOf } from '../../../drivers/vxlan/model/link-local.ts';
import { identityIp, metadataFileName, metadataTable } from '../../../drivers/vxlan/model/metadata.ts';
import {
  interfaceNameMax,
  portAlias,
  readAlias,
  routerLegName,
  routerMac,
  serviceMac,
  shortId,
  tapName,
} from '../../../drivers/vxlan/model/names.ts';
import { natTable, routerWanted, transitFdb, unclaimedTransit } from '../../../drivers/vxlan/routing/router.ts';
import { allowances, filterText, portRules, ruleExpressions } from '../../../drivers/vxlan/security/security.ts';
import { dhcpHostLine, dnsmasqArguments, leasedIps, readLeases } from '../../../drivers/vxlan/services/dhcp.ts';
import { hostsText } from '../../../drivers/vxlan/services/dns.ts';
import type { NetworkId, PortId, RouterId, SubnetId } from '../../../node/base/ids.ts';

const portId = '3f2b8a10-1111-4222-8333-444455556666' as PortId;
const networkId = '0a0b0c0d-1111-4222-8333-444455556666' as NetworkId;
const routerId = 'abcdef01-1111-4222-8333-444455556666' as RouterId;
const empty = { sets: new Map<string, Map<string, string>>(), chains: new Map<string, string>() };

await t.test('names fit an interface and lead back to ids', async (t) => {
  t.equal(tapName(portId), 'tap3f2b8a10111');
  t.ok(routerLegName(routerId, vniMax).length <= interfaceNameMax);
  t.equal(shortId('port-1').length, 11, 'an id that is no UUID is hashed');
  t.same(readAlias(portAlias(portId, networkId)), { kind: 'port', portId, networkId });
  t.equal(readAlias('somebody:else'), undefined);
  t.equal(readAlias(undefined), undefined);
});

await t.test('VNIs, transit addresses and free numbers stay in their ranges', async (t) => {
  for (const vni of [0, -1, 1.5, vniMax + 1, Number.NaN]) t.throws(() => checkVni(vni), { code: 'INVALID_ARGUMENT' });
  checkVni(vniMax);
  t.equal(transitIp(1), '100.127.0.1');
  t.equal(transitIp(65_000), '100.127.253.232');
  t.throws(() => transitIp(0), { code: 'INVALID_ARGUMENT' });
  t.equal(lowestFree(new Set([1, 2, 4]), 1, 9, 'number'), 3);
  t.throws(() => lowestFree(new Set([1, 2]), 1, 2, 'number'), { code: 'DRIVER_FAILED' });
});

await t.test('prefixes are normalised, and those inside others go', async (t) => {
  t.equal(readCidr('10.1.2.3/24').text, '10.1.2.0/24');
  t.equal(readCidr('10.1.2.3').text, '10.1.2.3/32');
  t.ok(holds(readCidr('0.0.0.0/0'), '255.255.255.255'));
  t.notOk(holds(readCidr('10.0.0.0/24'), '10.0.1.0'));
  t.equal(netmask(20), '255.255.240.0');
  t.equal(netmask(0), '0.0.0.0');
  t.same(disjointPrefixes(['10.0.0.7/32', '10.0.0.0/24', '::/0', '10.0.1.0/24', '10.0.0.0/25']), [
    '10.0.0.0/24',
    '10.0.1.0/24',
  ]);
  for (const bad of ['10.0.0.0/33', '10.0.0/24', '10.0.0.0/24/1', 'x', '10.0.0.0/ 8', '']) {
    t.throws(() => readCidr(bad), { code: 'INVALID_ARGUMENT' }, bad);
  }
});

await t.test('interfaces are made when missing, mended when wrong, left alone when right', async (t) => {
  const wanted = [
    bridge('br-7', { filtered: true, mtu: 1450, alias: 'shoal:network:n' }),
    vxlan('vx-7', { vni: 7, vtepIp: '10.98.0.1', bridge: 'br-7', mtu: 1450, flood: true }),
    tap('tap1', { bridge: 'br-7', mtu: 1450, alias: 'shoal:port:p:n', learning: false, flood: false }),
  ];
  const made = linkBatch(new Map(), wanted, { ipv6: true });
  t.same(made.created, ['br-7', 'vx-7', 'tap1']);
  t.same(made.ip, [
    'link add br-7 type bridge forward_delay 0 mcast_snooping 0 nf_call_iptables 1 nf_call_ip6tables 1',
    'link set br-7 addrgenmode none',
    'link set br-7 mtu 1450',
    'link set br-7 alias shoal:network:n',
    'link set br-7 up',
    'link add vx-7 type vxlan id 7 dstport 4789 local 10.98.0.1 nolearning ttl 64',
    'link set vx-7 addrgenmode none',
    'link set vx-7 mtu 1450',
    'link set vx-7 master br-7',
    'link set vx-7 up',
    'tuntap add dev tap1 mode tap user 0',
    'link set tap1 addrgenmode none',
    'link set tap1 mtu 1450',
    'link set tap1 alias shoal:port:p:n',
    'link set tap1 master br-7',
    'link set tap1 up',
  ]);
  t.same(made.bridge, [
    'link set dev vx-7 learning off flood on neigh_suppress on isolated off',
    'link set dev tap1 learning off flood off neigh_suppress off isolated off',
  ]);
  // As `ip -json -details addr show` prints it.
  const found = (vni: number, flood: boolean): string =>
    JSON.stringify([
      {
        ifname: 'vx-7',
        flags: ['UP'],
        mtu: 1450,
        master: 'br-7',
        address: '72:84:97:44:1d:99',
        linkinfo: {
          info_kind: 'vxlan',
          info_data: { id: vni, local: '10.98.0.1', port: 4789 },
          info_slave_kind: 'bridge',
          info_slave_data: { learning: false, flood, neigh_suppress: true, isolated: false },
        },
        addr_info: [],
      },
    ]);
  const one = wanted.slice(1, 2);
  t.same(linkBatch(readLinks(found(7, true)), one, { ipv6: true }), { ip: [], bridge: [], created: [] });
  t.same(linkBatch(readLinks(found(7, false)), one, { ipv6: true }).bridge.length, 1);
  t.equal(
    linkBatch(readLinks(found(8, true)), one, { ipv6: true }).ip[0],
    'link del vx-7',
    'its number cannot be changed',
  );
});

await t.test('forwarding entries: only the difference, and a moved MAC in one step', async (t) => {
  const found = readFdb(
    JSON.stringify([
      { mac: '33:33:00:00:00:01', ifname: 'vx-7', flags: ['self'], state: 'permanent' },
      { mac: '72:84:97:44:1d:99', ifname: 'vx-7', flags: [], master: 'br-7', state: 'permanent' },
      { mac: 'fa:16:3e:00:00:01', ifname: 'vx-7', flags: [], master: 'br-7', state: 'static' },
      { mac: 'fa:16:3e:00:00:01', ifname: 'vx-7', dst: '10.98.0.2', flags: ['self'], state: 'static' },
      { mac: floodMac, ifname: 'vx-7', dst: '10.98.0.2', flags: ['self'], state: 'permanent' },
      { mac: floodMac, ifname: 'vx-7', dst: '10.98.0.3', flags: ['self'], state: 'permanent' },
      { mac: 'fa:16:3e:00:00:02', ifname: 'tap2', flags: [], master: 'br-7', state: 'static' },
    ]),
  );
  t.equal(found.length, 5, 'neither multicast nor the interfaces’ own addresses');
  t.same(fdbLines(found, found), []);
  const wanted = [
    { mac: 'fa:16:3e:00:00:01', dev: 'vx-7' },
    { mac: 'fa:16:3e:00:00:01', dev: 'vx-7', vtepIp: '10.98.0.3' },
    { mac: 'fa:16:3e:00:00:02', dev: 'vx-7' },
    { mac: 'fa:16:3e:00:00:02', dev: 'vx-7', vtepIp: '10.98.0.3' },
    { mac: floodMac, dev: 'vx-7', vtepIp: '10.98.0.3' },
    { mac: floodMac, dev: 'vx-7', vtepIp: '10.98.0.4' },
  ];
  t.same(fdbLines(found, wanted), [
    'fdb replace fa:16:3e:00:00:01 dev vx-7 dst 10.98.0.3 self static',
    'fdb replace fa:16:3e:00:00:02 dev vx-7 master static',
    'fdb replace fa:16:3e:00:00:02 dev vx-7 dst 10.98.0.3 self static',
    `fdb append ${floodMac} dev vx-7 dst 10.98.0.4 self static`,
    `fdb del ${floodMac} dev vx-7 dst 10.98.0.2 self`,
  ]);
  t.same(fdbLines(found, []).length, found.length);
});

await t.test('addresses come before the old ones go, for routes go with the last one', async (t) => {
  const links = readLinks(
    JSON.stringify([
      {
        ifname: 'qg',
        flags: ['UP'],
        mtu: 1500,
        address: '0e:00:00:00:00:09',
        addr_info: [
          { family: 'inet', local: '10.97.0.11', prefixlen: 32, scope: 'global' },
          { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link' },
        ],
      },
    ]),
  );
  t.same(
    addressLines(
      links,
      ['qg'],
      [
        { dev: 'qg', address: '10.97.0.12/32' },
        { dev: 'qg', address: '169.254.127.1/32', scope: 'host' },
      ],
    ),
    ['addr add 10.97.0.12/32 dev qg', 'addr add 169.254.127.1/32 dev qg scope host', 'addr del 10.97.0.11/32 dev qg'],
  );
  t.same(addressLines(links, ['qg'], [{ dev: 'qg', address: '10.97.0.11/32' }]), []);
});

await t.test('routes, rules and neighbours: only the difference', async (t) => {
  const routes = readRoutes(
    JSON.stringify([
      { dst: 'default', gateway: '10.97.0.1', dev: 'qg', table: '100', flags: ['onlink'] },
      { dst: '10.0.0.0/24', dev: 'qr-7', protocol: 'kernel', scope: 'link' },
      { type: 'local', dst: '10.0.0.1', dev: 'qr-7', table: 'local', protocol: 'kernel' },
    ]),
  );
  t.same(routeLines(routes, [{ destination: 'default', gateway: '10.97.0.1', dev: 'qg', table: 100 }]), []);
  t.same(routeLines(routes, [{ destination: 'default', gateway: '100.127.0.3', dev: 'tr' }]), [
    'route replace default via 100.127.0.3 dev tr onlink',
    'route del default dev qg table 100',
  ]);
  const rules = readRules(
    JSON.stringify([
      { priority: 0, src: 'all', table: 'local' },
      { priority: 100, src: 'all', table: 'main', suppress_prefixlen: 0 },
      { priority: 200, src: '10.0.0.11', table: '100' },
      { priority: 32766, src: 'all', table: 'main' },
    ]),
  );
  t.same(
    ruleLines(rules, [
      { priority: 100, table: 'main', withoutDefault: true },
      { priority: 200, from: '10.0.0.12', table: '100' },
    ]),
    ['rule add pref 200 from 10.0.0.12 lookup 100', 'rule del pref 200 from 10.0.0.11 lookup 100'],
  );
  const found = new Map([
    ['10.0.0.11', 'fa:16:3e:00:00:01'],
    ['10.0.0.12', 'fa:16:3e:00:00:02'],
  ]);
  t.same(neighbourLines('br-7', found, [{ ip: '10.0.0.11', mac: 'fa:16:3e:00:00:0f' }]), [
    'neigh replace 10.0.0.11 lladdr fa:16:3e:00:00:0f dev br-7 nud permanent',
    'neigh del 10.0.0.12 dev br-7',
  ]);
});

const ruleCases: readonly (readonly [SecurityRuleSpec, string | undefined])[] = [
  [{ direction: 'ingress' }, ''],
  [{ direction: 'ingress', protocol: 'tcp' }, 'ip protocol tcp'],
  [{ direction: 'ingress', protocol: 'tcp', portMin: 80, portMax: 90 }, 'tcp dport 80-90'],
  [{ direction: 'ingress', protocol: 17, portMin: 53 }, 'udp dport 53-53'],
  [{ direction: 'ingress', protocol: 'icmp' }, 'ip protocol icmp'],
  [{ direction: 'ingress', protocol: 'icmp', portMin: 8, portMax: 0 }, 'icmp type 8 icmp code 0'],
  [{ direction: 'ingress', protocol: 47 }, 'ip protocol 47'],
  [{ direction: 'egress', remotePrefixes: ['10.0.0.0/24', '10.0.0.1'] }, 'ip daddr { 10.0.0.0/24 }'],
  [
    { direction: 'ingress', protocol: 'tcp', portMin: 22, remotePrefixes: ['1.2.3.4', '5.6.7.0/24'] },
    'ip saddr { 1.2.3.4/32, 5.6.7.0/24 } tcp dport 22-22',
  ],
  [{ direction: 'ingress', remotePrefixes: ['0.0.0.0/0', '10.0.0.0/8'] }, ''],
  [{ direction: 'ingress', remotePrefixes: [] }, undefined],
  [{ direction: 'ingress', remotePrefixes: ['::/0'] }, undefined],
];

const ruleCases6: readonly (readonly [SecurityRuleSpec, string | undefined])[] = [
  [{ direction: 'ingress' }, ''],
  [{ direction: 'ingress', protocol: 'tcp', portMin: 80, portMax: 90 }, 'tcp dport 80-90'],
  [{ direction: 'ingress', protocol: 17 }, 'meta l4proto udp'],
  [{ direction: 'ingress', protocol: 58 }, 'meta l4proto ipv6-icmp'],
  [{ direction: 'ingress', protocol: 58, portMin: 128, portMax: 0 }, 'icmpv6 type 128 icmpv6 code 0'],
  [
    { direction: 'egress', remotePrefixes: ['fd00::7', 'fd00::/64', 'fe80::/10'] },
    'ip6 daddr { fd00::/64, fe80::/10 }',
  ],
  [{ direction: 'ingress', remotePrefixes: ['fd00::/64', '::/0'] }, ''],
  [{ direction: 'ingress', remotePrefixes: ['10.0.0.0/8'] }, undefined],
];

await t.test('a rule of IPv6 is about IPv6 alone, and no rule is of both', async (t) => {
  for (const [rule, text] of ruleCases6)
    t.equal(ruleExpressions({ ...rule, ethertype: 'IPv6' }), text, JSON.stringify(rule));
  const rules: readonly SecurityRuleSpec[] = [{ direction: 'egress' }, { direction: 'ingress', ethertype: 'IPv6' }];
  t.same(portRules(rules, 4), { ingress: [], egress: ['return'] });
  t.same(portRules(rules, 6), { ingress: ['accept'], egress: [] });
  const both = allowances({
    portSecurity: true,
    rules: [{ direction: 'egress' }, { direction: 'egress', ethertype: 'IPv6' }],
  });
  t.equal(both.length, 2, 'one of them revoked is seen');
});

await t.test('IPv6 of a port: its addresses, its link-local one, and its pairs as ranges of targets', async (t) => {
  t.equal(linkLocalOf('fa:16:3e:00:00:01'), 'fe80::f816:3eff:fe00:1');
  const port = {
    ...{
      portId,
      mac: 'fa:16:3e:00:00:01',
      ip: '10.0.0.11',
      moreIps: ['fd00::11'],
      portSecurity: true,
      rules: [],
      vni: 7,
    },
    addressPairs: [{ mac: '00:00:5e:00:02:01', prefix: 'fd00::c0/124' }],
  };
  const networks = new Map([[7, { vni: 7, zone: 3, serviceIps: [], anycastIps: ['fd00::1'] }]]);
  const text = filterText(empty, empty, { networks, ports: new Map([[portId, port]]), senders: new Map() });
  const dev = '"tap3f2b8a10111"';
  for (const line of [
    `guard addresses6 { ${dev} . fa:16:3e:00:00:01 . fd00::11 }`,
    `guard addresses6 { ${dev} . fa:16:3e:00:00:01 . fe80::f816:3eff:fe00:1 }`,
    `guard targets6 { ${dev} . fa:16:3e:00:00:01 . 0xfd000000000000000000000000000011 }`,
    `guard pairs6 { ${dev} . 00:00:5e:00:02:01 . fd00::c0/124 }`,
    `guard pairs6 { ${dev} . 00:00:5e:00:02:01 . fe80::200:5eff:fe00:201 }`,
    `guard pair_targets6 { ${dev} . 00:00:5e:00:02:01 . 0xfd0000000000000000000000000000c0-0xfd0000000000000000000000000000cf }`,
    'guard anycast6 { "vx-7" . 0xfd000000000000000000000000000001 }',
    'sg ingress6 { "br-7" . fd00::11 : jump in6-3f2b8a10111 }',
  ]) {
    t.ok(text.includes(`shoal_${line}\n`), line);
  }
  const silent = filterText(empty, empty, {
    networks,
    ports: new Map([[portId, { ...port, moreIps: [], addressPairs: [] }]]),
    senders: new Map(),
  });
  t.notMatch(silent, /in6-|6 [{] "(tap|br)/, 'a port without an address of IPv6 has nothing of it');
});

await t.test('a security group rule becomes one expression, or none when it can match nothing', async (t) => {
  for (const [rule, text] of ruleCases) t.equal(ruleExpressions(rule), text, JSON.stringify(rule));
  t.same(
    portRules([
      { direction: 'egress' },
      { direction: 'ingress', protocol: 'icmp' },
      { direction: 'ingress', protocol: 1 },
    ]),
    {
      ingress: ['ip protocol icmp accept'],
      egress: ['return'],
    },
  );
});

await t.test('what a change of rules revokes is seen per rule and prefix', async (t) => {
  const before = allowances({
    portSecurity: true,
    rules: [{ direction: 'ingress', remotePrefixes: ['10.0.0.1', '10.0.0.2'] }],
  });
  const less = allowances({ portSecurity: true, rules: [{ direction: 'ingress', remotePrefixes: ['10.0.0.1'] }] });
  t.ok(less.every((entry) => before.includes(entry)));
  t.notOk(before.every((entry) => less.includes(entry)));
  t.same(allowances({ portSecurity: false, rules: [] }), ['everything']);
});

await t.test(
  'the packet filter: one transaction for a new port, nothing when it is there, all of it back when it goes',
  async (t) => {
    const port: Pick<LocalPortSpec, 'portId' | 'mac' | 'ip' | 'portSecurity' | 'rules'> & { vni: number } = {
      portId,
      mac: 'fa:16:3e:00:00:01',
      ip: '10.0.0.11',
      portSecurity: true,
      rules: [{ direction: 'egress' }],
      vni: 7,
    };
    const networks = new Map([
      [7, { vni: 7, zone: 3, serviceIps: ['10.0.0.2'], anycastIps: ['10.0.0.1', '10.0.0.11'] }],
    ]);
    const senders = new Map([[7, ['192.0.2.9']]]);
    const text = filterText(empty, empty, { networks, ports: new Map([[portId, port]]), senders });
    const lines = text.trim().split('\n');
    const hashes = [...text.matchAll(/comment "(\w+)"/g)].map((match) => match[1] ?? '');
    t.same(lines, [
      'add chain inet shoal_sg in-3f2b8a10111',
      'flush chain inet shoal_sg in-3f2b8a10111',
      `add rule inet shoal_sg in-3f2b8a10111 counter drop comment "${hashes[0]}"`,
      'add chain inet shoal_sg out-3f2b8a10111',
      'flush chain inet shoal_sg out-3f2b8a10111',
      'add rule inet shoal_sg out-3f2b8a10111 return',
      `add rule inet shoal_sg out-3f2b8a10111 counter drop comment "${hashes[1]}"`,
      'add element inet shoal_sg tenant { "br-7" }',
      'add element inet shoal_sg zones { "br-7" : 3 }',
      'add element inet shoal_sg service { "br-7" . 10.0.0.2 }',
      'add element inet shoal_sg egress { "br-7" . 10.0.0.11 : jump out-3f2b8a10111 }',
      'add element inet shoal_sg ingress { "br-7" . 10.0.0.11 : jump in-3f2b8a10111 }',
      'add element inet shoal_sg guests { "br-7" . 10.0.0.11 }',
      'add element inet shoal_sg senders { 7 . 192.0.2.9 }',
      'add element bridge shoal_guard guarded { "tap3f2b8a10111" }',
      'add element bridge shoal_guard mac { "tap3f2b8a10111" . fa:16:3e:00:00:01 }',
      'add element bridge shoal_guard ip4 { "tap3f2b8a10111" . fa:16:3e:00:00:01 . 10.0.0.11 }',
      'add element bridge shoal_guard vxlan { "vx-7" }',
      'add element bridge shoal_guard anycast { "vx-7" . 10.0.0.1 }',
      'add element bridge shoal_guard anycast { "vx-7" . 10.0.0.11 }',
      'add element bridge shoal_guard anycast { "vx-7" . 10.0.0.2 }',
      'add element bridge shoal_guard anycast { "vx-7" . 169.254.169.254 }',
    ]);
    // As nft 1.0.6 prints what the lines above made, with a stranger's port beside it.
    const set = (family: string, name: string, elem: unknown[]): object => ({
      set: { family, table: family === 'inet' ? 'shoal_sg' : 'shoal_guard', name, elem },
    });
    const map = (name: string, elem: unknown[]): object => ({ map: { family: 'inet', table: 'shoal_sg', name, elem } });
    const rule = (chain: string, comment: string): object => ({
      rule: { family: 'inet', table: 'shoal_sg', chain, comment, expr: [] },
    });
    const jump = (ip: string, target: string): unknown[] => [{ concat: ['br-7', ip] }, { jump: { target } }];
    const dev = 'tap3f2b8a10111';
    const tables = readTables(
      JSON.stringify({
        nftables: [
          { metainfo: {} },
          set('inet', 'tenant', ['br-7']),
          map('zones', [['br-7', 3]]),
          set('inet', 'service', [{ concat: ['br-7', '10.0.0.2'] }]),
          map('egress', [jump('10.0.0.11', `out-${dev.slice(3)}`), jump('10.0.0.99', 'out-stranger')]),
          map('ingress', [jump('10.0.0.11', `in-${dev.slice(3)}`)]),
          set('inet', 'guests', [{ concat: ['br-7', '10.0.0.11'] }, { concat: ['br-7', '10.0.0.99'] }]),
          set('inet', 'senders', [{ concat: [7, '192.0.2.9'] }, { concat: [8, '192.0.2.9'] }]),
          set('bridge', 'guarded', [dev, 'tapstranger']),
          set('bridge', 'mac', [{ concat: [dev, 'fa:16:3e:00:00:01'] }]),
          set('bridge', 'ip4', [{ concat: [dev, 'fa:16:3e:00:00:01', '10.0.0.11'] }]),
          set('bridge', 'vxlan', ['vx-7']),
          set(
            'bridge',
            'anycast',
            ['10.0.0.1', '10.0.0.11', '10.0.0.2', '169.254.169.254'].map((ip) => ({ concat: ['vx-7', ip] })),
          ),
          rule(`in-${dev.slice(3)}`, hashes[0] ?? ''),
          rule(`out-${dev.slice(3)}`, hashes[1] ?? ''),
        ],
      }),
    );
    const [sg, guard] = [tables.get('inet shoal_sg') ?? empty, tables.get('bridge shoal_guard') ?? empty];
    t.equal(filterText(sg, guard, { networks, ports: new Map([[portId, port]]), senders }), '');
    const gone = filterText(sg, guard, {
      networks: new Map([[7, undefined]]),
      ports: new Map([[portId, undefined]]),
      senders: new Map([[7, []]]),
    });
    t.equal(gone.match(/^delete element/gm)?.length, 15);
    t.notMatch(gone, '10.0.0.99');
    t.notMatch(gone, /senders [{] 8/);
    t.match(gone, 'delete chain inet shoal_sg in-3f2b8a10111');
    t.ok(gone.indexOf('delete element') < gone.indexOf('delete chain'), 'elements before the chains that they jump to');
    t.notMatch(gone, 'stranger');
  },
);

await t.test('a table is replaced in one transaction and carries the hash of its text', async (t) => {
  const table = natTable([{ floatingIp: '10.97.0.11', fixedIp: '10.0.0.11' }], '10.97.0.100');
  const text = tableText(table);
  t.match(text, `add rule ip shoal_nat about accept comment "${tableHash(table)}"`);
  t.match(text, 'add element ip shoal_nat fdnat { 10.97.0.11 : 10.0.0.11 }');
  t.match(text, 'add element ip shoal_nat fsnat { 10.0.0.11 : 10.97.0.11 }');
  t.match(text, 'add rule ip shoal_nat central snat to 10.97.0.100');
  t.ok(text.indexOf('flush map ip shoal_nat fdnat') < text.indexOf('add element ip shoal_nat fdnat'));
  t.not(tableHash(table), tableHash(natTable([], '10.97.0.100')));
  t.notMatch(tableText(natTable([], undefined)), 'snat to 1');
});

await t.test('metadata: identities, and files that no path climbs out of', async (t) => {
  t.equal(identityIp(2), '100.64.0.2');
  t.equal(identityIp(65_534), '100.64.255.254');
  t.equal(metadataFileName('/latest/meta-data/'), '%2Flatest%2Fmeta-data%2F');
  for (const bad of ['latest', '', '/\n', `/${'x'.repeat(300)}`])
    t.throws(() => metadataFileName(bad), { code: 'INVALID_ARGUMENT' });
  const text = tableText(metadataTable([{ ip: '10.0.0.11', identityIp: '100.64.0.2' }]));
  t.match(text, 'add element ip shoal_md identity { 10.0.0.11 : 100.64.0.2 }');
  t.ok(
    text.indexOf('snat to ip saddr map @identity') < text.indexOf('oifname "md0" counter drop'),
    'who is unknown is dropped',
  );
});

await t.test('dnsmasq is told the routes twice, and no DNS server that does not answer', async (t) => {
  const subnet = {
    subnetId: 's' as SubnetId,
    cidr: '10.0.0.0/24',
    gatewayIp: '10.0.0.1',
    serviceIp: '10.0.0.2',
    dhcp: true,
    dnsServers: [],
    hostRoutes: [{ destination: '192.168.0.0/16', nextHop: '10.0.0.9' }],
  };
  const paths = { hostsDir: '/s/hosts', leaseFile: '/s/leases', namesFile: '/s/names', pidFile: '/s/pid' };
  t.same(dnsmasqArguments({ networkId, mtu: 1450, subnets: [subnet] }, paths, 'nobody', undefined), [
    'dnsmasq',
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--no-ping',
    '--quiet-dhcp',
    '--addn-hosts=/s/names',
    '--domain=novalocal',
    '--local=/novalocal/',
    '--domain-needed',
    '--bogus-priv',
    '--dhcp-ignore-names',
    '--interface=eth0',
    '--except-interface=lo',
    '--bind-interfaces',
    '--user=nobody',
    '--pid-file=/s/pid',
    '--dhcp-leasefile=/s/leases',
    '--dhcp-hostsdir=/s/hosts',
    '--dhcp-authoritative',
    '--dhcp-option=option:mtu,1450',
    '--dhcp-range=set:s,10.0.0.0,static,255.255.255.0,24h',
    '--dhcp-option=tag:s,option:router,10.0.0.1',
    '--dhcp-option=tag:s,option:dns-server,10.0.0.2',
    '--dhcp-option=tag:s,option:classless-static-route,169.254.169.254/32,10.0.0.2,192.168.0.0/16,10.0.0.9,0.0.0.0/0,10.0.0.1',
    '--log-facility=-',
  ]);
  const other = {
    ...subnet,
    subnetId: 'o' as SubnetId,
    cidr: '10.0.8.0/21',
    serviceIp: '10.0.8.2',
    dnsServers: ['192.0.2.53', '192.0.2.54'],
  };
  const silent = { ...subnet, subnetId: 'n' as SubnetId, cidr: '10.0.1.0/24', dhcp: false };
  const { gatewayIp: _none, ...without } = other;
  const own = dnsmasqArguments(
    { networkId, mtu: 1450, subnets: [subnet, without, silent] },
    paths,
    'nobody',
    undefined,
  );
  t.ok(own.includes('--dhcp-option=tag:o,option:dns-server,192.0.2.53,192.0.2.54'), 'the subnet’s own servers win');
  t.ok(own.includes('--dhcp-option=tag:o,option:router'), 'no gateway is said, or dnsmasq would be it');
  t.same(
    own.filter((word) => word.startsWith('--dhcp-range')),
    ['--dhcp-range=set:s,10.0.0.0,static,255.255.255.0,24h', '--dhcp-range=set:o,10.0.8.0,static,255.255.248.0,24h'],
    'a subnet without DHCP has no range',
  );
  const leased = (ip: string, ...moreIps: string[]) => leasedIps({ subnets: [silent, subnet, other] }, { ip, moreIps });
  t.same(leased('10.0.1.9', '10.0.15.7', '10.0.0.9'), ['10.0.15.7'], 'the first address that is in a subnet with DHCP');
  t.same(leased('10.0.1.9'), []);
  t.equal(
    hostsText([
      { ip: '10.0.0.12', hostname: 'Web-2' },
      { ip: '10.0.0.11', hostname: 'web-1' },
      { ip: '10.0.0.11', hostname: 'another' },
      { ip: '10.0.0.13', hostname: 'a b\n10.0.0.1 gateway' },
      { ip: '10.0.0.14', hostname: '10.0.0.1' },
      { ip: '10.0.0.15', hostname: '' },
    ]),
    '10.0.0.11 web-1.novalocal web-1\n10.0.0.12 web-2.novalocal web-2\n',
  );
  t.equal(
    dhcpHostLine({ mac: 'fa:16:3e:00:00:01', ips: ['10.0.0.11'], hostname: 'web-1' }),
    'fa:16:3e:00:00:01,10.0.0.11,web-1,24h\n',
  );
  for (const odd of ['24h', 'infinite', 'a,b', 'x y', '-a', 'Grüße', '']) {
    t.equal(
      dhcpHostLine({ mac: 'fa:16:3e:00:00:01', ips: ['10.0.0.11'], hostname: odd }),
      'fa:16:3e:00:00:01,10.0.0.11,24h\n',
      odd,
    );
  }
  t.same(
    readLeases('1795 FA:16:3E:00:00:01 10.0.0.11 web 01:fa\nduid 00:01\n').map(({ mac, ip }) => [mac, ip]),
    [
      ['fa:16:3e:00:00:01', '10.0.0.11'],
      [undefined, undefined],
    ],
  );
});

await t.test('a router: its way out depends on who does the source NAT', async (t) => {
  const spec = (external: Partial<NonNullable<RouterSpec['external']>>): RouterSpec => ({
    routerId,
    interfaces: [{ networkId, subnetId: 's' as SubnetId, ip: '10.0.0.1', prefixLength: 24, neighbours: [] }],
    external: {
      gatewayIp: '10.97.0.1',
      cidr: '10.97.0.0/24',
      floatingIps: [],
      snatIp: '10.97.0.100',
      snatHere: false,
      ...external,
    },
  });
  const vnis = new Map([[networkId, 7]]);
  const transit = { transitVni: 9001, transitIndex: 1, snatTransitIndex: 3, snatVtepIp: '10.98.0.3' };

  const plain = routerWanted(spec(transit), vnis);
  t.notOk(plain.hasExternal);
  t.same(plain.routes, [{ destination: 'default', dev: 'tr', gateway: '100.127.0.3' }]);
  t.same(
    transitFdb(routerId, plain.transit ?? { vni: 0, index: 0 }).map((entry) => [entry.dev, entry.vtepIp]),
    [
      ['trabcdef01111', undefined],
      ['vx-9001', undefined],
      ['vx-9001', '10.98.0.3'],
    ],
  );

  // The host that did the source NAT before, and is in the mesh no longer; another router's way; a flood.
  const gone = { mac: '0e:00:00:00:00:09', dev: 'vx-9001' };
  const other = {
    ...spec({ ...transit, snatTransitIndex: 4 }),
    routerId: '22222222-0000-4000-8000-000000000002' as RouterId,
  };
  const otherEntries = transitFdb(other.routerId, routerWanted(other, vnis).transit ?? { vni: 0, index: 0 });
  const ownEntries = transitFdb(routerId, plain.transit ?? { vni: 0, index: 0 });
  const found = [gone, { ...gone, vtepIp: '10.98.0.9' }, ...otherEntries, ...ownEntries];
  const flood = { mac: floodMac, dev: 'vx-9001', vtepIp: '10.98.0.9' };
  const left = unclaimedTransit([...found, flood, { mac: '0e:00:00:00:00:08', dev: 'eth0' }], routerId, 9001, [
    { spec: spec(transit) },
    { spec: other },
  ]);
  t.same(left, [gone, { ...gone, vtepIp: '10.98.0.9' }, ...ownEntries]);
  t.same(fdbLines(left, ownEntries), [
    'fdb del 0e:00:00:00:00:09 dev vx-9001 master',
    'fdb del 0e:00:00:00:00:09 dev vx-9001 dst 10.98.0.9 self',
  ]);

  const floating = routerWanted(
    spec({ ...transit, floatingIps: [{ floatingIp: '10.97.0.11', fixedIp: '10.0.0.11' }] }),
    vnis,
  );
  t.ok(floating.hasExternal);
  t.same(floating.rules, [
    { priority: 100, table: 'main', withoutDefault: true },
    { priority: 200, from: '10.0.0.11', table: '100' },
  ]);
  t.same(
    floating.routes.map((route) => [route.destination, route.dev, route.table]),
    [
      ['10.97.0.0/24', 'qg', 100],
      ['default', 'qg', 100],
      ['default', 'tr', undefined],
    ],
  );

  const snat = routerWanted(spec({ ...transit, transitIndex: 3, snatHere: true }), vnis);
  t.same(snat.announced, ['10.97.0.100']);
  t.same(
    snat.routes.filter((route) => route.table === undefined).map((route) => [route.destination, route.dev]),
    [
      ['10.97.0.0/24', 'qg'],
      ['default', 'qg'],
    ],
  );
  t.ok(
    snat.addresses.some((address) => address.scope === 'host'),
    'its external leg never loses its last address',
  );
  t.throws(() => routerWanted(spec({}), new Map()), { code: 'CONFLICT' });
  t.not(routerMac(routerId), serviceMac);
});

await t.test('what conntrack 1.4.7 prints is understood', async (t) => {
  t.ok(saysNoFlow('conntrack v1.4.7 (conntrack-tools): 0 flow entries have been deleted.\n'));
  t.notOk(saysNoFlow('conntrack v1.4.7 (conntrack-tools): Operation failed: sorry, you must be root\n'));
  t.ok(saysFlowVanished("conntrack v1.4.7 (conntrack-tools): Operation failed: such conntrack doesn't exist\n"));
});
