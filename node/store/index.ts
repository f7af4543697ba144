export { type LevelLogStoreOptions, openLevelLogStore } from './level/level-log-store.ts';
export type { Disk, DiskOp, DiskRow } from './log/disk.ts';
export { LogStore, type LogWrite, type SnapshotInstall, type SnapshotPlace, type StateWrite } from './log/log-store.ts';
export { LogTail } from './log/log-tail.ts';
export type { Identity, PeerMemory, Quarantine, QuarantineReason } from './log/records.ts';
export { type OpenedLog, type OpenOptions, openLogStore } from './log/recovery.ts';
export { MemoryDisk } from './memory/memory-disk.ts';
export { openMemoryLogStore } from './memory/memory-log-store.ts';
