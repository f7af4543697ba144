import { randomUUID } from 'node:crypto';
import t from 'tap';
import { openMemoryLogStore } from '../../../node/store/index.ts';
import { put, RaftGroup } from '../../support/raft/raft-group.ts';

// The clock's timers do not keep a process alive.
const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));

/** An election by timeout would take minutes: a leader within the test was elected without one. */
function newGroup(): RaftGroup {
  return new RaftGroup((raftId, bootstrap) => openMemoryLogStore({ raftId, newIncarnation: randomUUID(), bootstrap }), {
    electionTicks: 2000,
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

await t.test('a leader whose process has ended is succeeded without waiting for a timeout', async (t) => {
  const group = newGroup();
  t.teardown(() => group.stopAll());
  await group.startVoters(3);
  const first = group.leader();
  await first.state.commit(put('before'));
  await group.kill(first.loop.raftId);
  for (const { loop } of group.members.values()) loop.onGone(first.loop.raftId);
  const next = await group.waitLeader(first.loop.raftId);
  t.equal((await next.state.fresh()).get('before')?.key, 'before', 'what was committed is there');
  t.equal((await next.state.commit(put('after'))).succeeded, true);
});

await t.test('false news costs nothing: of a leader that lives, and of who does not lead', async (t) => {
  const group = newGroup();
  t.teardown(() => group.stopAll());
  await group.startVoters(3);
  const leader = group.leader();
  const { term } = leader.state.status();
  const followers = [...group.members.values()].filter((member) => member !== leader);
  const [one, two] = followers;
  if (one === undefined || two === undefined) throw new Error('two followers');
  // The other follower hears the leader and refuses.
  one.loop.onGone(leader.loop.raftId);
  two.loop.onGone(one.loop.raftId);
  leader.loop.onGone(leader.loop.raftId);
  await pause(1500);
  t.equal((await leader.state.commit(put('a'))).succeeded, true);
  t.match(one.state.status(), { leaderRaftId: leader.loop.raftId, term });
  t.match(two.state.status(), { leaderRaftId: leader.loop.raftId, term });
});
