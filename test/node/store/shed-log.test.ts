/** A log that is shed: nothing is left of it but term, vote and where it ended, whenever the process dies. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { emptyDigest } from '../../../node/state/digest.ts';
import { MemoryDisk, type OpenedLog, openLevelLogStore, openMemoryLogStore } from '../../../node/store/index.ts';
import { applyPut, confState, entriesFrom } from '../../compliance/log-store.ts';

const open = (disk: MemoryDisk): Promise<OpenedLog> =>
  openMemoryLogStore({ raftId: 7, newIncarnation: randomUUID(), bootstrap: false }, disk);

/** A log of ten entries of term 3, of which eight are applied. */
async function fill(log: OpenedLog): Promise<void> {
  const { store, machine } = log;
  const snapshot = store.install();
  await snapshot.commit({ index: 1, term: 1, confState: confState() }, machine.digest, { term: 3, vote: 2, commit: 1 });
  machine.loaded(1);
  await store.append({ hardState: { term: 3, vote: 2, commit: 8 }, entries: entriesFrom(2, 9, 3) });
  for (let index = 2; index <= 8; index += 1) applyPut(log, index, `t/row/${index}`);
  await store.flush();
}

await t.test('of what it held nothing is left, and of what it promised everything', async (t) => {
  const disk = new MemoryDisk();
  const log = await open(disk);
  await fill(log);
  for (const kind of ['r/', 'l/'])
    t.ok(
      disk.keys().some((key) => key.startsWith(kind)),
      kind,
    );
  await log.store.shedAll(emptyDigest);
  const { store } = log;
  t.same(disk.keys(), ['applied', 'head', 'identity'], 'neither rows, entries nor digests');
  t.equal(store.lastIndex(), 0);
  t.equal(store.applied.index, 0);
  t.same(store.applied.confState.voters, []);
  t.same(store.initialState().hardState, { term: 3, vote: 2, commit: 0 });
  t.same(store.shed, { index: 10, term: 3 });
  const { incarnation } = store.identity;
  await store.close();

  const again = await open(disk);
  t.equal(again.machine.appliedIndex, 0);
  t.equal(again.store.quarantine, undefined, 'it is not taken for one that was wiped');
  t.equal(again.store.identity.incarnation, incarnation);
  t.same(again.store.initialState().hardState, { term: 3, vote: 2, commit: 0 });
  t.same(again.store.shed, { index: 10, term: 3 }, 'it is known after a start where the log ended');
  await again.store.close();
});

await t.test('it is as it was once it has come as far again, and not before', async (t) => {
  const disk = new MemoryDisk();
  const log = await open(disk);
  const { store, machine } = log;
  await fill(log);
  await store.shedAll(emptyDigest);
  machine.empty();
  // Of a leader that is behind: less than it had.
  await store
    .install()
    .commit({ index: 6, term: 3, confState: confState() }, emptyDigest, { term: 3, vote: 2, commit: 6 });
  t.same(store.shed, { index: 10, term: 3 });
  await store.shedAll(emptyDigest);
  t.same(store.shed, { index: 10, term: 3 }, 'shed twice, it ended where it did at first');
  await store
    .install()
    .commit({ index: 6, term: 3, confState: confState() }, emptyDigest, { term: 3, vote: 2, commit: 6 });
  await store.append({ entries: entriesFrom(7, 3, 3) });
  t.same(store.shed, { index: 10, term: 3 });
  await store.append({ entries: entriesFrom(10, 1, 3) });
  t.equal(store.shed, undefined, 'at the same entry');
  await store.close();

  const other = await open(new MemoryDisk());
  await fill(other);
  await other.store.shedAll(emptyDigest);
  await other.store
    .install()
    .commit({ index: 4, term: 4, confState: confState() }, emptyDigest, { term: 4, vote: 0, commit: 4 });
  t.equal(other.store.shed, undefined, 'or of a later term');
  await other.store.close();
});

for (const fate of ['kept', 'lost'] as const) {
  await t.test(`a write of which nobody knows leaves all or nothing: ${fate}`, async (t) => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    await fill(log);
    disk.failNextWrite = fate;
    await t.rejects(log.store.shedAll(emptyDigest), { code: 'STORE_FAILED' });
    await log.store.abandon();
    const again = await open(disk);
    t.equal(again.store.quarantine, undefined);
    t.equal(again.machine.appliedIndex, fate === 'kept' ? 0 : 8);
    t.equal(again.store.lastIndex(), fate === 'kept' ? 0 : 10);
    t.same(again.store.initialState().hardState, { term: 3, vote: 2, commit: fate === 'kept' ? 0 : 8 });
    const keys = disk.keys().filter((key) => /^[lrd]\//.test(key));
    if (fate === 'kept') t.same(keys, [], 'what the killed process did not get to clear is cleared at the start');
    else t.ok(keys.length > 0);
    await again.store.close();
  });
}

// LevelDB keeps what was never in more than one of its files: up to a write buffer.
await t.test('on LevelDB the room is given back at once', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-shed-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const { store } = await openLevelLogStore({ folder, raftId: 7 });
  const install = store.install();
  for (let piece = 0; piece < 160; piece += 1) {
    const rows = Array.from({ length: 100 }, (_, at) => ({
      key: `kt/x/${piece}-${at}`,
      value: new Uint8Array(8 + 4096).fill(at),
    }));
    await install.write(rows);
  }
  await install.commit({ index: 5, term: 2, confState: confState() }, emptyDigest, { term: 2, vote: 0, commit: 5 });
  const before = await bytesIn(join(folder, 'db'));
  t.ok(before > 60 * 1024 * 1024, `${before} bytes`);
  await store.shedAll(emptyDigest);
  await store.close();
  const after = await bytesIn(join(folder, 'db'));
  t.ok(after < before / 3, `${after} bytes are left of ${before}`);
});

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size;
  return bytes;
}
