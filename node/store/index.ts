export type { Disk, DiskOp, DiskRow } from './disk.ts';
export { type LevelLogStoreOptions, openLevelLogStore } from './level-log-store.ts';
export { LogStore, type LogWrite, type SnapshotInstall, type SnapshotPlace, type StateWrite } from './log-store.ts';
export { LogTail } from './log-tail.ts';
export { MemoryDisk } from './memory-disk.ts';
export { openMemoryLogStore } from './memory-log-store.ts';
export type { Doubt, DoubtReason, Identity, PeerMemory } from './records.ts';
export { type OpenedLog, type OpenOptions, openLogStore } from './recovery.ts';
