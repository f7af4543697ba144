/** What a guest has and has used since its process began. */
import type { VolumeId } from '../../node/base/ids.ts';

/** Time of one vCPU. */
interface CpuDiagnostics {
  readonly id: number;
  readonly timeNs: number;
}

/** What was read from and written to one disk. */
interface DiskDiagnostics {
  readonly volumeId: VolumeId;
  readonly readBytes: number;
  readonly readRequests: number;
  readonly writeBytes: number;
  readonly writeRequests: number;
  /** Requests that failed, of either kind. */
  readonly errors: number;
}

/** What one NIC has received and sent, as the guest sees it. */
interface NicDiagnostics {
  readonly mac: string;
  readonly receivedBytes: number;
  readonly receivedPackets: number;
  readonly receivedErrors: number;
  readonly receivedDrops: number;
  readonly sentBytes: number;
  readonly sentPackets: number;
  readonly sentErrors: number;
  readonly sentDrops: number;
}

/** Figures of one guest. */
export interface GuestDiagnostics {
  /** QEMU's own word (`running`, `paused`, `io-error`...). */
  readonly state: string;
  readonly uptimeS: number;
  readonly memoryMib: number;
  /** What the guest has of it now: less while its balloon is blown up. */
  readonly memoryUsedMib: number;
  readonly cpus: readonly CpuDiagnostics[];
  readonly disks: readonly DiskDiagnostics[];
  readonly nics: readonly NicDiagnostics[];
}
