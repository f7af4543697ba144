/** G14: an agent that is started in another mount namespace than the agent before it says so, and breaks nothing. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { runCommand } from '../../../drivers/command.ts';
import type { NetworkSpec } from '../../../drivers/types.ts';
import { namespacesIn } from '../../../drivers/vxlan/mount-namespace.ts';
import type { StartOutcome } from '../../support/start-network-driver.ts';
import { type Lab, makeLab, pictureOf, whyNoNetwork } from './bench-host.ts';
import { networkOf } from './cloud.ts';

const script = new URL('../../support/start-network-driver.ts', import.meta.url).pathname;

t.setTimeout(200_000);

t.test('namespaces are read from mountinfo', (t) => {
  const lines = [
    '31 1 0:26 / /run rw,nosuid shared:5 - tmpfs tmpfs rw',
    '90 31 0:4 net:[4026532281] /run/netns/shoal-s7 rw shared:44 - nsfs nsfs rw',
    '91 31 0:4 mnt:[4026532299] /run/other/shoal-s8 rw - nsfs nsfs rw',
    '92 31 0:26 /netns /run/netns rw shared:5 - tmpfs tmpfs rw',
    '',
  ];
  t.same([...namespacesIn(lines.join('\n'))], ['shoal-s7']);
  t.end();
});

const lack = await whyNoNetwork();
/** Mount namespace of process 1; undefined where it may not be looked at (some containers). */
const ofFirst = await readlink('/proc/1/ns/mnt').catch(() => undefined);
const isApart = ofFirst !== undefined && (await readlink('/proc/self/ns/mnt')) !== ofFirst;

await t.test('agents in different mount namespaces', { skip: lack }, async (t) => {
  const network = networkOf('a', 5001, '10.0.0');

  await t.test('the networks were made by an agent of the host', async (t) => {
    const lab = await makeLab(t, 1);
    const other = await mountNamespace(t);
    t.match(await start(lab, undefined, network), { started: true });
    const name = `${lab.hosts[0]?.namespace}-s5001`;
    const before = await pictureOf(lab, 0);
    const refused = await start(lab, other);
    t.match(refused, { started: false, code: 'DRIVER_FAILED', facts: { namespaces: [name] } });
    t.match(refused.message, new RegExp(`does not see the network namespaces of its guests \\(${name}\\)`));
    t.match(refused.message, /PrivateTmp/, 'it says what to do');
    const { pid } = refused.facts as { pid: number };
    t.equal(await readlink(`/proc/${pid}/ns/mnt`), await readlink('/proc/self/ns/mnt'), 'and names who sees them');
    t.equal(await pictureOf(lab, 0), before, 'nothing was changed');
    t.match(await start(lab), { started: true, warnings: isApart ? [/./] : [] }, 'in its own place it starts');
  });

  await t.test('the networks were made by an agent that was apart', async (t) => {
    const lab = await makeLab(t, 1);
    const other = await mountNamespace(t);
    t.match(await start(lab, other, network), {
      started: true,
      warnings: ofFirst === undefined ? [] : [/a mount namespace of its own.*ip netns exec.*PrivateTmp/],
    });
    const refused = await start(lab);
    t.match(refused, { started: false, code: 'DRIVER_FAILED' });
    const { pid } = refused.facts as { pid: number };
    t.match(refused.message, `nsenter --mount --target ${pid}`);
    t.match(await start(lab, pid), { started: true }, 'started as it says, it finds them');
    // The lab is removed from here, where these are not to be seen.
    await inside(pid, ['ip', 'netns', 'del', `${lab.hosts[0]?.namespace}-s5001`]);
  });

  await t.test('what a cut-off "ip netns add" left is no namespace of anybody', async (t) => {
    const lab = await makeLab(t, 1);
    const left = `/run/netns/${lab.hosts[0]?.namespace}-s5001`;
    await writeFile(left, '');
    const outcome = await start(lab, undefined, network);
    if (ofFirst === undefined) {
      t.match(outcome, { started: false, code: 'DRIVER_FAILED', message: /may not look whether.*remove the files/ });
      t.ok(existsSync(left), 'what may be in use elsewhere is not removed');
      return;
    }
    t.match(outcome, { started: true, warnings: [/left as a file/] });
    t.match(await readFile('/proc/self/mountinfo', 'utf8'), left, 'the network is there all the same');
  });
});

/** A process in a mount namespace of its own, from before whatever is made later; ends with the test. */
async function mountNamespace(t: Test): Promise<number> {
  const holder = spawn('unshare', ['--mount', '--propagation', 'private', 'sleep', '300'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => holder.once('exit', resolve));
  t.teardown(async () => {
    holder.kill('SIGKILL');
    await ended;
  });
  const { pid } = holder;
  if (pid === undefined) throw new Error('unshare did not start');
  const deadline = performance.now() + 20_000;
  while ((await readlink(`/proc/${pid}/ns/mnt`)) === (await readlink('/proc/self/ns/mnt'))) {
    if (performance.now() > deadline) throw new Error('no mount namespace was made');
    await delay(20);
  }
  return pid;
}

function inside(pid: number | undefined, argv: readonly string[]): Promise<{ readonly stdout: string }> {
  const enter = pid === undefined ? [] : ['nsenter', '--mount', '--target', String(pid)];
  return runCommand([...enter, ...argv], { timeoutMs: 90_000 });
}

/** Starts an agent's driver on the lab's host, in the mount namespace of process `pid` or in this one. */
async function start(lab: Lab, pid?: number, network?: NetworkSpec): Promise<StartOutcome> {
  const host = lab.hosts[0];
  if (host === undefined) throw new Error('the lab has no host');
  const options = {
    namespacePrefix: host.namespace,
    hostNamespace: host.namespace,
    vtepIp: host.vtepIp,
    externalInterface: host.externalInterface,
    stateDir: join(lab.stateDir, '0'),
  };
  const { stdout } = await inside(pid, [process.execPath, script, JSON.stringify({ options, network })]);
  return JSON.parse(stdout) as StartOutcome;
}
