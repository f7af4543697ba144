export {
  type ConfChange,
  type ConfChangeSingle,
  type ConfChangeTransition,
  type ConfChangeType,
  type ConfChangeV1,
  type ConfChangeV2,
  leaveJointChange,
} from './conf-change.ts';
export {
  decodeConfChangeV1,
  decodeConfChangeV2,
  encodeConfChangeV1,
  encodeConfChangeV2,
} from './conf-change-codec.ts';
export type { JitterSource, RaftConfig, ReadMode } from './config.ts';
export { messageFault } from './messages/message-fault.ts';
export {
  appendThread,
  applyThread,
  type ConfState,
  type Entry,
  type EntryType,
  emptyConfState,
  emptyHardState,
  entriesBytes,
  entryBytes,
  type HardState,
  isEmptyHardState,
  isLocalThread,
  type LogIndex,
  limitBytes,
  type Message,
  type MessageFields,
  type MessageType,
  newMessage,
  noBytes,
  nobody,
  type PeerMessageType,
  type Snapshot,
  type StorageMessageType,
  type Term,
} from './messages/messages.ts';
export type { ProgressState } from './progress.ts';
export { RawNode } from './raw-node.ts';
export type { ReadState } from './read-index.ts';
export type { Ready, Role, SoftState } from './ready.ts';
export type { Refusal } from './refusal.ts';
export type { MemberStatus, Status } from './status.ts';
export { MemoryStorage } from './storage/memory-storage.ts';
export type { LogRefusal, Storage } from './storage/storage.ts';
