import t from 'tap';
import { newMessage } from '../../../node/raft/index.ts';
import { type OwnLog, Trust } from '../../../node/raft-loop/trust.ts';
import type { PeerMemory } from '../../../node/store/index.ts';

const own: OwnLog = { term: 5, lastIndex: 100, lastTerm: 4 };

function member(
  raftId: number,
  options: { incarnation?: string; starts?: number; memory?: Map<number, PeerMemory> } = {},
): Trust {
  const { incarnation = `disk-${raftId}`, starts = 3, memory = new Map() } = options;
  return new Trust({ raftId, incarnation, starts }, memory);
}

await t.test('an answer is a reason for doubt exactly when it remembers more than the log holds', async (t) => {
  const cases: [string, Partial<PeerMemory> | undefined, string | undefined][] = [
    ['nothing', undefined, undefined],
    ['the same', {}, undefined],
    ['less', { term: 3, match: 50, matchTerm: 2, starts: 1 }, undefined],
    ['a later start', { starts: 4 }, 'rolled-back'],
    ['a later term', { term: 6 }, 'rolled-back'],
    ['a later entry', { match: 101 }, 'rolled-back'],
    ['an entry of a later term', { match: 7, matchTerm: 5 }, 'rolled-back'],
    ['a later index of an earlier term: replaced since', { match: 200, matchTerm: 3 }, undefined],
    ['another disk, as far as this one', { incarnation: 'old' }, 'disk-wiped'],
    ['another disk that promised nothing', { incarnation: 'old', term: 0, match: 0, matchTerm: 0 }, undefined],
    ['another disk that this one has left behind', { incarnation: 'old', term: 4, starts: 99 }, undefined],
  ];
  for (const [name, known, expected] of cases) {
    const memory =
      known === undefined
        ? undefined
        : { incarnation: 'disk-1', starts: 3, term: 5, match: 100, matchTerm: 4, ...known };
    const answer = { ...member(2).answer(member(1).greeting(2, own, false), own, false), known: memory };
    t.equal(member(1).judge(answer, own)?.reason, expected, name);
  }
});

await t.test('what a peer promised is remembered: terms and acknowledgements, not questions', async (t) => {
  const trust = member(2);
  const greeting = member(1).greeting(2, own, false);
  t.equal(trust.answer(greeting, own, false).known, undefined, 'never heard of');
  const heard = (fields: Parameters<typeof newMessage>[0]): void =>
    trust.heard(newMessage({ from: 1, to: 2, ...fields }), (index) => (index > 150 ? 6 : 4));
  heard({ type: 'MsgPreVote', term: 99 });
  heard({ type: 'MsgPreVoteResp', term: 98 });
  heard({ type: 'MsgProp', term: 0 });
  heard({ type: 'MsgVote', term: 97 });
  heard({ type: 'MsgHeartbeatResp', term: 96 });
  t.match(trust.answer(greeting, own, false).known, { term: 5, match: 0 });
  heard({ type: 'MsgVoteResp', term: 7 });
  heard({ type: 'MsgAppResp', term: 7, index: 120 });
  heard({ type: 'MsgAppResp', term: 7, index: 110 });
  heard({ type: 'MsgAppResp', term: 7, index: 300, reject: true });
  t.match(trust.answer(greeting, own, false).known, { term: 7, match: 120, matchTerm: 4 });
  heard({ type: 'MsgAppResp', term: 7, index: 160 });
  t.match(trust.answer(greeting, own, false).known, { match: 160, matchTerm: 6 });
  t.same(
    trust.takeChanges().map(([peer]) => peer),
    [1],
  );
  t.same(trust.takeChanges(), []);
});

await t.test('what is remembered of an old disk stays until its owner says that it knows', async (t) => {
  const memory = new Map([[1, { incarnation: 'old', starts: 9, term: 5, match: 100, matchTerm: 4 }]]);
  const trust = member(2, { memory });
  const renewed = member(1, { incarnation: 'new', starts: 1 });
  t.match(trust.answer(renewed.greeting(2, own, false), own, false).known, { incarnation: 'old' });
  t.match(
    trust.answer(renewed.greeting(2, own, false), own, false).known,
    { incarnation: 'old' },
    'the answer may have been lost',
  );
  t.match(trust.answer(renewed.greeting(2, own, true), own, false).known, { incarnation: 'old' }, 'told once more');
  t.match(
    trust.answer(renewed.greeting(2, own, true), own, false).known,
    { incarnation: 'new', match: 0 },
    'and then let go',
  );
});

await t.test('messages wait for the answer, a bounded number of them', async (t) => {
  const trust = member(1);
  t.equal(trust.hasAnswered(2), false);
  for (let n = 1; n <= 100; n += 1) trust.hold(newMessage({ type: 'MsgHeartbeat', from: 2, to: 1, index: n }));
  const released = trust.release(2);
  t.equal(released.length, 64);
  t.equal(released.at(-1)?.index, 100, 'the newest');
  t.equal(trust.hasAnswered(2), true);
  t.same(trust.release(2), []);
});
