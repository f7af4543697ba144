import type { RaftId } from '../base/ids.ts';
import { confStateOf } from './membership.ts';
import type { ConfState, HardState, LogIndex } from './messages/messages.ts';
import type { ProgressState } from './progress.ts';
import type { Raft } from './raft.ts';
import type { SoftState } from './ready.ts';

/** What a leader knows of one member; see progress.ts for the words. */
export interface MemberStatus {
  readonly id: RaftId;
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly state: ProgressState;
  readonly isLearner: boolean;
  readonly isPaused: boolean;
  readonly pendingSnapshot: LogIndex;
  readonly recentActive: boolean;
  readonly inflightCount: number;
  readonly inflightFull: boolean;
}

/** One node's view of the group, at one moment. */
export interface Status extends SoftState, HardState {
  readonly id: RaftId;
  readonly applied: LogIndex;
  readonly lastIndex: LogIndex;
  readonly leadTransferee: RaftId;
  readonly confState: ConfState;
  /** Ascending by id. Only a leader has any. */
  readonly members: readonly MemberStatus[];
}

/** A copy for people and metrics: takes time in proportion to the members, so not for every message. */
export function statusOf(raft: Raft): Status {
  const members: MemberStatus[] = [];
  if (raft.role === 'leader') {
    for (const [id, progress] of raft.tracker.progress) {
      members.push({
        id,
        match: progress.match,
        next: progress.next,
        state: progress.state,
        isLearner: progress.isLearner,
        isPaused: progress.isPaused,
        pendingSnapshot: progress.pendingSnapshot,
        recentActive: progress.recentActive,
        inflightCount: progress.inflights.count,
        inflightFull: progress.inflights.full,
      });
    }
  }
  return {
    id: raft.id,
    ...raft.softState,
    ...raft.hardState,
    applied: raft.log.applied,
    lastIndex: raft.log.lastIndex(),
    leadTransferee: raft.leadTransferee,
    confState: confStateOf(raft.tracker.membership),
    members,
  };
}
