import { createHash } from 'node:crypto';
import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { BlobStore } from '../../../drivers/image/store.ts';

const { signal } = new AbortController();
const root = await mkdtemp(join(tmpdir(), 'shoal-blobs-'));
t.teardown(() => rm(root, { recursive: true, force: true }));
const store = new BlobStore(root);
await store.start();

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}
const digest = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest('hex');
const incoming = (): Promise<string[]> => readdir(join(root, 'incoming'));

await t.test('content is kept under its digest and read back', async (t) => {
  const kept = await store.write(chunks('shoal', ' of ', 'fish'), { bytesMax: 100 }, signal);
  t.strictSame(kept, {
    sha256: digest('sha256', 'shoal of fish'),
    sha512: digest('sha512', 'shoal of fish'),
    md5: digest('md5', 'shoal of fish'),
    bytes: 13,
  });
  t.strictSame(await store.find(kept.sha256), { sha256: kept.sha256, bytes: 13 });
  const read: Uint8Array[] = [];
  for await (const chunk of store.read(kept.sha256, signal)) read.push(chunk);
  t.equal(Buffer.concat(read).toString(), 'shoal of fish');
  t.strictSame(await store.list(), [{ sha256: kept.sha256, bytes: 13 }]);
  await store.write(chunks('shoal of fish'), { bytesMax: 100, expectedSha256: kept.sha256 }, signal);
  t.equal((await store.list()).length, 1, 'the same content twice is one blob');
});

await t.test('a failed write leaves nothing behind', async (t) => {
  const before = await store.list();
  await t.rejects(store.write(chunks('too', 'long'), { bytesMax: 6 }, signal), { code: 'TOO_LARGE' });
  const expectedSha256 = digest('sha256', 'another');
  await t.rejects(store.write(chunks('one'), { bytesMax: 6, expectedSha256 }, signal), { code: 'IDENTITY_MISMATCH' });
  await t.rejects(store.write(chunks('one'), { bytesMax: 6 }, AbortSignal.abort()), { code: 'CANCELLED' });
  async function* breaking(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('half');
    throw new Error('connection reset');
  }
  await t.rejects(store.write(breaking(), { bytesMax: 100 }, signal), {
    code: 'DRIVER_FAILED',
    message: /connection reset/,
  });
  t.strictSame(await incoming(), []);
  t.strictSame(await store.list(), before);
});

await t.test('a reader notices content that changed on disk', async (t) => {
  const { sha256 } = await store.write(chunks('precious'), { bytesMax: 100 }, signal);
  await store.verify(sha256, signal);
  await appendFile(store.path(sha256), '!');
  await t.rejects(store.verify(sha256, signal), { code: 'IDENTITY_MISMATCH' });
  await store.remove(sha256);
  await store.remove(sha256);
  t.equal(await store.find(sha256), undefined);
  await t.rejects(store.verify(sha256, signal), { code: 'NOT_FOUND' });
});

await t.test('what a crash left unfinished is gone after a start; whole blobs stay', async (t) => {
  const before = await store.list();
  await writeFile(join(root, 'incoming', '1-1'), 'half');
  await new BlobStore(root).start();
  t.strictSame(await incoming(), []);
  t.strictSame(await new BlobStore(root).list(), before);
});

await t.test('a name that is no digest is refused', async (t) => {
  for (const name of ['', '../../etc/passwd', 'A'.repeat(64)])
    t.throws(() => store.path(name), { code: 'INVALID_ARGUMENT' });
});
