/** What every network driver must do, run against the fake and the real one alike. */
import { randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import type { LocalPortSpec, NetworkDriver, NetworkSpec, RouterSpec } from '../../drivers/types.ts';
import { interfaceNameMax } from '../../drivers/vxlan/model/names.ts';
import type { NetworkId, PortId, RouterId, SubnetId } from '../../node/base/ids.ts';

/** One host, set up afresh for the suite. */
export interface NetworkFixture {
  /** A driver on the same host each time: the next one is what an agent has after a restart. Not started. */
  readonly open: () => NetworkDriver;
  /** Number of changes that the host has seen, or a picture of it: equal before and after a call that changed nothing. */
  readonly picture: () => Promise<string>;
  /** Gateway and prefix of the external network. */
  readonly externalGatewayIp: string;
  readonly externalCidr: string;
}

/** Runs the suite. The host is empty again at its end. */
export async function networkCompliance(t: Test, fixture: NetworkFixture): Promise<void> {
  const { signal } = new AbortController();
  const driver = fixture.open();
  const network: NetworkSpec = {
    networkId: randomUUID() as NetworkId,
    vni: 7001,
    mtu: 1450,
    subnets: [
      {
        subnetId: randomUUID() as SubnetId,
        cidr: '10.20.0.0/24',
        gatewayIp: '10.20.0.1',
        serviceIp: '10.20.0.2',
        dhcp: true,
        dnsServers: ['9.9.9.9'],
        hostRoutes: [{ destination: '192.168.7.0/24', nextHop: '10.20.0.9' }],
      },
    ],
  };
  const port: LocalPortSpec = {
    portId: randomUUID() as PortId,
    networkId: network.networkId,
    mac: 'fa:16:3e:01:02:03',
    ip: '10.20.0.11',
    hostname: 'one',
    portSecurity: true,
    rules: [
      { direction: 'egress' },
      { direction: 'ingress', protocol: 'icmp' },
      {
        direction: 'ingress',
        protocol: 'tcp',
        portMin: 22,
        portMax: 22,
        remotePrefixes: ['10.20.0.0/24', '10.20.0.7/32'],
      },
      { direction: 'ingress', protocol: 'udp', remotePrefixes: [] },
    ],
    metadata: { '/openstack/latest/meta_data.json': '{"uuid":"one"}' },
  };
  const router: RouterSpec = {
    routerId: randomUUID() as RouterId,
    interfaces: [
      {
        networkId: network.networkId,
        subnetId: randomUUID() as SubnetId,
        ip: '10.20.0.1',
        prefixLength: 24,
        neighbours: [{ ip: port.ip, mac: port.mac }],
      },
    ],
    external: {
      gatewayIp: fixture.externalGatewayIp,
      cidr: fixture.externalCidr,
      floatingIps: [],
      snatHere: false,
    },
  };
  const withFloating = (floatingIps: { floatingIp: string; fixedIp: string }[]): RouterSpec => {
    if (router.external === undefined) throw new Error('the fixture has an external network');
    return { ...router, external: { ...router.external, floatingIps } };
  };
  const floatingIp = fixture.externalCidr.replace(/\.0\/\d+$/, '.77');

  await t.test('a driver that was not started refuses', async (t) => {
    await t.rejects(driver.found(signal), { code: 'UNAVAILABLE' });
    await t.rejects(driver.ensureNetwork(network, signal), { code: 'UNAVAILABLE' });
  });

  await driver.start(signal);
  t.teardown(() => driver.stop());

  await t.test('an empty host has nothing, and removing nothing is success', async (t) => {
    t.same(await driver.found(signal), { networks: [], ports: [], routers: [] });
    await driver.removePort(port.portId, signal);
    await driver.removeRouter(router.routerId, signal);
    await driver.removeNetwork(network.networkId, signal);
  });

  await t.test('a port, forwarding or a router on a network that is not here is refused', async (t) => {
    await t.rejects(driver.ensurePort(port, signal), { code: 'CONFLICT' });
    await t.rejects(driver.ensureRouter(router, signal), { code: 'CONFLICT' });
    await t.rejects(driver.setForwarding({ networkId: network.networkId, peerVtepIps: [], remotePorts: [] }, signal), {
      code: 'CONFLICT',
    });
    t.same(await driver.found(signal), { networks: [], ports: [], routers: [] });
  });

  await t.test('a network is found once it was made', async (t) => {
    await driver.ensureNetwork(network, signal);
    t.same((await driver.found(signal)).networks, [{ networkId: network.networkId, vni: network.vni }]);
  });

  await t.test('a VNI belongs to one network, and a network has one VNI', async (t) => {
    await t.rejects(driver.ensureNetwork({ ...network, vni: 7002 }, signal), { code: 'CONFLICT' });
    await t.rejects(driver.ensureNetwork({ ...network, networkId: randomUUID() as NetworkId }, signal), {
      code: 'CONFLICT',
    });
    t.same((await driver.found(signal)).networks, [{ networkId: network.networkId, vni: network.vni }]);
  });

  await t.test('a port is found under a name that an interface can have', async (t) => {
    const { tapName } = await driver.ensurePort(port, signal);
    t.ok(tapName.length <= interfaceNameMax, tapName);
    t.same((await driver.found(signal)).ports, [{ portId: port.portId, networkId: network.networkId, tapName }]);
  });

  await t.test('an address belongs to one port of a network', async (t) => {
    const portId = randomUUID() as PortId;
    await t.rejects(driver.ensurePort({ ...port, portId, mac: 'fa:16:3e:01:02:04' }, signal), { code: 'CONFLICT' });
    await t.rejects(driver.ensurePort({ ...port, portId, ip: '10.20.0.12' }, signal), { code: 'CONFLICT' });
    t.equal((await driver.found(signal)).ports.length, 1);
  });

  const hostile: readonly (readonly [string, Partial<LocalPortSpec>])[] = [
    ['a MAC that ends the line', { mac: 'fa:16:3e:00:00:01\nlink del lo' }],
    ['a multicast MAC', { mac: '01:00:5e:00:00:01' }],
    ['an address that is none', { ip: '10.20.0.300' }],
    ['an id that climbs out of its folder', { portId: '../../etc/passwd' as PortId }],
    [
      'a port range the wrong way round',
      { rules: [{ direction: 'ingress', protocol: 'tcp', portMin: 9, portMax: 1 }] },
    ],
    ['a prefix with nft syntax in it', { rules: [{ direction: 'ingress', remotePrefixes: ['0.0.0.0/0 } accept'] }] }],
    ['a metadata path without its slash', { metadata: { 'etc/passwd': '' } }],
  ];
  await t.test('input that is not what it should be is refused and changes nothing', async (t) => {
    const before = await fixture.picture();
    for (const [what, change] of hostile) {
      const spec = { ...port, portId: randomUUID() as PortId, ip: '10.20.0.66', mac: 'fa:16:3e:00:00:66', ...change };
      await t.rejects(driver.ensurePort(spec, signal), { code: 'INVALID_ARGUMENT' }, what);
    }
    await t.rejects(driver.ensureNetwork({ ...network, networkId: randomUUID() as NetworkId, vni: 2 ** 24 }, signal), {
      code: 'INVALID_ARGUMENT',
    });
    t.equal(await fixture.picture(), before);
  });

  await t.test('a network has several subnets, of which none overlaps another', async (t) => {
    const [first] = network.subnets;
    if (first === undefined) throw new Error('the network has a subnet');
    const second = { ...first, subnetId: randomUUID() as SubnetId, cidr: '10.20.1.0/24', gatewayIp: '10.20.1.1' };
    const further = { ...second, serviceIp: '10.20.1.2', hostRoutes: [] };
    const wide = { ...further, cidr: '10.20.0.0/16' };
    await t.rejects(driver.ensureNetwork({ ...network, subnets: [first, wide] }, signal), { code: 'INVALID_ARGUMENT' });
    await driver.ensureNetwork({ ...network, subnets: [first, further] }, signal);
    const before = await fixture.picture();
    await driver.ensureNetwork({ ...network, subnets: [first, further] }, signal);
    t.equal(await fixture.picture(), before, 'again');
    const [leg] = router.interfaces;
    if (leg === undefined) throw new Error('the router has an interface');
    const secondLeg = { ...leg, subnetId: further.subnetId, ip: '10.20.1.1', neighbours: [] };
    await t.rejects(driver.ensureRouter({ ...router, interfaces: [leg, leg] }, signal), { code: 'INVALID_ARGUMENT' });
    const both = { ...router, interfaces: [leg, secondLeg] };
    await driver.ensureRouter(both, signal);
    const routed = await fixture.picture();
    await driver.ensureRouter(both, signal);
    t.equal(await fixture.picture(), routed, 'a router on both, again');
    await driver.removeRouter(router.routerId, signal);
    await driver.ensureNetwork(network, signal);
  });

  await t.test('a router is found with its floating IPs, and without them when they are gone', async (t) => {
    await driver.ensureRouter(router, signal);
    t.same((await driver.found(signal)).routers, [{ routerId: router.routerId, floatingIps: [] }]);
    await driver.ensureRouter(withFloating([{ floatingIp, fixedIp: port.ip }]), signal);
    t.same((await driver.found(signal)).routers, [{ routerId: router.routerId, floatingIps: [floatingIp] }]);
    await driver.ensureRouter(router, signal);
    t.same((await driver.found(signal)).routers, [{ routerId: router.routerId, floatingIps: [] }]);
    await driver.ensureRouter(withFloating([{ floatingIp, fixedIp: port.ip }]), signal);
  });

  await t.test('all of it again changes nothing, and a new driver finds and changes nothing', async (t) => {
    const remote = { mac: 'fa:16:3e:01:02:0a', ip: '10.20.0.20', vtepIp: '10.98.7.2' };
    const forwarding = { networkId: network.networkId, peerVtepIps: ['10.98.7.2'], remotePorts: [remote] };
    await driver.setForwarding(forwarding, signal);
    const [before, found] = [await fixture.picture(), await driver.found(signal)];
    const next = fixture.open();
    await next.start(signal);
    t.same(await next.found(signal), found);
    for (const each of [driver, next]) {
      await each.ensureNetwork(network, signal);
      await each.ensurePort(port, signal);
      await each.setForwarding(forwarding, signal);
      await each.ensureRouter(withFloating([{ floatingIp, fixedIp: port.ip }]), signal);
    }
    t.equal(await fixture.picture(), before);
    await next.stop();
  });

  await t.test('a network and a port get IPv6 beside what they have, and lose it again', async (t) => {
    const subnet6 = {
      ...{ subnetId: randomUUID() as SubnetId, cidr: 'fd00:20::/64', gatewayIp: 'fd00:20::1', serviceIp: 'fd00:20::2' },
      ...{ dhcp: true, dnsServers: ['2001:db8::53'], hostRoutes: [] },
    };
    const network6 = { ...network, subnets: [...network.subnets, subnet6] };
    const port6: LocalPortSpec = {
      ...port,
      moreIps: ['fd00:20::11'],
      addressPairs: [{ mac: port.mac, prefix: 'fd00:20::c0/124' }],
      rules: [
        ...port.rules,
        { direction: 'ingress', ethertype: 'IPv6', protocol: 58, remotePrefixes: ['fd00:20::/64'] },
      ],
    };
    const remotePorts = [{ mac: 'fa:16:3e:01:02:0a', ip: 'fd00:20::20', vtepIp: '10.98.7.2' }];
    const forwarding = { networkId: network.networkId, peerVtepIps: ['10.98.7.2'], remotePorts };
    const make = async (): Promise<string> => {
      await driver.ensureNetwork(network6, signal);
      await driver.ensurePort(port6, signal);
      await driver.setForwarding(forwarding, signal);
      return fixture.picture();
    };
    t.equal(await make(), await make(), 'all of it again changes nothing');
    const bad: readonly Promise<unknown>[] = [
      driver.ensurePort({ ...port6, moreIps: ['fd00:20:0::11'] }, signal),
      driver.ensurePort({ ...port6, moreIps: ['fe80::1%eth0'] }, signal),
      driver.ensureNetwork({ ...network6, mtu: 1279 }, signal),
      driver.ensureNetwork({ ...network6, subnets: [subnet6, { ...subnet6, cidr: 'fd00::/16' }] }, signal),
      driver.setForwarding(
        { ...forwarding, remotePorts: [{ mac: port.mac, ip: 'fd00::x', vtepIp: '10.98.7.2' }] },
        signal,
      ),
    ];
    for (const call of bad) await t.rejects(call, { code: 'INVALID_ARGUMENT' });
    await driver.ensurePort(port, signal);
    await driver.ensureNetwork(network, signal);
    await driver.setForwarding({ ...forwarding, remotePorts: [] }, signal);
  });

  await t.test('a router gets interfaces and a way out of IPv6, and loses them again', async (t) => {
    const subnet6 = {
      ...{ subnetId: randomUUID() as SubnetId, cidr: 'fd00:20::/64', gatewayIp: 'fd00:20::1' },
      ...{
        serviceIp: 'fd00:20::c00:ff:fe00:2',
        dhcp: true,
        dnsServers: [],
        hostRoutes: [],
        addressing: 'slaac' as const,
      },
    };
    await driver.ensureNetwork({ ...network, subnets: [...network.subnets, subnet6] }, signal);
    const leg6: RouterSpec['interfaces'][number] = {
      ...{ networkId: network.networkId, subnetId: subnet6.subnetId, ip: 'fd00:20::1', prefixLength: 64 },
      neighbours: [{ ip: 'fd00:20::f816:3eff:fe01:203', mac: port.mac }],
      advertisement: { mode: 'slaac', dnsServers: ['2001:db8::53'] },
    };
    const router6: RouterSpec = {
      ...router,
      interfaces: [...router.interfaces, leg6],
      routes: [{ destination: 'fd00:21::/64', nextHop: 'fd00:20::f816:3eff:fe01:203' }],
      external6: { gatewayIp: 'fd00:e::1', cidr: 'fd00:e::/64', ip: 'fd00:e::64', snatHere: true },
    };
    await driver.ensureRouter(router6, signal);
    const before = await fixture.picture();
    await driver.ensureRouter(router6, signal);
    t.equal(await fixture.picture(), before, 'all of it again changes nothing');
    const withLeg = (change: Partial<RouterSpec['interfaces'][number]>): RouterSpec => ({
      ...router6,
      interfaces: [{ ...leg6, ...change }],
    });
    const bad: readonly RouterSpec[] = [
      withLeg({ ip: 'fd00:20:0::1' }),
      withLeg({ prefixLength: 129 }),
      withLeg({ neighbours: [{ ip: '10.20.0.11', mac: port.mac }] }),
      withLeg({ advertisement: { mode: 'magic' as 'slaac', dnsServers: [] } }),
      withLeg({ advertisement: { mode: 'slaac', dnsServers: ['9.9.9.9'] } }),
      withLeg({ ip: '10.20.0.1', prefixLength: 24, neighbours: [] }),
      { ...router6, routes: [{ destination: 'fd00:21::/64', nextHop: '10.20.0.9' }] },
      { ...router6, external6: { gatewayIp: '10.97.0.1', cidr: 'fd00:e::/64', ip: 'fd00:e::64', snatHere: true } },
    ];
    for (const spec of bad) await t.rejects(driver.ensureRouter(spec, signal), { code: 'INVALID_ARGUMENT' });
    await driver.ensureRouter(router, signal);
    await driver.ensureNetwork(network, signal);
  });

  await t.test('a call that is cancelled before it begins changes nothing', async (t) => {
    const before = await fixture.picture();
    await t.rejects(driver.removePort(port.portId, AbortSignal.abort()), { code: 'CANCELLED' });
    t.equal(await fixture.picture(), before);
  });

  await t.test('a network that is in use is not removed', async (t) => {
    await t.rejects(driver.removeNetwork(network.networkId, signal), { code: 'CONFLICT' });
    await driver.removePort(port.portId, signal);
    await t.rejects(driver.removeNetwork(network.networkId, signal), { code: 'CONFLICT' });
    t.equal((await driver.found(signal)).networks.length, 1);
  });

  await t.test('what is removed is gone, and removing it again is success', async (t) => {
    for (let round = 0; round < 2; round += 1) {
      await driver.removeRouter(router.routerId, signal);
      await driver.removePort(port.portId, signal);
      await driver.removeNetwork(network.networkId, signal);
    }
    t.same(await driver.found(signal), { networks: [], ports: [], routers: [] });
  });
}
