/** The data plane on real namespaces: three hosts, three networks of two tenants, a router, and guests that are namespaces. */
import t from 'tap';
import type { SecurityRuleSpec } from '../../../drivers/types.ts';
import type { VxlanDriver } from '../../../drivers/vxlan/driver.ts';
import { makeLab, pictureOf, whyNoNetwork } from './bench-host.ts';
import { Cloud, get, isClosed, lookUp, networkOf, openRules, pings, stream } from './cloud.ts';

// The runner's own limit (.taprc) holds for a file; a single test has 30 s unless it says otherwise.
t.setTimeout(115_000);

await t.test('three hosts', { skip: await whyNoNetwork() }, async (t) => {
  t.setTimeout(115_000);
  const signal = AbortSignal.timeout(110_000);
  const lab = await makeLab(t, 3);
  const cloud = new Cloud(lab);
  const outside = lab.outsideNamespace ?? '';
  const before = await Promise.all(lab.hosts.map((_, host) => pictureOf(lab, host)));
  let drivers: VxlanDriver[] = lab.hosts.map((_, host) => lab.open(host));
  await Promise.all(drivers.map((driver) => driver.start(signal)));
  const ensureAll = async (): Promise<void> => {
    await Promise.all(drivers.map((driver, host) => cloud.ensure(driver, host, signal)));
  };
  const setRules = async (name: string, rules: readonly SecurityRuleSpec[]): Promise<void> => {
    const guest = cloud.guest(name);
    guest.port = { ...guest.port, rules };
    await drivers[guest.host]?.ensurePort(guest.port, signal);
  };
  const on = (name: string): string => cloud.guest(name).namespace;

  // a and b are one tenant's, joined by a router; c is another tenant's, with the same addresses as a.
  const a = networkOf('a', 5001, '10.0.0');
  const b = networkOf('b', 5002, '10.0.1');
  const c = networkOf('c', 6001, '10.0.0');
  cloud.networks.push(a, b, c);
  cloud.routed = [a, b];
  cloud.snatHost = 2;
  await cloud.plug('a1', 0, a, '10.0.0.11', 'fa:16:3e:aa:00:01');
  await cloud.plug('a2', 1, a, '10.0.0.12', 'fa:16:3e:aa:00:02');
  await cloud.plug('a3', 2, a, '10.0.0.13', 'fa:16:3e:aa:00:03');
  await cloud.plug('b1', 0, b, '10.0.1.11', 'fa:16:3e:bb:00:01');
  await cloud.plug('b2', 1, b, '10.0.1.12', 'fa:16:3e:bb:00:02');
  await cloud.plug('c1', 0, c, '10.0.0.11', 'fa:16:3e:aa:00:01');
  await cloud.plug('c2', 1, c, '10.0.0.12', 'fa:16:3e:aa:00:02');
  // Its record has no name that could be one; it may want to give itself one.
  cloud.guest('b1').port = { ...cloud.guest('b1').port, hostname: 'no name' };
  cloud.floating.set('a1', '10.97.0.11').set('b2', '10.97.0.22');
  await ensureAll();

  await t.test('every guest gets its own address by DHCP', async (t) => {
    const answers = await Promise.all(cloud.guests.map((guest) => cloud.dhcp(guest.name)));
    for (const [index, guest] of cloud.guests.entries()) {
      t.match(answers[index], `lease of ${guest.port.ip} obtained`, guest.name);
    }
    await Promise.all(cloud.guests.map((guest) => cloud.serve(guest.namespace, guest.name)));
    await cloud.serve(outside, 'outside');
  });

  await t.test('guests of a network reach each other across hosts, at full size', async (t) => {
    t.ok(await pings(lab, on('a1'), '10.0.0.12'));
    t.ok(await pings(lab, on('a1'), '10.0.0.13', ['-M', 'do', '-s', '1472']));
    t.equal(await get(lab, on('a3'), 'http://10.0.0.11/'), 'a1');
  });

  await t.test('networks with the same addresses do not see each other', async (t) => {
    t.equal(await get(lab, on('c1'), 'http://10.0.0.12/'), 'c2');
    t.equal(await get(lab, on('a1'), 'http://10.0.0.12/'), 'a2');
    t.notOk(await pings(lab, on('c1'), '10.0.0.13'), 'an address of the other tenant alone');
    t.notOk(await pings(lab, on('c1'), '10.0.1.11'), 'a network behind the other tenant’s router');
  });

  await t.test('metadata knows its guests apart, even with the same address and MAC', async (t) => {
    for (const name of ['a1', 'c1', 'b2', 'c2']) {
      t.equal(await get(lab, on(name), 'http://169.254.169.254/latest/meta-data/hostname'), name);
    }
    const uuid = await get(lab, on('a1'), 'http://169.254.169.254/openstack/latest/meta_data.json');
    t.equal(uuid, '{"uuid":"port-a1"}');
    t.ok(await isClosed(lab, on('a1'), 'http://169.254.169.254/latest/nothing'));
    t.ok(await isClosed(lab, on('a1'), 'http://169.254.169.254/..%2f100.64.0.3/latest'));
  });

  await t.test('guests find their neighbours by name, on this host and others, and no other tenant’s', async (t) => {
    const ask = (from: string, type: 'A' | 'PTR', name: string): Promise<string> =>
      lookUp(lab, on(from), '10.0.0.2', { type, name });
    t.equal(await ask('a1', 'A', 'a1.novalocal'), '10.0.0.11', 'itself');
    t.equal(await ask('a1', 'A', 'a3.novalocal'), '10.0.0.13', 'on another host');
    t.equal(await ask('a3', 'A', 'a1'), '10.0.0.11', 'by its short name');
    t.equal(await ask('a1', 'PTR', '10.0.0.13'), 'a3.novalocal');
    t.equal(await ask('c1', 'A', 'c2.novalocal'), '10.0.0.12');
    t.equal(await ask('c1', 'A', 'a2.novalocal'), 'ENOTFOUND', 'another tenant’s');
    t.equal(await ask('a1', 'PTR', '10.0.0.99'), 'ENOTFOUND');
    t.equal(await ask('a1', 'A', 'www.example.org'), 'EREFUSED', 'there is nobody to ask');
    t.match(await cloud.dhcp('b1', ['-x', 'hostname:claimed']), 'lease of 10.0.1.11 obtained');
    for (const name of ['claimed', 'claimed.novalocal']) {
      t.match(
        await lookUp(lab, on('b1'), '10.0.1.2', { type: 'A', name }),
        /^E(NOTFOUND|REFUSED)$/,
        `${name}: no record's`,
      );
    }
  });

  await t.test('routing is done at the sender’s host, with the same gateway everywhere', async (t) => {
    t.equal(await get(lab, on('a1'), 'http://10.0.1.11/'), 'b1', 'same host');
    t.equal(await get(lab, on('a1'), 'http://10.0.1.12/'), 'b2', 'other host');
    t.equal(await get(lab, on('b2'), 'http://10.0.0.13/'), 'a3', 'to a host without a guest of the sender’s network');
    t.ok(await pings(lab, on('a3'), '10.0.0.1'), 'the gateway answers');
  });

  await t.test('ARP for known addresses does not leave the host', async (t) => {
    const peer = lab.hosts[1]?.namespace ?? '';
    const probe =
      'table bridge probe { chain p { type filter hook prerouting priority -400; iifname "vx-5001" ether type arp counter; }; }';
    t.ok((await lab.run(peer, ['nft', probe])).ok);
    const seen = async (): Promise<number> => {
      const { out } = await lab.run(peer, ['nft', 'list', 'table', 'bridge', 'probe']);
      return Number(/packets (\d+)/.exec(out)?.[1]);
    };
    for (const ip of ['10.0.0.12', '10.0.0.1']) {
      const { out } = await cloud.in('a1', ['arping', '-c', '1', '-w', '2', '-I', 'eth0', ip]);
      t.match(out, /Received 1 response/, ip);
    }
    t.equal(await seen(), 0);
    await cloud.in('a1', ['arping', '-c', '1', '-w', '1', '-I', 'eth0', '10.0.0.99']);
    t.ok((await seen()) > 0, 'an unknown address is asked for');
    await lab.run(peer, ['nft', 'delete', 'table', 'bridge', 'probe']);
  });

  await t.test('floating IPs work inwards, outwards and between guests', async (t) => {
    t.equal(await get(lab, outside, 'http://10.97.0.11/'), 'a1');
    t.equal(await get(lab, outside, 'http://10.97.0.22/'), 'b2');
    t.equal(await get(lab, on('b2'), `http://${lab.externalGatewayIp}/cgi-bin/who`), '10.97.0.22');
    t.equal(await get(lab, on('b2'), 'http://10.97.0.11/'), 'a1', 'across hosts');
    t.equal(await get(lab, on('b1'), 'http://10.97.0.11/'), 'a1', 'on one host, from a guest without one');
    t.notOk(await pings(lab, outside, '10.97.0.33'), 'nobody has this one');
  });

  await t.test('guests without a floating IP leave by the one host that does source NAT', async (t) => {
    for (const name of ['b1', 'a2', 'a3']) {
      t.equal(await get(lab, on(name), `http://${lab.externalGatewayIp}/cgi-bin/who`), '10.97.0.100', name);
    }
  });

  await t.test('a floating IP that goes takes its flows along and leaves source NAT alone', async (t) => {
    // On the host that does source NAT the router keeps another address; on the other it loses its last one.
    for (const [name, ip] of [
      ['a3', '10.97.0.33'],
      ['b2', '10.97.0.22'],
    ] as const) {
      const { host } = cloud.guest(name);
      const set = async (isThere: boolean): Promise<void> => {
        if (isThere) cloud.floating.set(name, ip);
        else cloud.floating.delete(name);
        await drivers[host]?.ensureRouter(cloud.router(host), signal);
      };
      await set(true);
      t.equal(await get(lab, outside, `http://${ip}/`), name);
      await set(false);
      t.ok(await isClosed(lab, outside, `http://${ip}/`));
      t.equal(await get(lab, on(name), `http://${lab.externalGatewayIp}/cgi-bin/who`), '10.97.0.100');
      await set(true);
      t.equal(await get(lab, outside, `http://${ip}/`), name, 'back again');
    }
  });

  await t.test('what the rules do not allow is dropped, and answers always pass', async (t) => {
    await setRules('a2', [
      { direction: 'egress', protocol: 'icmp' },
      { direction: 'ingress', protocol: 'tcp', portMin: 80, portMax: 80, remotePrefixes: ['10.0.0.11/32'] },
    ]);
    t.equal(await get(lab, on('a1'), 'http://10.0.0.12/'), 'a2', 'the one that is allowed');
    t.ok(await isClosed(lab, on('a3'), 'http://10.0.0.12/'), 'another one');
    t.notOk(await pings(lab, on('a1'), '10.0.0.12'), 'another protocol');
    t.ok(await pings(lab, on('a2'), '10.0.0.11'), 'its own ping is answered');
    t.ok(await isClosed(lab, on('a2'), 'http://10.0.0.11/'), 'it may not send anything else');
    t.equal(await get(lab, on('c1'), 'http://10.0.0.12/'), 'c2', 'the other tenant’s guest with that address');
    t.equal(await get(lab, on('a2'), 'http://169.254.169.254/latest/meta-data/hostname'), 'a2', 'metadata passes');
    t.match(await cloud.dhcp('a2'), 'lease of 10.0.0.12 obtained', 'DHCP passes');
  });

  await t.test('a rule that is revoked cuts the flows that it allowed', async (t) => {
    await setRules('a2', openRules);
    const flow = stream(lab, on('a3'), '10.0.0.12', 40);
    await new Promise((resolve) => setTimeout(resolve, 700));
    await setRules('a2', [{ direction: 'egress' }]);
    const { sent, answered } = await flow;
    t.equal(sent, 40);
    t.ok(answered > 5 && answered < 35, `${answered} of ${sent} answered`);
    await setRules('a2', openRules);
    t.ok(await pings(lab, on('a3'), '10.0.0.12'));
  });

  await t.test('a guest cannot pretend to be another', async (t) => {
    const host = lab.hosts[0]?.namespace ?? '';
    const drops = async (chain: string): Promise<number> => {
      const { out } = await lab.run(host, ['nft', 'list', 'chain', 'bridge', 'shoal_guard', chain]);
      return [...out.matchAll(/packets (\d+)/g)].reduce((sum, match) => sum + Number(match[1]), 0);
    };
    const counted = async (chain: string, work: () => Promise<unknown>): Promise<void> => {
      const [count] = [await drops(chain)];
      await work();
      t.ok((await drops(chain)) > count, `${chain} drops it`);
    };
    await cloud.in('a1', ['ip', 'addr', 'add', '10.0.0.77/24', 'dev', 'eth0']);
    await counted('guest_ip', async () => {
      t.notOk(await pings(lab, on('a1'), '10.0.0.12', ['-I', '10.0.0.77']), 'a forged address');
    });
    await counted('guest_arp', () =>
      cloud.in('a1', ['arping', '-q', '-U', '-c', '1', '-w', '1', '-I', 'eth0', '-s', '10.0.0.77', '10.0.0.77']),
    );
    await cloud.in('a1', ['ip', 'addr', 'del', '10.0.0.77/24', 'dev', 'eth0']);
    await cloud.in('a1', ['ip', 'link', 'set', 'eth0', 'address', 'fa:16:3e:aa:00:99']);
    await counted('guest', async () => {
      t.notOk(await pings(lab, on('a1'), '10.0.0.12'), 'a forged MAC');
    });
    await cloud.in('a1', ['ip', 'link', 'set', 'eth0', 'address', cloud.guest('a1').port.mac]);
    t.match(await cloud.dhcp('a1'), 'lease of 10.0.0.11 obtained');
    t.ok(await pings(lab, on('a1'), '10.0.0.12'), 'itself again');
  });

  await t.test('guests reach neither the host nor its metadata server directly', async (t) => {
    t.notOk(await pings(lab, on('a1'), lab.hosts[0]?.vtepIp ?? ''));
    t.ok(await isClosed(lab, on('a1'), 'http://100.64.0.1:8775/latest/meta-data/hostname'));
  });

  await t.test('new drivers take over, ensure all of it, change nothing and lose no packet', async (t) => {
    const pictures = await Promise.all(lab.hosts.map((_, host) => pictureOf(lab, host)));
    const found = await Promise.all(drivers.map((driver) => driver.found(signal)));
    const flows = [
      stream(lab, on('a1'), '10.0.0.12', 60),
      stream(lab, on('a1'), '10.0.1.12', 60),
      stream(lab, outside, '10.97.0.11', 60),
      stream(lab, on('a2'), lab.externalGatewayIp, 60),
    ];
    drivers = lab.hosts.map((_, host) => lab.open(host));
    await Promise.all(drivers.map((driver) => driver.start(signal)));
    t.same(await Promise.all(drivers.map((driver) => driver.found(signal))), found);
    await ensureAll();
    for (const flow of await Promise.all(flows)) t.same(flow, { sent: 60, answered: 60 });
    const after = await Promise.all(lab.hosts.map((_, host) => pictureOf(lab, host)));
    for (const [host, picture] of pictures.entries()) t.equal(after[host], picture, `host ${host}`);
  });

  await t.test('what is removed leaves nothing behind', async (t) => {
    const clear = async (driver: VxlanDriver, host: number): Promise<void> => {
      await driver.removeRouter(cloud.routerId, signal);
      for (const guest of cloud.guests) if (guest.host === host) await driver.removePort(guest.port.portId, signal);
      for (const network of cloud.networks) await driver.removeNetwork(network.networkId, signal);
      await driver.teardown(signal);
      await driver.stop();
      t.equal(await pictureOf(lab, host), before[host]);
    };
    await Promise.all(drivers.map(clear));
  });
});
