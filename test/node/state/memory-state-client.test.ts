import t from 'tap';
import { MemoryStateClient } from '../../../node/state/client/memory-state-client.ts';
import type { Transaction } from '../../../node/state/types.ts';

const put = (key: string): Transaction => ({
  compares: [],
  thenOps: [{ kind: 'put', key, value: new Uint8Array(0) }],
  elseOps: [],
});

await t.test('a commit is seen by local readers and watchers when it returns', async (t) => {
  const state = new MemoryStateClient();
  const heard: string[] = [];
  state.watch({ prefix: 'a' }, (events) => heard.push(...events.map((event) => event.key)));
  const outcome = await state.commit(put('a'));
  t.equal(outcome.revision, 1);
  t.equal(state.local.get('a')?.revision, 1);
  t.equal((await state.fresh()).revision, 1);
  t.same(heard, ['a']);
});

await t.test('without quorum writes and fresh reads are refused and local reads go on', async (t) => {
  const state = new MemoryStateClient();
  await state.commit(put('a'));
  state.available = false;
  await t.rejects(state.commit(put('b')), { code: 'NO_QUORUM', facts: { missingVoters: [1] } });
  await t.rejects(state.fresh(), { code: 'NO_QUORUM' });
  t.equal(state.local.get('a')?.revision, 1);
  t.match(state.status(), { hasQuorum: false, leaderRaftId: 0, missingVoters: [1] });
  state.available = true;
  t.equal((await state.commit(put('b'))).succeeded, true);
});

await t.test('a lost answer is no lost write, and the token finds it again', async (t) => {
  const state = new MemoryStateClient();
  state.loseNextOutcome = true;
  await t.rejects(state.commit(put('a'), { clientToken: 'once' }), { code: 'OUTCOME_UNKNOWN' });
  t.same(await state.commit(put('a'), { clientToken: 'once' }), { revision: 1, succeeded: true, counters: [] });
  t.equal(state.local.get('a')?.revision, 1);
});

await t.test(
  'what cannot be applied is refused before it is proposed, and a caller that gave up is told so',
  async (t) => {
    const state = new MemoryStateClient();
    await t.rejects(state.commit(put('')), { code: 'INVALID_ARGUMENT' });
    await t.rejects(state.commit(put('a'), { clientToken: 'ä' }), { code: 'INVALID_ARGUMENT' });
    await t.rejects(state.commit(put('a'), { signal: AbortSignal.abort() }), { code: 'CANCELLED' });
    t.equal(state.local.revision, 0);
  },
);
