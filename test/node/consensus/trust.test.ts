import t from 'tap';
import type { SentMessage } from '../../../node/consensus/transport/transport.ts';
import { type OwnLog, Trust } from '../../../node/consensus/trust/trust.ts';
import { newMessage } from '../../../node/raft/index.ts';
import type { PeerMemory } from '../../../node/store/index.ts';

const own: OwnLog = { term: 5, lastIndex: 100, lastTerm: 4, raisedTerm: 0 };

function member(
  raftId: number,
  options: { incarnation?: string; starts?: number; memory?: Map<number, PeerMemory> } = {},
): Trust {
  const { incarnation = `disk-${raftId}`, starts = 3, memory = new Map() } = options;
  return new Trust({ raftId, incarnation, starts }, memory);
}

await t.test('an answer quarantines the log exactly when it remembers more than the log holds', async (t) => {
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
    ['another disk, whose term this one has passed without a fence', { incarnation: 'old', term: 4 }, 'disk-wiped'],
    ['a term fence that this disk knows nothing of', { raisedTerm: 4, starts: 1 }, 'rolled-back'],
  ];
  for (const [name, known, expected] of cases) {
    const memory =
      known === undefined
        ? undefined
        : { incarnation: 'disk-1', starts: 3, term: 5, match: 100, matchTerm: 4, raisedTerm: 0, ...known };
    const answer = { ...member(2).answer(member(1).greeting(2, own), own), known: memory };
    t.equal(member(1).judge(answer, own)?.reason, expected, name);
  }
});

await t.test('what a peer promised is remembered: terms and acknowledgements, not questions', async (t) => {
  const trust = member(2);
  const greeting = member(1).greeting(2, own);
  t.equal(trust.answer(greeting, own).known, undefined, 'never heard of');
  const heard = (fields: Parameters<typeof newMessage>[0]): void =>
    trust.heard(newMessage({ from: 1, to: 2, ...fields }), (index) => (index > 150 ? 6 : 4));
  heard({ type: 'MsgPreVote', term: 99 });
  heard({ type: 'MsgPreVoteResp', term: 98 });
  heard({ type: 'MsgProp', term: 0 });
  heard({ type: 'MsgVote', term: 97 });
  heard({ type: 'MsgHeartbeatResp', term: 96 });
  t.match(trust.answer(greeting, own).known, { term: 5, match: 0 });
  heard({ type: 'MsgVoteResp', term: 7 });
  heard({ type: 'MsgAppResp', term: 7, index: 120 });
  heard({ type: 'MsgAppResp', term: 7, index: 110 });
  heard({ type: 'MsgAppResp', term: 7, index: 300, reject: true });
  t.match(trust.answer(greeting, own).known, { term: 7, match: 120, matchTerm: 4 });
  heard({ type: 'MsgAppResp', term: 7, index: 160 });
  t.match(trust.answer(greeting, own).known, { match: 160, matchTerm: 6 });
  t.same(
    trust.takeChanges().map(([peer]) => peer),
    [1],
  );
  t.same(trust.takeChanges(), []);
});

await t.test('what a leader tells of its own disk is remembered: it acknowledges its entries to nobody', async (t) => {
  const trust = member(2);
  const greeting = member(1).greeting(2, own);
  trust.answer(greeting, own);
  const heard = (fields: Partial<SentMessage>): void =>
    trust.heard({ ...newMessage({ type: 'MsgApp', from: 1, to: 2, term: 5 }), ...fields }, () => 4);
  heard({});
  t.match(trust.memoryOf(1), { term: 5, match: 0 }, 'an older agent tells nothing of it');
  heard({ durableIndex: 120 });
  heard({ type: 'MsgHeartbeat', durableIndex: 130 });
  heard({ durableIndex: 125 });
  t.match(trust.memoryOf(1), { match: 130, matchTerm: 5 }, 'of its own term, and it never goes back');
  const back = member(1);
  const known = { ...own, lastTerm: 5 };
  t.match(back.judge(trust.answer(greeting, own), { ...known, lastIndex: 129 }), { reason: 'rolled-back' });
  t.equal(back.judge(trust.answer(greeting, own), { ...known, lastIndex: 130 }), undefined);
});

await t.test('what is remembered of an old disk stays until its owner says that it knows', async (t) => {
  const memory = new Map([[1, { incarnation: 'old', starts: 9, term: 5, match: 100, matchTerm: 4, raisedTerm: 0 }]]);
  const trust = member(2, { memory });
  const renewed = member(1, { incarnation: 'new', starts: 1 });
  t.match(trust.answer(renewed.greeting(2, own), own).known, { incarnation: 'old' });
  t.match(trust.answer(renewed.greeting(2, own), own).known, { incarnation: 'old' }, 'the answer may have been lost');
  const fenced = { ...own, term: 1005, raisedTerm: 1005 };
  t.match(trust.answer(renewed.greeting(2, fenced), own).known, { incarnation: 'old' }, 'told once more');
  const next = { incarnation: 'new', term: 1005, match: 0, raisedTerm: 1005 };
  t.match(trust.answer(renewed.greeting(2, fenced), own).known, next, 'and then let go');
});

/** Member 1 after its repair, with its term fence at 1005. */
const repaired: OwnLog = { term: 1007, lastIndex: 200, lastTerm: 1006, raisedTerm: 1005 };
const oldMemory: PeerMemory = { incarnation: 'old', starts: 9, term: 5, match: 150, matchTerm: 5, raisedTerm: 0 };

await t.test(
  'a peer that was away during the repair finds nothing wrong with it, whatever it hears first',
  async (t) => {
    const renewed = member(1, { incarnation: 'new', starts: 2 });
    const away = member(2, { memory: new Map([[1, oldMemory]]) });
    // The repaired member leads: its messages arrive where nobody has heard of its term fence.
    away.heard(newMessage({ type: 'MsgHeartbeat', from: 1, to: 2, term: 1007 }), () => 0);
    const answer = away.answer(renewed.greeting(2, repaired), own);
    t.match(answer.known, { incarnation: 'old', term: 1007 });
    t.equal(renewed.judge(answer, repaired), undefined);
    const later = away.answer(renewed.greeting(2, repaired), own);
    t.match(
      later.known,
      { incarnation: 'new', term: 1007, match: 0, raisedTerm: 1005 },
      'promises above the fence stay',
    );
    t.equal(renewed.judge(later, repaired), undefined);
  },
);

await t.test('an answer tells of a term fence as a greeting does', async (t) => {
  const away = member(2, { memory: new Map([[1, oldMemory]]) });
  away.met(member(1, { incarnation: 'new', starts: 2 }).answer(away.greeting(1, own), repaired));
  const { known } = away.answer(member(1).greeting(2, own), own);
  t.match(known, { incarnation: 'new', starts: 2, term: 1007, raisedTerm: 1005 });
});

await t.test(
  'a repaired disk that is rolled back, or wiped again, is quarantined when a member that heard of it answers',
  async (t) => {
    const peer = member(2, { memory: new Map([[1, oldMemory]]) });
    peer.met(member(1, { incarnation: 'new', starts: 2 }).greeting(2, repaired));
    peer.heard(newMessage({ type: 'MsgAppResp', from: 1, to: 2, term: 1008, index: 210 }), () => 1008);
    for (const { name, incarnation, log } of [
      { name: 'to a time after its repair', incarnation: 'new', log: repaired },
      { name: 'to a time before its term fence', incarnation: 'new', log: own },
      { name: 'the disk from before the wipe, put back', incarnation: 'old', log: own },
      { name: 'that disk, in a higher term', incarnation: 'old', log: { ...own, term: 2000, lastTerm: 2000 } },
      { name: 'another empty disk', incarnation: 'newer', log: { term: 0, lastIndex: 0, lastTerm: 0, raisedTerm: 0 } },
    ]) {
      const back = member(1, { incarnation, starts: 3 });
      t.ok(back.judge(peer.answer(back.greeting(2, log), own), log), name);
    }
  },
);

await t.test('a greeting that comes late takes nothing back', async (t) => {
  const peer = member(2, { memory: new Map([[1, oldMemory]]) });
  const renewed = member(1, { incarnation: 'new', starts: 2 });
  const early = renewed.greeting(2, { ...repaired, term: 1005 });
  peer.met(renewed.greeting(2, repaired));
  peer.heard(newMessage({ type: 'MsgAppResp', from: 1, to: 2, term: 1008, index: 210 }), () => 1008);
  peer.met(early);
  peer.met(member(1, { incarnation: 'old', starts: 9 }).greeting(2, own));
  const { known } = peer.answer(renewed.greeting(2, repaired), own);
  t.match(known, { incarnation: 'new', term: 1008, match: 210, matchTerm: 1008, raisedTerm: 1005 });
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
