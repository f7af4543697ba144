/** A write that comes later than its token is remembered for: its fate is said to be unknown, and it is not done twice. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { emptyConfState } from '../../../../node/raft/index.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { MemoryStateClient } from '../../../../node/state/client/memory-state-client.ts';
import { decodeCommand } from '../../../../node/state/command.ts';
import { StateMachine, sessionWindowRevisions } from '../../../../node/state/state-machine.ts';
import type { CommitOptions, Transaction, TransactionOutcome } from '../../../../node/state/types.ts';
import { MemoryDisk, type OpenedLog, openMemoryLogStore } from '../../../../node/store/index.ts';
import { RaftGroup } from '../../../support/raft/raft-group.ts';
import { worldOn } from '../../services/world.ts';

/** One voter whose state is at this revision. */
const revision = 2 * sessionWindowRevisions;

async function openFarAlong(raftId: number): Promise<OpenedLog> {
  const disk = new MemoryDisk();
  const { store } = await openMemoryLogStore({ raftId, newIncarnation: randomUUID(), bootstrap: true }, disk);
  const confState = { ...emptyConfState, voters: [raftId] };
  await store.install().commit({ index: revision, term: 1, confState }, new StateMachine().digest, undefined);
  await store.close();
  return openMemoryLogStore({ raftId, newIncarnation: randomUUID() }, disk);
}

const addOne = { compares: [], thenOps: [{ kind: 'add', key: 'n', delta: 1, min: 0, max: 9 } as const], elseOps: [] };

await t.test(
  'the client says since when a token is in use, and a refusal for its age is an unknown fate',
  async (t) => {
    let log: OpenedLog | undefined;
    const group = new RaftGroup(async (raftId) => {
      log = await openFarAlong(raftId);
      return log;
    });
    t.teardown(() => group.stopAll());
    const { state } = await group.start(1);
    await group.waitLeader();
    const before = state.local.revision;
    t.ok(before >= revision);
    const done = await state.commit(addOne, { clientToken: 'new' });
    t.equal(done.succeeded, true);
    const entries = log?.store.entries(done.revision, done.revision + 1, Number.POSITIVE_INFINITY) ?? [];
    if (typeof entries === 'string') throw new Error(entries);
    t.equal(decodeCommand(entries[0]?.data ?? new Uint8Array(0)).tokenSinceRevision, before);
    const tooLate = { clientToken: 'old', tokenSinceRevision: before - sessionWindowRevisions };
    await t.rejects(state.commit(addOne, tooLate), { code: 'OUTCOME_UNKNOWN' });
    t.equal(state.local.counter('n'), 1);
    const inTime = await state.commit(addOne, { clientToken: 'old', tokenSinceRevision: before });
    t.equal(inTime.succeeded, true);
  },
);

/** Loses the answer to the first write; the second one comes when its token is forgotten. */
class SlowlyRepeated extends MemoryStateClient {
  #sendings = 0;

  override async commit(transaction: Transaction, options?: CommitOptions): Promise<TransactionOutcome> {
    this.#sendings += 1;
    if (this.#sendings === 1) this.loseNextOutcome = true;
    const between: Transaction = { compares: [], thenOps: [{ kind: 'delete', key: 'x' }], elseOps: [] };
    if (this.#sendings === 2) for (let n = 0; n <= sessionWindowRevisions; n += 1) await super.commit(between);
    return super.commit(transaction, options);
  }
}

await t.test('a service that sends a write again says since when its token is in use', async (t) => {
  const state = new SlowlyRepeated();
  const { deps } = worldOn(state);
  await t.rejects(
    transact(deps, { signal: new AbortController().signal }, ({ change }) => change.add('n', 1, { min: 0, max: 9 })),
    { code: 'OUTCOME_UNKNOWN' },
  );
  t.equal(state.local.counter('n'), 1, 'done once, and not known to be');
});
