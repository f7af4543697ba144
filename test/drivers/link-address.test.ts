/** The kernel's address with a lifetime, in network namespaces: when it goes, and what its neighbours hear. */
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { runCommand } from '../../drivers/command.ts';
import { KernelLinkAddress } from '../../drivers/link-address/link-address.ts';
import { enterOwnNetwork, makeHosts, type TestHost } from '../support/network-namespace.ts';

if (process.getuid?.() !== 0) {
  t.test('an address with a lifetime', { skip: 'needs root' }, (t) => t.end());
} else {
  await enterOwnNetwork(import.meta.filename, 120_000);
  t.setTimeout(120_000);
  const { hosts, remove } = await makeHosts('10.9.0.1', { one: '10.9.0.11', two: '10.9.0.12' });
  t.teardown(remove);
  const [one, two] = [...hosts.values()] as [TestHost, TestHost];
  const { signal } = new AbortController();
  const linkOf = (host: TestHost, cidr: string) =>
    new KernelLinkAddress(runCommand, { cidr, interface: 'eth0', prefix: host.prefix });
  const has = async (host: TestHost, address: string) =>
    (await runCommand([...host.prefix, 'ip', 'addr', 'show', 'dev', 'eth0'])).stdout.includes(`${address}/`);

  for (const [name, cidr] of [
    ['IPv4', '10.9.0.100/24'],
    ['IPv6', 'fd00:9::100/64'],
  ] as const) {
    const [address = ''] = cidr.split('/');
    await t.test(`${name}: it goes by itself, and at most 1.25 s late`, async (t) => {
      const link = linkOf(one, cidr);
      for (const seconds of [1, 2, 2]) {
        await link.hold(seconds, signal);
        const heldMs = performance.now();
        t.ok(await has(one, address));
        while ((await has(one, address)) && performance.now() - heldMs < 10_000) await delay(20);
        const lastedMs = performance.now() - heldMs;
        t.ok(
          lastedMs > seconds * 1_000 - 300 && lastedMs < seconds * 1_000 + 1_250,
          `${seconds} s were ${lastedMs} ms`,
        );
      }
    });

    await t.test(`${name}: what is renewed stays, and what is released goes at once`, async (t) => {
      const link = linkOf(one, cidr);
      for (let n = 0; n < 10; n += 1) {
        await link.hold(2, signal);
        await delay(300);
        t.ok(await has(one, address));
      }
      await link.release(signal);
      t.notOk(await has(one, address));
      await link.release(signal);
    });

    await t.test(`${name}: neighbours go to its new place at once`, async (t) => {
      const macOf = async (host: TestHost) =>
        /link\/ether (\S+)/.exec(
          (await runCommand([...host.prefix, 'ip', 'link', 'show', 'dev', 'eth0'])).stdout,
        )?.[1] ?? 'none';
      const ping = () => runCommand(['ping', '-c', '1', '-W', '2', address], { okStatus: [0, 1] });
      if (name === 'IPv6') await runCommand(['ip', 'addr', 'add', 'fd00:9::1/64', 'dev', 'br-test', 'nodad']);
      const neighbour = async () =>
        (await runCommand(['ip', 'neigh', 'show', address, 'dev', 'br-test'])).stdout.toLowerCase();
      await linkOf(one, cidr).hold(60, signal);
      t.equal((await ping()).status, 0);
      t.match(await neighbour(), await macOf(one));
      await linkOf(one, cidr).release(signal);
      await linkOf(two, cidr).hold(60, signal);
      await linkOf(two, cidr).announce(signal);
      t.match(await neighbour(), await macOf(two), 'it was told');
      t.equal((await ping()).status, 0);
      await linkOf(two, cidr).release(signal);
    });
  }

  await t.test('an interface that is not there is said', async (t) => {
    const link = new KernelLinkAddress(runCommand, { cidr: '10.9.0.100/24', interface: 'none', prefix: one.prefix });
    await t.rejects(link.hold(2, signal), { code: 'COMMAND_FAILED' });
  });
}
