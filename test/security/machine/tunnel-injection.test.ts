/** A72: frames that somebody else than the hosts of a network packs into VXLAN do not reach its guests. */
import t from 'tap';
import type { VxlanDriver } from '../../../drivers/vxlan/driver.ts';
import { makeLab, whyNoNetwork } from '../../drivers/vxlan/bench-host.ts';
import { Cloud, networkOf, pings } from '../../drivers/vxlan/cloud.ts';
import { echoRequest, inVxlan, sendToVxlanPort } from '../support/frames.ts';

t.setTimeout(100_000);

await t.test('VXLAN from where it must not come', { skip: await whyNoNetwork() }, async (t) => {
  t.setTimeout(100_000);
  const signal = AbortSignal.timeout(95_000);
  const lab = await makeLab(t, 3);
  const cloud = new Cloud(lab);
  const [first, second, third] = lab.hosts;
  const outside = lab.outsideNamespace ?? '';
  if (first === undefined || second === undefined || third === undefined) throw new Error('the lab has three hosts');
  const drivers: VxlanDriver[] = lab.hosts.map((_, host) => lab.open(host));
  await Promise.all(drivers.map((driver) => driver.start(signal)));
  t.teardown(() => Promise.all(drivers.map((driver) => driver.stop())));
  // `a` is on the first two hosts, with a router; `c`, another tenant's, on the first and the third.
  const a = networkOf('a', 5001, '10.0.0');
  const c = networkOf('c', 6001, '10.1.0');
  cloud.networks.push(a, c);
  cloud.routed = [a];
  cloud.snatHost = 1;
  await cloud.plug('a1', 0, a, '10.0.0.11', 'fa:16:3e:aa:00:01');
  await cloud.plug('a2', 1, a, '10.0.0.12', 'fa:16:3e:aa:00:02');
  await cloud.plug('c1', 0, c, '10.1.0.11', 'fa:16:3e:cc:00:01');
  await cloud.plug('c3', 2, c, '10.1.0.13', 'fa:16:3e:cc:00:03');
  cloud.floating.set('a2', '10.97.0.12');
  await Promise.all(drivers.map((driver, host) => cloud.ensure(driver, host, signal)));
  await Promise.all(cloud.guests.map((guest) => cloud.dhcp(guest.name)));
  const on = (name: string): string => cloud.guest(name).namespace;

  /** How many echo requests the guest's own kernel has seen. */
  const echoes = async (name: string): Promise<number> => {
    const { out } = await cloud.in(name, ['cat', '/proc/net/snmp']);
    const [names = [], values = []] = out
      .split('\n')
      .flatMap((line) => (/^Icmp: /.test(line) ? [line.split(' ')] : []));
    return Number(values[names.indexOf('InEchos')]);
  };
  const dropped = async (namespace: string): Promise<number> => {
    const { out } = await lab.run(namespace, ['nft', 'list', 'chain', 'inet', 'shoal_sg', 'received']);
    return Number(/@senders counter packets (\d+)/.exec(out)?.[1]);
  };
  const toC1 = echoRequest({
    fromMac: cloud.guest('c3').port.mac,
    toMac: cloud.guest('c1').port.mac,
    fromIp: cloud.guest('c3').port.ip,
    toIp: cloud.guest('c1').port.ip,
  });
  /** Sends it to the first host from a namespace, and gives how many came to the guest and how many were dropped. */
  const attack = async (from: string, vni: number, frame = toC1, victim = 'c1') => {
    const before = { seen: await echoes(victim), dropped: await dropped(first.namespace) };
    await sendToVxlanPort(from, first.vtepIp, inVxlan(vni, frame), 5);
    await new Promise((resolve) => setTimeout(resolve, 200));
    return {
      seen: (await echoes(victim)) - before.seen,
      dropped: (await dropped(first.namespace)) - before.dropped,
    };
  };

  await t.test('what a host that has the network packs arrives, so the frames are good', async (t) => {
    t.same(await attack(third.namespace, 6001), { seen: 5, dropped: 0 });
    t.ok(await pings(lab, on('c3'), '10.1.0.11'), 'and guests reach each other');
    t.ok(await pings(lab, on('a2'), '10.0.0.11'));
  });

  await t.test('A72: a machine on the underlay that is no host is not heard', async (t) => {
    t.same(await attack(outside, 6001), { seen: 0, dropped: 5 });
  });

  await t.test('A72: a host of the mesh is not heard in a network that it does not have', async (t) => {
    t.same(await attack(second.namespace, 6001), { seen: 0, dropped: 5 });
  });

  await t.test(
    'A72: nor is a guest, even where the world leads from the external network to the underlay',
    async (t) => {
      await lab.run(outside, ['sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.rp_filter=0']);
      await lab.run(first.namespace, ['ip', 'route', 'add', '10.97.0.0/24', 'via', lab.outsideUnderlayIp]);
      t.same(await attack(on('a2'), 6001), { seen: 0, dropped: 5 }, 'by its floating IP');
      t.same(await attack(on('a1'), 6001), { seen: 0, dropped: 5 }, 'by the source NAT');
      t.ok(await pings(lab, on('a1'), lab.externalGatewayIp), 'it is the tunnel alone that is shut');
    },
  );

  await t.test('A72: a guest with any address of its own choice is not heard', async (t) => {
    const guest = cloud.guest('a2');
    guest.port = { ...guest.port, portSecurity: false };
    await drivers[1]?.ensurePort(guest.port, signal);
    await cloud.in('a2', ['ip', 'addr', 'add', `${third.vtepIp}/32`, 'dev', 'lo']);
    await cloud.in('a2', ['ip', 'route', 'replace', first.vtepIp, 'via', '10.0.0.1', 'src', third.vtepIp]);
    t.same(await attack(on('a2'), 6001), { seen: 0, dropped: 5 }, 'it left with the address of its router');
  });

  await t.test('A72: a host that lost its last guest of the network is not heard any more', async (t) => {
    await drivers[0]?.setForwarding({ networkId: c.networkId, peerVtepIps: [], remotePorts: [] }, signal);
    t.same(await attack(third.namespace, 6001), { seen: 0, dropped: 5 });
  });

  await t.test('A72: what a new agent finds is filtered before it is told anything', async (t) => {
    await drivers[0]?.stop();
    await lab.run(first.namespace, ['nft', 'flush set inet shoal_sg senders']);
    const again = lab.open(0);
    drivers[0] = again;
    await again.start(signal);
    t.same(await attack(second.namespace, 6001), { seen: 0, dropped: 5 });
    t.ok(await pings(lab, on('a2'), '10.0.0.11'), 'and what the records allow passes again');
  });
});
