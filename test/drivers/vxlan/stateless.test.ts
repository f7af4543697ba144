/** Stateless security groups on real namespaces: replies are judged where a port says so, and only there. */
import t from 'tap';
import { makeLab, whyNoNetwork } from './bench-host.ts';
import { Cloud, get, isClosed, networkOf, openRules } from './cloud.ts';

t.setTimeout(115_000);

await t.test(
  'replies are judged at a stateless port, and let pass at others',
  { skip: await whyNoNetwork() },
  async (t) => {
    t.setTimeout(115_000);
    const signal = AbortSignal.timeout(110_000);
    const lab = await makeLab(t, 2);
    const cloud = new Cloud(lab);
    const drivers = lab.hosts.map((_, host) => lab.open(host));
    await Promise.all(drivers.map((driver) => driver.start(signal)));
    const network = networkOf('a', 5001, '10.0.0');
    cloud.networks.push(network);
    for (const [name, host, last] of [
      ['a1', 0, 11],
      ['a2', 0, 12],
      ['a3', 1, 13],
    ] as const) {
      await cloud.plug(name, host, network, `10.0.0.${last}`, `fa:16:3e:aa:00:${last}`);
    }
    const set = async (name: string, change: object): Promise<void> => {
      const guest = cloud.guest(name);
      guest.port = { ...guest.port, ...change };
      await Promise.all(drivers.map((driver, host) => cloud.ensure(driver, host, signal)));
    };
    await set('a1', {});
    const on = (name: string): string => cloud.guest(name).namespace;
    for (const [name, ip] of [
      ['a1', '10.0.0.11'],
      ['a2', '10.0.0.12'],
      ['a3', '10.0.0.13'],
    ] as const) {
      t.match(await cloud.dhcp(name), `lease of ${ip} obtained`);
      await cloud.serve(on(name), name);
    }

    const out = { direction: 'egress' } as const;
    await set('a1', { rules: [out] });
    t.equal(await get(lab, on('a1'), 'http://10.0.0.12/'), 'a2', 'stateful: the reply passes on one host');
    t.equal(await get(lab, on('a1'), 'http://10.0.0.13/'), 'a3', 'and from another');

    await set('a1', { rules: [out], stateless: true });
    t.ok(await isClosed(lab, on('a1'), 'http://10.0.0.12/'), 'nothing lets the reply in');
    t.ok(await isClosed(lab, on('a1'), 'http://10.0.0.13/'));
    t.equal(
      await get(lab, on('a1'), 'http://169.254.169.254/latest/meta-data/hostname'),
      'a1',
      'metadata always passes',
    );
    t.match(await cloud.dhcp('a1'), 'lease of 10.0.0.11 obtained', 'and DHCP');

    await set('a1', { rules: [out, { direction: 'ingress', protocol: 'tcp' }], stateless: true });
    t.equal(await get(lab, on('a1'), 'http://10.0.0.12/'), 'a2', 'a pair of rules lets it');
    t.equal(await get(lab, on('a1'), 'http://10.0.0.13/'), 'a3');
    t.equal(await get(lab, on('a2'), 'http://10.0.0.11/'), 'a1', 'and others in');

    // The other side is stateful, and has its own say.
    await set('a2', { rules: [out] });
    t.equal(await get(lab, on('a2'), 'http://10.0.0.11/'), 'a1', 'its replies pass');
    t.ok(await isClosed(lab, on('a1'), 'http://10.0.0.12/'), 'what it does not let in stays out');
    await set('a2', { rules: [{ direction: 'ingress' }] });
    t.equal(await get(lab, on('a1'), 'http://10.0.0.12/'), 'a2', 'it answers what it lets in');
    t.ok(await isClosed(lab, on('a2'), 'http://10.0.0.11/'), 'what it does not let out stays in');

    await set('a1', { rules: openRules, stateless: false });
    await set('a2', { rules: openRules });
    t.equal(await get(lab, on('a1'), 'http://10.0.0.12/'), 'a2');
  },
);
