/** What the Raft paper says (Ongaro and Ousterhout, 2014, extended version), section by section: set up, act, check. */
import t from 'tap';
import { type Entry, type MessageType, newMessage } from '../../../node/raft/messages/messages.ts';
import { bytes, converge, drain, elect, entry, member, newGroup, newNode, send, work } from './group.ts';

const fromLeader = (type: MessageType, term: number) => newMessage({ type, to: 1, from: 2, term });

void t.test(
  '5.1: a follower, candidate or leader that sees a higher term becomes a follower of that term',
  async (t) => {
    for (const role of ['follower', 'candidate', 'leader'] as const) {
      const one = newNode();
      if (role !== 'follower') one.node.campaign();
      drain(one);
      if (role === 'leader') send(one, { type: 'MsgVoteResp', from: 2 });
      t.equal(one.node.raft.role, role);
      one.node.step(fromLeader('MsgApp', 7));
      t.match(one.node.status(), { role: 'follower', term: 7, leader: 2 }, role);
    }
  },
);

void t.test('5.1: a message of an older term changes nothing', async (t) => {
  const one = newNode({ hardState: { term: 5, vote: 0, commit: 1 } });
  one.node.step(fromLeader('MsgApp', 4));
  t.match(one.node.status(), { term: 5, leader: 0 });
  t.strictSame(drain(one), []);
});

void t.test('5.2: a node starts as a follower', async (t) => {
  t.equal(newNode().node.raft.role, 'follower');
});

void t.test('5.2: a leader sends a heartbeat to each follower every heartbeat interval', async (t) => {
  const one = newNode();
  elect(one);
  one.node.tick();
  const heartbeats = drain(one).filter(({ type }) => type === 'MsgHeartbeat');
  t.strictSame(
    heartbeats.map(({ to }) => to),
    [2, 3],
  );
});

void t.test(
  '5.2: a follower without a leader starts an election: next term, vote for itself, requests to all',
  async (t) => {
    const one = newNode({ hardState: { term: 3, vote: 0, commit: 1 } });
    for (let i = 0; i < 10; i++) one.node.tick();
    const messages = drain(one);
    t.match(one.node.status(), { role: 'candidate', term: 4, vote: 1 });
    t.match(messages, [
      { type: 'MsgVote', to: 2, term: 4, index: 1, logTerm: 1 },
      { type: 'MsgVote', to: 3, term: 4, index: 1, logTerm: 1 },
    ]);
  },
);

void t.test(
  '5.2: a candidate leads with a majority of votes, gives up with a majority against, waits otherwise',
  async (t) => {
    const cases: { size: number; votes: Record<number, boolean>; role: string }[] = [
      { size: 1, votes: {}, role: 'leader' },
      { size: 3, votes: { 2: true }, role: 'leader' },
      { size: 3, votes: { 2: true, 3: false }, role: 'leader' },
      { size: 3, votes: { 2: false }, role: 'candidate' },
      { size: 3, votes: { 2: false, 3: false }, role: 'follower' },
      { size: 5, votes: { 2: true, 3: true }, role: 'leader' },
      { size: 5, votes: { 2: true, 3: false, 4: false }, role: 'candidate' },
      { size: 5, votes: { 2: false, 3: false, 4: false }, role: 'follower' },
      { size: 5, votes: {}, role: 'candidate' },
    ];
    for (const { size, votes, role } of cases) {
      const one = newNode({ voters: Array.from({ length: size }, (_, i) => i + 1) });
      one.node.campaign();
      drain(one);
      for (const [from, yes] of Object.entries(votes)) {
        send(one, { type: 'MsgVoteResp', from: Number(from), reject: !yes });
      }
      t.equal(one.node.raft.role, role, JSON.stringify({ size, votes }));
    }
  },
);

void t.test('5.2: a follower votes for at most one candidate a term, first come first served', async (t) => {
  for (const { vote, from, reject } of [
    { vote: 0, from: 2, reject: false },
    { vote: 2, from: 2, reject: false },
    { vote: 3, from: 2, reject: true },
  ]) {
    const one = newNode({ hardState: { term: 2, vote, commit: 1 } });
    one.node.step(newMessage({ type: 'MsgVote', to: 1, from, term: 2, index: 1, logTerm: 1 }));
    t.match(drain(one), [{ type: 'MsgVoteResp', to: from, reject }], `voted for ${vote}`);
  }
});

void t.test('5.2: a candidate that hears from a leader of its own term follows it', async (t) => {
  const one = newNode();
  one.node.campaign();
  drain(one);
  one.node.step(fromLeader('MsgApp', 1));
  t.match(one.node.status(), { role: 'follower', term: 1, leader: 2 });
});

void t.test('5.2: election timeouts are spread over [electionTicks, 2 * electionTicks)', async (t) => {
  const seen = new Set<number>();
  for (let jitter = 0; jitter < 10; jitter++) {
    const one = newNode({ random: { below: () => jitter } });
    let ticks = 0;
    while (one.node.raft.role === 'follower') {
      one.node.tick();
      ticks++;
    }
    seen.add(ticks);
  }
  t.strictSame([...seen], [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
});

void t.test('5.3: a leader appends a proposal and sends it to all with the entry before it', async (t) => {
  const one = newNode();
  elect(one);
  send(one, { type: 'MsgAppResp', from: 2, index: 2 });
  send(one, { type: 'MsgAppResp', from: 3, index: 2 });
  drain(one);
  one.node.propose(bytes('x'));
  const ready = work(one);
  t.match(ready.entries, [{ term: 1, index: 3, data: bytes('x') }]);
  t.match(
    ready.messages.filter(({ type }) => type === 'MsgApp'),
    [2, 3].map((to) => ({ to, index: 2, logTerm: 1, commit: 2, entries: [{ index: 3 }] })),
  );
});

void t.test('5.3: an entry is committed once a majority has it, and applied in order', async (t) => {
  const one = newNode({ voters: [1, 2, 3, 4, 5] });
  elect(one, [2, 3]);
  one.node.propose(bytes('x'));
  drain(one);
  send(one, { type: 'MsgAppResp', from: 2, index: 3 });
  drain(one);
  t.equal(one.node.status().commit, 1, 'two of five');
  send(one, { type: 'MsgAppResp', from: 3, index: 3 });
  drain(one);
  t.equal(one.node.status().commit, 3, 'three of five');
  t.strictSame(one.applied, ['', 'x']);
});

void t.test(
  "5.3: followers learn the commit index and apply; entries of a leader's past terms are committed with its own",
  async (t) => {
    const group = newGroup(3);
    member(group, 1).node.campaign();
    converge(group);
    member(group, 1).node.propose(bytes('a'));
    converge(group);
    member(group, 2).node.campaign();
    converge(group);
    member(group, 2).node.propose(bytes('b'));
    converge(group);
    for (const one of group.values()) t.strictSame(one.applied, ['', 'a', '', 'b']);
  },
);

void t.test(
  '5.3: a follower refuses entries behind one that it does not have, with a hint where to look',
  async (t) => {
    const log = [entry(1, 2), entry(2, 3)];
    const cases = [
      { index: 3, logTerm: 2, reject: false, hint: 0, hintTerm: 0 },
      // Behind the end of the log: look at its end.
      { index: 5, logTerm: 2, reject: true, hint: 3, hintTerm: 2 },
      // Another term there: look at the last entry of a term that the leader may have.
      { index: 3, logTerm: 1, reject: true, hint: 2, hintTerm: 1 },
    ];
    for (const { index, logTerm, reject, hint, hintTerm } of cases) {
      const one = newNode({ entries: log, hardState: { term: 2, vote: 0, commit: 1 } });
      one.node.step(newMessage({ type: 'MsgApp', to: 1, from: 2, term: 2, index, logTerm }));
      t.match(drain(one), [{ type: 'MsgAppResp', reject, rejectHint: hint, logTerm: hintTerm }], `${logTerm}/${index}`);
    }
  },
);

void t.test('5.3: what conflicts with the leader is replaced, what agrees stays', async (t) => {
  const log = [entry(1, 2, 'a'), entry(1, 3, 'b'), entry(1, 4, 'c')];
  const cases: { prev: number; entries: Entry[]; stored: Entry[]; last: number }[] = [
    // Nothing new: a delayed message must not shorten the log.
    { prev: 1, entries: [entry(1, 2, 'a')], stored: [], last: 4 },
    { prev: 2, entries: [entry(2, 3, 'x')], stored: [entry(2, 3, 'x')], last: 3 },
    { prev: 2, entries: [entry(1, 3, 'b'), entry(2, 4, 'x')], stored: [entry(2, 4, 'x')], last: 4 },
    { prev: 4, entries: [entry(2, 5, 'x')], stored: [entry(2, 5, 'x')], last: 5 },
  ];
  for (const { prev, entries, stored, last } of cases) {
    const one = newNode({ entries: log, hardState: { term: 2, vote: 0, commit: 1 } });
    one.node.step(newMessage({ type: 'MsgApp', to: 1, from: 2, term: 2, index: prev, logTerm: 1, entries }));
    t.strictSame(work(one).entries, stored);
    t.equal(one.node.status().lastIndex, last);
  }
});

void t.test("5.4.1: no vote for a candidate whose log is older than one's own", async (t) => {
  const log = [entry(1, 2), entry(2, 3)];
  const cases = [
    { logTerm: 2, index: 3, reject: false },
    { logTerm: 2, index: 4, reject: false },
    { logTerm: 3, index: 1, reject: false },
    { logTerm: 2, index: 2, reject: true },
    { logTerm: 1, index: 9, reject: true },
  ];
  for (const { logTerm, index, reject } of cases) {
    const one = newNode({ entries: log, hardState: { term: 2, vote: 0, commit: 1 } });
    one.node.step(newMessage({ type: 'MsgVote', to: 1, from: 2, term: 3, logTerm, index }));
    t.match(drain(one), [{ type: 'MsgVoteResp', reject }], `${logTerm}/${index}`);
  }
});

void t.test(
  '5.4.2: entries of older terms are not committed by counting, only below one of the own term',
  async (t) => {
    const one = newNode({ entries: [entry(1, 2), entry(2, 3)], hardState: { term: 2, vote: 0, commit: 1 } });
    elect(one);
    for (const [acked, commit] of [
      [2, 1],
      [3, 1],
      [4, 4],
    ]) {
      send(one, { type: 'MsgAppResp', from: 2, index: acked ?? 0 });
      drain(one);
      t.equal(one.node.status().commit, commit, `acknowledged up to ${acked}`);
    }
  },
);
