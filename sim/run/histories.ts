/** What clients have seen, judged: whether one order explains it all, and whether a refusal was due. */
import { checkLinearizability } from '../checkers/linearizability.ts';
import { registerModel } from '../checkers/linearizability-models.ts';
import { checkRefusal } from '../checkers/patience.ts';
import { factsText } from '../trace/trace.ts';
import type { RecordClient, RecordOperation } from '../workload/records.ts';
import type { SimNode } from '../world/node.ts';
import type { Outcome } from './outcome.ts';
import type { SimWorld } from './world.ts';

/** Configurations that the search for an order may enter for one key. */
const configurationsMax = 200_000;

/** Judges all histories together. */
export function judgeHistories(clients: readonly RecordClient[], outcome: Outcome): void {
  const operations: RecordOperation[] = clients.flatMap((client) => client.history);
  const model = {
    ...registerModel,
    partition: (input: RecordOperation['input']) => input.key,
  };
  const verdict = checkLinearizability(model, operations, { configurationsMax });
  outcome.reach(`history ${verdict.verdict}`);
  if (verdict.verdict !== 'not-linearizable') return;
  const last = verdict.longest
    .slice(-5)
    .map((operation) => factsText(operation))
    .join(' ');
  outcome.violated(
    'linearizable',
    `${verdict.partition}: ${factsText(verdict.blocked ?? {})} does not fit behind ${last}`,
  );
}

/** A client was refused with `code` at a node, after a wait since `startedMs`: whether it had to be. */
export function judgeRefusal(world: SimWorld, node: SimNode, code: string | undefined, startedMs: number): void {
  const { process: running } = node;
  const newest = world.consensus.memberships.newest;
  if (running === undefined || newest === undefined || code === undefined) return;
  const { voters, votersOutgoing } = newest.membership;
  if (votersOutgoing.length > 0) return;
  checkRefusal(
    {
      member: node.raftId,
      name: node.name,
      code,
      startedMs,
      endedMs: world.schedule.nowMs,
      patienceMs: running.loop.options.patienceMs,
    },
    {
      voters: world.nodes
        .filter(({ raftId }) => voters.includes(raftId))
        .map((voter) => ({
          member: voter.raftId,
          upSinceMs: voter.process?.loop.quarantine === undefined ? upSinceMs(voter) : Number.POSITIVE_INFINITY,
          pauses: voter.pauses,
        })),
      votersSinceMs: newest.sinceMs,
      upSinceMs: upSinceMs(node),
      isSoundSince: (a, b, sinceMs) => world.network.isSoundSince(a, b, sinceMs),
    },
    (invariant, detail) => world.outcome.violated(invariant, detail),
  );
}

/** When a node's process had started; Infinity: none runs. */
function upSinceMs(node: SimNode): number {
  return node.process === undefined ? Number.POSITIVE_INFINITY : node.upSinceMs;
}
