/** A77: a guest that floods takes neither its neighbours' connections, nor the host's tables, nor everybody's wire. */
import t from 'tap';
import type { VxlanDriver } from '../../../drivers/vxlan/driver.ts';
import { tapName } from '../../../drivers/vxlan/model/names.ts';
import { makeLab, whyNoNetwork } from '../../drivers/vxlan/bench-host.ts';
import { Cloud, networkOf, pings, stream } from '../../drivers/vxlan/cloud.ts';
import { echoRequest, type FrameClaims, frameFields, layHose, sendByHose, udpDatagram } from '../support/frames.ts';

t.setTimeout(115_000);

await t.test('floods of a guest', { skip: await whyNoNetwork() }, async (t) => {
  t.setTimeout(115_000);
  const signal = AbortSignal.timeout(110_000);
  const lab = await makeLab(t, 2);
  const cloud = new Cloud(lab);
  const [first] = lab.hosts;
  if (first === undefined) throw new Error('the lab has hosts');
  const drivers: VxlanDriver[] = lab.hosts.map((_, host) => lab.open(host));
  await Promise.all(drivers.map((driver) => driver.start(signal)));
  t.teardown(() => Promise.all(drivers.map((driver) => driver.stop())));
  const a = networkOf('a', 5001, '10.0.0');
  const c = networkOf('c', 6001, '10.1.0');
  cloud.networks.push(a, c);
  await cloud.plug('a1', 0, a, '10.0.0.11', 'fa:16:3e:aa:00:01');
  await cloud.plug('a2', 1, a, '10.0.0.12', 'fa:16:3e:aa:00:02');
  await cloud.plug('c1', 0, c, '10.1.0.11', 'fa:16:3e:cc:00:01');
  await cloud.plug('c2', 1, c, '10.1.0.12', 'fa:16:3e:cc:00:02');
  for (const name of ['a1', 'a2']) {
    const guest = cloud.guest(name);
    guest.port = { ...guest.port, rules: [{ direction: 'egress' }, { direction: 'ingress' }] };
  }
  await Promise.all(drivers.map((driver, host) => cloud.ensure(driver, host, signal)));
  await Promise.all(cloud.guests.map((guest) => cloud.dhcp(guest.name)));
  const on = (name: string): string => cloud.guest(name).namespace;
  const onHost = (argv: readonly string[]) => lab.run(first.namespace, argv, 20_000).then(({ out }) => out);
  const setSecurity = async (name: string, portSecurity: boolean): Promise<void> => {
    const guest = cloud.guest(name);
    guest.port = { ...guest.port, portSecurity };
    await drivers[guest.host]?.ensurePort(guest.port, signal);
  };

  /** A neighbour's ping while the flood lasts: how much of it was lost, percent. */
  const lossDuring = async (flood: Promise<unknown>): Promise<string> => {
    const { sent, answered } = await stream(lab, on('c1'), '10.1.0.12', 40);
    await flood;
    return `${(((sent - answered) / sent) * 100).toFixed(1)} %`;
  };
  const flush = () => Promise.all(lab.hosts.map(({ namespace }) => lab.run(namespace, ['conntrack', '-F'])));
  const flows = async (): Promise<number> => Number(await onHost(['conntrack', '-C']));
  const dropsIn = async (family: string, table: string, chain: string): Promise<number> => {
    const out = await onHost(['nft', 'list', 'chain', family, table, chain]);
    return [...out.matchAll(/packets (\d+)/g)].reduce((sum, match) => sum + Number(match[1]), 0);
  };
  const claims = (toMac: string, fromMac: string): FrameClaims => ({
    ...{ toMac, fromMac },
    ...{ fromIp: cloud.guest('a1').port.ip, toIp: cloud.guest('a2').port.ip },
  });
  const mac = (name: string): string => cloud.guest(name).port.mac;
  /** The guest begins so many connections, each from another port. */
  const beginFlows = (count: number): Promise<void> =>
    sendByHose(on('a1'), udpDatagram(claims(mac('a2'), mac('a1'))), count, {
      at: frameFields.sourcePort,
      values: 60_000,
    });
  await layHose(on('a1'));

  await t.test('A77: a guest’s connections are bounded, and a neighbour still gets its own', async (t) => {
    const startedMs = Date.now();
    const flood = beginFlows(60_000);
    const tookS = flood.then(() => ((Date.now() - startedMs) / 1000).toFixed(1));
    const loss = await lossDuring(flood);
    const tracked = await flows();
    t.comment(`60000 flows tried in ${await tookS} s; ${tracked} tracked at the host; neighbour's loss ${loss}`);
    t.ok(tracked > 10_000, 'the flood was one');
    t.ok(tracked < 17_000, 'no more than one guest may have');
    t.ok((await dropsIn('inet', 'shoal_sg', 'count_flows')) > 0, 'the rest is counted');
    t.ok(await pings(lab, on('c1'), '10.1.0.12'), 'a neighbour begins a new one');
    await flush();
    // The kernel counts a flow that has gone for a moment longer.
    let begun = 0;
    for (let tries = 0; tries < 10 && begun < 400; tries += 1) {
      await beginFlows(500);
      begun = await flows();
    }
    t.ok(begun >= 400, `and so does the guest itself, once the old ones are gone: ${begun}`);
  });

  await t.test('A77: ports without port security share such a bound', async (t) => {
    await Promise.all([setSecurity('a1', false), setSecurity('a2', false)]);
    await flush();
    await beginFlows(60_000);
    const tracked = await flows();
    t.comment(`${tracked} tracked at the host`);
    t.ok(tracked > 10_000 && tracked < 17_000, `${tracked}`);
    await Promise.all([setSecurity('a1', true), setSecurity('a2', true)]);
    await flush();
  });

  await t.test('A77: frames to everybody are few on the wire', async (t) => {
    const received = async (): Promise<number> =>
      Number((await cloud.in('a2', ['cat', '/sys/class/net/eth0/statistics/rx_packets'])).out);
    const before = await received();
    const startedMs = Date.now();
    const loss = await lossDuring(sendByHose(on('a1'), echoRequest(claims('ff:ff:ff:ff:ff:ff', mac('a1'))), 60_000));
    const seconds = (Date.now() - startedMs) / 1000;
    const came = (await received()) - before;
    t.comment(`of 60000 in ${seconds.toFixed(1)} s ${came} came to the other host's guest; neighbour's loss ${loss}`);
    t.ok(came > 500, 'some do come');
    t.ok(came < 1_000 + 1_100 * seconds, 'no more than the bound');
  });

  await t.test('A77: MACs out of nothing do not fill the bridge', async (t) => {
    const tap = tapName(cloud.guest('a1').port.portId);
    const macs = async (): Promise<number> =>
      (await onHost(['bridge', 'fdb', 'show', 'dev', tap])).split('\n').filter((line) => line.includes('master'))
        .length;
    const sendFromMacs = (): Promise<void> =>
      sendByHose(on('a1'), echoRequest(claims(mac('a2'), '02:00:00:00:00:00')), 20_000, {
        at: frameFields.senderMac,
        values: 20_000,
      });
    const pinned = await macs();
    await sendFromMacs();
    t.equal(await macs(), pinned, 'of a guarded port none is learned');
    await setSecurity('a1', false);
    const startedMs = Date.now();
    await sendFromMacs();
    const seconds = (Date.now() - startedMs) / 1000;
    const learned = (await macs()) - pinned;
    t.comment(`${learned} learned of 20000 in ${seconds.toFixed(1)} s`);
    t.ok(learned >= 200, 'a nested bridge may have many');
    t.ok(learned <= 256 + 3 * seconds + 5, 'but not any number');
  });

  await t.test('A77: what a port sends is counted against its share', async (t) => {
    const limits = await onHost(['nft', 'list', 'chain', 'bridge', 'shoal_guard', 'port_limits']);
    t.match(limits, /update @frames \{ iifname limit rate over 200000\/second burst 50000 packets \}/);
    const counted = await onHost(['nft', 'list', 'set', 'bridge', 'shoal_guard', 'frames']);
    t.match(counted, tapName(cloud.guest('a1').port.portId));
  });
});
