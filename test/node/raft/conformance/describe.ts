/** Prints the core's data as etcd-io/raft's scenario files print theirs. */
import type { ConfChangeSingle } from '../../../../node/raft/conf-change.ts';
import { asV2 } from '../../../../node/raft/conf-change.ts';
import { decodeConfChangeV1, decodeConfChangeV2 } from '../../../../node/raft/conf-change-codec.ts';
import { isJoint, type Membership } from '../../../../node/raft/membership.ts';
import {
  appendThread,
  applyThread,
  type ConfState,
  type Entry,
  type HardState,
  type Message,
  type Snapshot,
} from '../../../../node/raft/messages/messages.ts';
import type { Ready, Role } from '../../../../node/raft/ready.ts';
import type { MemberStatus } from '../../../../node/raft/status.ts';

const roleNames: Readonly<Record<Role, string>> = {
  follower: 'StateFollower',
  preCandidate: 'StatePreCandidate',
  candidate: 'StateCandidate',
  leader: 'StateLeader',
};

const entryTypeNames = { normal: 'EntryNormal', confChange: 'EntryConfChange', confChangeV2: 'EntryConfChangeV2' };

const progressNames = { probe: 'StateProbe', replicate: 'StateReplicate', snapshot: 'StateSnapshot' };

const changeLetters = { addNode: 'v', addLearner: 'l', removeNode: 'r', updateNode: 'u' };

export function describeRole(role: Role): string {
  return roleNames[role];
}

function describeTarget(id: number): string {
  if (id === appendThread) return 'AppendThread';
  if (id === applyThread) return 'ApplyThread';
  return id.toString(16);
}

function describeChanges(changes: readonly ConfChangeSingle[]): string {
  return changes.map((change) => `${changeLetters[change.type]}${change.nodeId}`).join(' ');
}

function describeEntryData(entry: Entry): string {
  if (entry.type === 'normal') return JSON.stringify(new TextDecoder('latin1').decode(entry.data));
  const change = entry.type === 'confChange' ? decodeConfChangeV1(entry.data) : decodeConfChangeV2(entry.data);
  return change === undefined ? '<not a conf change>' : describeChanges(asV2(change).changes);
}

export function describeEntry(entry: Entry): string {
  const data = describeEntryData(entry);
  return `${entry.term}/${entry.index} ${entryTypeNames[entry.type]}${data === '' ? '' : ` ${data}`}`;
}

export function describeEntries(entries: readonly Entry[]): string {
  return entries.map((entry) => `${describeEntry(entry)}\n`).join('');
}

function describeIds(ids: readonly number[]): string {
  return `[${ids.join(' ')}]`;
}

function describeConfState(state: ConfState): string {
  return (
    `Voters:${describeIds(state.voters)} VotersOutgoing:${describeIds(state.votersOutgoing)} ` +
    `Learners:${describeIds(state.learners)} LearnersNext:${describeIds(state.learnersNext)} ` +
    `AutoLeave:${state.autoLeave}`
  );
}

function describeSnapshot(snapshot: Snapshot): string {
  return `Index:${snapshot.index} Term:${snapshot.term} ConfState:${describeConfState(snapshot.confState)}`;
}

export function describeMessage(message: Message, indent = ''): string {
  const { from, to, type, term, logTerm, index, entries, snapshot, responses } = message;
  let text = `${indent}${describeTarget(from)}->${describeTarget(to)} ${type} Term:${term} Log:${logTerm}/${index}`;
  if (message.reject) text += ` Rejected (Hint: ${message.rejectHint})`;
  if (message.commit !== 0) text += ` Commit:${message.commit}`;
  if (message.vote !== 0) text += ` Vote:${message.vote}`;
  const [first] = entries;
  if (first !== undefined && entries.length === 1) text += ` Entries:[${describeEntry(first)}]`;
  else if (entries.length > 1) {
    text += ' Entries:[';
    for (const entry of entries) text += `\n${indent}  ${describeEntry(entry)}`;
    text += `\n${indent}]`;
  }
  if (snapshot !== null) text += `\n${indent}  Snapshot: ${describeSnapshot(snapshot)}`;
  if (responses.length > 0) {
    text += ' Responses:[';
    for (const response of responses) text += `\n${describeMessage(response, `${indent}  `)}`;
    text += `\n${indent}]`;
  }
  return text;
}

function describeHardState(state: HardState): string {
  return `Term:${state.term}${state.vote === 0 ? '' : ` Vote:${state.vote}`} Commit:${state.commit}`;
}

export function describeReady(ready: Ready): string {
  let text = '';
  if (ready.softState !== undefined) {
    text += `Lead:${ready.softState.leader} State:${describeRole(ready.softState.role)}\n`;
  }
  if (ready.hardState !== undefined) text += `HardState ${describeHardState(ready.hardState)}\n`;
  for (const read of ready.readStates) {
    text += `ReadState Index:${read.index} Context:${new TextDecoder('latin1').decode(read.context)}\n`;
  }
  if (ready.entries.length > 0) text += `Entries:\n${describeEntries(ready.entries)}`;
  if (ready.snapshot !== undefined) text += `Snapshot ${describeSnapshot(ready.snapshot)}\n`;
  if (ready.committedEntries.length > 0) text += `CommittedEntries:\n${describeEntries(ready.committedEntries)}`;
  if (ready.messages.length > 0) {
    text += 'Messages:\n';
    for (const message of ready.messages) text += `${describeMessage(message)}\n`;
  }
  return text === '' ? '<empty Ready>\n' : `Ready MustSync=${ready.mustSync}:\n${text}`;
}

export function describeMember(member: MemberStatus): string {
  let text = `${progressNames[member.state]} match=${member.match} next=${member.next}`;
  if (member.isLearner) text += ' learner';
  if (member.isPaused) text += ' paused';
  if (member.pendingSnapshot > 0) text += ` pendingSnap=${member.pendingSnapshot}`;
  if (!member.recentActive) text += ' inactive';
  if (member.inflightCount > 0) text += ` inflight=${member.inflightCount}${member.inflightFull ? '[full]' : ''}`;
  return text;
}

export function describeMembership(membership: Membership): string {
  const list = (ids: Iterable<number>): string => `(${[...ids].sort((a, b) => a - b).join(' ')})`;
  let text = `voters=${list(membership.voters.incoming.ids)}`;
  if (isJoint(membership)) text += `&&${list(membership.voters.outgoing.ids)}`;
  if (membership.learners.size > 0) text += ` learners=${list(membership.learners)}`;
  if (membership.learnersNext.size > 0) text += ` learners_next=${list(membership.learnersNext)}`;
  if (membership.autoLeave) text += ' autoleave';
  return text;
}
