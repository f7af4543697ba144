import { randomUUID } from 'node:crypto';
import t from 'tap';
import { raftMetrics } from '../../../../node/agent/raft-metrics.ts';
import { createMetrics } from '../../../../node/base/telemetry/metrics.ts';
import type { RaftObserver } from '../../../../node/consensus/replica/observer.ts';
import type { Transaction } from '../../../../node/state/types.ts';
import { MemoryDisk, openMemoryLogStore } from '../../../../node/store/index.ts';
import { RaftGroup, until } from '../../../support/raft/raft-group.ts';

const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));

const options = { tickMs: 20, silenceMs: 120, patienceMs: 300, logBytesMax: 4_000, logBytesKept: 1 };

const put = (key: string, bytes = 1): Transaction => ({
  compares: [],
  thenOps: [{ kind: 'put', key, value: new Uint8Array(bytes) }],
  elseOps: [],
});

/** An observer that writes down what it is told, in order. */
function writing(told: string[]): RaftObserver {
  return {
    applied: ({ entry, outcome, isReplay, events }) => {
      const keys = events.map(({ key }) => key).join();
      told.push(`applied ${entry.type}${outcome === undefined ? '' : ` ${keys}${isReplay ? ' again' : ''}`}`);
    },
    installed: (place, state) => told.push(`installed ${place.index === state.revision}`),
    role: ({ role, leader }) => told.push(`role ${role} ${leader}`),
    damaged: (findings) => told.push(`damaged ${findings.length > 0}`),
    quarantined: ({ reason }) => told.push(`quarantined ${reason}`),
    repaired: () => told.push('repaired'),
    compacting: (index) => told.push(`compacting ${index > 0}`),
    membersChanged: ({ voters }) => told.push(`members ${[...voters].sort().join()}`),
    watcherThrew: (error) => told.push(`threw ${error instanceof Error ? error.message : ''}`),
  };
}

await t.test('an observer is told of each thing that happens to a member, before its watchers are', async (t) => {
  const disks = new Map<number, MemoryDisk>();
  const told = new Map<number, string[]>();
  const toldOf = (raftId: number): string[] => {
    const list = told.get(raftId) ?? [];
    told.set(raftId, list);
    return list;
  };
  const metrics = createMetrics({ processMetrics: false });
  const group = new RaftGroup(
    (raftId, bootstrap) => {
      const disk = disks.get(raftId) ?? new MemoryDisk();
      disks.set(raftId, disk);
      return openMemoryLogStore({ raftId, newIncarnation: randomUUID(), bootstrap }, disk);
    },
    options,
    undefined,
    (raftId) => (raftId === 4 ? raftMetrics(metrics) : writing(toldOf(raftId))),
  );
  t.teardown(() => group.stopAll());

  await group.startVoters(3);
  t.ok(toldOf(1).includes('role leader 1'), 'a role');
  t.ok(toldOf(2).includes('members 1,2'), 'a change of members, on who joins, too');
  t.ok(toldOf(1).includes('members 1,2,3'));

  const { state } = group.member(1);
  state.watch({ prefix: 'a' }, () => toldOf(1).push('watched'));
  await state.commit(put('a'), { clientToken: 'one' });
  await state.commit(put('a'), { clientToken: 'one' });
  const list = toldOf(1);
  t.ok(list.indexOf('applied normal a') < list.indexOf('watched'), 'an entry, before watchers hear of it');
  t.ok(list.includes('applied normal  again'), 'an entry whose token was known');
  t.equal(list.filter((line) => line === 'applied normal a').length, 1);

  state.watch({ prefix: 'b' }, () => {
    throw new Error('of the watcher');
  });
  await state.commit(put('b'));
  t.ok(toldOf(1).includes('threw of the watcher'), 'what a watcher threw');

  await group.kill(3);
  disks.set(3, new MemoryDisk());
  for (let n = 0; n < 20; n += 1) await state.commit(put(`large-${n}`, 1_000));
  await until(() => toldOf(1).includes('compacting true'), 'the log is compacted');
  await group.start(3);
  await until(() => toldOf(3).includes('repaired'), 'the wiped member is repaired');
  t.ok(toldOf(3).includes('quarantined disk-wiped'), 'a disk that has forgotten');
  t.ok(toldOf(3).includes('installed true'), 'a snapshot');
  t.ok(toldOf(3).indexOf('quarantined disk-wiped') < toldOf(3).indexOf('repaired'));

  await group.add(4);
  const text = await metrics.registry.metrics();
  const figure = (name: string): number => Number(new RegExp(`^${name}(?:{.*})? (\\d+)$`, 'm').exec(text)?.[1]);
  t.ok(figure('shoal_raft_leader_changes_total') >= 1, "the agent's counters follow");
  t.ok(figure('shoal_raft_snapshots_installed_total') >= 1);
  t.strictSame(group.fatal, []);
});
