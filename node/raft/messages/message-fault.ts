import { type Entry, type Message, noBytes } from './messages.ts';

/** The longest context of a read or heartbeat. It travels with every heartbeat and is a key in a map. Unit: bytes. */
export const contextBytesMax = 256;
/** The longest acceptable list of members in a snapshot: more than any cell has agents. */
const membersMax = 65_536;

/**
 * What is wrong with a message from outside, or undefined. Peers are authenticated, but a bug or a bad disk on one node
 * must not stop the others: what contradicts the protocol is refused here and never reaches an assertion.
 */
export function messageFault(message: Message): string | undefined {
  const numbers =
    isCount(message.term) && isCount(message.logTerm) && isCount(message.index) && isCount(message.commit);
  if (!numbers || !isCount(message.rejectHint) || !isCount(message.vote)) return 'a number is outside [0, 2^53)';
  if (message.context.length > contextBytesMax) return 'the context is too long';
  if (message.responses.length > 0) return 'only storage messages carry responses';
  switch (message.type) {
    case 'MsgApp':
      return message.term === 0 ? 'the term is missing' : entriesFault(message);
    case 'MsgProp':
      return message.entries.length === 0 ? 'a proposal without entries' : undefined;
    case 'MsgSnap':
      return snapshotFault(message);
    case 'MsgReadIndex':
      return message.context === noBytes || message.context.length === 0 ? 'a read without a name' : undefined;
    default:
      // Everything else is bound to a term; without one it would count as this node's own word.
      return message.term === 0 ? 'the term is missing' : undefined;
  }
}

/** Entries of an append must follow the one before them without a gap, in terms that never shrink. */
function entriesFault(message: Message): string | undefined {
  let index = message.index;
  let term = message.logTerm;
  for (const entry of message.entries) {
    index++;
    if (entry.index !== index) return `entry ${entry.index} is where ${index} belongs`;
    if (!isEntryTerm(entry, term, message.term)) return `entry ${index} of term ${entry.term} is out of order`;
    term = entry.term;
  }
  return undefined;
}

function isEntryTerm(entry: Entry, previous: number, leader: number): boolean {
  return isCount(entry.term) && entry.term >= 1 && entry.term >= previous && entry.term <= leader;
}

function snapshotFault(message: Message): string | undefined {
  const snapshot = message.snapshot;
  if (message.term === 0) return 'the term is missing';
  if (snapshot === null || !isCount(snapshot.index) || snapshot.index === 0) return 'a snapshot of nothing';
  if (!isCount(snapshot.term) || snapshot.term > message.term) return 'the snapshot is of a later term';
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = snapshot.confState;
  if (voters.length === 0) return 'the snapshot has no voters';
  const lists = [voters, votersOutgoing, learners, learnersNext];
  if (lists.some((list) => list.length > membersMax || list.some((id) => !isCount(id) || id === 0))) {
    return 'the snapshot names impossible members';
  }
  if (votersOutgoing.length === 0 && (learnersNext.length > 0 || autoLeave)) return 'the snapshot is half joint';
  const votes = new Set([...voters, ...votersOutgoing]);
  if (learners.some((id) => votes.has(id))) return 'a member of the snapshot both votes and learns';
  const outgoing = new Set(votersOutgoing);
  const incoming = new Set(voters);
  if (learnersNext.some((id) => !outgoing.has(id) || incoming.has(id))) return 'the snapshot demotes a stranger';
  return undefined;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
