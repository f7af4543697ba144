/** What the log store may count on, whatever disk it stands on. */
import type { Test } from 'tap';
import type { Disk, DiskOp } from '../../node/store/index.ts';

/** A disk that can be opened again after it was closed. */
export interface DiskSubject {
  open(): Promise<Disk>;
  /** Has the next write fail, by what fails writes on such a disk. */
  readonly failNextWrite: () => void;
  /** Frees what the disk takes. */
  dispose(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value);
const put = (key: string, value: string): DiskOp => ({ key, value: bytes(value) });

async function rows(disk: Disk, start = 'a', end = 'z'): Promise<string[]> {
  const found: string[] = [];
  for await (const { key, value } of disk.scan(start, end)) found.push(`${key}=${text(value)}`);
  return found;
}

export async function diskCompliance(t: Test, make: () => Promise<DiskSubject>): Promise<void> {
  const check = (name: string, body: (t: Test, disk: Disk, subject: DiskSubject) => Promise<void>) =>
    t.test(name, async (t) => {
      const subject = await make();
      try {
        const disk = await subject.open();
        await body(t, disk, subject);
        await disk.close();
        await disk.close();
      } finally {
        await subject.dispose();
      }
    });

  await check(
    'what was written is read, in the order of keys, also after it was opened again',
    async (t, disk, subject) => {
      await disk.write([put('b', '2'), put('a', '1'), put('c/1', '3'), put('c0', '4'), put('B', 'capital')]);
      await disk.write([{ key: 'a', value: undefined }, put('b', 'two'), { key: 'none', value: undefined }]);
      t.same(await rows(disk), ['b=two', 'c/1=3', 'c0=4']);
      t.same(await rows(disk, 'c/', 'c0'), ['c/1=3'], 'the end is left out');
      t.equal(disk.get('a'), undefined);
      await disk.close();
      const again = await subject.open();
      t.same(await rows(again, 'A', 'z'), ['B=capital', 'b=two', 'c/1=3', 'c0=4']);
      await again.clear('b', 'c0');
      t.same(await rows(again), ['c0=4']);
      await again.compact();
      t.same(await rows(again), ['c0=4'], 'what is there stays when the room of the rest is given back');
      await again.close();
    },
  );

  await check('the later change of one key in a batch counts', async (t, disk) => {
    await disk.write([
      put('a', '1'),
      put('a', '2'),
      { key: 'b', value: undefined },
      put('b', '3'),
      put('c', '4'),
      { key: 'c', value: undefined },
    ]);
    t.same(await rows(disk), ['a=2', 'b=3']);
  });

  await check('a scan that has begun sees nothing of what is written meanwhile', async (t, disk) => {
    await disk.write([put('a', '1'), put('b', '2'), put('c', '3')]);
    const scan = disk.scan('a', 'z')[Symbol.asyncIterator]();
    const first = await scan.next();
    t.equal(first.done === true ? undefined : first.value.key, 'a');
    await disk.write([put('b', 'new'), { key: 'c', value: undefined }, put('d', '4')]);
    const rest: string[] = [];
    for (let next = await scan.next(); next.done !== true; next = await scan.next()) {
      rest.push(`${next.value.key}=${text(next.value.value)}`);
    }
    t.same(rest, ['b=2', 'c=3']);
    t.same(await rows(disk), ['a=1', 'b=new', 'd=4']);
  });

  await check("what is handed out is the caller's own, and what was handed in is the disk's", async (t, disk) => {
    const given = bytes('right');
    const written = disk.write([{ key: 'a', value: given }]);
    await written;
    given.fill(0);
    t.equal(text(disk.get('a')), 'right', 'the caller has changed its bytes after the write');
    disk.get('a')?.fill(0);
    t.equal(text(disk.get('a')), 'right', 'a reader has changed what it was given');
    for await (const { value } of disk.scan('a', 'b')) value.fill(0);
    t.equal(text(disk.get('a')), 'right', 'a scan has');
  });

  await check(
    'after a write that failed no other succeeds until the disk was opened again',
    async (t, disk, subject) => {
      await disk.write([put('a', '1')]);
      subject.failNextWrite();
      for (const key of ['b', 'c', 'd']) await t.rejects(disk.write([put(key, '2')]), { code: 'STORE_FAILED' }, key);
      t.equal(text(disk.get('a')), '1', 'what was there is read');
      await disk.close();
      const again = await subject.open();
      await again.write([put('e', '3')]);
      t.same(
        (await rows(again)).filter((row) => !row.startsWith('b')),
        ['a=1', 'e=3'],
      );
      await again.close();
    },
  );
}
