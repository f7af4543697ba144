/** VXLAN between hosts that reach each other by IPv6 alone: real namespaces, guests on IPv4 networks as ever. */
import t from 'tap';
import { makeLab, whyNoNetwork } from './bench-host.ts';
import { Cloud, networkOf, pings } from './cloud.ts';

t.setTimeout(115_000);

await t.test('two hosts on an IPv6 underlay', { skip: await whyNoNetwork() }, async (t) => {
  t.setTimeout(110_000);
  const signal = AbortSignal.timeout(100_000);
  const lab4 = await makeLab(t, 2);
  const addresses = ['fd00:98::1', 'fd00:98::2'];
  const hosts = lab4.hosts.map((host, at) => ({ ...host, vtepIp: addresses[at] ?? '' }));
  const lab = { ...lab4, hosts };
  for (const { namespace, vtepIp } of hosts) {
    await lab.run(namespace, ['sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=0']);
    await lab.run(namespace, ['ip', '-4', 'addr', 'flush', 'dev', 'ul0']);
    const added = await lab.run(namespace, ['ip', 'addr', 'add', `${vtepIp}/64`, 'dev', 'ul0', 'nodad']);
    t.ok(added.ok, added.out);
  }
  const open = () => hosts.map(({ vtepIp }, at) => lab.open(at, undefined, { vtepIp }));
  let drivers = open();
  await Promise.all(drivers.map((driver) => driver.start(signal)));
  const cloud = new Cloud(lab);
  const network = networkOf('a', 5001, '10.0.0');
  cloud.networks.push(network);
  await cloud.plug('a1', 0, network, '10.0.0.11', 'fa:16:3e:aa:00:01');
  await cloud.plug('a2', 1, network, '10.0.0.12', 'fa:16:3e:aa:00:02');
  const ensureAll = async (): Promise<void> => {
    await Promise.all(drivers.map((driver, host) => cloud.ensure(driver, host, signal)));
  };
  const on = (name: string): string => cloud.guest(name).namespace;
  const [first, second] = hosts.map(({ namespace }) => namespace);
  if (first === undefined || second === undefined) throw new Error('there are two hosts');
  await ensureAll();

  await t.test('guests reach each other across hosts, at full size', async (t) => {
    for (const name of ['a1', 'a2']) t.match(await cloud.dhcp(name), 'lease of 10.0.0.1', name);
    t.ok(await pings(lab, on('a1'), '10.0.0.12', ['-M', 'do', '-s', '1472']));
    t.ok(await pings(lab, on('a2'), '10.0.0.11'));
    const { out } = await lab.run(first, ['ip', '-d', 'link', 'show', 'vx-5001']);
    t.match(out, `local ${addresses[0]}`);
  });

  await t.test('what is as it should be is left alone, by an agent that has started again, too', async (t) => {
    drivers = open();
    await Promise.all(drivers.map((driver) => driver.start(signal)));
    const before = drivers.map(({ changes }) => changes);
    await ensureAll();
    t.same(
      drivers.map(({ changes }) => changes),
      before,
    );
    t.ok(await pings(lab, on('a1'), '10.0.0.12'));
  });

  await t.test('a host of the other family is left out, and keeps nobody else from being reached', async (t) => {
    const { networkId } = network;
    const there = { mac: 'fa:16:3e:aa:00:02', ip: '10.0.0.12', vtepIp: addresses[1] ?? '' };
    const odd = { mac: 'fa:16:3e:aa:00:03', ip: '10.0.0.13', vtepIp: '10.98.0.9' };
    await drivers[0]?.setForwarding(
      { networkId, peerVtepIps: [there.vtepIp, odd.vtepIp], remotePorts: [there, odd] },
      signal,
    );
    t.ok(await pings(lab, on('a1'), '10.0.0.12'));
    const { out } = await lab.run(first, ['bridge', 'fdb', 'show', 'dev', 'vx-5001']);
    t.match(out, addresses[1]);
    t.notMatch(out, '10.98.0.9');
  });

  await t.test('what comes from a host that does not have the network is dropped', async (t) => {
    const { networkId } = network;
    await drivers[0]?.setForwarding({ networkId, peerVtepIps: [], remotePorts: [] }, signal);
    t.notOk(await pings(lab, on('a2'), '10.0.0.11'));
    const { out } = await lab.run(first, ['nft', 'list', 'chain', 'inet', 'shoal_sg', 'received']);
    const dropped = /ip6 saddr != @senders6 counter packets (\d+)/.exec(out)?.[1];
    t.ok(Number(dropped) > 0, out);
  });

  t.throws(
    () => lab.open(0, undefined, { vtepIp: 'FD00:98::1' }),
    { code: 'INVALID_ARGUMENT' },
    'not as the kernel writes',
  );
});
