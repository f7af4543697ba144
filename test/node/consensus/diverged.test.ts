import { randomUUID } from 'node:crypto';
import t from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import type { RaftLoopOptions } from '../../../node/consensus/replica/options.ts';
import { digestText } from '../../../node/state/digest.ts';
import type { StateMachine } from '../../../node/state/state-machine.ts';
import { MemoryDisk, openMemoryLogStore } from '../../../node/store/index.ts';
import { rowKey } from '../../../node/store/log/keys.ts';
import { makeOnlyVoter } from '../../../node/store/log/make-only-voter.ts';
import { put, RaftGroup, until } from '../../support/raft/raft-group.ts';

t.setTimeout(120_000);

const fast: Partial<RaftLoopOptions> = { tickMs: 20, silenceMs: 1000, compareTicks: 10 };

interface Scene {
  readonly group: RaftGroup;
  machine(raftId: number): StateMachine;
  disk(raftId: number): MemoryDisk;
  /** Sets a stopped member's log aside. */
  forget(raftId: number): void;
}

async function withGroup(options: Partial<RaftLoopOptions>, run: (scene: Scene) => Promise<void>): Promise<void> {
  const disks = new Map<number, MemoryDisk>();
  const machines = new Map<number, StateMachine>();
  const group = new RaftGroup(async (raftId, bootstrap) => {
    const disk = disks.get(raftId) ?? new MemoryDisk();
    disks.set(raftId, disk);
    const log = await openMemoryLogStore({ raftId, newIncarnation: randomUUID(), bootstrap }, disk);
    machines.set(raftId, log.machine);
    return log;
  }, options);
  const machine = (raftId: number): StateMachine => {
    const found = machines.get(raftId);
    if (found === undefined) throw new Error(`no member ${raftId}`);
    return found;
  };
  try {
    await run({
      group,
      machine,
      disk: (raftId) => disks.get(raftId) ?? new MemoryDisk(),
      forget: (raftId) => disks.delete(raftId),
    });
  } finally {
    await group.stopAll();
  }
}

/** A row of `key` as somebody else would have written it. */
function foreignRow(key: string): { key: string; value: Uint8Array } {
  return { key: `k${key}`, value: Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 9, 1, 2, 3]) };
}

for (const who of ['a follower', 'the leader'] as const) {
  await t.test(`${who} that holds another state gives it up, and comes back with that of the others`, async (t) => {
    await withGroup(fast, async ({ group, machine }) => {
      await group.startVoters(3);
      for (let n = 0; n < 20; n += 1) await group.leader().state.commit(put(`k${n}`));
      const leader = group.leader().loop.raftId;
      const odd = who === 'the leader' ? leader : 1 + (leader % 3);
      machine(odd).load(foreignRow('k3'));
      await until(() => group.fatal.length > 0, 'it is found');
      t.ok(ShoalError.is(group.fatal[0], 'STATE_DIVERGED'), String(group.fatal[0]));
      t.equal(group.member(odd).loop.isRunning, false, 'the odd one has ended');
      group.members.delete(odd);
      const next = await group.waitLeader(odd);
      t.ok((await next.state.commit(put('meanwhile'))).succeeded, 'the others go on');
      const again = await group.start(odd);
      t.equal(again.loop.quarantine?.reason, 'state-diverged');
      t.match(again.loop.troubles(), { log: /a majority has/ });
      t.equal(again.state.local.get('k3'), undefined, 'what was wrong is not served');
      await until(() => again.loop.quarantine === undefined, 'it votes again');
      await group.leader().state.commit(put('afterwards'));
      await until(() => again.state.local.get('afterwards') !== undefined, 'it has caught up');
      const digests = [1, 2, 3].map((id) => digestText(machine(id).digest));
      await until(() => new Set([1, 2, 3].map((id) => machine(id).appliedIndex)).size === 1, 'all at one revision');
      t.equal(new Set([1, 2, 3].map((id) => digestText(machine(id).digest))).size, 1, digests.join());
      t.equal(new TextDecoder().decode(again.state.local.get('k3')?.value), 'k3');
      t.equal(group.fatal.length, 1, 'nobody else was taken for odd');
    });
  });
}

await t.test(
  'three states: writes and fresh reads are refused by all, with a code, and reads stay possible',
  async (t) => {
    await withGroup(fast, async ({ group, machine }) => {
      await group.startVoters(3);
      await group.leader().state.commit(put('a'));
      await until(() => [1, 2, 3].every((id) => machine(id).get('a') !== undefined), 'everybody has it');
      machine(2).load(foreignRow('two'));
      machine(3).load(foreignRow('three'));
      await until(
        () => [1, 2, 3].every((id) => group.member(id).loop.comparison.disagreement !== undefined),
        'it is found',
      );
      for (const id of [1, 2, 3]) {
        const { state, loop } = group.member(id);
        await t.rejects(state.commit(put('b')), { code: 'STATE_DIVERGED' });
        await t.rejects(state.fresh(), { code: 'STATE_DIVERGED' });
        t.ok(state.local.get('a'), 'what is here can be read');
        t.match(loop.troubles(), { state: /no majority/ });
      }
      t.same(group.fatal, [], 'nothing is given up');
    });
  },
);

await t.test('three states: people decide, one is made the only voter, the others join it again', async (t) => {
  await withGroup(fast, async ({ group, machine, disk, forget }) => {
    await group.startVoters(3);
    await group.leader().state.commit(put('a', 'right'));
    await until(() => [1, 2, 3].every((id) => machine(id).get('a') !== undefined), 'everybody has it');
    // Member 1 is right.
    machine(2).load(foreignRow('two'));
    machine(3).load(foreignRow('three'));
    await until(() => group.member(1).loop.comparison.disagreement !== undefined, 'it is found');
    await group.stopAll();
    const stopped = await openMemoryLogStore({ raftId: 1, newIncarnation: randomUUID(), bootstrap: false }, disk(1));
    await makeOnlyVoter(stopped);
    await stopped.store.close();
    const only = await group.start(1);
    await until(() => only.loop.isLeader && only.loop.route()?.kind === 'here', 'it leads');
    t.ok((await only.state.commit(put('b'))).succeeded, 'writes go on');
    for (const id of [2, 3]) {
      forget(id);
      await group.add(id);
    }
    t.ok((await only.state.commit(put('c'))).succeeded);
    await until(() => [1, 2, 3].every((id) => machine(id).get('c') !== undefined), 'everybody has it');
    for (const id of [1, 2, 3]) {
      t.equal(new TextDecoder().decode(machine(id).get('a')?.value), 'right');
      t.equal(machine(id).get('two') ?? machine(id).get('three'), undefined, 'what was wrong is gone');
      t.equal(digestText(machine(id).digest), digestText(machine(1).digest));
      t.equal(group.member(id).loop.comparison.disagreement, undefined);
    }
    t.same(group.fatal, []);
  });
});

await t.test('rows that change in memory alone end the process, and the disk has them right', async (t) => {
  await withGroup({ ...fast, scrubTicks: 20 }, async ({ group, machine, disk }) => {
    await group.start(1, true);
    await group.waitLeader();
    await group.leader().state.commit(put('a', 'right'));
    await until(() => disk(1).get(rowKey(1, 'ka')) !== undefined, 'it is on disk');
    const row = machine(1).get('a');
    if (row === undefined) throw new Error('no row');
    Reflect.set(row, 'value', new TextEncoder().encode('wrong'));
    await until(() => group.fatal.length > 0, 'it is found');
    t.match(group.fatal[0], { code: 'STATE_DIVERGED', message: /in memory/ });
    group.members.delete(1);
    const again = await group.start(1);
    t.equal(new TextDecoder().decode(again.state.local.get('a')?.value), 'right');
    t.equal(again.loop.quarantine, undefined);
  });
});
