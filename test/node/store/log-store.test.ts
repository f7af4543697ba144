import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import { type Entry, emptyConfState } from '../../../node/raft/index.ts';
import { emptyDigest } from '../../../node/state/digest.ts';
import { MemoryDisk, type OpenedLog, openLevelLogStore, openMemoryLogStore } from '../../../node/store/index.ts';
import type { DiskOp } from '../../../node/store/log/disk.ts';
import { encodeEntries } from '../../../node/store/log/entry-record.ts';
import { appliedKey, entryKey, headKey, rowKey } from '../../../node/store/log/keys.ts';
import { decodeApplied, encodeRecord } from '../../../node/store/log/records.ts';
import { sealed } from '../../../node/store/log/sealed-bytes.ts';
import {
  applyPut,
  confState,
  entriesFrom,
  entry,
  type LogStoreSubject,
  logStoreCompliance,
} from '../../compliance/log-store.ts';

const memoryOptions = (bootstrap = false) => ({ raftId: 1, newIncarnation: randomUUID(), bootstrap });

await t.test('in memory', async (t) => {
  await logStoreCompliance(t, async (): Promise<LogStoreSubject> => {
    const disk = new MemoryDisk();
    return {
      open: ({ bootstrap = false } = {}) => openMemoryLogStore(memoryOptions(bootstrap), disk),
      dispose: async () => {},
    };
  });
});

await t.test('on LevelDB', async (t) => {
  await logStoreCompliance(t, async (): Promise<LogStoreSubject> => {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-log-'));
    return {
      open: ({ bootstrap = false } = {}) => openLevelLogStore({ folder, raftId: 1, bootstrap }),
      dispose: () => rm(folder, { recursive: true, force: true }),
    };
  });
});

/** An entry as it lies on a disk. */
function recordOf(of: Entry): Uint8Array {
  const ops: DiskOp[] = [];
  encodeEntries(1, [of], ops);
  return ops[0]?.value ?? new Uint8Array(0);
}

/** Ten entries of term 2, six applied and durable. */
async function tenEntries(disk: MemoryDisk): Promise<OpenedLog> {
  const log = await openMemoryLogStore(memoryOptions(), disk);
  await log.store.append({ hardState: { term: 2, vote: 1, commit: 8 }, entries: entriesFrom(1, 10, 2) });
  for (let n = 1; n <= 6; n += 1) applyPut(log, n, `k${n}`);
  await log.store.close();
  return log;
}

await t.test('every kind of damage has its outcome, and none is passed over in silence', async (t) => {
  const cases: {
    readonly name: string;
    readonly damage: (disk: MemoryDisk) => void;
    readonly quarantine: string | undefined;
    readonly last: number;
    readonly first: number;
    readonly applied: number;
  }[] = [
    { name: 'none', damage: () => {}, quarantine: undefined, first: 1, last: 10, applied: 6 },
    {
      name: 'an entry that the state covers rots',
      damage: (d) => d.corrupt(entryKey(1, 3), 6),
      quarantine: undefined,
      first: 7,
      last: 10,
      applied: 6,
    },
    {
      name: 'an entry that the state covers is missing',
      damage: (d) => d.remove(entryKey(1, 6)),
      quarantine: 'entry-missing',
      first: 7,
      last: 10,
      applied: 6,
    },
    {
      name: 'an entry behind the state rots',
      damage: (d) => d.corrupt(entryKey(1, 9), 14),
      quarantine: 'entry-broken',
      first: 1,
      last: 8,
      applied: 6,
    },
    {
      name: 'an entry behind the state is missing',
      damage: (d) => d.remove(entryKey(1, 7)),
      quarantine: 'entry-missing',
      first: 1,
      last: 6,
      applied: 6,
    },
    {
      name: 'the last entry is missing',
      damage: (d) => d.remove(entryKey(1, 10)),
      quarantine: 'entry-missing',
      first: 1,
      last: 9,
      applied: 6,
    },
    {
      name: 'an entry is another than was written last',
      damage: (d) => d.replace(entryKey(1, 9), recordOf(entry(9, 2, 'older'))),
      quarantine: 'entry-missing',
      first: 7,
      last: 6,
      applied: 6,
    },
    {
      name: 'the identity is missing',
      damage: (d) => d.remove('identity'),
      quarantine: 'head-broken',
      first: 1,
      last: 10,
      applied: 6,
    },
    {
      name: 'both sides are hit',
      damage: (d) => {
        d.remove(entryKey(1, 2));
        d.corrupt(entryKey(1, 8));
      },
      quarantine: 'entry-broken',
      first: 7,
      last: 7,
      applied: 6,
    },
    {
      name: 'the head rots',
      damage: (d) => d.corrupt(headKey, 9),
      quarantine: 'head-broken',
      first: 7,
      last: 6,
      applied: 6,
    },
    {
      name: 'the head is missing',
      damage: (d) => d.remove(headKey),
      quarantine: 'head-broken',
      first: 7,
      last: 6,
      applied: 6,
    },
    {
      name: 'a row of the state rots',
      damage: (d) => d.corrupt(rowKey(1, 'kk2'), 5),
      quarantine: 'state-broken',
      first: 1,
      last: 0,
      applied: 0,
    },
    {
      name: 'a row of the state is missing, as where LevelDB left out a block',
      damage: (d) => d.remove(rowKey(1, 'kk2')),
      quarantine: 'state-broken',
      first: 1,
      last: 0,
      applied: 0,
    },
    {
      name: 'a row of the state is there once more',
      damage: (d) => d.put(rowKey(1, 'kk7'), sealed(Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 3, 1]), rowKey(1, 'kk7'))),
      quarantine: 'state-broken',
      first: 1,
      last: 0,
      applied: 0,
    },
    {
      name: 'a row of the state is of another time, with the checksum of that time',
      damage: (d) => d.put(rowKey(1, 'kk2'), sealed(Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 1, 9]), rowKey(1, 'kk2'))),
      quarantine: 'state-broken',
      first: 1,
      last: 0,
      applied: 0,
    },
    {
      name: 'the applied record is missing',
      damage: (d) => d.remove('applied'),
      quarantine: 'state-broken',
      first: 1,
      last: 0,
      applied: 0,
    },
    {
      name: 'the identity rots',
      damage: (d) => d.corrupt('identity', 5),
      quarantine: 'head-broken',
      first: 1,
      last: 10,
      applied: 6,
    },
  ];
  for (const { name, damage, quarantine, first, last, applied } of cases) {
    const disk = new MemoryDisk();
    await tenEntries(disk);
    damage(disk);
    const { store, machine, findings } = await openMemoryLogStore(memoryOptions(), disk);
    t.equal(store.quarantine?.reason, quarantine, name);
    t.equal(store.quarantine?.raisedTerm, quarantine === undefined ? undefined : 0, name);
    t.equal(findings.length > 0, name !== 'none', `${name}: said`);
    t.equal(store.firstIndex(), first, `${name}: first`);
    t.equal(store.lastIndex(), last, `${name}: last`);
    t.equal(store.applied.index, applied, `${name}: applied`);
    t.equal(machine.appliedIndex, applied, `${name}: state`);
    t.ok(store.initialState().hardState.commit <= last, `${name}: commit`);
    // It goes on working, and a second start sees nothing new.
    await store.append({ entries: [entry(last + 1, 3)] });
    await store.close();
    const again = await openMemoryLogStore(memoryOptions(), disk);
    t.equal(again.store.quarantine?.reason, quarantine, `${name}: kept`);
    t.equal(again.store.lastIndex(), last + 1, `${name}: goes on`);
    t.same(again.findings, [], `${name}: repaired`);
    await again.store.close();
  }
});

await t.test('a log written before there were digests is opened, and has one from then on', async (t) => {
  const disk = new MemoryDisk();
  await tenEntries(disk);
  const applied = decodeApplied(appliedKey, disk.get(appliedKey) ?? new Uint8Array(0));
  if (applied === undefined) throw new Error('no applied record');
  const { digest, ...old } = applied;
  disk.put(appliedKey, encodeRecord(appliedKey, old));
  const { store, machine } = await openMemoryLogStore(memoryOptions(), disk);
  t.equal(store.quarantine, undefined);
  t.equal(machine.keyCount, 6);
  t.same(machine.digest, digest);
  await store.close();
  t.same(decodeApplied(appliedKey, disk.get(appliedKey) ?? new Uint8Array(0))?.digest, digest);
});

await t.test(
  'a state that the others do not have is not read again, and the quarantine outlives the next start',
  async (t) => {
    const disk = new MemoryDisk();
    await tenEntries(disk);
    const first = await openMemoryLogStore(memoryOptions(), disk);
    await first.store.setQuarantine({ reason: 'state-diverged', detail: 'the others have another', raisedTerm: 0 });
    await first.store.close();
    const second = await openMemoryLogStore(memoryOptions(), disk);
    t.equal(second.machine.keyCount, 0);
    t.equal(second.store.lastIndex(), 0);
    t.match(second.store.quarantine, { reason: 'state-diverged', detail: 'the others have another', raisedTerm: 0 });
    await second.store.raiseTermFence(7);
    await second.store.close();
    const third = await openMemoryLogStore(memoryOptions(), disk);
    t.same(third.findings, []);
    t.ok((third.store.quarantine?.raisedTerm ?? 0) > 7);
    await third.store.close();
  },
);

await t.test('broken entries are set aside and not destroyed', async (t) => {
  const disk = new MemoryDisk();
  await tenEntries(disk);
  disk.corrupt(entryKey(1, 8));
  const { store } = await openMemoryLogStore(memoryOptions(), disk);
  await store.close();
  t.same(
    disk
      .keys()
      .filter((key) => key.startsWith('q/'))
      .map((key) => Number.parseInt(key.slice(-14), 16)),
    [8, 9, 10],
  );
});

await t.test('a damaged entry that shows only while running reads as compacted when the state covers it', async (t) => {
  const disk = new MemoryDisk();
  const log = await openMemoryLogStore(memoryOptions(), disk);
  const large = 1024 * 1024;
  // More than is kept in memory, so that the first ones are read from disk.
  for (let n = 1; n <= 40; n += 1) {
    await log.store.append({ entries: [{ index: n, term: 1, type: 'normal', data: new Uint8Array(large).fill(n) }] });
  }
  const read = log.store.entries(1, 3, Number.POSITIVE_INFINITY);
  t.same(
    typeof read === 'string' ? read : read.map((e) => [e.index, e.data[large - 1]]),
    [
      [1, 1],
      [2, 2],
    ],
    'from disk',
  );
  disk.corrupt(entryKey(1, 2), 99);
  const one = log.store.entries(1, 4, Number.POSITIVE_INFINITY);
  t.equal(typeof one === 'string' ? 0 : one.length, 1, 'up to it');
  t.throws(() => log.store.entries(2, 4, large), { code: 'LOG_CORRUPT' });
  for (let n = 1; n <= 3; n += 1) applyPut(log, n, `k${n}`);
  await log.store.flush();
  t.equal(log.store.entries(2, 4, large), 'compacted');
  await log.store.close();
});

await t.test('after a failed write nothing more is written, and what waited is told', async (t) => {
  for (const how of ['lost', 'kept', 'full'] as const) {
    const disk = new MemoryDisk();
    const { store } = await openMemoryLogStore(memoryOptions(), disk);
    await store.append({ entries: entriesFrom(1, 2, 1) });
    if (how === 'full') disk.isFull = true;
    else disk.failNextWrite = how;
    const first = store.append({ entries: entriesFrom(3, 1, 1) });
    const second = store.append({ entries: entriesFrom(4, 1, 1) });
    await t.rejects(first, { code: 'STORE_FAILED' }, how);
    await t.rejects(second, { code: 'STORE_FAILED' }, how);
    disk.isFull = false;
    await t.rejects(store.append({ entries: entriesFrom(3, 1, 1) }), { code: 'STORE_FAILED' }, `${how}: never retried`);
    t.equal(store.lastIndex(), 2, `${how}: what is read is what was durable`);
    t.ok(store.failure, how);
    const writes = disk.writeCount;
    await store.close();
    t.equal(disk.writeCount, writes, `${how}: closing writes nothing`);
    const again = await openMemoryLogStore(memoryOptions(), disk);
    t.equal(again.store.lastIndex(), how === 'kept' ? 4 : 2, `${how}: after a restart the disk says`);
    t.equal(again.store.quarantine, undefined, how);
    await again.store.close();
  }
});

await t.test('whatever prefix of batches survives, the log is a prefix that was once durable', async (t) => {
  const step = fc.record({
    back: fc.nat(3),
    count: fc.integer({ min: 0, max: 4 }),
    applyCount: fc.nat(3),
    compact: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), fc.nat(25), async (steps, lost) => {
      const disk = new MemoryDisk({ keepsHistory: true });
      const log = await openMemoryLogStore(memoryOptions(), disk);
      const seen = [{ writes: disk.writeCount, text: text(log) }];
      let term = 1;
      for (const { back, count, applyCount, compact } of steps) {
        const { store, machine } = log;
        const from = Math.max(machine.appliedIndex + 1, store.lastIndex() + 1 - back);
        if (from <= store.lastIndex()) term += 1;
        await store.append({ hardState: { term, vote: 0, commit: 0 }, entries: entriesFrom(from, count, term) });
        seen.push({ writes: disk.writeCount, text: text(log) });
        for (let n = 0; n < applyCount && machine.appliedIndex < store.lastIndex(); n += 1) {
          applyPut(log, machine.appliedIndex + 1, `k${n}`);
        }
        if (compact) {
          await store.flush();
          seen.push({ writes: disk.writeCount, text: text(log) });
          await store.compact(store.compactionIndex(60));
          seen.push({ writes: disk.writeCount, text: text(log) });
        }
      }
      const keep = Math.max(1, disk.writeCount - lost);
      disk.lose(disk.writeCount - keep);
      const expected = seen.findLast((state) => state.writes <= keep)?.text;
      const again = await openMemoryLogStore(memoryOptions(), disk);
      return again.store.quarantine === undefined && text(again) === expected;
    }),
    { seed: 11, numRuns: 150 },
  );
  t.pass('held');
});

function text({ store }: OpenedLog): string {
  const found =
    store.firstIndex() <= store.lastIndex() ? store.entries(store.firstIndex(), store.lastIndex() + 1, 1e9) : [];
  const entries = typeof found === 'string' ? found : found.map((e) => `${e.index}.${e.term}`).join(' ');
  return `${JSON.stringify(store.initialState())} ${store.applied.index} ${store.term(store.firstIndex() - 1)} ${entries}`;
}

await t.test('a log in a folder', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-log-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const open = (raftId = 1, bootstrap = false) => openLevelLogStore({ folder, raftId, bootstrap });
  const write = async (last: number): Promise<void> => {
    const { store } = await open(1, true);
    await store.append({
      hardState: { term: 2, vote: 1, commit: 1 },
      entries: entriesFrom(store.lastIndex() + 1, last, 2),
    });
    // Others vote as well, and can repair it.
    store.apply({ rows: [], index: store.lastIndex(), term: 2, confState: confState(), digest: emptyDigest });
    await store.close();
  };
  await write(100);

  await t.test('is opened by its own member only, and by one process at a time', async (t) => {
    await t.rejects(open(2), { code: 'IDENTITY_MISMATCH' });
    const { store } = await open();
    await t.rejects(open(), { code: 'STORE_FAILED' });
    await store.close();
  });

  await t.test('that lost the end of its newest file keeps what is whole, quarantined', async (t) => {
    const copy = await mkdtemp(join(tmpdir(), 'shoal-log-'));
    t.teardown(() => rm(copy, { recursive: true, force: true }));
    const { store } = await open();
    // Without closing: what is in the write-ahead file only.
    for (let n = 0; n < 5; n += 1) await store.append({ entries: entriesFrom(store.lastIndex() + 1, 10, 2) });
    const last = store.lastIndex();
    // The mark follows the batches within 100 ms.
    await delay(200);
    await cp(folder, copy, { recursive: true });
    await store.close();
    const files = (await readdir(join(copy, 'db'))).filter((file) => file.endsWith('.log'));
    t.equal(files.length, 1);
    const file = join(copy, 'db', files[0] ?? '');
    const { size } = await stat(file);
    await truncate(file, size - 20);
    const torn = await openLevelLogStore({ folder: copy, raftId: 1 });
    t.equal(torn.store.quarantine?.reason, 'rolled-back');
    t.match(torn.store.quarantine?.detail, `had come to entry ${last} of term 2`);
    t.equal(torn.store.lastIndex(), last - 10, 'the torn batch is gone whole');
    await torn.store.close();
  });

  await t.test(
    'that lost its end with a vote in it shows that: the mark is there before the vote counts',
    async (t) => {
      const copy = await mkdtemp(join(tmpdir(), 'shoal-log-'));
      t.teardown(() => rm(copy, { recursive: true, force: true }));
      const { store } = await open();
      await store.append({ entries: entriesFrom(store.lastIndex() + 1, 10, 2) });
      await delay(200);
      // The mark of these is written; that of the next batch would wait its 100 ms.
      await store.append({ entries: entriesFrom(store.lastIndex() + 1, 10, 2) });
      const { hardState } = store.initialState();
      const voted = { ...hardState, term: hardState.term + 1, vote: 3 };
      await store.append({ hardState: voted, entries: [] });
      await cp(folder, copy, { recursive: true });
      await store.close();
      const files = (await readdir(join(copy, 'db'))).filter((file) => file.endsWith('.log'));
      const file = join(copy, 'db', files[0] ?? '');
      const { size } = await stat(file);
      await truncate(file, size - 20);
      const torn = await openLevelLogStore({ folder: copy, raftId: 1 });
      t.same(torn.store.initialState().hardState, hardState, 'the vote is forgotten');
      t.equal(torn.store.quarantine?.reason, 'rolled-back');
      await torn.store.close();
    },
  );

  await t.test('whose database vanished does not found a new mesh and is quarantined', async (t) => {
    await rm(join(folder, 'db'), { recursive: true });
    const { store, isNew } = await open(1, true);
    t.equal(isNew, true);
    t.equal(store.quarantine?.reason, 'disk-wiped');
    t.same(store.initialState().confState, emptyConfState);
    await store.close();
  });

  await t.test('that LevelDB cannot open is set aside, and is quarantined', async (t) => {
    for (const damage of ['manifest', 'table'] as const) {
      const other = await mkdtemp(join(tmpdir(), 'shoal-log-'));
      t.teardown(() => rm(other, { recursive: true, force: true }));
      const first = await openLevelLogStore({ folder: other, raftId: 1, bootstrap: true });
      await first.store.append({ hardState: { term: 1, vote: 1, commit: 1 }, entries: entriesFrom(2, 100, 1) });
      first.store.apply({ rows: [], index: 101, term: 1, confState: confState(), digest: emptyDigest });
      await first.store.close();
      // Opening moves the write-ahead file into a table.
      await (await openLevelLogStore({ folder: other, raftId: 1 })).store.close();
      const files = await readdir(join(other, 'db'));
      const victim = files.find((file) =>
        damage === 'manifest' ? file.startsWith('MANIFEST') : file.endsWith('.ldb'),
      );
      t.ok(victim, damage);
      await rm(join(other, 'db', victim ?? ''));
      const { store } = await openLevelLogStore({ folder: other, raftId: 1, bootstrap: true });
      t.equal(store.quarantine?.reason, 'unreadable', damage);
      t.equal(store.lastIndex(), 0, damage);
      t.ok((await readdir(other)).includes('db.unreadable-1'), damage);
      await store.close();
    }
  });
});
