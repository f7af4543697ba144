import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { metadataFileName } from '../../../drivers/vxlan/model/metadata.ts';
import { syncMetadataFiles } from '../../../drivers/vxlan/services/metadata-files.ts';

void t.test('paths that say the same are one file, and stay apart when one of them changes', async (t) => {
  const folder = join(t.testdir(), 'port');
  const fileOf = (path: string): string => join(folder, metadataFileName(path));
  const bytes = new Uint8Array([0, 255]);
  const files = { '/a': 'same', '/b': 'same', '/c': 'other', '/d': bytes, '/e': bytes };
  t.equal(await syncMetadataFiles(folder, files), true);
  const inode = async (path: string): Promise<number> => (await stat(fileOf(path))).ino;
  t.equal(await inode('/a'), await inode('/b'));
  t.equal(await inode('/d'), await inode('/e'));
  t.not(await inode('/a'), await inode('/c'));
  t.equal((await stat(fileOf('/b'))).mode & 0o777, 0o600);
  t.equal(await syncMetadataFiles(folder, files), false, 'what is right is not touched');

  t.equal(await syncMetadataFiles(folder, { ...files, '/a': 'changed' }), true);
  t.equal(await readFile(fileOf('/a'), 'utf8'), 'changed');
  t.equal(await readFile(fileOf('/b'), 'utf8'), 'same', 'the other name keeps what it said');

  // What an agent that died left, and a path that is no longer wanted.
  await writeFile(`${fileOf('/b')}.tmp`, 'draft');
  t.equal(await syncMetadataFiles(folder, { '/b': 'changed', '/a': 'changed' }), true);
  t.same((await readdir(folder)).sort(), [metadataFileName('/a'), metadataFileName('/b')]);
  t.equal(await readFile(fileOf('/b'), 'utf8'), 'changed');
});
