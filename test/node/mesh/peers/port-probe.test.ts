import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import { askPort } from '../../../../node/mesh/peers/port-probe.ts';

const ask = (address: string, timeoutMs = 2_000) => askPort(systemClock, address, timeoutMs);

await t.test('a port tells who listens, who has gone, and when nothing can be told', async (t) => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  t.equal(await ask(`127.0.0.1:${address.port}`), 'listening');
  await new Promise((resolve) => server.close(resolve));
  t.equal(await ask(`127.0.0.1:${address.port}`), 'closed', 'nobody does any more');
  t.equal(await ask('host.invalid:1'), 'unknown', 'a name without an address tells nothing');
  await t.rejects(ask('no address'), { code: 'INVALID_ARGUMENT' });
});

await t.test('a process that gets no CPU at all still listens: slow is not lost', async (t) => {
  const script =
    "require('net').createServer(()=>{}).listen(0,'127.0.0.1',function(){console.log(this.address().port)})";
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const port = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  child.kill('SIGSTOP');
  for (let n = 0; n < 20; n += 1) t.equal(await ask(`127.0.0.1:${port}`), 'listening');
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  t.equal(await ask(`127.0.0.1:${port}`), 'closed');
});

await t.test('a port without an answer is silent, but not when this process stood still itself', async (t) => {
  // A queue of connections that is full and that nobody empties: the kernel drops what comes, as an unplugged host does.
  const script =
    "require('net').createServer(()=>{}).listen({port:0,host:'127.0.0.1',backlog:1},function(){console.log(this.address().port)})";
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const port = Number(
    await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve)),
  );
  child.kill('SIGSTOP');
  const filling = Array.from({ length: 8 }, () => connect({ host: '127.0.0.1', port }).on('error', () => {}));
  t.teardown(() => {
    for (const socket of filling) socket.destroy();
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const startedMs = performance.now();
  t.equal(await ask(`127.0.0.1:${port}`, 400), 'silent');
  t.ok(performance.now() - startedMs < 800, `${Math.round(performance.now() - startedMs)} ms`);

  const asked = ask(`127.0.0.1:${port}`, 50);
  const untilMs = performance.now() + 400;
  while (performance.now() < untilMs);
  t.equal(await asked, 'unknown');
});
