/** What is left when a command fails half-way, and when the agent dies there. */
import t from 'tap';
import { type CommandRunner, runCommand } from '../../../drivers/command.ts';
import type { NetworkDriver } from '../../../drivers/types.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { makeLab, pictureOf, whyNoNetwork } from './bench-host.ts';
import { Cloud, networkOf } from './cloud.ts';

/** Commands that change something; the rest only look. */
const isChange = (argv: readonly string[]): boolean =>
  ['-batch', '-f', 'add', 'del', '-qw', '-D'].some((word) => argv.includes(word));

/** More changes than one set-up makes. */
const changesMax = 60;
/** Every so-manieth change is tried: all of them take a minute. SHOAL_TEST_STRIDE=1 tries all. */
const stride = Number(process.env['SHOAL_TEST_STRIDE'] ?? 6);

/** Time for all of it on a machine that does other things too. */
const limitMs = 110_000 * Math.max(1, 6 / stride);
t.setTimeout(limitMs);

await t.test('on one host', { skip: await whyNoNetwork() }, async (t) => {
  t.setTimeout(limitMs);
  const signal = AbortSignal.timeout(limitMs);
  const lab = await makeLab(t, 1);
  const cloud = new Cloud(lab);
  const network = networkOf('n', 5001, '10.0.0');
  cloud.networks.push(network);
  cloud.routed = [network];
  cloud.guests.push({
    name: 'g',
    host: 0,
    namespace: '',
    port: {
      portId: 'port-g' as Cloud['guests'][number]['port']['portId'],
      networkId: network.networkId,
      mac: 'fa:16:3e:00:00:0b',
      ip: '10.0.0.11',
      hostname: 'g',
      portSecurity: true,
      rules: [{ direction: 'egress' }],
      metadata: { '/latest/meta-data/hostname': 'g' },
    },
  });
  cloud.floating.set('g', '10.97.0.11');

  /** Fails the change with that number (from 1), or that one and every command after it. */
  const failing = (at: number, dead: boolean): { run: CommandRunner; readonly struck: boolean } => {
    let changes = 0;
    let struck = false;
    return {
      run: async (argv, options) => {
        if (isChange(argv)) changes += 1;
        if ((dead && struck) || (isChange(argv) && changes === at)) {
          struck = true;
          throw new ShoalError('COMMAND_FAILED', 'the test lets it fail', { facts: { argv } });
        }
        return runCommand(argv, options);
      },
      get struck() {
        return struck;
      },
    };
  };
  const steps: readonly ((driver: NetworkDriver) => Promise<unknown>)[] = [
    (driver) => driver.ensureNetwork(network, signal),
    async (driver) => driver.ensurePort(cloud.guest('g').port, signal),
    (driver) => driver.ensureRouter(cloud.router(0), signal),
  ];
  const clear = async (driver: NetworkDriver): Promise<void> => {
    await driver.removeRouter(cloud.routerId, signal);
    await driver.removePort(cloud.guest('g').port.portId, signal);
    await driver.removeNetwork(network.networkId, signal);
  };

  const driver = lab.open(0);
  await driver.start(signal);
  const empty = await pictureOf(lab, 0);

  await t.test('a call that fails at any of its changes takes back what it did', async (t) => {
    t.setTimeout(limitMs);
    for (const step of steps) {
      const before = await pictureOf(lab, 0);
      for (let at = 1; at < changesMax; at += stride) {
        const fault = failing(at, false);
        const faulty = lab.open(0, fault.run);
        // Starting may change something too: it is not what fails here.
        await faulty.start(signal);
        const failed = await step(faulty).then(
          () => false,
          () => true,
        );
        await faulty.stop();
        if (!fault.struck) {
          t.notOk(failed, `fewer than ${at} changes`);
          break;
        }
        t.ok(failed, `change ${at} fails`);
        t.equal(await pictureOf(lab, 0), before, `after change ${at} failed`);
      }
    }
  });
  // Process ids differ from one set-up to the next; everything else must not.
  const withoutPids = (picture: string): string => picture.replace(/^\d+ (?=dnsmasq|node|MainThread|perl)/gm, '');
  const whole = withoutPids(await pictureOf(lab, 0));

  await t.test('after an agent died at any change, the next one reaches the same end', async (t) => {
    t.setTimeout(limitMs);
    for (let at = 1; at < changesMax; at += stride) {
      const next = lab.open(0);
      await next.start(signal);
      await clear(next);
      t.equal(await pictureOf(lab, 0), empty, `nothing is left of change ${at - stride}`);
      const fault = failing(at, true);
      const dying = lab.open(0, fault.run);
      await dying.start(signal);
      for (const step of steps) await step(dying).catch(() => undefined);
      await dying.stop();
      const last = lab.open(0);
      await last.start(signal);
      for (const step of steps) await step(last);
      await last.stop();
      t.equal(withoutPids(await pictureOf(lab, 0)), whole, `died at change ${at}`);
      if (!fault.struck) break;
    }
  });

  await t.test('when another firewall was loaded, the next call makes ours again, with all in it', async (t) => {
    const running = lab.open(0);
    await running.start(signal);
    for (const step of steps) await step(running);
    const namespace = lab.hosts[0]?.namespace ?? '';
    await lab.run(namespace, ['nft', 'flush', 'ruleset']);
    t.not(withoutPids(await pictureOf(lab, 0)), whole);
    await running.ensurePort(cloud.guest('g').port, signal);
    t.equal(withoutPids(await pictureOf(lab, 0)), whole);
    await running.stop();
  });

  await clear(driver);
  await driver.teardown(signal);
});
