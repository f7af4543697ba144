/** G15: guests get names of the outside world from their host's forwarders, nobody else does, and no name leads inside. */
import { spawn } from 'node:child_process';
import t from 'tap';
import { makeLab, whyNoNetwork } from './bench-host.ts';
import { Cloud, isClosed, lookUp, networkOf } from './cloud.ts';

t.setTimeout(200_000);

await t.test('names of the outside world', { skip: await whyNoNetwork() }, async (t) => {
  const signal = AbortSignal.timeout(190_000);
  const lab = await makeLab(t, 1);
  const outside = lab.outsideNamespace ?? '';
  const hostIp = lab.hosts[0]?.vtepIp ?? '';
  const world = spawn(
    'ip',
    [
      ...['netns', 'exec', outside, 'dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv'],
      ...['--no-hosts', '--pid-file=', `--listen-address=${lab.outsideUnderlayIp}`, '--bind-interfaces'],
      ...['--address=/www.example.test/192.0.2.77', '--address=/intranet.example.test/10.0.1.11'],
      ...['--address=/metadata.example.test/169.254.169.254', '--address=/resolver.example.test/100.64.0.1'],
      // Asked for these, it would say so: nobody asks.
      ...['--address=/novalocal/192.0.2.78', '--address=/a1/192.0.2.78'],
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => world.once('exit', resolve));
  t.teardown(async () => {
    world.kill('SIGKILL');
    await ended;
  });

  const cloud = new Cloud(lab);
  const a = networkOf('a', 5001, '10.0.0');
  const b = networkOf('b', 5002, '10.0.1');
  cloud.networks.push(a, b);
  await cloud.plug('a1', 0, a, '10.0.0.11', 'fa:16:3e:aa:00:01');
  await cloud.plug('b1', 0, b, '10.0.1.11', 'fa:16:3e:bb:00:01');
  const start = async (dnsForwarders: readonly string[]): Promise<void> => {
    const driver = lab.open(0, undefined, { dnsForwarders });
    await driver.start(signal);
    await cloud.ensure(driver, 0, signal);
    // What is looked at from here on is there without any agent.
    await driver.stop();
  };
  const ask = (guest: string, name: string): Promise<string> =>
    lookUp(lab, cloud.guest(guest).namespace, guest === 'a1' ? '10.0.0.2' : '10.0.1.2', { type: 'A', name });

  await start([lab.outsideUnderlayIp]);
  await Promise.all(cloud.guests.map((guest) => cloud.dhcp(guest.name)));

  await t.test('a guest resolves them, with no agent alive', async (t) => {
    t.equal(await ask('a1', 'www.example.test'), '192.0.2.77');
    t.equal(await ask('b1', 'www.example.test'), '192.0.2.77', 'in each network');
    t.equal(await ask('b1', 'intranet.example.test'), '10.0.1.11', 'private addresses are names of an intranet');
    t.equal(await ask('b1', 'b1'), '10.0.1.11', 'neighbours as before');
  });

  await t.test('names of one tenant are neither told to another nor asked of the world', async (t) => {
    for (const name of ['a1', 'a1.novalocal', 'x.novalocal']) t.equal(await ask('b1', name), 'ENOTFOUND', name);
  });

  await t.test('no name leads to the metadata service or to the resolver', async (t) => {
    for (const name of ['metadata.example.test', 'resolver.example.test']) {
      t.equal(await ask('a1', name), 'ENOTFOUND', name);
    }
  });

  await t.test('nobody but the service namespaces reaches the resolver', async (t) => {
    await cloud.in('a1', ['ip', 'route', 'replace', '100.64.0.1/32', 'via', '10.0.0.2']);
    await lab.run(outside, ['ip', 'route', 'add', '100.64.0.1/32', 'via', hostIp]);
    for (const [place, namespace] of [
      ['a guest', cloud.guest('a1').namespace],
      ['another machine', outside],
    ] as const) {
      const answer = await lookUp(lab, namespace, '100.64.0.1:8753', { type: 'A', name: 'www.example.test' });
      t.match(answer, /^E(TIMEOUT|CONNREFUSED)$/, `${place}, by UDP`);
      t.ok(await isClosed(lab, namespace, 'http://100.64.0.1:8753/'), `${place}, by TCP`);
    }
    const direct = await lookUp(lab, outside, `${hostIp}:8753`, { type: 'A', name: 'www.example.test' });
    t.match(direct, /^E(TIMEOUT|CONNREFUSED)$/, 'nor at an address of the host');
  });

  await t.test('switched off, they are refused', async (t) => {
    await start([]);
    t.equal(await ask('a1', 'www.example.test'), 'EREFUSED');
    t.equal(await ask('a1', 'a1'), '10.0.0.11', 'neighbours as before');
    t.notMatch((await lab.run(lab.hosts[0]?.namespace ?? '', ['ss', '-lnu'])).out, ':8753 ', 'no resolver is left');
  });
});
