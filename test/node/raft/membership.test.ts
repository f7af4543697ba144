import fc from 'fast-check';
import t from 'tap';
import type { ConfChangeSingle } from '../../../node/raft/conf-change.ts';
import {
  changeDirectly,
  confStateOf,
  emptyMembership,
  enterJoint,
  isJoint,
  leaveJoint,
  type MembershipBase,
  restoreMembership,
} from '../../../node/raft/membership.ts';
import { Progress } from '../../../node/raft/progress.ts';

const limits = { messagesMax: 1, bytesMax: 1 };
const newProgress = (isLearner: boolean): Progress =>
  Progress.fresh({ next: 1, isLearner, recentActive: true, limits });

const change: fc.Arbitrary<ConfChangeSingle> = fc.record({
  type: fc.constantFrom('addNode', 'removeNode', 'addLearner', 'updateNode'),
  nodeId: fc.nat(6),
});

const step = fc.record({
  kind: fc.constantFrom('simple', 'joint', 'leave'),
  changes: fc.array(change, { maxLength: 5 }),
  autoLeave: fc.boolean(),
});

void t.test('no sequence of changes breaks the rules of a membership, and every one survives a snapshot', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let base: MembershipBase = { membership: emptyMembership, progress: new Map(), newProgress };
      for (const { kind, changes, autoLeave } of steps) {
        const before = JSON.stringify(confStateOf(base.membership));
        const result =
          kind === 'simple'
            ? changeDirectly(base, changes)
            : kind === 'joint'
              ? enterJoint(base, changes, autoLeave)
              : leaveJoint(base);
        if (JSON.stringify(confStateOf(base.membership)) !== before) return false; // The old value never changes.
        if (!result.ok) continue;
        // The rules themselves are asserted where a membership is made.
        const { voters } = result.membership;
        if (voters.incoming.size === 0) return false;
        if (kind === 'simple') {
          const old = base.membership.voters.incoming;
          const changed = [...new Set([...old.ids, ...voters.ids])].filter((id) => old.has(id) !== voters.has(id));
          if (changed.length > 1) return false;
        }
        const state = confStateOf(result.membership);
        const restored = restoreMembership(state, newProgress);
        if (JSON.stringify(confStateOf(restored.membership)) !== JSON.stringify(state)) return false;
        if ([...restored.progress.keys()].join() !== [...result.progress.keys()].join()) return false;
        base = { membership: result.membership, progress: result.progress, newProgress };
      }
      return true;
    }),
    { seed: 12, numRuns: 500 },
  );
});

void t.test('who is demoted in a joint change keeps voting in the old half, and its progress', async (t) => {
  const start = restoreMembership(
    { voters: [1, 2], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
    newProgress,
  );
  const progress = start.progress.get(2);
  if (progress !== undefined) progress.match = 7;
  const joint = enterJoint({ ...start, newProgress }, [{ type: 'addLearner', nodeId: 2 }], false);
  t.ok(joint.ok && isJoint(joint.membership));
  if (!joint.ok) return;
  t.match(confStateOf(joint.membership), { voters: [1], votersOutgoing: [1, 2], learners: [], learnersNext: [2] });
  t.match(joint.progress.get(2), { match: 7, isLearner: false });
  const left = leaveJoint({ ...joint, newProgress });
  t.ok(left.ok);
  if (!left.ok) return;
  t.match(confStateOf(left.membership), { voters: [1], votersOutgoing: [], learners: [2], learnersNext: [] });
  t.match(left.progress.get(2), { match: 7, isLearner: true });
});
