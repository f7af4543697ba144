/** The guest agent's channel against a scripted guest. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { freezeFileSystems, hasOpenAgent, thawFileSystems } from '../../../drivers/qemu/guest/guest-agent.ts';

type Reply = (request: { readonly execute: string; readonly arguments?: { readonly id?: number } }) => unknown;

/** A channel whose guest answers so; `undefined` is silence. */
async function channel(t: Test, reply: Reply): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-agent-'));
  const path = join(folder, 'agent');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString('utf8').split('\n')) {
        if (line === '') continue;
        const answer = reply(JSON.parse(line) as Parameters<Reply>[0]);
        if (answer !== undefined) socket.write(typeof answer === 'string' ? answer : `${JSON.stringify(answer)}\n`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  return path;
}

await t.test('file systems are frozen and thawed where the agent answers', async (t) => {
  const asked: string[] = [];
  const path = await channel(t, ({ execute, arguments: args }) => {
    asked.push(execute);
    // What a guest left unread from an earlier question comes first.
    if (execute === 'guest-sync') return `\u{ff}{"return": 1}\n${JSON.stringify({ return: args?.id })}\n`;
    return { return: 2 };
  });
  t.equal(await freezeFileSystems(path), true);
  await thawFileSystems(path);
  t.strictSame(asked, ['guest-sync', 'guest-fsfreeze-freeze', 'guest-sync', 'guest-fsfreeze-thaw']);
});

await t.test('a guest without an agent, or one that refuses, is not frozen, and that is no failure', async (t) => {
  const begun = performance.now();
  t.equal(await freezeFileSystems(await channel(t, () => undefined)), false);
  t.ok(performance.now() - begun < 6_000, 'it is not waited for longer than it is worth');
  const refusing = await channel(t, ({ execute, arguments: args }) =>
    execute === 'guest-sync' ? { return: args?.id } : { error: { class: 'CommandNotFound', desc: 'no' } },
  );
  t.equal(await freezeFileSystems(refusing), false);
  await t.rejects(thawFileSystems(refusing), { code: 'DRIVER_FAILED' }, 'who may be frozen must be thawed');
  t.equal(await freezeFileSystems('/nowhere/agent'), false);
});

await t.test('a guest that says anything at all harms nobody', async (t) => {
  for (const nonsense of ['not json\n', '[]\n5\nnull\n', 'x'.repeat(100_000), '{"return": "'.repeat(3)]) {
    t.equal(await freezeFileSystems(await channel(t, () => nonsense)), false);
  }
});

await t.test('whether anybody is behind the channel is asked of QEMU, and not found out by waiting', (t) => {
  const chardevs = (isOpen: unknown): unknown => [
    { label: 'console', 'frontend-open': true },
    { label: 'agent', 'frontend-open': isOpen },
  ];
  t.equal(hasOpenAgent(chardevs(true)), true);
  t.equal(hasOpenAgent(chardevs(false)), false);
  for (const unclear of [undefined, {}, [], [null, 5], chardevs(undefined)]) {
    t.equal(hasOpenAgent(unclear), true, 'what is not understood is asked over the channel');
  }
  t.end();
});
