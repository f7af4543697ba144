import { appendFile, link, mkdtemp, open, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { consoleBytesMax, readConsole, trimConsole } from '../../../drivers/qemu/guest/console-log.ts';

const folder = await mkdtemp(join(tmpdir(), 'shoal-console-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const files = { current: join(folder, 'console.log'), earlier: join(folder, 'earlier.log') };
const text = async (bytesMax: number): Promise<string> => Buffer.from(await readConsole(files, bytesMax)).toString();

await t.test('a console that printed nothing is empty', async (t) => {
  await trimConsole(files);
  t.equal(await text(100), '');
});

await t.test('a console over its cap is cut under its writer, and its tail is still served', async (t) => {
  // As QEMU has it: one handle that appends, kept open over the cut.
  const writer = await open(files.current, 'a');
  await writer.write('x'.repeat(consoleBytesMax));
  await writer.write('before the cut\n');
  await trimConsole(files);
  t.equal((await stat(files.current)).size, 0);
  await writer.write('after the cut\n');
  t.equal((await stat(files.current)).size, 14, 'no hole before what comes next');
  t.equal(await text(29), 'before the cut\nafter the cut\n');
  t.equal(await text(3), 'ut\n');
  t.ok((await text(10 * consoleBytesMax)).length <= 2 * consoleBytesMax);
  await trimConsole(files);
  t.equal(await text(14), 'after the cut\n', 'one within its cap is left alone');
  await writer.close();
});

await t.test('a link in the place of the console is not followed', async (t) => {
  const secret = join(folder, 'secret');
  await writeFile(secret, 's'.repeat(consoleBytesMax + 10));
  for (const make of [symlink, link]) {
    await rm(files.current, { force: true });
    await make(secret, files.current);
    await t.rejects(readConsole(files, 10), { code: 'DRIVER_FAILED' });
    await t.rejects(trimConsole(files), { code: 'DRIVER_FAILED' });
  }
  await appendFile(secret, '');
  t.equal((await stat(secret)).size, consoleBytesMax + 10, 'and not cut');
});
