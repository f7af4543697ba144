/** F6: children of an agent inherit nothing of it. Every program is started by drivers/spawn.ts, which sees to that. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { runCommand } from '../../drivers/command.ts';
import { spawnOutliving } from '../../drivers/spawn.ts';
import { sources } from '../../node/dev/house/source.ts';
import { openHostStore } from '../../node/store/host/host-store.ts';

/**
 * What may start programs by itself: what is no agent (the command that starts agents, generators, benchmarks, the
 * simulator's reports) and holds neither log nor store.
 */
const noAgents = ['node/dev/', 'node/bin/', 'node/raft/bench/', 'placement/bench/', 'proto/', 'sim/', 'test/'];

t.test('F6: nothing in an agent starts programs but drivers/spawn.ts', async (t) => {
  const starters = sources()
    .filter(({ path }) => !noAgents.some((folder) => path.startsWith(folder)))
    .filter(({ text }) =>
      // Types are nothing at run time.
      /^import (?!type )[^;]*'(?:node:)?(?:child_process|cluster)'|(?:import|require)\('(?:node:)?(?:child_process|cluster)'\)/m.test(
        text,
      ),
    );
  t.same(
    starters.map(({ path }) => path),
    ['drivers/spawn.ts'],
  );
});

t.test('F6: a child has no descriptor of the host store, whatever LevelDB opened', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-spawn-'));
  const store = await openHostStore(join(folder, 'host'), (error) => t.fail(String(error)));
  t.teardown(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  await store.write([{ key: 'image/x', value: true }]);
  // What a plain child gets: were this empty, the test below would prove nothing.
  const plain = spawnSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' });
  t.match(plain.stdout, /MANIFEST/, 'a plain child holds the store');

  const held = await runCommand(['bash', '-c', 'ls /proc/$$/fd; readlink /proc/$$/fd/*; true']);
  t.notMatch(held.stdout, folder);
  t.same(
    held.stdout.split('\n').filter((line) => /^[0-9]+$/.test(line)),
    ['0', '1', '2'],
  );

  const log = openSync(join(folder, 'log'), 'a', 0o600);
  process.env['SHOAL_TEST_SECRET'] = 'for the agent alone';
  const child = spawnOutliving(['sleep', '30'], log);
  closeSync(log);
  t.teardown(() => child.kill('SIGKILL'));
  await untilTurned(child.pid ?? 0, 'sleep');
  t.same(await descriptors(child.pid ?? 0), ['/dev/null', join(folder, 'log'), join(folder, 'log')]);
  t.notMatch(readFileSync(`/proc/${child.pid}/environ`, 'utf8'), /SHOAL_TEST_SECRET/, 'nor its environment');
});

t.test('what cannot be started is told as before', async (t) => {
  await t.rejects(runCommand(['no-such-program-of-ours']), { code: 'COMMAND_MISSING', message: /is not installed/ });
  await t.rejects(runCommand(['false']), { code: 'COMMAND_FAILED', facts: { status: 1 } });
  await t.rejects(runCommand(['echo', 'a\0b']), { code: 'COMMAND_FAILED' });
  await t.rejects(runCommand(['sleep', '30'], { timeoutMs: 200 }), { code: 'DEADLINE_EXCEEDED' });
  t.equal((await runCommand(['printf', '%s|', '', ' a  b', '$HOME', '*', '-c'])).stdout, '| a  b|$HOME|*|-c|');
  const trap = join(tmpdir(), `shoal-bash-env-${process.pid}`);
  t.teardown(() => rmSync(trap, { force: true }));
  await runCommand(['true'], { env: { BASH_ENV: trap, 'BASH_FUNC_exec%%': `() { touch ${trap}; }` } });
  t.notOk((await readdir(tmpdir())).includes(trap.split('/').at(-1) ?? ''), 'the environment runs nothing');
});

async function untilTurned(pid: number, name: string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === name) return;
    await delay(10);
  }
  throw new Error(`process ${pid} has not become ${name}`);
}

async function descriptors(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`);
  return Promise.all(names.sort((a, b) => Number(a) - Number(b)).map((name) => readlink(`/proc/${pid}/fd/${name}`)));
}
