import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { writeFileDurably } from '../../../node/base/durable-file.ts';

async function folderOf(test: { teardown(run: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-durable-'));
  test.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

t.test('a file is replaced whole, with the rights asked for, and nothing lies beside it', async (t) => {
  const folder = await folderOf(t);
  const path = join(folder, 'spec.json');
  await writeFileDurably(path, 'old');
  await writeFileDurably(path, 'new', { mode: 0o600 });
  t.equal(await readFile(path, 'utf8'), 'new');
  t.equal((await stat(path)).mode & 0o777, 0o600);
  t.same(await readdir(folder), ['spec.json']);
});

t.test('many at once leave one of them, whole', async (t) => {
  const folder = await folderOf(t);
  const path = join(folder, 'spec.json');
  const texts = Array.from({ length: 20 }, (_, n) => `${n}`.repeat(10_000));
  await Promise.all(texts.map((text) => writeFileDurably(path, text)));
  t.ok(texts.includes(await readFile(path, 'utf8')));
  t.same(await readdir(folder), ['spec.json']);
});

t.test('what a process of the same pid left half-written is no obstacle', async (t) => {
  const folder = await folderOf(t);
  const path = join(folder, 'spec.json');
  // The names of the next writes of this process, whichever number they have reached.
  for (let n = 0; n < 200; n++) await writeFile(join(folder, `.spec.json.${process.pid}.${n}.tmp`), 'half');
  await writeFileDurably(path, 'whole');
  t.equal(await readFile(path, 'utf8'), 'whole');
});

t.test('a failure has the code that the caller chose, and the old content stays', async (t) => {
  const folder = await folderOf(t);
  const path = join(folder, 'spec.json');
  await mkdir(path);
  await writeFile(join(path, 'inside'), 'kept');
  await t.rejects(writeFileDurably(path, 'new', { failure: 'STORE_FAILED' }), { code: 'STORE_FAILED' });
  await t.rejects(writeFileDurably(path, 'new'), { code: 'DRIVER_FAILED' });
  t.same(await readdir(folder), ['spec.json'], 'nothing half-made lies beside');
  t.equal(await readFile(join(path, 'inside'), 'utf8'), 'kept');
});
