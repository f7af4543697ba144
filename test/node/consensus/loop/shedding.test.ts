/** A member that was made none lets go of its log and its state, and comes back as one that never had any. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { newMessage } from '../../../../node/raft/index.ts';
import { openLevelLogStore } from '../../../../node/store/index.ts';
import { put, RaftGroup, until } from '../../../support/raft/raft-group.ts';

const folder = await mkdtemp(join(tmpdir(), 'shoal-shedding-'));
// The clock's timers do not keep a process alive.
const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));
t.teardown(() => rm(folder, { recursive: true, force: true }));
let groups = 0;
const quarantined: string[] = [];

function newGroup(): RaftGroup {
  groups += 1;
  const base = join(folder, String(groups));
  return new RaftGroup(
    (raftId, bootstrap) => openLevelLogStore({ folder: join(base, String(raftId)), raftId, bootstrap }),
    {},
    undefined,
    () => ({ quarantined: ({ detail }) => void quarantined.push(detail) }),
  );
}

/** Four voters, of which the fourth is made none and knows it. */
async function withFormerMember(): Promise<RaftGroup> {
  const group = newGroup();
  const [one] = await group.startVoters(4);
  await one?.state.commit(put('before'));
  const { loop } = group.member(4);
  await group.leader().loop.changeMembers([{ type: 'removeNode', nodeId: 4 }]);
  await until(() => !loop.confState.voters.includes(4), 'it knows that it is no member');
  return group;
}

await t.test(
  'it holds nothing then, also after a start, and is given all of it when it is a member again',
  async (t) => {
    const group = await withFormerMember();
    t.teardown(() => group.stopAll());
    const { loop, state } = group.member(4);
    t.ok(state.local.get('before'));
    t.equal(loop.shedding.isDone, false);
    t.equal(await loop.shedding.run(), true);
    t.equal(loop.shedding.isDone, true);
    t.equal(state.local.revision, 0);
    t.equal(state.local.get('before'), undefined);
    t.same(loop.confState.voters, []);

    await group.kill(4);
    const again = await group.start(4);
    t.equal(again.loop.shedding.isDone, true);
    await group.leader().state.commit(put('after'));
    await group.leader().loop.changeMembers([{ type: 'addLearner', nodeId: 4 }]);
    await until(() => again.state.local.get('after') !== undefined, 'it has a replica again');
    t.ok(again.state.local.get('before'));
    await group.leader().loop.changeMembers([{ type: 'addNode', nodeId: 4 }]);
    await until(() => again.loop.status().voters.includes(4), 'it votes again');
    t.same(quarantined, [], 'nobody took it for one that has lost something');
    t.equal(again.loop.quarantine, undefined);
    // With two of four away, nothing is committed without it.
    const leader = group.leader().loop.raftId;
    const [away] = [1, 2, 3].filter((id) => id !== leader);
    if (away !== undefined) await group.kill(away);
    t.equal((await again.state.commit(put('together'))).succeeded, true);
    t.same(group.fatal, []);
  },
);

await t.test('it gives nobody its vote until it has come as far as before', async (t) => {
  const group = await withFormerMember();
  t.teardown(() => group.stopAll());
  const { loop } = group.member(4);
  const { term } = group.leader().loop.status();
  await loop.shedding.run();
  // One that has not heard of the change of members stands for election, with less than this host has had.
  group.partition([1, 2, 3], [4]);
  loop.onMessage(newMessage({ type: 'MsgVote', from: 2, to: 4, term: term + 5, index: 1, logTerm: 1 }));
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.equal(loop.status().term, term, 'it does not even take up the term');
  await group.leader().loop.changeMembers([{ type: 'addLearner', nodeId: 4 }]);
  group.heal();
  await until(() => group.member(4).state.local.get('before') !== undefined, 'it has a replica again');
  t.same(quarantined, []);
});

await t.test('one that leads does not let go, nor one that does not run', async (t) => {
  const group = newGroup();
  const { loop, state } = await group.start(1, true);
  await until(() => loop.isLeader, 'it leads');
  await state.commit(put('a'));
  t.equal(await loop.shedding.run(), false);
  t.ok(state.local.get('a'));
  await group.stopAll();
  t.equal(await loop.shedding.run(), false);
});
