/** How long a request waits for voters that may be slow, and how soon it is refused when they are lost. */
import { join } from 'node:path';
import t from 'tap';
import type { RaftLoopOptions } from '../../../node/consensus/replica/options.ts';
import { openLevelLogStore } from '../../../node/store/index.ts';
import { put, RaftGroup, until } from '../../support/raft/raft-group.ts';

const folder = t.testdir();
// The clock's timers do not keep a process alive.
const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));
let groups = 0;

function newGroup(options: Partial<RaftLoopOptions> = {}): RaftGroup {
  groups += 1;
  const base = join(folder, String(groups));
  return new RaftGroup(
    (raftId, bootstrap) => openLevelLogStore({ folder: join(base, String(raftId)), raftId, bootstrap }),
    options,
  );
}

await t.test('slow is not lost: voters without CPU are waited for, and every call is answered', async (t) => {
  const group = newGroup();
  t.teardown(() => group.stopAll());
  await group.startVoters(3);
  const { raftId } = group.leader().loop;
  const others = [1, 2, 3].filter((id) => id !== raftId);
  for (const starved of [others, [raftId], [1, 2, 3]]) {
    await group.waitLeader();
    group.starve(...starved);
    const startedMs = performance.now();
    const calls = [1, 2, 3].flatMap((id) => {
      const { state } = group.member(id);
      return [state.commit(put(`starved-${starved.join()}-${id}`)), state.fresh()];
    });
    // Later than any election, and longer than silence ever meant loss.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    for (const { state } of group.members.values()) t.not(state.status().quorum, 'lost');
    group.feed();
    const results = await Promise.allSettled(calls);
    t.same(
      results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : [])),
      [],
      `without CPU: ${starved.join(', ')}; all answered after ${Math.round(performance.now() - startedMs)} ms`,
    );
  }
  t.same(group.fatal, []);
});

await t.test('what is waited for in vain is said by name, and told from what is lost', async (t) => {
  const group = newGroup({ patienceMs: 1_500 });
  t.teardown(() => group.stopAll());
  await group.startVoters(3);
  const leader = group.leader();
  const { raftId } = leader.loop;
  const [slow = 0, slower = 0] = [1, 2, 3].filter((id) => id !== raftId);
  group.starve(slow, slower);
  const startedMs = performance.now();
  await t.rejects(leader.state.commit(put('a')), { code: /NO_QUORUM|OUTCOME_UNKNOWN/ });
  t.ok(performance.now() - startedMs > 1_400, 'it has waited');
  await t.rejects(leader.state.commit(put('b')), {
    code: 'NO_QUORUM',
    message: new RegExp(
      `^(No leader was elected in time: host-${slow}, host-${slower} do not answer|` +
        `host-${slow}, host-${slower} do not answer the leader host-${raftId} in time)\\.$`,
    ),
  });
  group.feed();
  await until(() => leader.state.status().hasQuorum, 'they are back');
  const next = group.leader().loop.raftId;
  const rest = [1, 2, 3].filter((id) => id !== next);
  for (const id of rest) await group.kill(id);
  await t.rejects(group.member(next).state.commit(put('c')), { code: /NO_QUORUM|OUTCOME_UNKNOWN/ });
  await t.rejects(group.member(next).state.commit(put('d')), {
    code: 'NO_QUORUM',
    message: `Too few voters are left to commit a write: ${rest.map((id) => `host-${id} refuses connections`).join(', ')}.`,
  });
});

await t.test('a quorum that is really lost is refused within a second from the very moment of the loss', async (t) => {
  for (const loss of ['unplugged', 'killed'] as const) {
    for (const asks of ['leader', 'follower'] as const) {
      const group = newGroup();
      await group.startVoters(3);
      const { raftId } = group.leader().loop;
      const followers = [1, 2, 3].filter((id) => id !== raftId);
      const left = asks === 'leader' ? raftId : (followers[0] ?? 0);
      const rest = [1, 2, 3].filter((id) => id !== left);
      if (loss === 'unplugged') group.partition([left], rest);
      else for (const id of rest) await group.kill(id);
      const { state } = group.member(left);
      const times: number[] = [];
      for (let n = 0; n < 3; n += 1) {
        const startedMs = performance.now();
        // What was on its way in the very moment has an unknown fate.
        await t.rejects(state.commit(put(`x${n}`)), { code: n === 0 ? /NO_QUORUM|OUTCOME_UNKNOWN/ : 'NO_QUORUM' });
        times.push(Math.round(performance.now() - startedMs));
        await t.rejects(state.fresh(), { code: 'NO_QUORUM' });
      }
      t.ok(Math.max(...times) < 1_000, `the others ${loss}, the ${asks} asked: ${times.join(', ')} ms`);
      await group.stopAll();
    }
  }
});

await t.test('a leader that hands over goes on answering, and nobody who writes meanwhile is refused', async (t) => {
  const group = newGroup();
  t.teardown(() => group.stopAll());
  await group.startVoters(3);
  const old = group.leader();
  let isOver = false;
  const failures: string[] = [];
  let written = 0;
  const writers = [1, 2, 3].map(async (id) => {
    while (!isOver) {
      await group
        .member(id)
        .state.commit(put(`w${id}-${written}`))
        .then(
          () => {
            written += 1;
          },
          (error: unknown) => failures.push(String(error)),
        );
    }
  });
  await old.loop.handOver();
  t.equal(old.loop.route()?.kind, 'leader', 'another leads, and this one knows it');
  isOver = true;
  await Promise.all(writers);
  t.same(failures, []);
  t.ok(written > 0);
});
