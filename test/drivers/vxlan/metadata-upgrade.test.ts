/** A metadata server that an agent of another version left: a new agent puts its own in its place, and keeps that one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { identify, isAlive, scanProcesses } from '../../../drivers/process.ts';
import { makeLab, whyNoNetwork } from './bench-host.ts';

t.test('one of another version is replaced, one of this version is kept', { skip: await whyNoNetwork() }, async (t) => {
  const signal = AbortSignal.timeout(60_000);
  const lab = await makeLab(t, 1);
  const folder = join(lab.stateDir, '0', 'metadata');
  const recordPath = join(lab.stateDir, '0', 'metadata-server.json');
  const first = lab.open(0);
  await first.start(signal);
  const servers = () => scanProcesses((argv) => (argv.includes(folder) ? argv : undefined));
  const [own] = await servers();
  t.match(own?.selected, ['perl', '-T', /metadata-server\.pl$/, '100.64.0.1', '8775', folder]);

  const second = lab.open(0);
  await second.start(signal);
  t.same((await servers())[0]?.identity, own?.identity, 'a second agent keeps it');
  await second.stop();

  // As an earlier version left it: another program on the same folder, at the same address.
  const { pid = 0 } = JSON.parse(await readFile(recordPath, 'utf8')) as { pid?: number };
  process.kill(pid, 'SIGKILL');
  const serve = `require('node:http').createServer((_, answer) => answer.end('old')).listen(8775, '100.64.0.1', () => console.log('up'))`;
  const argv = [process.execPath, '-e', serve, folder];
  const old = spawn('ip', ['netns', 'exec', lab.hosts[0]?.namespace ?? '', ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => old.kill('SIGKILL'));
  await once(old.stdout, 'data');
  const identity = await identify(old.pid ?? 0);
  if (identity === undefined) throw new Error('the old server ended');
  await writeFile(recordPath, JSON.stringify({ ...identity, argv }));
  const third = lab.open(0);
  await third.start(signal);
  t.notOk(await isAlive(identity), 'the old one has gone');
  const found = await servers();
  t.equal(found.length, 1);
  t.equal(found[0]?.selected[0], 'perl');
  await third.teardown(signal);
  t.same(await servers(), [], 'and teardown ends it');
  await rm(lab.stateDir, { recursive: true, force: true });
});
