import t from 'tap';
import { Inflights } from '../../../node/raft/inflights.ts';
import { Progress } from '../../../node/raft/progress.ts';

const limits = { messagesMax: 2, bytesMax: 100 };
const fresh = (next: number): Progress => Progress.fresh({ next, isLearner: false, recentActive: true, limits });

void t.test('a window is full by messages or by bytes, and opens with acknowledgements', async (t) => {
  const byCount = new Inflights({ messagesMax: 3, bytesMax: Number.POSITIVE_INFINITY });
  for (const index of [5, 6, 9]) byCount.add(index, 10);
  t.ok(byCount.full);
  t.throws(() => byCount.add(10, 1), /full window/);
  byCount.freeUpTo(4);
  t.equal(byCount.count, 3, 'below all of them');
  byCount.freeUpTo(7);
  t.equal(byCount.count, 1);
  const byBytes = new Inflights({ messagesMax: 100, bytesMax: 50 });
  byBytes.add(1, 40);
  t.notOk(byBytes.full);
  byBytes.add(2, 40);
  t.ok(byBytes.full, 'the last message may exceed the bound');
  byBytes.freeUpTo(1);
  t.notOk(byBytes.full);
});

void t.test('a window grows and wraps around without losing count', async (t) => {
  const window = new Inflights({ messagesMax: 1000, bytesMax: Number.POSITIVE_INFINITY });
  let sent = 0;
  let acknowledged = 0;
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 30; i++) window.add(++sent, 1);
    acknowledged += 17;
    window.freeUpTo(acknowledged);
    t.equal(window.count, sent - acknowledged);
  }
});

void t.test('while probing, one message with entries goes out and then nothing until something is heard', async (t) => {
  const progress = fresh(5);
  progress.noteSentEntries(0, 0);
  t.notOk(progress.isPaused);
  progress.noteSentEntries(3, 30);
  t.ok(progress.isPaused);
  t.equal(progress.next, 5, 'not moved before an answer');
});

void t.test('a rejection while probing moves back to the hint, never below what is known to match', async (t) => {
  const progress = fresh(10);
  t.notOk(progress.reject(7, 3), 'not about what was sent last');
  t.ok(progress.reject(9, 4));
  t.equal(progress.next, 5);
  t.ok(progress.acknowledge(3));
  t.equal(progress.next, 5);
  t.ok(progress.reject(4, 0));
  t.equal(progress.next, 4);
});

void t.test('a rejection while streaming goes back to what matches, unless it is older than that', async (t) => {
  const progress = fresh(4);
  progress.acknowledge(3);
  progress.becomeReplicate();
  progress.noteSentEntries(5, 50);
  t.equal(progress.next, 9);
  t.notOk(progress.reject(3, 0), 'was acknowledged meanwhile');
  t.ok(progress.reject(8, 5));
  t.equal(progress.next, 4);
});

void t.test('acknowledgements never go back', async (t) => {
  const progress = fresh(10);
  t.ok(progress.acknowledge(6));
  t.notOk(progress.acknowledge(6));
  t.notOk(progress.acknowledge(4));
  t.match(progress, { match: 6, next: 10 });
});

void t.test('during a snapshot nothing is appended; afterwards probing begins behind it', async (t) => {
  const progress = fresh(3);
  progress.becomeSnapshot(20);
  t.ok(progress.isPaused);
  progress.becomeProbe();
  t.match(progress, { state: 'probe', next: 21, pendingSnapshot: 0 });
});

void t.test('a commit index is worth a message only if the follower was not told and holds more', async (t) => {
  const progress = fresh(6);
  progress.sentCommit = 3;
  t.ok(progress.canBumpCommit(4));
  t.notOk(progress.canBumpCommit(3));
  progress.sentCommit = 5;
  t.notOk(progress.canBumpCommit(9), 'it holds nothing above 5');
});
