/** Faults of a real disk under real LevelDB; each has the outcome that node/store/README.md promises. */
import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import { openHostStore } from '../../../node/store/host/host-store.ts';
import { type OpenedLog, openLevelLogStore } from '../../../node/store/index.ts';
import { applyPut, entriesFrom, entry } from '../../compliance/log-store.ts';
import { put, RaftGroup, until } from '../../support/raft/raft-group.ts';
import { replaceWriteAheadFile, SmallDisk } from '../../support/store/broken-disk.ts';

const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));

const smallMiB = 40;
const roomyMiB = 160;

async function folderFor(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-disk-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Mounts a disk for a test, or skips the test and says so. */
function smallDiskFor(t: Test): SmallDisk | undefined {
  const disk = SmallDisk.mount(smallMiB);
  if (disk === undefined) {
    t.comment('this user may not mount a tmpfs');
    t.pass('a tmpfs cannot be mounted', { skip: 'a tmpfs cannot be mounted here' });
    return undefined;
  }
  t.teardown(() => disk.unmount());
  return disk;
}

/** 64 KiB that differ from one number to the next. */
function blockOf(n: number): Uint8Array {
  const block = Buffer.alloc(64 * 1024, 'shoal');
  block.writeUInt32BE(n, 0);
  return block;
}

await t.test('a sync or a write that fails is told, final, and loses nothing that was acknowledged', async (t) => {
  for (const [device, isDiskFull] of [
    ['/dev/null', false],
    ['/dev/full', true],
  ] as const) {
    const folder = await folderFor(t);
    const log = await openLevelLogStore({ folder, raftId: 1, bootstrap: true });
    const { store } = log;
    const first = store.lastIndex() + 1;
    await store.append({ hardState: { term: 1, vote: 1, commit: first + 4 }, entries: entriesFrom(first, 5, 1) });
    for (let n = first; n < first + 3; n += 1) applyPut(log, n, `k${n}`);
    await store.flush();

    replaceWriteAheadFile(join(folder, 'db'), device);
    const refused = store.append({ entries: entriesFrom(first + 5, 1, 1) });
    const behind = store.append({ entries: entriesFrom(first + 6, 1, 1) });
    await t.rejects(refused, { code: 'STORE_FAILED', facts: { isDiskFull, action: 'write' } }, device);
    await t.rejects(behind, { code: 'STORE_FAILED' }, `${device}: what waited behind it is told`);
    await t.rejects(store.append({ entries: entriesFrom(first + 5, 1, 1) }), { code: 'STORE_FAILED' }, 'never retried');
    await t.rejects(store.flush(), { code: 'STORE_FAILED' });
    t.equal(store.lastIndex(), first + 4, `${device}: what is read is what was durable`);
    await store.close();

    const again = await openLevelLogStore({ folder, raftId: 1 });
    t.equal(again.store.quarantine, undefined, device);
    t.same(again.findings, [], `${device}: a batch that was never acknowledged leaves no trace`);
    t.equal(again.store.lastIndex(), first + 4, `${device}: after a restart, too`);
    t.same(again.store.entries(first, first + 5, 1e9), entriesFrom(first, 5, 1));
    t.equal(again.store.applied.index, first + 2);
    t.ok(again.machine.get(`k${first}`));
    await again.store.append({ entries: [entry(first + 5, 1)] });
    await again.store.close();
  }
});

await t.test('a full disk: told as such, also when opening; with room again the log is whole', async (t) => {
  const disk = smallDiskFor(t);
  if (disk === undefined) return;
  const folder = join(disk.folder, 'log');
  const open = () => openLevelLogStore({ folder, raftId: 1, bootstrap: true });
  const { store } = await open();
  const first = store.lastIndex() + 1;
  let acknowledged = first - 1;
  let failure: unknown;
  while (failure === undefined && acknowledged < first + 5000) {
    const index = acknowledged + 1;
    await store
      .append({
        hardState: { term: 1, vote: 1, commit: 1 },
        entries: [{ index, term: 1, type: 'normal', data: blockOf(index) }],
      })
      .then(
        () => {
          acknowledged = index;
        },
        (caught: unknown) => {
          failure = caught;
        },
      );
  }
  t.match(failure, { code: 'STORE_FAILED', facts: { isDiskFull: true } });
  t.ok(acknowledged > first + 100, `${acknowledged - first + 1} blocks fitted`);
  t.equal(store.lastIndex(), acknowledged);
  await store.close();

  // Still full: LevelDB may find the room to open, or not; a sound log is never set aside for that.
  const outcome = await open().then(
    async (log) => {
      const last = log.store.lastIndex();
      await log.store.close();
      return last;
    },
    (caught: unknown) => caught,
  );
  if (typeof outcome === 'number') t.ok(outcome >= acknowledged, 'opened, and whole');
  else t.match(outcome, { code: 'STORE_FAILED', facts: { isDiskFull: true } });
  // To the last byte: then neither opens.
  await t.rejects(appendFile(join(disk.folder, 'filler'), Buffer.alloc(smallMiB * 1024 * 1024)), { code: 'ENOSPC' });
  const told = { code: 'STORE_FAILED', message: /no space left on device/i };
  await t.rejects(open(), told, 'B19: the log says so');
  await t.rejects(
    openHostStore(join(disk.folder, 'host'), () => {}),
    told,
    'B19: the notes say so',
  );
  t.notOk(
    (await readdir(folder)).some((name) => name.startsWith('db.unreadable')),
    'nothing is set aside',
  );

  disk.resize(roomyMiB);
  const again = await open();
  t.equal(again.store.quarantine, undefined);
  // The write that failed was never acknowledged: it may be there, and it may not.
  t.ok(again.store.lastIndex() === acknowledged || again.store.lastIndex() === acknowledged + 1);
  let whole = 0;
  for (let index = first; index <= acknowledged; index += 1) {
    const [found] = entriesOf(again.store.entries(index, index + 1, 1e9));
    if (found !== undefined && Buffer.compare(found.data, blockOf(index)) === 0) whole += 1;
  }
  t.equal(whole, acknowledged - first + 1, 'every acknowledged entry, byte for byte');
  await again.store.append({
    entries: [{ index: again.store.lastIndex() + 1, term: 1, type: 'normal', data: blockOf(0) }],
  });
  await again.store.close();
});

function entriesOf<T>(found: readonly T[] | string): readonly T[] {
  return typeof found === 'string' ? [] : found;
}

await t.test('a member whose disk is full stops; the others go on; with room again it catches up', async (t) => {
  const disk = smallDiskFor(t);
  if (disk === undefined) return;
  const folder = await folderFor(t);
  const group = new RaftGroup((raftId, bootstrap) =>
    openLevelLogStore({ folder: join(raftId === 1 ? disk.folder : folder, String(raftId)), raftId, bootstrap }),
  );
  t.teardown(() => group.stopAll());
  const [one, two] = await group.startVoters(3);
  if (!one || !two) throw new Error('three members');
  t.equal(one.loop.isLeader, true, 'the one with the small disk leads');
  const acknowledged: number[] = [];
  let refused: unknown;
  for (let n = 0; refused === undefined && n < 5000; n += 1) {
    await one.state.commit(put(`k${n}`, blockOf(n))).then(
      () => acknowledged.push(n),
      (caught: unknown) => {
        refused = caught;
      },
    );
    if (group.fatal.length > 0) break;
  }
  await until(() => group.fatal.length > 0, 'the member ends');
  t.match(group.fatal, [{ code: 'STORE_FAILED', facts: { isDiskFull: true } }]);
  t.equal(one.loop.isRunning, false);
  if (refused !== undefined) t.ok(ShoalError.is(refused, 'OUTCOME_UNKNOWN', 'CANCELLED'), String(refused));
  await t.rejects(one.state.commit(put('late')), { code: 'CANCELLED' }, 'nothing is taken any more');
  t.ok(acknowledged.length > 100, `${acknowledged.length} writes were acknowledged`);
  await group.kill(1);

  const next = await group.waitLeader(1);
  const after = await next.state.commit(put('after'));
  const missing = (reader: typeof next.state.local): number[] =>
    acknowledged.filter((n) => Buffer.compare(reader.get(`k${n}`)?.value ?? Buffer.alloc(0), blockOf(n)) !== 0);
  t.same(missing(await next.state.fresh()), [], 'what was acknowledged is with the others');

  disk.resize(roomyMiB);
  const back = await group.start(1);
  const reader = await back.state.fresh();
  t.equal(back.loop.quarantine, undefined);
  t.equal(reader.get('after')?.revision, after.revision);
  t.same(missing(reader), []);
  await back.state.commit(put('again'));
  t.equal(group.fatal.length, 1);
});

await t.test('a member that cannot sync stops at once, and acknowledges nothing of it', async (t) => {
  const folder = await folderFor(t);
  let log: OpenedLog | undefined;
  const group = new RaftGroup(async (raftId, bootstrap) => {
    log = await openLevelLogStore({ folder: join(folder, String(raftId)), raftId, bootstrap });
    return log;
  });
  t.teardown(() => group.stopAll());
  const { state, loop } = await group.start(1, true);
  const kept = await state.commit(put('kept'));
  await log?.store.flush();
  replaceWriteAheadFile(join(folder, '1', 'db'), '/dev/null');
  const writes = ['a', 'b', 'c'].map((key) => state.commit(put(key)));
  for (const write of writes) await t.rejects(write, { code: 'OUTCOME_UNKNOWN' });
  t.match(group.fatal, [{ code: 'STORE_FAILED', facts: { isDiskFull: false } }]);
  t.equal(loop.isRunning, false);
  await t.rejects(state.fresh(), { code: 'CANCELLED' });
  await group.kill(1);
  const again = await group.start(1, true);
  await until(() => again.loop.isLeader, 'it leads again');
  const reader = await again.state.fresh();
  t.equal(reader.get('kept')?.revision, kept.revision);
  t.same(
    ['a', 'b', 'c'].filter((key) => reader.get(key) !== undefined),
    [],
    'the disk kept nothing of what it could not sync',
  );
  t.equal(again.loop.quarantine, undefined);
});
