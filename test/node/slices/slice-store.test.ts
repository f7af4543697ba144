import t from 'tap';
import { SliceStore } from '../../../node/slices/slice-store.ts';
import { MemoryDisk } from '../../../node/store/memory/memory-disk.ts';

const row = (key: string, revision: number) => ({
  key,
  value: new TextEncoder().encode(`${key}@${revision}`),
  revision,
});
const nothing = { rows: [], terms: [], revision: 0, replicas: [] };

await t.test('what is forgotten is off the disk, also when the process dies before it is', async (t) => {
  const disk = new MemoryDisk();
  const store = new SliceStore(disk);
  const write = { replicas: [1], deletes: [], termsAdded: ['t/b/'], termsRemoved: [] };
  await store.write({ revision: 5, ...write, puts: [row('t/a/1', 4)] });
  await store.sweep();
  t.equal((await new SliceStore(disk).load()).rows.length, 1, 'a slice that is there stays');
  await store.forget();
  t.strictSame(disk.keys(), []);
  await store.write({ revision: 6, ...write, puts: [row('t/a/1', 4)] });
  disk.remove('place');
  t.equal(store.revision(), 0);
  await store.sweep();
  t.strictSame(disk.keys(), []);
});

await t.test('what was written together is read together', async (t) => {
  const disk = new MemoryDisk();
  const store = new SliceStore(disk);
  t.strictSame(await store.load(), nothing, 'a new disk holds none');
  await store.write({
    revision: 5,
    replicas: [1, 2],
    puts: [row('t/a/1', 4), row('x/a/of/k/1', 4)],
    deletes: [],
    termsAdded: ['x/a/of/k/', 't/b/'],
    termsRemoved: [],
  });
  await store.write({
    revision: 9,
    replicas: [2, 3],
    puts: [row('t/a/2', 9)],
    deletes: ['t/a/1'],
    termsAdded: [],
    termsRemoved: ['t/b/'],
  });
  const found = await new SliceStore(disk).load();
  t.strictSame(found, {
    revision: 9,
    replicas: [2, 3],
    rows: [row('t/a/2', 9), row('x/a/of/k/1', 4)],
    terms: ['x/a/of/k/'],
  });
});

await t.test('what is not what was written is as if it were not there', async (t) => {
  const disk = new MemoryDisk();
  const store = new SliceStore(disk);
  const write = { revision: 5, replicas: [1], deletes: [], termsAdded: ['t/a/'], termsRemoved: [] };
  for (const key of ['r/t/a/1', 't/t/a/', 'place']) {
    await store.write({ ...write, puts: [row('t/a/1', 4)] });
    t.equal((await store.load()).revision, 5);
    const open = disk;
    const bytes = open.get(key);
    if (bytes === undefined) throw new Error(`${key} is there`);
    const broken = Uint8Array.from(bytes);
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
    await open.write([{ key, value: broken }]);
    t.strictSame(await store.load(), nothing, `${key} is damaged`);
    t.strictSame(await store.load(), nothing, 'and nothing is left of it');
  }
});
