import type { ConfChangeSingle } from '../../../../node/raft/conf-change.ts';
import {
  changeDirectly,
  emptyMembership,
  enterJoint,
  leaveJoint,
  type MembershipBase,
  type MembershipRefusal,
} from '../../../../node/raft/membership.ts';
import { Progress } from '../../../../node/raft/progress.ts';
import { type CaseRunner, optionOf, ScenarioError, toBoolean, toInteger } from './command.ts';
import { describeMembership } from './describe.ts';

const changeTypes: Readonly<Record<string, ConfChangeSingle['type']>> = {
  v: 'addNode',
  l: 'addLearner',
  r: 'removeNode',
  u: 'updateNode',
};

const refusalTexts: Readonly<Record<MembershipRefusal, string>> = {
  'already-joint': 'config is already joint',
  'not-joint': "can't leave a non-joint config",
  'joint-without-voters': "can't make a zero-voter config joint",
  'simple-while-joint': "can't apply simple config change in joint config",
  'no-voters-left': 'removed all voters',
  'too-many-voters-changed': 'more than one voter changed without entering joint config',
};

const limits = { messagesMax: 10, bytesMax: Number.POSITIVE_INFINITY };

/** Changes as words: `v1` a voter, `l2` a learner, `r3` removed, `u4` updated. */
export function parseChanges(words: readonly string[]): ConfChangeSingle[] {
  return words
    .flatMap((line) => line.split(' '))
    .filter((word) => word !== '')
    .map((word) => {
      const type = changeTypes[word.charAt(0)];
      if (type === undefined) throw new ScenarioError(`${word} is not a change`);
      return { type, nodeId: toInteger(word.slice(1)) };
    });
}

/** Cases of `confchange/`: `simple`, `enter-joint` and `leave-joint` on one membership. */
export function membershipRunner(): CaseRunner {
  let membership = emptyMembership;
  let progress: MembershipBase['progress'] = new Map();
  let lastIndex = 0;
  return (one) => {
    const changes = parseChanges(one.input);
    const newProgress = (isLearner: boolean): Progress =>
      Progress.fresh({ next: Math.max(lastIndex, 1), isLearner, recentActive: true, limits });
    const base: MembershipBase = { membership, progress, newProgress };
    const result =
      one.command === 'simple'
        ? changeDirectly(base, changes)
        : one.command === 'enter-joint'
          ? enterJoint(base, changes, toBoolean(optionOf(one, 'autoleave') ?? 'false'))
          : leaveJoint(base);
    lastIndex++;
    if (!result.ok) return `${refusalTexts[result.refusal]}\n`;
    membership = result.membership;
    progress = result.progress;
    let text = `${describeMembership(membership)}\n`;
    for (const [id, of] of progress) {
      text += `${id}: StateProbe match=${of.match} next=${of.next}${of.isLearner ? ' learner' : ''}\n`;
    }
    return text;
  };
}
