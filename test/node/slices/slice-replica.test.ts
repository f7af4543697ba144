/** Whom a host with a slice follows. */
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { Prng } from '../../../node/base/prng.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import type { SliceChannel } from '../../../node/slices/slice-channel.ts';
import { SliceReplica } from '../../../node/slices/slice-replica.ts';
import { SliceStore } from '../../../node/slices/slice-store.ts';
import type { ClusterStatus } from '../../../node/state/types.ts';
import { MemoryDisk } from '../../../node/store/memory/memory-disk.ts';

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

await t.test('a replica that answers and is behind is left for the next', async (t) => {
  const awake = setInterval(() => {}, 1_000);
  const disk = new MemoryDisk();
  await new SliceStore(disk).write({
    revision: 7,
    replicas: [1, 2, 3],
    puts: [],
    deletes: [],
    termsAdded: [],
    termsRemoved: [],
  });
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
  const slice = new SliceReplica({
    clock: systemClock,
    logger: silentLogger,
    random: new Prng(1),
    channel,
    store: new SliceStore(disk),
    self: 9,
    hosts: () => [],
    roots: () => {},
    onFatal: (error) => t.error(error),
  });
  t.teardown(async () => {
    await slice.stop();
    clearInterval(awake);
  });
  await slice.start();
  t.equal(await slice.waitApplied(9, 10_000), true);
  t.equal(slice.feeder, 3);
  t.ok(asked.length <= 4, `each was asked about once: ${asked.join()}`);
});
