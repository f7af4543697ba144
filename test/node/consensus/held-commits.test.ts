import t from 'tap';
import { HeldCommits } from '../../../node/consensus/loop/held-commits.ts';
import { type Message, newMessage } from '../../../node/raft/index.ts';
import { ManualClock } from '../mesh/manual-clock.ts';

const commitOnly = (to: number, commit: number): Message => newMessage({ type: 'MsgApp', to, from: 1, commit });

function newHeld(): { clock: ManualClock; held: HeldCommits; sent: Message[] } {
  const clock = new ManualClock();
  const sent: Message[] = [];
  return { clock, held: new HeldCommits(clock, (message) => sent.push(message)), sent };
}

await t.test('a commit index waits a moment for entries that tell it as well', async (t) => {
  const { clock, held, sent } = newHeld();
  t.equal(held.take(commitOnly(2, 5)), true);
  t.equal(held.take(commitOnly(3, 5)), true);
  const entry = { index: 6, term: 1, type: 'normal' as const, data: new Uint8Array(1) };
  t.equal(
    held.take(newMessage({ type: 'MsgApp', to: 2, from: 1, commit: 5, entries: [entry] })),
    false,
    'goes at once',
  );
  t.same(sent, [], 'nothing is sent before the time is up');
  await clock.advance(10);
  t.same(
    sent.map(({ to, commit }) => [to, commit]),
    [[3, 5]],
    'only to the one that got no entries',
  );
  await clock.advance(10);
  t.equal(sent.length, 1, 'once');
});

await t.test('the newest counts, and nothing is kept from a reader that must know at once', async (t) => {
  const { clock, held, sent } = newHeld();
  held.take(commitOnly(2, 5));
  held.take(commitOnly(2, 7));
  held.flush();
  t.same(
    sent.map(({ to, commit }) => [to, commit]),
    [[2, 7]],
  );
  held.take(commitOnly(3, 8));
  held.take(commitOnly(2, 8));
  held.flush(4);
  t.equal(sent.length, 1, 'nothing is kept for that one');
  held.flush(3);
  t.same(
    sent.slice(1).map(({ to, commit }) => [to, commit]),
    [[3, 8]],
    'only the one that asked is told at once',
  );
  sent.length = 1;
  held.clear();
  await clock.advance(10);
  t.equal(sent.length, 1, 'a leader that lost its office says nothing more');
  held.take(commitOnly(2, 9));
  await clock.advance(10);
  t.equal(sent.at(-1)?.commit, 9, 'and one that regained it does');
});

await t.test('everything else goes at once', async (t) => {
  const { held } = newHeld();
  for (const type of ['MsgHeartbeat', 'MsgAppResp', 'MsgVote', 'MsgSnap'] as const) {
    t.equal(held.take(newMessage({ type, to: 2, from: 1 })), false, type);
  }
});
