/** The monitor client against a scripted server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { QmpClient, type QmpEvent } from '../../../drivers/qemu/guest/qmp.ts';

const greeting = '{"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 22}}, "capabilities": ["oob"]}}\r\n';

/** A monitor that greets and answers each line as `answer` says. */
async function serve(
  t: { teardown: (fn: () => unknown) => void },
  answer: (command: { execute: string; id: number; arguments?: unknown }, socket: Socket) => void,
  hello: string = greeting,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-qmp-'));
  const path = join(folder, 'qmp');
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write(hello);
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) answer(JSON.parse(line) as { execute: string; id: number }, socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });
  return path;
}

const ok = (socket: Socket, id: number, value: unknown = {}): boolean =>
  socket.write(`${JSON.stringify({ return: value, id })}\r\n`);

await t.test('commands are matched with their answers, whatever the order, and events come between', async (t) => {
  const waiting: (() => void)[] = [];
  const path = await serve(t, (command, socket) => {
    if (command.execute === 'qmp_capabilities') return void ok(socket, command.id);
    waiting.unshift(() => ok(socket, command.id, { said: command.execute, with: command.arguments }));
    if (waiting.length < 2) return;
    socket.write('{"event": "STOP", "timestamp": {"seconds": 1}}\r\n{"event": "RESET", "data": {"guest": true}}\r\n');
    for (const answer of waiting) answer();
  });
  const events: QmpEvent[] = [];
  const client = await QmpClient.connect(path, { onEvent: (event) => events.push(event) });
  const answers = await Promise.all([client.execute('first', { a: 1 }), client.execute('second')]);
  t.strictSame(
    answers,
    [
      { said: 'first', with: { a: 1 } },
      { said: 'second', with: undefined },
    ].map((x) => JSON.parse(JSON.stringify(x))),
  );
  t.strictSame(events, [
    { name: 'STOP', data: {} },
    { name: 'RESET', data: { guest: true } },
  ]);
  client.close();
  client.close();
});

await t.test('a refusal carries the class that QEMU gave it', async (t) => {
  const path = await serve(t, (command, socket) => {
    if (command.execute === 'qmp_capabilities') return void ok(socket, command.id);
    socket.write(`${JSON.stringify({ error: { class: 'CommandNotFound', desc: 'no such thing' }, id: command.id })}\n`);
  });
  const client = await QmpClient.connect(path);
  await t.rejects(client.execute('nonsense'), {
    code: 'DRIVER_FAILED',
    facts: { qmpClass: 'CommandNotFound', command: 'nonsense' },
  });
  client.close();
});

await t.test('a monitor that does not greet has another client', async (t) => {
  const path = await serve(t, () => {}, '');
  await t.rejects(QmpClient.connect(path, { greetingTimeoutMs: 30 }), { code: 'CONFLICT' });
});

await t.test('no socket, no answer, a lost connection and a caller who gave up are told apart', async (t) => {
  await t.rejects(QmpClient.connect('/nonexistent/qmp'), { code: 'UNAVAILABLE', facts: { errno: 'ENOENT' } });
  await t.rejects(QmpClient.connect('/nonexistent/qmp', { signal: AbortSignal.abort() }), { code: 'CANCELLED' });
  let closed = 0;
  const path = await serve(t, (command, socket) => {
    if (command.execute === 'qmp_capabilities') ok(socket, command.id);
    if (command.execute === 'die') socket.destroy();
    if (command.execute === 'late') setTimeout(() => ok(socket, command.id), 60);
  });
  const client = await QmpClient.connect(path, { onClose: () => (closed += 1) });
  await t.rejects(client.execute('late', undefined, { timeoutMs: 20 }), { code: 'DEADLINE_EXCEEDED' });
  const abort = new AbortController();
  const given = client.execute('never', undefined, { signal: abort.signal });
  abort.abort();
  await t.rejects(given, { code: 'CANCELLED' });
  t.equal(client.isOpen, true, 'neither ends the connection');
  await t.rejects(client.execute('die'), { code: 'UNAVAILABLE' });
  t.equal(client.isOpen, false);
  t.equal(closed, 1);
  await t.rejects(client.execute('more'), { code: 'UNAVAILABLE' });
});

await t.test('what is not the monitor protocol ends the connection', async (t) => {
  for (const hello of ['220 smtp ready\r\n', '[1, 2]\n', '']) {
    const path = await serve(t, () => {}, hello);
    await t.rejects(
      QmpClient.connect(path, { greetingTimeoutMs: 50 }),
      { code: /UNAVAILABLE|CONFLICT/ },
      JSON.stringify(hello),
    );
  }
});
