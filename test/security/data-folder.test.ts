/** F14: what is done about a data folder that an earlier version made with the usual umask. */
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { tightenDataFolder } from '../../node/agent/data-folder.ts';

t.test('F14: tightening follows no link and enters nothing of a guest’s', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'shoal-modes-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const outside = await mkdtemp(join(tmpdir(), 'shoal-modes-'));
  t.teardown(() => rm(outside, { recursive: true, force: true }));
  writeFileSync(join(outside, 'file'), '', { mode: 0o644 });
  chmodSync(join(outside, 'file'), 0o644);
  chmodSync(outside, 0o755);
  const guest = join(dataDir, 'guests', 'guests', '6f1c5f0e-0000-4000-8000-000000000001');
  for (const [path, mode] of [
    [join(guest, 'qemu'), 0o711],
    [join(dataDir, 'images', 'blobs'), 0o755],
  ] as const) {
    mkdirSync(path, { recursive: true });
    chmodSync(path, mode);
  }
  symlinkSync(join(outside, 'file'), join(guest, 'qemu', 'console.log'));
  symlinkSync(outside, join(dataDir, 'link'));
  for (const [path, mode] of [
    [join(guest, 'spec.json'), 0o644],
    [join(dataDir, 'images', 'blobs', 'a'), 0o640],
    [join(dataDir, 'images', 'blobs', 'b'), 0o644],
  ] as const) {
    writeFileSync(path, '');
    chmodSync(path, mode);
  }
  await tightenDataFolder(dataDir);
  t.equal(statSync(join(outside, 'file')).mode & 0o777, 0o644, 'what a link names is another’s');
  t.equal(statSync(outside).mode & 0o777, 0o755);
  t.equal(statSync(join(guest, 'qemu')).mode & 0o777, 0o711, 'left to its driver');
  t.equal(statSync(join(guest, 'spec.json')).mode & 0o777, 0o600);
  t.equal(statSync(join(dataDir, 'images', 'blobs', 'a')).mode & 0o777, 0o640, 'a disk lies on it');
  t.equal(statSync(join(dataDir, 'images', 'blobs', 'b')).mode & 0o777, 0o600);
  t.equal(await tightenDataFolder(dataDir), 0, 'done once');
  t.equal(await tightenDataFolder(join(dataDir, 'not-there')), 0);
});
