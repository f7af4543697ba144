import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { Entry } from '../../../node/raft/index.ts';
import { MemoryDisk, openMemoryLogStore } from '../../../node/store/index.ts';
import { inspectLog } from '../../../node/store/log/inspect-log.ts';
import { appliedKey, entryKey, headKey, peerKey, rowKey } from '../../../node/store/log/keys.ts';
import { applyPut, entriesFrom } from '../../compliance/log-store.ts';

/** Ten entries of term 2, six applied. */
async function tenEntries(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const log = await openMemoryLogStore({ raftId: 1, newIncarnation: randomUUID() }, disk);
  await log.store.append({ hardState: { term: 2, vote: 1, commit: 8 }, entries: entriesFrom(1, 10, 2) });
  for (let n = 1; n <= 6; n += 1) applyPut(log, n, `k${n}`);
  log.store.rememberPeer(3, { incarnation: 'x', starts: 2, term: 2, match: 9, matchTerm: 2, raisedTerm: 0 });
  await log.store.close();
  return disk;
}

await t.test('a sound log is told in full, and nothing is written', async (t) => {
  const disk = await tenEntries();
  const { writeCount } = disk;
  const entries: Entry[] = [];
  const keys: string[] = [];
  const found = await inspectLog(disk, {
    entry: (entry) => entries.push(entry),
    row: (row) => keys.push(row.entry.key),
  });
  t.match(found, {
    identity: { raftId: 1, starts: 1 },
    head: { term: 2, vote: 1, commit: 8, startIndex: 0, lastIndex: 10 },
    applied: { index: 6, term: 2 },
    log: { entries: 10 },
    state: { rows: 6 },
    quarantined: 0,
    faults: [],
    faultCount: 0,
  });
  t.equal(found.peers.get(3)?.match, 9);
  t.equal(entries.length, 10);
  t.same(keys, ['k1', 'k2', 'k3', 'k4', 'k5', 'k6']);
  t.equal(disk.writeCount, writeCount);
});

await t.test('every fault is reported, not only the first', async (t) => {
  const disk = await tenEntries();
  disk.corrupt(entryKey(1, 2), 14);
  disk.remove(entryKey(1, 4));
  disk.remove(entryKey(1, 5));
  disk.remove(entryKey(1, 10));
  disk.corrupt(rowKey(1, 'kk3'), 6);
  disk.corrupt(peerKey(3), 6);
  const found = await inspectLog(disk);
  t.same(found.faults, [
    'Entry 2 fails its checksum.',
    'Entries 4 to 5 are missing.',
    'Entries 10 to 10 are missing.',
    'The state row kk3 fails its checksum.',
    'The record peer/3 fails its checksum.',
  ]);
  t.match(found, { faultCount: 5, log: { entries: 6 }, state: { rows: 5 } });
});

await t.test('a row of the state that is not there is told, though every row that is there is whole', async (t) => {
  const disk = await tenEntries();
  disk.remove(rowKey(1, 'kk3'));
  const found = await inspectLog(disk);
  t.equal(found.faultCount, 1);
  t.match(found.faults[0], /^The rows of the state have the digest [0-9a-f]{16}, not [0-9a-f]{16}: some are missing/);
});

await t.test('a log whose records are gone is reported as such', async (t) => {
  const disk = await tenEntries();
  disk.remove(headKey);
  disk.corrupt(appliedKey, 8);
  const found = await inspectLog(disk);
  t.match(found, { head: undefined, applied: undefined, faultCount: 2 });
});
