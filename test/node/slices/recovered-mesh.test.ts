/**
 * A mesh that `shoal recover` has put back to the past: hosts whose slices are of later revisions than the recovered log ever had
 * come to what it holds by themselves.
 */
import t from 'tap';
import { systemClock } from '../../../node/base/clock.ts';
import { Prng } from '../../../node/base/prng.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import type { SliceChannel } from '../../../node/slices/slice-channel.ts';
import { SliceFeeder } from '../../../node/slices/slice-feeder.ts';
import { SliceReplica } from '../../../node/slices/slice-replica.ts';
import { SliceStore } from '../../../node/slices/slice-store.ts';
import { sliceOf } from '../../../node/state/slices/slice-of.ts';
import { prefixEnd } from '../../../node/state/table.ts';
import { MemoryDisk, openLogStore } from '../../../node/store/index.ts';
import { makeOnlyVoter } from '../../../node/store/log/make-only-voter.ts';
import { type Member, put, RaftGroup, until } from '../../support/raft/raft-group.ts';

const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));

const prefix = 't/a/';

function groupOn(disks: Map<number, MemoryDisk>): RaftGroup {
  return new RaftGroup(async (raftId, bootstrap) => {
    const disk = disks.get(raftId) ?? new MemoryDisk();
    disks.set(raftId, disk);
    return openLogStore(disk, { raftId, bootstrap, newIncarnation: `life-of-${raftId}` });
  });
}

/** A slice on `disk`, fed by one member. */
async function followed({ state, loop }: Member, disk: MemoryDisk) {
  const feeder = new SliceFeeder({
    clock: systemClock,
    state,
    knownSince: () => loop.watches.knownSince,
    isReplica: () => true,
  });
  await feeder.start();
  const channel: SliceChannel = { subscribe: (_to, requests, signal) => feeder.serve(requests, signal) };
  const slice = new SliceReplica({
    clock: systemClock,
    logger: silentLogger,
    random: new Prng(1),
    channel,
    store: new SliceStore(disk),
    self: 9,
    hosts: () => [loop.raftId],
    roots: { read: (reader) => void reader.range(prefix, prefixEnd(prefix)), heard: () => {}, forget: () => {} },
    onFatal: (error) => t.error(error),
  });
  await slice.start();
  return {
    slice,
    async stop() {
      await slice.stop();
      await feeder.stop();
    },
  };
}

await t.test('a slice that is ahead of a recovered log is brought to what that holds', async (t) => {
  const disks = new Map<number, MemoryDisk>();
  const sliceDisk = new MemoryDisk();
  const before = groupOn(disks);
  t.teardown(() => before.stopAll());
  await before.startVoters(3);
  const leader = before.leader();
  for (let n = 0; n < 5; n += 1) await leader.state.commit(put(`${prefix}${n}`));
  const survivor = [...before.members.keys()].find((id) => id !== leader.loop.raftId) ?? 0;
  await before.member(survivor).state.fresh();
  before.partition(
    [survivor],
    [1, 2, 3].filter((id) => id !== survivor),
  );
  for (let n = 0; n < 20; n += 1) await leader.state.commit(put(`${prefix}lost-${n}`));
  const first = await followed(leader, sliceDisk);
  await until(() => first.slice.isReady && first.slice.bare.get(`${prefix}lost-19`) !== undefined, 'it has all');
  const ahead = first.slice.bare.revision;
  await first.stop();
  await before.stopAll();

  const disk = disks.get(survivor);
  if (disk === undefined) throw new Error('a disk');
  const opened = await openLogStore(disk, { raftId: survivor, newIncarnation: 'unused' });
  t.ok(opened.store.lastIndex() < ahead, 'the log that is left ends before what the slice holds');
  await makeOnlyVoter(opened);
  await opened.store.close();

  const after = groupOn(disks);
  t.teardown(() => after.stopAll());
  const alone = await after.start(survivor);
  await until(() => alone.loop.isLeader, 'it leads alone');
  await alone.state.commit(put(`${prefix}new`));
  const second = await followed(alone, sliceDisk);
  t.teardown(() => second.stop());
  t.equal(second.slice.bare.revision, ahead, 'it begins with what it had');
  await until(() => second.slice.bare.get(`${prefix}new`) !== undefined, 'it follows the recovered log');
  t.ok(second.slice.bare.revision > ahead, 'and has not gone back');
  t.same([...second.slice.rows()], [...sliceOf(alone.state.local, [prefix]).values()]);
  t.match(second.slice.subscriptions, { digests: 1, changes: 0, failed: 0 }, 'what it missed was not taken for known');
  t.same(second.slice.troubles(), {});
});
