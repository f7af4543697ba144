/** Whom a host with a slice follows. */
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { Prng } from '../../../node/base/prng.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import type { SliceChannel } from '../../../node/slices/slice-channel.ts';
import { SliceReplica } from '../../../node/slices/slice-replica.ts';
import { SliceStore } from '../../../node/slices/slice-store.ts';
import type { ClusterStatus } from '../../../node/state/types.ts';
import { MemoryDisk } from '../../../node/store/memory/memory-disk.ts';
import { ManualClock } from '../mesh/manual-clock.ts';

const status: ClusterStatus = {
  hasQuorum: true,
  quorum: 'answers',
  leaderRaftId: 3,
  term: 2,
  commitIndex: 9,
  appliedIndex: 9,
  voters: [1, 2, 3],
  isJoint: false,
  learners: [],
  missingVoters: [],
};

/** A disk with a slice of a revision. */
async function diskOf(revision: number): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const write = { replicas: [1, 2, 3], puts: [], deletes: [], termsAdded: [], termsRemoved: [] };
  await new SliceStore(disk).write({ revision, ...write });
  return disk;
}

function sliceOf(t: Test, channel: SliceChannel, { disk = new MemoryDisk(), clock = systemClock } = {}): SliceReplica {
  const slice = new SliceReplica({
    clock,
    logger: silentLogger,
    random: new Prng(1),
    channel,
    store: new SliceStore(disk),
    self: 9,
    hosts: () => [1, 2],
    roots: { read: () => {}, heard: () => {}, forget: () => {} },
    onFatal: (error) => t.error(error),
  });
  t.teardown(() => slice.stop());
  return slice;
}

await t.test('a replica that answers and is behind is left for the next', async (t) => {
  const awake = setInterval(() => {}, 1_000);
  const disk = await diskOf(7);
  const asked: number[] = [];
  const channel: SliceChannel = {
    async *subscribe(to, _requests, signal) {
      asked.push(to);
      yield { kind: 'status', status };
      if (to !== 3) throw new ShoalError('STALE', 'behind');
      yield { kind: 'piece', delta: { revision: 9, puts: [], deletes: [], isWhole: true, termsNumber: 0 } };
      // Held, or the signal, which is made of others, may be collected.
      while (!signal.aborted) await delay(10);
    },
  };
  const slice = sliceOf(t, channel, { disk });
  t.teardown(() => clearInterval(awake));
  await slice.start();
  t.equal(await slice.waitApplied(9, 10_000), true);
  t.equal(slice.feeder, 3);
  t.ok(asked.length <= 4, `each was asked about once: ${asked.join()}`);
});

await t.test('one that begins waits for a replica, and knows of no loss', async (t) => {
  const clock = new ManualClock();
  const channel: SliceChannel = {
    // biome-ignore lint/correctness/useYield: nobody answers.
    async *subscribe() {
      throw new ShoalError('UNAVAILABLE', 'nobody is there');
    },
  };
  const slice = sliceOf(t, channel, { clock });
  await slice.start();
  t.equal(slice.outlook, 'awaited');
  t.equal(slice.isLossKnown, false);
  await clock.advance(11_000);
  t.equal(slice.outlook, 'awaited');
  await clock.advance(2_000);
  t.equal(slice.outlook, 'lost', 'for so long it has found nobody');
  t.ok(slice.subscriptions.failed >= 2);
  t.same(slice.troubles(), {}, 'that nobody answers is said by the quorum');
});

await t.test('people are told when all replicas stay behind what a host has followed', async (t) => {
  const clock = new ManualClock();
  let isBehind = true;
  const channel: SliceChannel = {
    async *subscribe(_to, _requests, signal) {
      yield { kind: 'status', status };
      if (isBehind) throw new ShoalError('STALE', 'This replica is at revision 5, and behind 7.');
      yield { kind: 'piece', delta: { revision: 8, puts: [], deletes: [], isWhole: true, termsNumber: 0 } };
      // As above.
      while (!signal.aborted) await delay(10);
    },
  };
  const slice = sliceOf(t, channel, { disk: await diskOf(7), clock });
  await slice.start();
  await clock.advance(20_000);
  t.same(slice.troubles(), {}, 'one that has just been elected may be behind for a little');
  await clock.advance(60_000);
  t.match(slice.troubles(), { slice: /behind revision 7.*shoal reset-membership/ });
  isBehind = false;
  await clock.advance(5_000);
  t.same(slice.troubles(), {});
  t.equal(slice.bare.revision, 8);
  t.match(slice.subscriptions, { changes: 1, whole: 0, digests: 0 });
});
