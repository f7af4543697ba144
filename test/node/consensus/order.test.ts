import { randomUUID } from 'node:crypto';
import t from 'tap';
import { MemoryDisk, openMemoryLogStore } from '../../../node/store/index.ts';
import { put, RaftGroup, until } from '../../support/raft/raft-group.ts';

// The clock's timers do not keep a process alive.
const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));

/** Long enough for anything that could happen without the disk to have happened. */
const pauseMs = 300;

class GatedDisk extends MemoryDisk {
  #open: (() => void) | undefined;
  #gate: Promise<void> = Promise.resolve();

  constructor() {
    super();
    this.beforeWrite = () => this.#gate;
  }

  shut(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    this.#open = resolve;
  }

  release(): void {
    this.#open?.();
    this.#gate = Promise.resolve();
  }
}

function newGroup(): { group: RaftGroup; disks: Map<number, GatedDisk> } {
  const disks = new Map<number, GatedDisk>();
  const group = new RaftGroup((raftId, bootstrap) => {
    const disk = disks.get(raftId) ?? new GatedDisk();
    disks.set(raftId, disk);
    return openMemoryLogStore({ raftId, newIncarnation: randomUUID(), bootstrap }, disk);
  });
  return { group, disks };
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, pauseMs));

await t.test('a write is acknowledged only when a quorum has it on disk', async (t) => {
  const { group, disks } = newGroup();
  t.teardown(() => group.stopAll());
  await group.startVoters(3);
  const { state } = group.leader();
  await group.kill(3);
  // Of the two left both are needed.
  for (const id of [2, 1]) {
    disks.get(id)?.shut();
    let isDone = false;
    const commit = state.commit(put(`gate-${id}`)).then((outcome) => {
      isDone = true;
      return outcome;
    });
    await pause();
    t.equal(isDone, false, `the disk of member ${id} is not done`);
    t.equal(group.member(2).state.local.get(`gate-${id}`), undefined, 'and nobody has applied it');
    disks.get(id)?.release();
    t.equal((await commit).succeeded, true);
  }
  t.same(group.fatal, []);
});

await t.test('the leader sends to the others while its own disk is still busy', async (t) => {
  const { group, disks } = newGroup();
  t.teardown(() => group.stopAll());
  await group.startVoters(3);
  const { state } = group.leader();
  disks.get(1)?.shut();
  const commit = state.commit(put('parallel'));
  await until(
    () => [2, 3].every((id) => group.member(id).state.local.get('parallel') !== undefined),
    'the two others commit it',
  );
  t.equal(state.local.get('parallel'), undefined, 'the leader itself applies only what it has on disk');
  disks.get(1)?.release();
  t.equal((await commit).succeeded, true);
});

await t.test('a vote is cast only when it is on disk', async (t) => {
  const { group, disks } = newGroup();
  t.teardown(() => group.stopAll());
  await group.startVoters(3);
  disks.get(3)?.shut();
  await group.kill(1);
  // Either of the two needs the other's vote (or its own) from the disk of member 3.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  t.equal(
    [2, 3].some((id) => group.member(id).loop.isLeader),
    false,
  );
  disks.get(3)?.release();
  await group.waitLeader();
});

await t.test('a leader whose disk fails stops, acknowledges nothing more, and the others go on', async (t) => {
  for (const how of ['lost', 'kept'] as const) {
    const { group, disks } = newGroup();
    await group.startVoters(3);
    const { state, loop } = group.leader();
    await state.commit(put('before'));
    const disk = disks.get(1);
    if (disk === undefined) throw new Error('no disk');
    disk.failNextWrite = how;
    await t.rejects(state.commit(put('during')), { code: 'OUTCOME_UNKNOWN' }, how);
    t.equal(group.fatal.length, 1, `${how}: said once`);
    t.equal(loop.isRunning, false, how);
    await t.rejects(state.commit(put('after')), { code: 'CANCELLED' }, how);
    t.equal(state.local.get('before') !== undefined, true, 'what was applied can still be read');
    group.members.delete(1);
    const next = await group.waitLeader();
    await next.state.commit(put('later'));
    group.fatal.length = 0;
    const back = await group.start(1);
    await until(() => back.state.local.get('later') !== undefined, 'it comes back');
    t.equal(back.loop.quarantine, undefined, how);
    t.same(group.fatal, [], how);
    await group.stopAll();
  }
});

await t.test('a command that this version does not understand stops the loop', async (t) => {
  const { group, disks } = newGroup();
  t.teardown(() => group.stopAll());
  const { loop } = await group.start(1, true);
  await until(() => loop.isLeader && loop.isCaughtUp, 'it leads');
  const index = loop.status().commitIndex + 1;
  await group.kill(1);
  // As a newer version would have written it: committed, durable, and of an unknown kind.
  const disk = disks.get(1);
  const { store } = await openMemoryLogStore({ raftId: 1, newIncarnation: 'x' }, disk);
  const { term, vote } = store.initialState().hardState;
  await store.append({
    hardState: { term, vote, commit: index },
    entries: [{ index, term, type: 'normal', data: Uint8Array.from([0x7a, 0x01, 0x00]) }],
  });
  await store.abandon();
  await group.start(1);
  await until(() => group.fatal.length > 0, 'it stops');
  t.match(group.fatal, [{ code: 'LOG_CORRUPT' }]);
});

await t.test(
  'a member killed while it is being repaired goes on being repaired, without another term fence',
  async (t) => {
    const { group, disks } = newGroup();
    t.teardown(() => group.stopAll());
    await group.startVoters(3);
    await group.leader().state.commit(put('a'));
    await group.kill(3);
    disks.delete(3);
    const wiped = await group.start(3);
    await until(() => (wiped.loop.quarantine?.raisedTerm ?? 0) > 0, 'its term fence is raised');
    const fence = wiped.loop.quarantine?.raisedTerm;
    await group.kill(3);
    const back = await group.start(3);
    t.equal(back.loop.quarantine?.raisedTerm, fence, 'it knows');
    await until(() => back.loop.quarantine === undefined, 'repaired');
    t.ok(back.state.status().term < 2000, 'raised once');
    t.ok(back.state.local.get('a'), 'everything is back');
    t.same(group.fatal, []);
  },
);
