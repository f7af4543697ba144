import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { setFaultInjector } from '../../../../node/base/buggify/buggify.ts';
import { newMessage } from '../../../../node/raft/index.ts';
import { encodeCommand } from '../../../../node/state/command.ts';
import { openLevelLogStore } from '../../../../node/store/index.ts';
import { put, RaftGroup, until } from '../../../support/raft/raft-group.ts';

const folder = await mkdtemp(join(tmpdir(), 'shoal-raft-'));
// The clock's timers do not keep a process alive.
const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));
t.teardown(() => rm(folder, { recursive: true, force: true }));
let groups = 0;

function newGroup(options: ConstructorParameters<typeof RaftGroup>[1] = {}): RaftGroup {
  groups += 1;
  const base = join(folder, String(groups));
  return new RaftGroup(
    (raftId, bootstrap) => openLevelLogStore({ folder: join(base, String(raftId)), raftId, bootstrap }),
    options,
  );
}

await t.test('one member serves alone, and finds everything again after a restart', async (t) => {
  const group = newGroup();
  const { state, loop } = await group.start(1, true);
  const outcome = await state.commit(put('a'), { clientToken: 'once' });
  t.equal(outcome.succeeded, true);
  t.equal(state.local.get('a')?.revision, outcome.revision);
  t.equal((await state.fresh()).get('a')?.revision, outcome.revision);
  t.match(state.status(), { hasQuorum: true, leaderRaftId: 1, voters: [1], missingVoters: [] });
  await loop.stop();
  await loop.stop();
  await t.rejects(state.commit(put('b')), { code: 'CANCELLED' });
  const again = await group.start(1, true);
  t.same(await again.state.commit(put('a', 'other'), { clientToken: 'once' }), outcome, 'the token is remembered');
  t.equal(again.state.local.get('a')?.revision, outcome.revision);
  await group.stopAll();
});

await t.test(
  'three members: writes anywhere are read everywhere, and the loss of the leader costs nothing',
  async (t) => {
    const group = newGroup();
    t.teardown(() => group.stopAll());
    const [one, two, three] = await group.startVoters(3);
    if (!one || !two || !three) throw new Error('three members');
    const heard: string[] = [];
    three.state.watch({ prefix: 'k' }, (events) => heard.push(...events.map((event) => event.key)));
    const outcomes = await Promise.all([one, two, three].map((member, n) => member.state.commit(put(`k${n}`))));
    t.same(
      outcomes.map((outcome) => outcome.succeeded),
      [true, true, true],
    );
    for (const member of [one, two, three]) {
      const reader = await member.state.fresh();
      t.same(
        [0, 1, 2].map((n) => reader.get(`k${n}`)?.revision),
        outcomes.map((outcome) => outcome.revision),
      );
    }
    await until(() => heard.length === 3, 'the watcher hears');
    t.match(two.state.status(), { hasQuorum: true, leaderRaftId: 1, voters: [1, 2, 3], missingVoters: [] });

    // Many at once, from everywhere, each with its own token sent twice.
    const many = await Promise.all(
      Array.from({ length: 300 }, async (_, n) => {
        const member = [one, two, three][n % 3] ?? one;
        const add = {
          compares: [],
          thenOps: [{ kind: 'add' as const, key: 'n', delta: 1, min: 0, max: 1000 }],
          elseOps: [],
        };
        const [first, second] = await Promise.all([
          member.state.commit(add, { clientToken: `t${n}` }),
          member.state.commit(add, { clientToken: `t${n}` }),
        ]);
        return first.revision === second.revision;
      }),
    );
    t.ok(
      many.every((same) => same),
      'both sends have one outcome',
    );
    t.equal((await two.state.fresh()).counter('n'), 300);

    await group.kill(1);
    const startedMs = performance.now();
    const next = await group.waitLeader();
    t.comment(`next leader after ${Math.round(performance.now() - startedMs)} ms`);
    const after = await next.state.commit(put('after'));
    t.ok(after.revision > 300);
    t.match(next.state.status().missingVoters, [1]);
    const back = await group.start(1);
    t.equal((await back.state.fresh()).get('after')?.revision, after.revision, 'it catches up');
    t.equal(back.loop.quarantine, undefined);
    t.same(group.fatal, []);
  },
);

await t.test('a leader that stops hands over', async (t) => {
  const group = newGroup();
  t.teardown(() => group.stopAll());
  const [one] = await group.startVoters(3);
  const startedMs = performance.now();
  await one?.loop.stop();
  group.members.delete(1);
  const next = await group.waitLeader();
  await next.state.commit(put('a'));
  t.ok(performance.now() - startedMs < 1000, 'at once');
});

await t.test(
  'without quorum writes are refused in less than a second with the missing named, reads go on, and it heals',
  async (t) => {
    const group = newGroup();
    t.teardown(() => group.stopAll());
    const [one, two, three] = await group.startVoters(3);
    if (!one || !two || !three) throw new Error('three members');
    await one.state.commit(put('before'));
    group.partition([1], [2, 3]);
    const other = await group.waitLeader(1);
    const written = await other.state.commit(put('majority'));
    for (const body of [
      async () => void (await one.state.commit(put('minority'))),
      async () => void (await one.state.fresh()),
    ]) {
      const startedMs = performance.now();
      await t.rejects(body(), { code: 'NO_QUORUM', facts: { missingVoters: [2, 3] } });
      t.ok(performance.now() - startedMs < 1000, `${Math.round(performance.now() - startedMs)} ms`);
    }
    t.equal(one.state.local.get('before') !== undefined, true, 'local reads go on');
    t.match(one.state.status(), { hasQuorum: false, missingVoters: [2, 3] });
    group.heal();
    await until(() => one.state.status().hasQuorum, 'the minority is back');
    t.equal((await one.state.fresh()).get('majority')?.revision, written.revision);
    t.equal(one.state.local.get('minority'), undefined, 'what was refused did not happen');

    // The leader cut off while a write is on its way: refused, or its fate is unknown; never an untruth.
    const leader = group.leader();
    const rest = [1, 2, 3].filter((id) => id !== leader.loop.raftId);
    group.partition([leader.loop.raftId], rest);
    const startedMs = performance.now();
    await t.rejects(leader.state.commit(put('limbo')), { code: /NO_QUORUM|OUTCOME_UNKNOWN/ });
    t.ok(performance.now() - startedMs < 2000, `${Math.round(performance.now() - startedMs)} ms`);
    const next = await group.waitLeader(leader.loop.raftId);
    await next.state.commit(put('later'));
    group.heal();
    await until(() => leader.state.local.get('later') !== undefined, 'the old leader follows');
    t.equal(leader.state.local.get('limbo'), undefined);
    t.same(group.fatal, []);
  },
);

await t.test('a member that lags too far gets a snapshot, also over a transfer that breaks', async (t) => {
  const group = newGroup({ logBytesMax: 200_000, logBytesKept: 50_000, logBytesHard: 400_000 });
  t.teardown(() => group.stopAll());
  await group.startVoters(3);
  const { state } = group.leader();
  const value = new Uint8Array(10_000);
  await group.kill(3);
  for (let n = 0; n < 20; n += 1)
    await Promise.all(Array.from({ length: 10 }, (_, m) => state.commit(put(`k${n}-${m}`, value))));
  await until(
    () =>
      group
        .leader()
        .loop.members()
        .some((m) => m.lagEntries > 100),
    'it lags',
  );
  await new Promise((resolve) => setTimeout(resolve, 500));
  const heard = new Set<string>();
  group.breakSnapshotAfterParts = 3;
  group.snapshotParts = 0;
  const back = await group.start(3);
  back.state.watch({ prefix: '' }, (events) => {
    for (const event of events) heard.add(event.key);
  });
  await until(() => back.state.local.get('k19-9') !== undefined, 'it has caught up');
  t.ok(group.snapshotParts > 5, 'by a snapshot');
  t.ok(group.snapshotParts < 12, 'which went on where it broke');
  t.equal(heard.has('k19-9'), true, 'its watchers heard of it');
  const last = await state.commit(put('last'));
  await until(() => back.state.local.revision >= last.revision, 'and follows');
  await group.kill(3);
  const again = await group.start(3);
  t.equal(again.state.local.get('k0-0') !== undefined, true, 'it is on its disk');
  t.same(group.fatal, []);
});

await t.test('a learner lacks everything until it has the state, however short the log is', async (t) => {
  const group = newGroup();
  t.teardown(() => group.stopAll());
  const { loop, state: first } = await group.start(1, true);
  await first.commit(put('a'));
  await loop.changeMembers([{ type: 'addLearner', nodeId: 2 }]);
  const lagOf2 = () => loop.members().find(({ raftId }) => raftId === 2)?.lagEntries;
  t.equal(lagOf2(), Number.POSITIVE_INFINITY);
  const { state } = await group.start(2);
  await until(() => lagOf2() === 0, 'it has the state');
  t.not(state.local.revision, 0);
  t.same(group.fatal, []);
});

await t.test('a disk that was wiped or put back under a live member does not vote until it is repaired', async (t) => {
  const group = newGroup();
  t.teardown(() => group.stopAll());
  await group.startVoters(3);
  const first = await group.leader().state.commit(put('a'));
  const base = join(folder, String(groups), '3');
  await until(() => group.member(3).state.local.revision >= first.revision, 'all have it');
  await group.kill(3);
  const { cp } = await import('node:fs/promises');
  await cp(base, `${base}.old`, { recursive: true });
  await group.start(3);
  const second = await group.leader().state.commit(put('b'));
  await until(() => group.member(3).state.local.revision >= second.revision, 'all have it');

  for (const how of ['rolled-back', 'wiped', 'wiped with its folder'] as const) {
    await group.kill(3);
    if (how === 'wiped') await rm(join(base, 'db'), { recursive: true });
    else await rm(base, { recursive: true });
    if (how === 'rolled-back') await cp(`${base}.old`, base, { recursive: true });
    const termBefore = group.leader().state.status().term;
    const back = await group.start(3);
    await until(() => back.loop.quarantine !== undefined, `${how}: quarantined`);
    t.comment(back.loop.quarantine?.detail);
    await until(() => back.loop.quarantine === undefined, `${how}: repaired`);
    t.ok(back.state.status().term > termBefore + 1000, `${how}: out of reach of forgotten votes`);
    t.equal(back.state.local.get('b')?.revision, second.revision, `${how}: everything is back`);
    await group.waitLeader();
    // Now it counts again: with another member gone it must make the quorum.
    const gone = group.leader().loop.raftId === 1 ? 2 : 1;
    await group.kill(gone);
    t.equal(
      (await group.leader().state.commit(put(`with-${how.replaceAll(' ', '-')}`))).succeeded,
      true,
      `${how}: it votes again`,
    );
    await group.start(gone);
    await until(() => group.member(gone).state.status().hasQuorum, 'whole again');
  }
  t.same(group.fatal, []);
});

await t.test(
  'the disk of a leader that was put back is found out, though a leader acknowledges to nobody',
  async (t) => {
    const group = newGroup();
    t.teardown(() => group.stopAll());
    await group.startVoters(3);
    const leader = await group.waitLeader();
    const id = leader.loop.raftId;
    const others = [1, 2, 3].filter((other) => other !== id).map((other) => group.member(other));
    const first = await leader.state.commit(put('a'));
    await until(
      () => others.every(({ loop }) => (loop.memoryOf(id)?.match ?? 0) >= first.revision),
      'the others have heard how far its disk has come',
    );
    const base = join(folder, String(groups), String(id));
    const { cp } = await import('node:fs/promises');
    // While it leads, and writes nothing: the same term and the same start as what comes after.
    await cp(base, `${base}.old`, { recursive: true });
    const second = await leader.state.commit(put('b'));
    await until(
      () => others.some(({ loop }) => (loop.memoryOf(id)?.match ?? 0) >= second.revision),
      'somebody has heard of the next entry',
    );
    await group.kill(id);
    await rm(base, { recursive: true });
    await cp(`${base}.old`, base, { recursive: true });
    const back = await group.start(id);
    await until(() => back.loop.quarantine !== undefined, 'its log is quarantined');
    t.match(back.loop.quarantine, { reason: 'rolled-back' });
    await until(() => back.loop.quarantine === undefined, 'it is repaired by the others');
    t.equal(back.state.local.get('b')?.revision, second.revision, 'everything is back');
    t.same(group.fatal, []);
  },
);

await t.test(
  'writes and reads beyond their bounds are refused at once; those that were taken get their answers',
  async (t) => {
    const group = newGroup();
    t.teardown(() => group.stopAll());
    const [one, two] = await group.startVoters(3);
    if (!one || !two) throw new Error('three members');
    const { loop } = one;
    const data = encodeCommand({
      clientToken: '',
      transaction: { compares: [], thenOps: [{ kind: 'add', key: 'n', delta: 1, min: 0, max: 1e6 }], elseOps: [] },
    });
    // All within one turn: nothing can be answered meanwhile.
    const writes = Array.from({ length: 8192 }, () => loop.proposeEncoded(data));
    const reads = Array.from({ length: 16_384 }, () => loop.readIndex());
    const tooMany = [loop.proposeEncoded(data), loop.proposeEncoded(data)];
    const tooManyReads = [loop.readIndex(), loop.readIndex()];
    let answered = 0;
    for (const promise of [...writes, ...reads]) promise.then(() => answered++, t.error);
    for (const promise of tooMany) await t.rejects(promise, { code: 'PROPOSAL_DROPPED', facts: { waiting: 8192 } });
    for (const promise of tooManyReads) await t.rejects(promise, { code: 'RATE_LIMITED', facts: { waiting: 16_384 } });
    t.equal(answered, 0, 'the refusals did not wait for an answer');

    const outcomes = await Promise.all(writes);
    t.equal(new Set(outcomes.map(({ revision }) => revision)).size, 8192, 'each has an entry of its own');
    const points = await Promise.all(reads);
    t.ok(points.every((index) => index > 0 && index <= loop.commitIndex));
    t.equal((await two.state.fresh()).counter('n'), 8192, 'what was refused did not happen');

    // There is room again.
    await Promise.all([loop.proposeEncoded(data), loop.readIndex()]);
    t.equal((await one.state.fresh()).counter('n'), 8193);
    t.same(group.fatal, []);
  },
);

await t.test('writes are bounded in bytes, too', async (t) => {
  const group = newGroup();
  t.teardown(() => group.stopAll());
  const [one] = await group.startVoters(1);
  if (!one) throw new Error('one member');
  const large = encodeCommand({ clientToken: '', transaction: put('large', new Uint8Array(1024 * 1024)) });
  const small = encodeCommand({ clientToken: '', transaction: put('small') });
  const fitting = Math.floor((64 * 1024 * 1024) / large.length);
  const writes = Array.from({ length: fitting }, () => one.loop.proposeEncoded(large));
  await t.rejects(one.loop.proposeEncoded(large), { code: 'PROPOSAL_DROPPED', facts: { waiting: fitting } });
  const outcomes = await Promise.all([...writes, one.loop.proposeEncoded(small)]);
  t.equal(new Set(outcomes.map(({ revision }) => revision)).size, fitting + 1);
});

/** Three voters: who leads, and the loop of one that follows and has caught up. `from` and `to` are their numbers. */
async function leaderAndFollower(group: RaftGroup) {
  await group.startVoters(3);
  const leader = await group.waitLeader();
  await leader.state.commit(put('before'));
  const from = leader.loop.raftId;
  const to = [1, 2, 3].find((id) => id !== from) ?? 0;
  const { loop } = group.member(to);
  await until(() => loop.status().appliedIndex >= leader.loop.commitIndex, 'the follower has caught up');
  return { leader, loop, from, to };
}

await t.test('a leader that counts on more than the log holds shows that the log was put back', async (t) => {
  const group = newGroup();
  t.teardown(() => group.stopAll());
  const { leader, loop, from, to } = await leaderAndFollower(group);
  const { term } = leader.loop.status();
  loop.onMessage(newMessage({ type: 'MsgHeartbeat', from, to, term, commit: leader.loop.commitIndex + 100 }));
  await until(() => loop.quarantine !== undefined, 'its log is quarantined');
  t.equal(loop.quarantine?.reason, 'rolled-back');
  t.match(loop.quarantine?.detail, /counts on entry/);
  await until(() => loop.quarantine === undefined, 'it is repaired by the others');
  await leader.state
    .commit(put('after'))
    .catch(() => group.waitLeader().then(({ state }) => state.commit(put('after'))));
  t.same(group.fatal, [], 'and nothing broke');
});

await t.test('a log that is quarantined while entries are left to apply is repaired all the same', async (t) => {
  const group = newGroup();
  t.teardown(() => group.stopAll());
  // Entries are applied one at a time, the others after other events had their turn.
  setFaultInjector({ buggify: (branch) => branch === 'raft-loop.apply-one', failpoint: () => {}, mark: () => {} });
  t.teardown(() => setFaultInjector(undefined));
  const { leader, loop, from, to } = await leaderAndFollower(group);
  const writes = Promise.allSettled(Array.from({ length: 200 }, (_, at) => leader.state.commit(put(`key${at}`))));
  const isBehind = (): boolean => loop.commitIndex > loop.status().appliedIndex + 2;
  for (let turns = 0; !isBehind() && turns < 100_000; turns += 1) await new Promise((done) => setImmediate(done));
  t.ok(isBehind(), 'committed entries are left to apply');
  const { term } = leader.loop.status();
  loop.onMessage(newMessage({ type: 'MsgHeartbeat', from, to, term, commit: leader.loop.commitIndex + 1_000 }));
  await until(() => loop.quarantine !== undefined, 'its log is quarantined');
  await writes;
  await until(() => loop.quarantine === undefined, 'it is repaired by the others');
  t.same(group.fatal, [], 'and nothing broke');
});
