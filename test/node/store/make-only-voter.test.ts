import t from 'tap';
import { MemoryDisk, openLogStore } from '../../../node/store/index.ts';
import { inspectLog } from '../../../node/store/log/inspect-log.ts';
import { makeOnlyVoter, recoveredIndexGap } from '../../../node/store/log/make-only-voter.ts';
import { quarantineTermMargin } from '../../../node/store/log/records.ts';
import { put, RaftGroup, until } from '../../support/raft/raft-group.ts';

// The clock's timers do not keep a process alive.
const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));

/** A group whose members' disks outlive them. */
function groupOn(disks: Map<number, MemoryDisk>): RaftGroup {
  return new RaftGroup(async (raftId, bootstrap) => {
    const disk = disks.get(raftId) ?? new MemoryDisk();
    disks.set(raftId, disk);
    return openLogStore(disk, { raftId, bootstrap, newIncarnation: `life-of-${raftId}` });
  });
}

await t.test('the last member of three goes on alone, and the others come back only with its state', async (t) => {
  const disks = new Map<number, MemoryDisk>();
  const before = groupOn(disks);
  t.teardown(() => before.stopAll());
  await before.startVoters(3);
  const leader = before.leader();
  for (let n = 0; n < 20; n += 1) await leader.state.commit(put(`k${n}`));
  const term = leader.state.status().term;
  const survivor = [...before.members.keys()].find((id) => id !== leader.loop.raftId) ?? 0;
  await before.member(survivor).state.fresh();
  // What the lost two commit without the survivor is lost with them.
  before.partition(
    [survivor],
    [1, 2, 3].filter((id) => id !== survivor),
  );
  await leader.state.commit(put('lost'));
  await before.stopAll();

  const disk = disks.get(survivor);
  if (disk === undefined) throw new Error('a disk');
  const opened = await openLogStore(disk, { raftId: survivor, newIncarnation: 'unused' });
  const lastIndex = opened.store.lastIndex();
  const recovered = await makeOnlyVoter(opened);
  await opened.store.close();
  t.match(recovered, { lastIndex, index: lastIndex + recoveredIndexGap, confState: { voters: [survivor] } });
  t.ok(recovered.term >= term + quarantineTermMargin);
  t.match(await inspectLog(disk), { faultCount: 0, applied: { index: recovered.index }, log: { entries: 0 } });

  const after = groupOn(disks);
  t.teardown(() => after.stopAll());
  const alone = await after.start(survivor);
  await until(() => alone.loop.isLeader, 'it leads alone');
  const reader = await alone.state.fresh();
  for (let n = 0; n < 20; n += 1) t.ok(reader.get(`k${n}`), `k${n} is there`);
  t.equal(reader.get('lost'), undefined);
  const outcome = await alone.state.commit(put('new'));
  t.ok(outcome.revision > recovered.index);

  // Another old disk, put back against all advice: it takes the survivor's state and membership, and brings nothing back.
  const other = [1, 2, 3].find((id) => id !== survivor) ?? 0;
  await after.add(other);
  const fresh = await after.member(other).state.fresh();
  t.equal(fresh.get('lost'), undefined);
  t.ok(fresh.get('new'));
  t.same([...after.member(other).state.status().voters].sort(), [survivor, other].sort());
  t.same(after.fatal, []);
});

await t.test('a member without any state cannot be recovered', async (t) => {
  const opened = await openLogStore(new MemoryDisk(), { raftId: 7, newIncarnation: 'x' });
  await t.rejects(makeOnlyVoter(opened), { code: 'CONFLICT' });
  await opened.store.close();
});
