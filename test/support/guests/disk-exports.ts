/** Where tests serve real disks: on loopback, at ports of this process. */
import type { DiskExportsOptions } from '../../../drivers/nbd/exports/disk-exports.ts';

const portsAProcess = 20;
const processes = 500;

export function exportOptions(runDir: string): DiskExportsOptions {
  const first = 22_000 + (process.pid % processes) * portsAProcess;
  return { runDir, address: '127.0.0.1', ports: { first, count: portsAProcess } };
}
