/**
 * Changes of the membership as they stand in the log. A change is committed like any entry and takes effect on a node
 * when that node applies it (`RawNode.applyConfChange`), not when it is appended.
 */
import type { RaftId } from '../base/ids.ts';
import { noBytes } from './messages/messages.ts';

/** `updateNode` changes nothing here; it lets the state machine hear of a member's new address in log order. */
export type ConfChangeType = 'addNode' | 'removeNode' | 'updateNode' | 'addLearner';

/**
 * - `auto`: one change goes directly, more go through a joint configuration that the leader leaves by itself.
 * - `implicit`: always joint, left by the leader.
 * - `explicit`: always joint, left by an empty `ConfChangeV2` that the caller proposes.
 */
export type ConfChangeTransition = 'auto' | 'implicit' | 'explicit';

/** What happens to one member. */
export interface ConfChangeSingle {
  readonly type: ConfChangeType;
  /** Whom it is about. 0 is skipped: a state machine that refuses a committed change clears the id. */
  readonly nodeId: RaftId;
}

/** One change: the older form (entry type `confChange`), always direct. */
export interface ConfChangeV1 extends ConfChangeSingle {
  /** Opaque to the core; the state machine hears of it when the change applies. */
  readonly context: Uint8Array;
}

/** Any number of changes at once (entry type `confChangeV2`). With none: leave the joint configuration. */
export interface ConfChangeV2 {
  readonly transition: ConfChangeTransition;
  readonly changes: readonly ConfChangeSingle[];
  /** Opaque to the core; the state machine hears of it when the change applies. */
  readonly context: Uint8Array;
}

/** Either form, as `RawNode.proposeConfChange` and `applyConfChange` take it. */
export type ConfChange = ConfChangeV1 | ConfChangeV2;

/** What ends an explicit joint configuration. */
export const leaveJointChange: ConfChangeV2 = Object.freeze({
  transition: 'auto',
  changes: Object.freeze([]),
  context: noBytes,
});

/** Tells the two forms apart by their shape: only the older one has a `type` of its own. */
export function isV1(change: ConfChange): change is ConfChangeV1 {
  return 'type' in change;
}

/** The general form of either. */
export function asV2(change: ConfChange): ConfChangeV2 {
  if (!isV1(change)) return change;
  return { transition: 'auto', changes: [{ type: change.type, nodeId: change.nodeId }], context: change.context };
}

/** Whether this change leaves a joint configuration: it changes nothing, and so its transition has no meaning. */
export function leavesJoint(change: ConfChangeV2): boolean {
  return change.changes.length === 0;
}

/** Whether this change goes through a joint configuration. */
export function entersJoint(change: ConfChangeV2): boolean {
  return change.transition !== 'auto' || change.changes.length > 1;
}

/** Whether the joint configuration that this change enters is left by the leader itself. */
export function leavesByItself(change: ConfChangeV2): boolean {
  return change.transition !== 'explicit';
}
