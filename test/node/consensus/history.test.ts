import { randomUUID } from 'node:crypto';
import t from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import { Prng } from '../../../node/base/prng.ts';
import type { StateClient, Transaction } from '../../../node/state/types.ts';
import { MemoryDisk, openMemoryLogStore } from '../../../node/store/index.ts';
import { checkLinearizability, type Model, type Operation } from '../../../sim/checkers/linearizability.ts';
import {
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from '../../../sim/checkers/linearizability-models.ts';
import { RaftGroup } from '../../support/raft/raft-group.ts';

const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));

type KeyedInput = RegisterInput & { readonly key: string };

const keys = ['x', 'y', 'z'];
const clientsCount = 9;
const runMs = 6000;

/** One register a key. */
const model: Model<number | null, KeyedInput, RegisterOutput> = {
  ...registerModel,
  partition: (input) => input.key,
};

const numberOf = (value: Uint8Array | undefined): number | null =>
  value === undefined ? null : Number(new TextDecoder().decode(value));
const bytesOf = (value: number): Uint8Array => new TextEncoder().encode(String(value));

function transaction(input: KeyedInput): Transaction {
  if (input.kind === 'read') throw new Error('reads are no transactions');
  const { key, value } = input;
  return {
    compares: input.kind === 'cas' ? [{ key, value: bytesOf(input.expected) }] : [],
    thenOps: [{ kind: 'put', key, value: bytesOf(value) }],
    elseOps: [],
  };
}

async function perform(state: StateClient, input: KeyedInput): Promise<RegisterOutput> {
  if (input.kind === 'read') return { kind: 'read', value: numberOf((await state.fresh()).get(input.key)?.value) };
  const { succeeded } = await state.commit(transaction(input));
  return input.kind === 'write' ? { kind: 'write' } : { kind: 'cas', succeeded };
}

await t.test('what clients see is linearizable while members are cut off and killed', async (t) => {
  const random = new Prng(77);
  const disks = new Map<number, MemoryDisk>();
  const group = new RaftGroup(
    (raftId, bootstrap) => {
      const disk = disks.get(raftId) ?? new MemoryDisk();
      disks.set(raftId, disk);
      return openMemoryLogStore({ raftId, newIncarnation: randomUUID(), bootstrap }, disk);
    },
    { tickMs: 20, silenceMs: 120, patienceMs: 150, outcomeTimeoutMs: 1000, logBytesMax: 20_000 },
  );
  t.teardown(() => group.stopAll());
  await group.startVoters(3);

  const operations: Operation<KeyedInput, RegisterOutput>[] = [];
  const tally = { done: 0, unknown: 0, refused: 0 };
  let isOver = false;
  let values = 0;
  const client = async (number: number): Promise<void> => {
    const mine = new Prng(number);
    while (!isOver) {
      const key = mine.pick(keys);
      values += 1;
      const dice = mine.below(3);
      // Values mostly differ, so that a wrong order shows.
      const input: KeyedInput =
        dice === 0
          ? { kind: 'read', key }
          : dice === 1
            ? { kind: 'write', key, value: values }
            : {
                kind: 'cas',
                key,
                expected: numberOf(group.members.get(1)?.state.local.get(key)?.value) ?? 0,
                value: values,
              };
      const member = group.members.get(1 + ((number + mine.below(2)) % 3));
      const calledAt = performance.now();
      try {
        if (member === undefined) throw new ShoalError('CANCELLED', 'killed');
        const output = await perform(member.state, input);
        operations.push({ input, output, calledAt, returnedAt: performance.now() });
        tally.done += 1;
      } catch (error) {
        const isUnknown =
          ShoalError.is(error, 'OUTCOME_UNKNOWN') || (ShoalError.is(error, 'CANCELLED') && member !== undefined);
        if (isUnknown && input.kind !== 'read') {
          operations.push({ input, output: undefined, calledAt, returnedAt: Number.POSITIVE_INFINITY });
          tally.unknown += 1;
        } else if (ShoalError.is(error, 'NO_QUORUM', 'CANCELLED', 'STALE', 'OUTCOME_UNKNOWN', 'PROPOSAL_DROPPED')) {
          // Refused: it did not happen, and the model is not told of it.
          tally.refused += 1;
        } else {
          throw error;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, mine.below(12)));
    }
  };
  const clients = Array.from({ length: clientsCount }, (_, n) => client(n));
  const endMs = performance.now() + runMs;
  while (performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 150 + random.below(250)));
    const victim = 1 + random.below(3);
    if (random.chance(0.5)) {
      group.partition(
        [victim],
        [1, 2, 3].filter((id) => id !== victim),
      );
      await new Promise((resolve) => setTimeout(resolve, random.below(400)));
      group.heal();
    } else {
      await group.kill(victim);
      await new Promise((resolve) => setTimeout(resolve, random.below(300)));
      await group.start(victim);
    }
  }
  isOver = true;
  await Promise.all(clients);
  t.comment(JSON.stringify(tally));
  const found = checkLinearizability(model, operations);
  t.equal(found.verdict, 'linearizable');
  if (found.verdict === 'not-linearizable')
    t.comment(JSON.stringify({ last: found.longest.slice(-5), blocked: found.blocked }));
  t.ok(tally.done > 500, 'there was load');
  t.ok(tally.refused + tally.unknown > 10, 'and trouble');
  for (const { loop } of group.members.values()) t.ok(loop.status().term < 1000, 'no log was quarantined');
  t.same(group.fatal, []);
});
