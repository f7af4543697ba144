/** The NBD client against a real qemu-nbd, and against servers that say what they should not. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { runCommand } from '../../../drivers/command.ts';
import { makeLuksFile } from '../../../drivers/luks.ts';
import { NbdClient } from '../../../drivers/nbd/client.ts';
import { openServed } from '../../../drivers/nbd/served-disk.ts';
import { endsWithAgent, progressOf } from '../../../drivers/qemu-tools.ts';
import { spawnPiped } from '../../../drivers/spawn.ts';
import type { DiskEncryption } from '../../../drivers/types.ts';
import { mibBytes } from '../../../node/base/units.ts';
import { openFolder } from '../../support/guests/qemu-host.ts';
import { whyNoProgram } from '../../support/programs.ts';

const { signal } = new AbortController();
const skip = await whyNoProgram('qemu-nbd', 'qemu-img', 'setpriv', 'prlimit');

await t.test('what is written is read, what was not is known to be zeros, and nothing stays', { skip }, async (t) => {
  const path = join(await openFolder(t), 'disk.qcow2');
  await runCommand(['qemu-img', 'create', '-q', '-f', 'qcow2', path, '8M']);
  const imageOptions = `driver=qcow2,file.driver=file,file.filename=${path}`;
  const { client, close } = await openServed({ imageOptions, readOnly: false }, signal);
  t.equal(client.sizeBytes, 8 * mibBytes);
  const data = randomBytes(mibBytes);
  await client.write(2 * mibBytes, data);
  await client.flush();
  t.ok(data.equals(await client.read(2 * mibBytes, mibBytes)));
  const extents = await client.extents(0, client.sizeBytes);
  t.equal(extents[0]?.isZero, true);
  t.equal(
    extents.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0),
    client.sizeBytes,
  );
  await client.writeZeroes(2 * mibBytes, mibBytes);
  t.ok((await client.read(2 * mibBytes, mibBytes)).every((byte) => byte === 0));
  await t.rejects(client.read(8 * mibBytes, 512), { code: 'DRIVER_FAILED' }, 'outside of the disk');
  t.ok((await client.read(0, 512)).length === 512, 'a refusal ends nothing');
  await close();
  const left = (await readdir('/run/shoal/nbd').catch(() => [])).filter((name) => name.startsWith(`${process.pid}-`));
  t.strictSame(left, []);
  await t.rejects(openServed({ imageOptions: `${imageOptions}.not`, readOnly: true }, signal), {
    code: 'DRIVER_FAILED',
    message: /No such file/,
  });
});

await t.test('a server that is none, or goes away, is an error and no hang', async (t) => {
  const folder = await openFolder(t);
  const answers = [
    Buffer.alloc(0),
    Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
    Buffer.concat([Buffer.from('NBDMAGICIHAVEOPT'), Buffer.from([0, 3]), randomBytes(4_000)]),
  ];
  for (const [number, answer] of answers.entries()) {
    const path = join(folder, `s${number}`);
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(answer);
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await t.rejects(NbdClient.connect(path, 'disk', signal), Error, `answer ${number}`);
    server.close();
  }
  await t.rejects(NbdClient.connect(join(folder, 'none'), 'disk', signal), { code: 'UNAVAILABLE' });
  await t.rejects(NbdClient.connect(join(folder, 'none'), 'disk', AbortSignal.abort()), { code: 'CANCELLED' });
});

await t.test('long work ends with the agent, however that dies', { skip }, async (t) => {
  const flag = join(await openFolder(t), 'pid');
  const work = endsWithAgent('sh', ['-c', `echo $$ > ${flag}; exec sleep 60`]);
  // Stands for the agent: it starts the work and is killed.
  const program = `require('node:child_process').spawn(${JSON.stringify(work[0])}, ${JSON.stringify(work.slice(1))}); setInterval(() => {}, 1000)`;
  const agent = spawnPiped([process.execPath, '-e', program]);
  const pid = await until(async () => {
    const text = await readFile(flag, 'utf8').catch(() => '');
    return text.trim() === '' ? undefined : Number(text);
  });
  agent.kill('SIGKILL');
  await until(async () => ((await stat(`/proc/${pid}`).catch(() => undefined)) === undefined ? true : undefined));
  t.pass('the kernel ended it');
});

await t.test('a passphrase reaches the program and stands in no command line', { skip }, async (t) => {
  const path = join(await openFolder(t), 'luks');
  const encryption: DiskEncryption = {
    format: 'luks',
    cipher: 'aes-xts-plain64',
    keyBits: 512,
    passphrase: 'a passphrase',
  };
  const lines: string[] = [];
  await makeLuksFile(
    async (args, { stdin }) => {
      const argv = endsWithAgent('qemu-img', args);
      lines.push(argv.join(' '));
      await runCommand(argv, { stdin });
    },
    path,
    { encryption, sizeBytes: mibBytes },
    signal,
  );
  t.notOk(lines.some((line) => line.includes(encryption.passphrase)));
  t.equal((await stat(path)).size > mibBytes, true);
});

await t.test('progress is read from what qemu-img prints', async (t) => {
  t.equal(progressOf('    (0.00/100%)\r    (12.34/100%)\r'), 12.34);
  t.equal(progressOf('(100.00/100%)'), 100);
  t.equal(progressOf('nothing'), undefined);
});

async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + 15_000; performance.now() < end; ) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await delay(20);
  }
  throw new Error('it did not happen in time');
}
