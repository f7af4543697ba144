import t from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import {
  appendThread,
  applyThread,
  type Entry,
  emptyConfState,
  type LogIndex,
  type Message,
  newMessage,
  noBytes,
} from '../../../node/raft/messages/messages.ts';
import { RawNode } from '../../../node/raft/raw-node.ts';
import { MemoryStorage } from '../../../node/raft/storage/memory-storage.ts';
import type { LogRefusal } from '../../../node/raft/storage/storage.ts';
import { bytes, converge, drain, elect, entry, member, newGroup, newNode, send, work } from './group.ts';

void t.test('a configuration with mistakes is refused, and all of them are named', async (t) => {
  const storage = new MemoryStorage();
  storage.applySnapshot({ index: 1, term: 1, confState: { ...emptyConfState, voters: [1] }, data: noBytes });
  const random = { below: () => 0 };
  try {
    new RawNode({ id: 0, storage, random, electionTicks: 1, heartbeatTicks: 1, readMode: 'lease-based' });
    t.fail('accepted');
  } catch (caught) {
    t.ok(ShoalError.is(caught, 'CONFIG_INVALID'));
    t.match(String(caught), /id 0.*electionTicks 1 .*must exceed.*lease-based needs checkQuorum/);
  }
});

void t.test('a membership that nothing in the log explains is refused', async (t) => {
  const storage = new MemoryStorage();
  const orphan = Object.assign(storage, {
    initialState: () => ({
      hardState: { term: 0, vote: 0, commit: 0 },
      confState: { ...emptyConfState, voters: [1] },
    }),
  });
  const config = { id: 1, storage: orphan, random: { below: () => 0 }, electionTicks: 10, heartbeatTicks: 1 };
  t.throws(() => new RawNode(config), { code: 'CONFIG_INVALID' });
});

void t.test('a node without news has no Ready', async (t) => {
  const one = newNode();
  t.notOk(one.node.hasReady());
  one.node.tick();
  t.notOk(one.node.hasReady());
});

void t.test('ready() must be followed by advance(), once', async (t) => {
  const one = newNode();
  one.node.campaign();
  one.node.ready();
  t.throws(() => one.node.ready(), /without advance/);
  one.node.advance();
  t.throws(() => one.node.advance(), /without ready/);
});

void t.test('what a Ready hands out is handed out once', async (t) => {
  const one = newNode({ voters: [1] });
  one.node.campaign();
  drain(one);
  one.node.propose(bytes('x'));
  t.equal(work(one).entries.length, 1);
  t.strictSame(work(one).entries, []);
  t.notOk(one.node.hasReady());
  t.strictSame(one.applied, ['', 'x']);
});

void t.test('proposals are refused where nobody can take them', async (t) => {
  const follower = newNode();
  t.equal(follower.node.propose(bytes('x')), 'proposal-dropped', 'no leader known');
  follower.node.step(newMessage({ type: 'MsgHeartbeat', to: 1, from: 2, term: 1 }));
  t.equal(follower.node.propose(bytes('x')), undefined, 'passed on');
  t.match(drain(follower).at(-1), { type: 'MsgProp', to: 2, from: 1, term: 0 });

  const alone = newNode({ disableProposalForwarding: true });
  alone.node.step(newMessage({ type: 'MsgHeartbeat', to: 1, from: 2, term: 1 }));
  t.equal(alone.node.propose(bytes('x')), 'proposal-dropped', 'not passed on');
});

void t.test('a batch of proposals is one message to each follower', async (t) => {
  const one = newNode();
  elect(one);
  send(one, { type: 'MsgAppResp', from: 2, index: 2 });
  drain(one);
  one.node.proposeBatch([bytes('a'), bytes('b'), bytes('c')]);
  const appends = drain(one).filter(({ type, to }) => type === 'MsgApp' && to === 2);
  t.strictSame(
    appends.map(({ entries }) => entries.length),
    [3],
  );
});

void t.test('append messages respect their size in bytes, and a follower its window', async (t) => {
  const one = newNode({ maxBytesPerMessage: 60, maxInflightMessages: 2 });
  elect(one);
  send(one, { type: 'MsgAppResp', from: 2, index: 2 });
  drain(one);
  one.node.proposeBatch(Array.from({ length: 10 }, (_, i) => bytes(`${i}`)));
  const sizes = (): number[] =>
    drain(one)
      .filter(({ type, to }) => type === 'MsgApp' && to === 2)
      .map(({ entries }) => entries.length);
  // Two entries of 27 bytes fit into 60; only one message leaves for the proposal itself.
  t.strictSame(sizes(), [2]);
  send(one, { type: 'MsgAppResp', from: 2, index: 4 });
  t.strictSame(
    sizes().filter((count) => count > 0),
    [2, 2],
    'an acknowledgement fills the window',
  );
});

void t.test('messages from outside that make no sense are refused before they can do harm', async (t) => {
  const one = newNode({ hardState: { term: 2, vote: 0, commit: 1 } });
  const confState = { ...emptyConfState, voters: [1, 2] };
  const cases: { name: string; message: Message; refusal: string }[] = [
    {
      name: 'storage message',
      message: newMessage({ type: 'MsgStorageAppendResp', from: 2, term: 2, index: 1, logTerm: 1 }),
      refusal: 'local-message',
    },
    { name: 'stranger', message: newMessage({ type: 'MsgAppResp', from: 9, term: 2 }), refusal: 'peer-not-found' },
    { name: 'no term', message: newMessage({ type: 'MsgHeartbeat', from: 2 }), refusal: 'malformed-message' },
    {
      name: 'gap',
      message: newMessage({ type: 'MsgApp', from: 2, term: 2, index: 1, logTerm: 1, entries: [entry(2, 3)] }),
      refusal: 'malformed-message',
    },
    {
      name: 'entry of a later term',
      message: newMessage({ type: 'MsgApp', from: 2, term: 2, index: 1, logTerm: 1, entries: [entry(3, 2)] }),
      refusal: 'malformed-message',
    },
    {
      name: 'shrinking terms',
      message: newMessage({
        type: 'MsgApp',
        from: 2,
        term: 3,
        index: 1,
        logTerm: 1,
        entries: [entry(2, 2), entry(1, 3)],
      }),
      refusal: 'malformed-message',
    },
    { name: 'empty proposal', message: newMessage({ type: 'MsgProp', from: 2 }), refusal: 'malformed-message' },
    { name: 'nameless read', message: newMessage({ type: 'MsgReadIndex', from: 2 }), refusal: 'malformed-message' },
    {
      name: 'huge context',
      message: newMessage({ type: 'MsgHeartbeat', from: 2, term: 2, context: new Uint8Array(257) }),
      refusal: 'malformed-message',
    },
    {
      name: 'term beyond 2^53',
      message: newMessage({ type: 'MsgVote', from: 2, term: 2 ** 53 }),
      refusal: 'malformed-message',
    },
    { name: 'no snapshot', message: newMessage({ type: 'MsgSnap', from: 2, term: 2 }), refusal: 'malformed-message' },
    {
      name: 'snapshot with a voter that learns',
      message: newMessage({
        type: 'MsgSnap',
        from: 2,
        term: 2,
        snapshot: { index: 9, term: 2, confState: { ...confState, learners: [2] }, data: noBytes },
      }),
      refusal: 'malformed-message',
    },
    {
      name: 'snapshot that leaves what it has not entered',
      message: newMessage({
        type: 'MsgSnap',
        from: 2,
        term: 2,
        snapshot: { index: 9, term: 2, confState: { ...confState, autoLeave: true }, data: noBytes },
      }),
      refusal: 'malformed-message',
    },
  ];
  const before = one.node.status();
  for (const { name, message, refusal } of cases) t.equal(one.node.step(message), refusal, name);
  t.strictSame(one.node.status(), before);
  t.notOk(one.node.hasReady());
});

void t.test('a forwarded conf change that is no conf change is refused whole', async (t) => {
  const one = newNode();
  elect(one);
  const broken: Entry = { term: 0, index: 0, type: 'confChangeV2', data: Uint8Array.of(0xff) };
  t.equal(send(one, { type: 'MsgProp', from: 2, term: 0, entries: [entry(0, 0), broken] }), 'malformed-message');
  t.equal(one.node.status().lastIndex, 2);
});

void t.test('a leader without a quorum steps down at its check, and a minority cannot make it', async (t) => {
  const one = newNode({ checkQuorum: true });
  elect(one);
  send(one, { type: 'MsgHeartbeatResp', from: 2 });
  for (let i = 0; i < 10; i++) one.node.tick();
  t.equal(one.node.raft.role, 'leader', 'heard from a majority in the last interval');
  for (let i = 0; i < 10; i++) one.node.tick();
  t.equal(one.node.raft.role, 'follower', 'heard from nobody');
});

void t.test('waiting reads are bounded', async (t) => {
  const one = newNode({ maxPendingReads: 2 });
  elect(one);
  const read = (name: string) => one.node.readIndex(bytes(name));
  t.strictSame([read('a'), read('b'), read('c')], [undefined, undefined, 'read-dropped'], 'before the first commit');
  send(one, { type: 'MsgAppResp', from: 2, index: 2 });
  drain(one);
  t.equal(read('d'), 'read-dropped', 'while two wait for a quorum');
});

void t.test('one heartbeat answers all reads that were asked before it', async (t) => {
  const group = newGroup(3);
  member(group, 1).node.campaign();
  converge(group);
  const leader = member(group, 1);
  for (const name of ['a', 'b', 'c']) leader.node.readIndex(bytes(name));
  const ready = work(leader);
  const last = ready.messages.filter(({ to }) => to === 2).at(-1);
  send(leader, { type: 'MsgHeartbeatResp', from: 2, context: last?.context ?? noBytes });
  t.strictSame(
    work(leader).readStates.map(({ context, index }) => [new TextDecoder().decode(context), index]),
    [
      ['a', 2],
      ['b', 2],
      ['c', 2],
    ],
  );
});

void t.test('a single voter, too, reads only after an entry of its own term is committed', async (t) => {
  // Index 3 was committed and acknowledged in the last run; the stored commit index does not say so.
  const one = newNode({ voters: [1], entries: [entry(1, 2), entry(1, 3)], hardState: { term: 1, vote: 1, commit: 1 } });
  one.node.campaign();
  work(one);
  t.equal(one.node.raft.role, 'leader');
  one.node.readIndex(bytes('r'));
  const states = [];
  while (one.node.hasReady()) states.push(...work(one).readStates);
  t.strictSame(
    states.map(({ index }) => index),
    [4],
  );
});

void t.test('applied entries count as committed after a restart, whatever the stored commit index says', async (t) => {
  const one = newNode({
    applied: 3,
    entries: [entry(1, 2), entry(1, 3)],
    hardState: { term: 1, vote: 1, commit: 1 },
  });
  t.match(one.node.status(), { commit: 3, applied: 3 });
  t.notOk(one.node.hasReady());
});

void t.test(
  'an acknowledged commit index behind the end of the log stops the node: its disk has lost entries',
  async (t) => {
    const one = newNode();
    t.throws(
      () => one.node.step(newMessage({ type: 'MsgHeartbeat', to: 1, from: 2, term: 2, commit: 5 })),
      /behind the end/,
    );
  },
);

void t.test('asynchronous writes: a candidate claims only what is durable', async (t) => {
  const one = newNode({ asyncStorageWrites: true, hardState: { term: 2, vote: 0, commit: 1 } });
  const entries = [entry(2, 2), entry(2, 3)];
  one.node.step(newMessage({ type: 'MsgApp', to: 1, from: 2, term: 2, index: 1, logTerm: 1, entries }));
  const append = one.node.ready().messages.find(({ to }) => to === appendThread);
  t.equal(append?.entries.length, 2);
  one.node.campaign();
  t.match(
    one.node.ready().messages.find(({ type }) => type === 'MsgVote'),
    { index: 1, logTerm: 1 },
    'the two entries are still being written',
  );
});

void t.test('asynchronous writes: entries are applied when they are durable here, not before', async (t) => {
  const one = newNode({ asyncStorageWrites: true, hardState: { term: 2, vote: 0, commit: 1 } });
  const entries = [entry(2, 2, 'x')];
  one.node.step(newMessage({ type: 'MsgApp', to: 1, from: 2, term: 2, index: 1, logTerm: 1, entries, commit: 2 }));
  const ready = one.node.ready();
  t.strictSame(ready.committedEntries, []);
  const append = ready.messages.find(({ to }) => to === appendThread);
  one.storage.append(append?.entries ?? []);
  for (const response of append?.responses ?? []) if (response.to === 1) one.node.step(response);
  const apply = one.node.ready().messages.find(({ to }) => to === applyThread);
  t.match(apply?.entries, [{ index: 2 }]);
  t.throws(() => one.node.advance(), /no meaning/);
});

void t.test('no campaign while a committed conf change is not applied', async (t) => {
  const change: Entry = { term: 1, index: 2, type: 'confChangeV2', data: noBytes };
  const one = newNode({ entries: [change], hardState: { term: 1, vote: 0, commit: 2 } });
  one.node.campaign();
  t.equal(one.node.raft.role, 'follower');
});

void t.test('entries that storage must fetch first are sent later, and no snapshot in their place', async (t) => {
  class SlowStorage extends MemoryStorage {
    slow = true;
    override entries(low: LogIndex, high: LogIndex, bytesMax: number): readonly Entry[] | LogRefusal {
      return this.slow ? 'temporarily-unavailable' : super.entries(low, high, bytesMax);
    }
  }
  const storage = new SlowStorage();
  storage.applySnapshot({ index: 1, term: 1, confState: { ...emptyConfState, voters: [1, 2] }, data: noBytes });
  storage.append([entry(1, 2, 'a'), entry(1, 3, 'b')]);
  storage.setHardState({ term: 1, vote: 0, commit: 3 });
  const one = newNode({ voters: [1, 2], storage, applied: 3 });
  const test = { ...one, storage };
  elect(test);
  send(test, { type: 'MsgAppResp', from: 2, index: 3, reject: true, rejectHint: 1, logTerm: 1 });
  t.strictSame(drain(test), []);
  storage.slow = false;
  send(test, { type: 'MsgHeartbeatResp', from: 2 });
  t.match(drain(test), [{ type: 'MsgApp', index: 1, entries: [{ index: 2 }, { index: 3 }, { index: 4 }] }]);
});

void t.test('a snapshot that does not know the follower is not sent to it; a newer one is asked for', async (t) => {
  const asked: LogIndex[] = [];
  class OldSnapshotStorage extends MemoryStorage {
    override snapshot(atLeast: LogIndex = 0) {
      asked.push(atLeast);
      return super.snapshot(atLeast);
    }
  }
  const storage = new OldSnapshotStorage();
  storage.applySnapshot({ index: 1, term: 1, confState: { ...emptyConfState, voters: [1] }, data: noBytes });
  const one = { ...newNode({ voters: [1], storage }), storage };
  elect(one, []);
  one.node.raft.applyConfChange({ transition: 'auto', changes: [{ type: 'addNode', nodeId: 2 }], context: noBytes });
  drain(one);
  const reject = { type: 'MsgAppResp', from: 2, reject: true, rejectHint: 0 } as const;
  send(one, { ...reject, index: 1 });
  t.strictSame(drain(one), [], 'index 1 was before node 2');
  t.strictSame(asked, [0, 2]);
  storage.createSnapshot(2, { ...emptyConfState, voters: [1, 2] }, noBytes);
  send(one, { type: 'MsgHeartbeatResp', from: 2 });
  t.match(drain(one), [{ type: 'MsgSnap', to: 2, snapshot: { index: 2 } }]);
});

void t.test('a read in a group of five needs two others', async (t) => {
  const one = newNode({ voters: [1, 2, 3, 4, 5] });
  elect(one, [2, 3]);
  for (const from of [2, 3]) send(one, { type: 'MsgAppResp', from, index: 2 });
  drain(one);
  const context = bytes('r');
  one.node.readIndex(context);
  drain(one);
  send(one, { type: 'MsgHeartbeatResp', from: 2, context });
  send(one, { type: 'MsgHeartbeatResp', from: 2, context });
  t.notOk(one.node.hasReady(), 'one other, twice');
  send(one, { type: 'MsgHeartbeatResp', from: 4, context });
  t.match(work(one).readStates, [{ index: 2 }]);
});

void t.test(
  'asynchronous writes: a confirmation of an older term counts for nothing, even for the same entry',
  async (t) => {
    const one = newNode({ asyncStorageWrites: true, hardState: { term: 1, vote: 0, commit: 1 } });
    const append = (term: number, entryTerm: number): Message => {
      const entries = [entry(entryTerm, 2)];
      one.node.step(newMessage({ type: 'MsgApp', to: 1, from: 2, term, index: 1, logTerm: 1, entries }));
      const work = one.node.ready().messages.find(({ to }) => to === appendThread);
      return work?.responses.find(({ from }) => from === appendThread) ?? newMessage({ type: 'MsgProp' });
    };
    // Entry 1/2 comes, is replaced by 2/2, and comes back through a leader of term 3. All three are being written.
    const first = append(1, 1);
    const second = append(2, 2);
    const third = append(3, 1);
    one.node.step(first);
    t.equal(one.node.raft.log.unstable.length, 1, 'storage is about to write 2/2 over it');
    one.node.step(second);
    t.equal(one.node.raft.log.unstable.length, 1);
    one.node.step(third);
    t.equal(one.node.raft.log.unstable.length, 0);
  },
);

void t.test('under lease reads a node in its first life answers a heartbeat once its term is durable', async (t) => {
  const options = { asyncStorageWrites: true, checkQuorum: true, readMode: 'lease-based' as const };
  const heartbeat = newMessage({ type: 'MsgHeartbeat', to: 1, from: 2, term: 1 });
  const isAnswer = ({ type }: Message): boolean => type === 'MsgHeartbeatResp';
  const young = newNode(options);
  young.node.step(heartbeat);
  const { messages } = young.node.ready();
  t.notOk(messages.some(isAnswer));
  t.ok(messages.some(({ responses }) => responses.some(isAnswer)));
  const old = newNode({ ...options, hardState: { term: 1, vote: 0, commit: 1 } });
  old.node.step(heartbeat);
  t.ok(old.node.ready().messages.some(isAnswer));
});
