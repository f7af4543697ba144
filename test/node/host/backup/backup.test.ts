import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { FolderBackupStore } from '../../../../drivers/backup/folder-store.ts';
import type { BackupStore } from '../../../../drivers/backup/store.ts';
import type { DiskRange } from '../../../../drivers/types.ts';
import { ShoalError } from '../../../../node/base/errors.ts';
import { mibBytes } from '../../../../node/base/units.ts';
import {
  type BackupPlace,
  contentOf,
  readManifest,
  removeBackup,
  verifyBackup,
  writeBackup,
} from '../../../../node/host/backup/backup.ts';
import { openManifest } from '../../../../node/host/backup/manifest.ts';

const { signal } = new AbortController();
const nobody = (): void => {};
const sizeBytes = 24 * mibBytes;

async function folderStore(t: Test): Promise<{ readonly store: BackupStore; readonly root: string }> {
  const root = await mkdtemp(join(tmpdir(), 'shoal-backup-'));
  t.teardown(() => rm(root, { recursive: true }));
  return { store: new FolderBackupStore(root), root };
}

/** The parts of a disk, as a storage exports them: data in pieces of a MiB, zeros in one. */
async function* exported(disk: Buffer, parts: readonly (readonly [number, number])[]): AsyncGenerator<DiskRange> {
  for (const [begin, end] of parts) {
    for (let offsetBytes = begin; offsetBytes < end; ) {
      const lengthBytes = Math.min(mibBytes, end - offsetBytes);
      const data = disk.subarray(offsetBytes, offsetBytes + lengthBytes);
      yield data.every((byte) => byte === 0) ? { offsetBytes, lengthBytes } : { offsetBytes, lengthBytes, data };
      offsetBytes += lengthBytes;
    }
  }
}

async function restored(place: BackupPlace, sha256 = ''): Promise<Buffer> {
  const manifest = await readManifest(place, sha256, signal);
  const disk = Buffer.alloc(sizeBytes, 0xff);
  let end = 0;
  for await (const { offsetBytes, lengthBytes, data } of contentOf(place.store, manifest, sizeBytes, signal)) {
    if (offsetBytes !== end) throw new Error(`a hole at ${end}`);
    disk.fill(0, offsetBytes, offsetBytes + lengthBytes);
    if (data !== undefined) disk.set(data, offsetBytes);
    end = offsetBytes + lengthBytes;
  }
  if (end !== sizeBytes) throw new Error('the end is missing');
  return disk;
}

function whole(disk: Buffer): { readonly sizeBytes: number; readonly ranges: AsyncGenerator<DiskRange> } {
  return { sizeBytes, ranges: exported(disk, [[0, sizeBytes]]) };
}

t.test(
  'a backup holds no zeros and nothing twice, shows nothing to who has no key, and is read back equal',
  async (t) => {
    const { store, root } = await folderStore(t);
    const disk = Buffer.alloc(sizeBytes);
    const secret = Buffer.from('a secret of the tenant, in the clear in the volume; '.repeat(20));
    disk.set(secret, 5 * mibBytes);
    disk.set(secret, 13 * mibBytes);
    const place = { store, backupId: 'b1', key: randomBytes(32) };
    const written = await writeBackup(
      place,
      { volumeId: 'v1', content: whole(disk), dataTimestampMs: 7 },
      nobody,
      signal,
    );
    t.equal(written.objectCount, 2, 'two chunks of one content are one object, and the manifest is another');
    t.ok(written.storedBytes < 100_000, `${written.storedBytes} bytes`);
    for (const name of await readdir(root, { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue;
      const bytes = await readFile(join(name.parentPath, name.name));
      t.notOk(bytes.includes('secret of the tenant'), name.name);
    }
    t.ok((await restored(place, written.manifestSha256)).equals(disk));
    await t.rejects(restored({ ...place, key: randomBytes(32) }), { code: 'IDENTITY_MISMATCH' });
  },
);

t.test(
  'an incremental backup stores what differs, by delta or by reading all, and is whole without the other',
  async (t) => {
    const { store } = await folderStore(t);
    const before = randomBytes(sizeBytes);
    const first = { store, backupId: 'b1', key: randomBytes(32) };
    const full = await writeBackup(
      first,
      { volumeId: 'v1', content: whole(before), dataTimestampMs: 1 },
      nobody,
      signal,
    );
    const parent = await readManifest(first, full.manifestSha256, signal);
    const after = Buffer.from(before);
    after.set(randomBytes(1000), 9 * mibBytes + 17);
    after.fill(0, 16 * mibBytes, 20 * mibBytes);
    const changed = [
      [9 * mibBytes, 10 * mibBytes],
      [16 * mibBytes, 20 * mibBytes],
    ] as const;
    const hashes = [];
    for (const [backupId, content, isDelta] of [
      ['b2', { sizeBytes, ranges: exported(after, changed) }, true],
      ['b3', whole(after), false],
    ] as const) {
      const place = { store, backupId, key: randomBytes(32) };
      const of = { volumeId: 'v1', content, dataTimestampMs: 2, parent, isDelta };
      const written = await writeBackup(place, of, nobody, signal);
      t.equal(written.objectCount, 2, `${backupId}: one chunk and the manifest`);
      t.ok((await restored(place)).equals(after), backupId);
      hashes.push(Buffer.from((await readManifest(place, '', signal)).contentSha256).toString('hex'));
    }
    t.equal(hashes[0], hashes[1], 'both say the same content');
  },
);

t.test(
  'whatever of it is written again or cut off, a backup is there when its manifest is, and never before',
  async (t) => {
    const { store } = await folderStore(t);
    const disk = randomBytes(sizeBytes);
    const place = { store, backupId: 'b1', key: randomBytes(32) };
    const names = new Set<string>();
    for (let puts = 0; ; puts += 1) {
      let left = puts;
      const dying: BackupStore = {
        url: store.url,
        has: (...given) => store.has(...given),
        get: (...given) => store.get(...given),
        list: (...given) => store.list(...given),
        remove: (...given) => store.remove(...given),
        put: async (...given) => {
          if (left === 0) throw new ShoalError('CANCELLED', 'the process is killed here');
          left -= 1;
          await store.put(...given);
        },
      };
      const of = { volumeId: 'v1', content: whole(disk), dataTimestampMs: 1 };
      const written = await writeBackup({ ...place, store: dying }, of, nobody, signal).catch(() => undefined);
      for await (const key of store.list('b1/', signal)) names.add(key);
      if (written !== undefined) {
        t.equal(names.size, written.objectCount, 'all tries wrote the same objects');
        break;
      }
      await t.rejects(readManifest(place, '', signal), { code: 'NOT_FOUND' }, `killed before object ${puts}`);
      t.ok(puts < 10, 'it ends');
    }
    t.ok((await restored(place)).equals(disk));
    await removeBackup(store, 'b1', signal);
    await removeBackup(store, 'b1', signal);
    for await (const key of store.list('b1/', signal)) t.fail(`${key} is left`);
  },
);

t.test('each damaged, missing or exchanged object is found, by verify and by restore', async (t) => {
  const { store, root } = await folderStore(t);
  const disk = randomBytes(sizeBytes);
  const place = { store, backupId: 'b1', key: randomBytes(32) };
  await writeBackup(place, { volumeId: 'v1', content: whole(disk), dataTimestampMs: 1 }, nobody, signal);
  const manifest = await readManifest(place, '', signal);
  await verifyBackup(store, manifest, nobody, signal);
  const objects: string[] = [];
  for await (const key of store.list('b1/', signal)) if (!key.endsWith('manifest')) objects.push(key);
  t.equal(objects.length, 6);
  const [one = '', other = ''] = objects;
  for (const [what, spoil, code] of [
    ['a bit', async (path: string) => writeFile(path, flipped(await readFile(path))), 'IDENTITY_MISMATCH'],
    ['its end', async (path: string) => writeFile(path, (await readFile(path)).subarray(0, -9)), 'IDENTITY_MISMATCH'],
    ['another', async (path: string) => writeFile(path, await readFile(join(root, other))), 'IDENTITY_MISMATCH'],
    ['all of it', (path: string) => rm(path), 'NOT_FOUND'],
  ] as const) {
    const path = join(root, one);
    const before = await readFile(path);
    await spoil(path);
    await t.rejects(verifyBackup(store, manifest, nobody, signal), { code }, what);
    await t.rejects(restored(place), { code }, what);
    await writeFile(path, before);
  }
});

t.test('arbitrary bytes are no manifest, and end in one named refusal', async () => {
  const key = randomBytes(32);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      await openManifest('b1', key, bytes).then(
        () => Promise.reject(new Error('was taken for a manifest')),
        (caught: unknown) => {
          if (!ShoalError.is(caught, 'IDENTITY_MISMATCH')) throw caught;
        },
      );
    }),
    { seed: 3, numRuns: 300 },
  );
});

function flipped(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  const at = Math.floor(bytes.length / 2);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}
