import fc from 'fast-check';
import t from 'tap';
import { type Entry, emptyConfState, entriesBytes, entryBytes, noBytes } from '../../../node/raft/messages/messages.ts';
import { RaftLog } from '../../../node/raft/storage/log.ts';
import { MemoryStorage } from '../../../node/raft/storage/memory-storage.ts';
import { Unstable } from '../../../node/raft/storage/unstable.ts';
import { entry } from './group.ts';

function logOf(stable: readonly Entry[], unstable: readonly Entry[] = [], applyingBytesMax = Number.POSITIVE_INFINITY) {
  const storage = new MemoryStorage();
  storage.append(stable);
  const log = new RaftLog(storage, applyingBytesMax);
  log.append(unstable);
  return log;
}

void t.test('a confirmation removes entries only if it is about the very entry that is here', async (t) => {
  const unstable = new Unstable(5);
  unstable.truncateAndAppend([entry(1, 5), entry(1, 6), entry(1, 7)]);
  unstable.acceptInProgress();
  unstable.truncateAndAppend([entry(2, 6)]);
  t.ok(unstable.hasNextEntries, 'the replaced entry has to be written again');
  unstable.stableTo(6, 1);
  t.equal(unstable.offset, 5, 'another entry is at 6 now');
  unstable.stableTo(5, 1);
  t.equal(unstable.offset, 6);
  unstable.stableTo(9, 2);
  t.equal(unstable.offset, 6, 'nothing is at 9');
  unstable.stableTo(6, 2);
  t.match({ offset: unstable.offset, length: unstable.length }, { offset: 7, length: 0 });
});

void t.test('a replacement from below the unstable log restarts it', async (t) => {
  const unstable = new Unstable(5);
  unstable.truncateAndAppend([entry(1, 5), entry(1, 6)]);
  unstable.acceptInProgress();
  unstable.truncateAndAppend([entry(2, 3)]);
  t.match(
    { offset: unstable.offset, inProgress: unstable.offsetInProgress, length: unstable.length },
    { offset: 3, inProgress: 3, length: 1 },
  );
  t.throws(() => unstable.truncateAndAppend([entry(2, 9)]), /gap/);
});

void t.test('slices join what is stable and what is not, within the limit, but never empty', async () => {
  const size = fc.nat(40).map((n) => 'x'.repeat(n));
  fc.assert(
    fc.property(
      fc.array(size, { minLength: 1, maxLength: 12 }),
      fc.nat(12),
      fc.nat(400),
      fc.nat(),
      (texts, cut, max, at) => {
        const all = texts.map((text, i) => entry(1, i + 1, text));
        const stable = Math.min(cut, all.length);
        const log = logOf(all.slice(0, stable), all.slice(stable));
        const low = (at % all.length) + 1;
        const got = log.entriesFrom(low, max);
        if (typeof got === 'string' || got.length === 0) return false;
        const next = all[low - 1 + got.length];
        const exact = got.every((one, i) => one === all[low - 1 + i]);
        const fits = got.length === 1 || entriesBytes(got) <= max;
        const full = next === undefined || entriesBytes(got) + entryBytes(next) > max;
        return exact && fits && full;
      },
    ),
    { seed: 13, numRuns: 500 },
  );
});

void t.test('what is handed out to be applied pauses at its bound until some of it is reported', async (t) => {
  const entries = [1, 2, 3, 4].map((index) => entry(1, index, 'x'.repeat(10)));
  const log = logOf(entries, [], 2 * entryBytes(entry(1, 1, 'x'.repeat(10))));
  log.commitTo(4);
  const first = log.nextCommitted(true);
  t.equal(first.length, 2);
  log.acceptApplying(first, true);
  t.notOk(log.hasNextCommitted(true));
  log.appliedTo(2, entriesBytes(first));
  t.strictSame(
    log.nextCommitted(true).map(({ index }) => index),
    [3, 4],
  );
});

void t.test('a snapshot replaces the log, and nothing is applied before it is stored', async (t) => {
  const log = logOf([entry(1, 1), entry(1, 2)], [entry(1, 3)]);
  log.commitTo(2);
  const snapshot = { index: 9, term: 3, confState: { ...emptyConfState, voters: [1] }, data: noBytes };
  log.restore(snapshot);
  t.match({ first: log.firstIndex(), last: log.lastIndex(), term: log.term(9) }, { first: 10, last: 9, term: 3 });
  t.equal(log.term(2), 'compacted');
  t.notOk(log.hasNextCommitted(true));
});

void t.test('commit and applied indexes cannot pass one another', async (t) => {
  const log = logOf([entry(1, 1), entry(1, 2)]);
  t.throws(() => log.commitTo(3), /behind the end/);
  log.commitTo(1);
  log.commitTo(0);
  t.equal(log.committed, 1, 'never lowered');
  t.throws(() => log.appliedTo(2, 0), /outside/);
});

void t.test('memory storage: compaction, snapshots and replacement', async (t) => {
  const storage = new MemoryStorage();
  storage.append([entry(1, 1), entry(1, 2), entry(2, 3), entry(2, 4)]);
  storage.createSnapshot(3, { ...emptyConfState, voters: [1] }, noBytes);
  storage.compact(2);
  t.match({ first: storage.firstIndex(), last: storage.lastIndex() }, { first: 3, last: 4 });
  t.equal(storage.term(2), 1, 'the entry before the first is known');
  t.equal(storage.term(1), 'compacted');
  t.equal(storage.term(5), 'unavailable');
  t.equal(storage.entries(2, 4, 100), 'compacted');
  t.equal(storage.entries(3, 6, 100), 'unavailable');
  t.equal(storage.snapshot(4), 'temporarily-unavailable');
  storage.append([entry(1, 2), entry(3, 3)]);
  t.match({ last: storage.lastIndex(), term: storage.term(3) }, { last: 3, term: 3 });
  t.throws(() => storage.append([entry(3, 9)]), /gap/);
  storage.applySnapshot({ index: 2, term: 1, confState: emptyConfState, data: noBytes });
  t.equal(storage.lastIndex(), 3, 'older than what is here');
});
