/**
 * Who votes and who learns, and the algebra of changing it (Raft thesis, section 4; joint consensus with learners).
 *
 * A membership is an immutable value. A change makes a new value and a new progress map, or says why it will not; the
 * old ones stay as they are, so a refused change leaves no trace.
 */
import { assert } from '../base/assert.ts';
import type { RaftId } from '../base/ids.ts';
import type { ConfChangeSingle } from './conf-change.ts';
import type { ConfState } from './messages/messages.ts';
import type { Progress } from './progress.ts';
import { JointQuorum, MajorityQuorum } from './quorum.ts';

/**
 * Invariants: learners vote in neither half; `learnersNext` are voters of the outgoing half only; unless joint, there
 * is no outgoing half, no `learnersNext` and no `autoLeave`; every member has progress, nobody else has.
 */
export interface Membership {
  readonly voters: JointQuorum;
  readonly learners: ReadonlySet<RaftId>;
  /** Voters who become learners when the joint configuration is left; until then the old half still needs their vote. */
  readonly learnersNext: ReadonlySet<RaftId>;
  readonly autoLeave: boolean;
}

/** What is known of each member's log (progress.ts): of voters of both halves, and of learners. */
export type ProgressMap = ReadonlyMap<RaftId, Progress>;

/** Why a change is impossible for the present membership. */
export type MembershipRefusal =
  | 'already-joint'
  | 'not-joint'
  | 'joint-without-voters'
  | 'simple-while-joint'
  | 'no-voters-left'
  | 'too-many-voters-changed';

/** The new membership and progress, or why there is none; the old values are untouched either way. */
export type MembershipResult =
  | { readonly ok: true; readonly membership: Membership; readonly progress: ProgressMap }
  | { readonly ok: false; readonly refusal: MembershipRefusal };

/** Makes the progress of a member that was not there before. */
type NewProgress = (isLearner: boolean) => Progress;

/** What a change starts from. */
export interface MembershipBase {
  readonly membership: Membership;
  readonly progress: ProgressMap;
  readonly newProgress: NewProgress;
}

/** Whether two halves of voters must agree (Raft thesis, section 4.3): a change of several members is under way. */
export function isJoint(membership: Membership): boolean {
  return membership.voters.outgoing.size > 0;
}

/** No members at all: what a node starts with before it hears from anybody. */
export const emptyMembership: Membership = Object.freeze({
  voters: new JointQuorum(new MajorityQuorum([]), new MajorityQuorum([])),
  learners: new Set<RaftId>(),
  learnersNext: new Set<RaftId>(),
  autoLeave: false,
});

/** The membership that `state` describes, with new progress for every member. */
export function restoreMembership(
  state: ConfState,
  newProgress: NewProgress,
): { membership: Membership; progress: ProgressMap } {
  const draft = new Draft({ membership: emptyMembership, progress: new Map(), newProgress });
  for (const id of state.voters) draft.incoming.add(id);
  for (const id of state.votersOutgoing) draft.outgoing.add(id);
  for (const id of state.learners) draft.learners.add(id);
  for (const id of state.learnersNext) draft.learnersNext.add(id);
  for (const id of [...state.voters, ...state.votersOutgoing, ...state.learnersNext]) draft.track(id, false);
  for (const id of state.learners) draft.track(id, true);
  return draft.finish(state.autoLeave);
}

/** The form that snapshots and the state machine keep. */
export function confStateOf(membership: Membership): ConfState {
  return {
    voters: membership.voters.incoming.ids,
    votersOutgoing: membership.voters.outgoing.ids,
    learners: ascending(membership.learners),
    learnersNext: ascending(membership.learnersNext),
    autoLeave: membership.autoLeave,
  };
}

/** Goes from one majority to two: the present voters become the outgoing half, `changes` apply to the incoming one. */
export function enterJoint(
  base: MembershipBase,
  changes: readonly ConfChangeSingle[],
  autoLeave: boolean,
): MembershipResult {
  if (isJoint(base.membership)) return { ok: false, refusal: 'already-joint' };
  // Only a node that was never bootstrapped has no voters; there is no old majority that could agree to a change.
  if (base.membership.voters.incoming.size === 0) return { ok: false, refusal: 'joint-without-voters' };
  const draft = new Draft(base);
  for (const id of draft.incoming) draft.outgoing.add(id);
  draft.apply(changes);
  if (draft.incoming.size === 0) return { ok: false, refusal: 'no-voters-left' };
  return { ok: true, ...draft.finish(autoLeave) };
}

/** Goes from two majorities to the incoming one. */
export function leaveJoint(base: MembershipBase): MembershipResult {
  if (!isJoint(base.membership)) return { ok: false, refusal: 'not-joint' };
  const draft = new Draft(base);
  for (const id of draft.learnersNext) {
    draft.learners.add(id);
    draft.track(id, true);
  }
  draft.learnersNext.clear();
  for (const id of draft.outgoing) {
    if (!draft.incoming.has(id) && !draft.learners.has(id)) draft.progress.delete(id);
  }
  draft.outgoing.clear();
  return { ok: true, ...draft.finish(false) };
}

/** Applies changes that touch at most one voter: any old and new majority then overlap, and no joint step is needed. */
export function changeDirectly(base: MembershipBase, changes: readonly ConfChangeSingle[]): MembershipResult {
  if (isJoint(base.membership)) return { ok: false, refusal: 'simple-while-joint' };
  const draft = new Draft(base);
  draft.apply(changes);
  if (draft.incoming.size === 0) return { ok: false, refusal: 'no-voters-left' };
  const before = base.membership.voters.incoming;
  let differences = 0;
  for (const id of draft.incoming) if (!before.has(id)) differences++;
  for (const id of before.ids) if (!draft.incoming.has(id)) differences++;
  if (differences > 1) return { ok: false, refusal: 'too-many-voters-changed' };
  return { ok: true, ...draft.finish(false) };
}

/** A membership while it is being changed. */
class Draft {
  readonly incoming: Set<RaftId>;
  readonly outgoing: Set<RaftId>;
  readonly learners: Set<RaftId>;
  readonly learnersNext: Set<RaftId>;
  readonly progress: Map<RaftId, Progress>;
  readonly #newProgress: NewProgress;

  constructor(base: MembershipBase) {
    this.incoming = new Set(base.membership.voters.incoming.ids);
    this.outgoing = new Set(base.membership.voters.outgoing.ids);
    this.learners = new Set(base.membership.learners);
    this.learnersNext = new Set(base.membership.learnersNext);
    this.progress = new Map(base.progress);
    this.#newProgress = base.newProgress;
  }

  /** Makes sure that `id` has progress, and of the right kind; what is known of it is kept. */
  track(id: RaftId, isLearner: boolean): void {
    const present = this.progress.get(id);
    if (present === undefined) {
      this.progress.set(id, this.#newProgress(isLearner));
    } else if (present.isLearner !== isLearner) {
      const changed = present.clone();
      changed.isLearner = isLearner;
      this.progress.set(id, changed);
    }
  }

  apply(changes: readonly ConfChangeSingle[]): void {
    for (const change of changes) {
      if (change.nodeId === 0) continue;
      switch (change.type) {
        case 'addNode':
          this.#makeVoter(change.nodeId);
          break;
        case 'addLearner':
          this.#makeLearner(change.nodeId);
          break;
        case 'removeNode':
          this.#remove(change.nodeId);
          break;
        case 'updateNode':
          break;
      }
    }
  }

  #makeVoter(id: RaftId): void {
    this.learners.delete(id);
    this.learnersNext.delete(id);
    this.incoming.add(id);
    this.track(id, false);
  }

  #makeLearner(id: RaftId): void {
    if (this.learners.has(id)) return;
    this.incoming.delete(id);
    // Who still votes in the outgoing half cannot learn yet: half the configuration counts on that vote.
    if (this.outgoing.has(id)) {
      this.learnersNext.add(id);
      this.track(id, false);
    } else {
      this.learners.add(id);
      this.track(id, true);
    }
  }

  #remove(id: RaftId): void {
    this.incoming.delete(id);
    this.learners.delete(id);
    this.learnersNext.delete(id);
    // The leader must go on replicating to a voter of the outgoing half until the joint configuration is left.
    if (!this.outgoing.has(id)) this.progress.delete(id);
  }

  finish(autoLeave: boolean): { membership: Membership; progress: ProgressMap } {
    const voters = new JointQuorum(new MajorityQuorum(this.incoming), new MajorityQuorum(this.outgoing));
    for (const id of this.learners) assert(!voters.has(id), () => `member ${id} both votes and learns`);
    for (const id of this.learnersNext) {
      assert(this.outgoing.has(id) && !this.incoming.has(id), () => `member ${id} is to learn next but votes on`);
    }
    const joint = this.outgoing.size > 0;
    assert(joint || (this.learnersNext.size === 0 && !autoLeave), 'only a joint configuration can be left');
    for (const [id, progress] of this.progress) {
      assert(progress.isLearner === this.learners.has(id), () => `progress of ${id} is of the wrong kind`);
      assert(voters.has(id) || this.learners.has(id), () => `progress of ${id}, who is no member`);
    }
    assert(this.progress.size === voters.ids.length + this.learners.size, 'a member has no progress');
    // Ascending, because messages to all members go out in this order and traces must not depend on history.
    const progress = new Map([...this.progress].sort(([a], [b]) => a - b));
    const membership = { voters, learners: this.learners, learnersNext: this.learnersNext, autoLeave };
    return { membership, progress };
  }
}

function ascending(ids: ReadonlySet<RaftId>): readonly RaftId[] {
  return [...ids].sort((a, b) => a - b);
}
