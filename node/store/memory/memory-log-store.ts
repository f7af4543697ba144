import { type OpenedLog, type OpenOptions, openLogStore } from '../log/recovery.ts';
import { MemoryDisk } from './memory-disk.ts';

/** A log in memory, for tests and the simulator. Give the same disk again to see what a restart would find. */
export function openMemoryLogStore(options: OpenOptions, disk = new MemoryDisk()): Promise<OpenedLog> {
  return openLogStore(disk, options);
}
