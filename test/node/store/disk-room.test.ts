import { readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { DiskRoom, reserveBytes, roomyBytes } from '../../../node/store/disk-room.ts';

void t.test('the reserve takes its room on any file system, one that compresses too', async (t) => {
  const folder = t.testdir();
  const { bsize, bavail } = statfsSync(folder);
  if (bsize * bavail < 2 * (reserveBytes + roomyBytes)) {
    t.pass('the disk is too full to try', { skip: 'the disk is too full to try' });
    return;
  }
  t.equal(await new DiskRoom(folder).adjust(), undefined);
  const path = join(folder, 'reserve');
  t.equal(statSync(path).size, reserveBytes, 'whole');
  const bytes = readFileSync(path);
  t.ok(gzipSync(bytes, { level: 1 }).length > 0.99 * reserveBytes, 'it does not compress');
  const mebibyte = 1024 * 1024;
  t.notOk(
    bytes.subarray(0, mebibyte).equals(bytes.subarray(mebibyte, 2 * mebibyte)),
    'nor is a part of it there twice',
  );
});
