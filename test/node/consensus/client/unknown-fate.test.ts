/** Seed 219: a write whose fate is not known stays so, whatever a later sending of it is refused for. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { type ErrorCode, ShoalError } from '../../../../node/base/errors.ts';
import { MemoryDisk, openMemoryLogStore } from '../../../../node/store/index.ts';
import { RaftGroup } from '../../../support/raft/raft-group.ts';

const put = { compares: [], thenOps: [{ kind: 'put', key: 'k', value: new Uint8Array(1) } as const], elseOps: [] };

await t.test('a refusal of the second sending says nothing of the first', async (t) => {
  const group = new RaftGroup((raftId) =>
    openMemoryLogStore({ raftId, newIncarnation: randomUUID(), bootstrap: true }, new MemoryDisk()),
  );
  // The clock's timers keep no process alive.
  const alive = setInterval(() => {}, 1_000);
  t.teardown(async () => {
    clearInterval(alive);
    await group.stopAll();
  });
  const { loop, state } = await group.start(1);
  await group.waitLeader();
  const propose = loop.proposeEncoded.bind(loop);
  for (const code of ['STATE_DIVERGED', 'STORE_FAILED', 'RATE_LIMITED'] as const satisfies readonly ErrorCode[]) {
    let sendings = 0;
    loop.proposeEncoded = async (data, signal) => {
      sendings += 1;
      if (sendings > 1) throw new ShoalError(code, 'as planned');
      await propose(data, signal);
      throw new ShoalError('OUTCOME_UNKNOWN', 'the answer was lost');
    };
    await t.rejects(state.commit(put, { clientToken: `${code}/1` }), { code: 'OUTCOME_UNKNOWN' }, code);
    t.equal(sendings, 2);
    sendings = 1;
    await t.rejects(
      state.commit(put, { clientToken: `${code}/2` }),
      { code },
      'a first sending that is refused is refused',
    );
  }
});
