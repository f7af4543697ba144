import type { shoal } from '../../../../proto/messages.ts';
import type { VolumeFault } from './volume-reporting.ts';

/** A job's word for: the records name the new place. There is no way back from it. */
export const switchedPhase = 'switched';

/**
 * How jobs that move volumes tell the records. Each is one transaction; the same word twice changes nothing the second time. What ends
 * a move ends its job as well: a volume that is free has no job that would refuse the next one.
 * `switched` and `swapped` decide: true: the records name the new disk, now or already; false: they never will for this job.
 */
export interface VolumeMoveReports {
  /**
   * Host, pool, type, generation and quota of the volume, and the disk of the server that has it, are those of the new place;
   * migration status "completing".
   * @param generation that the volume had when the new place was opened, one above it.
   */
  switched(jobId: string, generation: number): Promise<boolean>;
  /** Nothing is left to do: "success". @param leftover what could not be removed, of which its owner is told. */
  moved(job: shoal.v1.Job, leftover?: VolumeFault): Promise<void>;
  /** The bytes are where they were: "error", and its owner is told. */
  moveFailed(job: shoal.v1.Job, fault: VolumeFault): Promise<void>;
  /** The server has the other volume, and the one that it had is free. @param generations before. */
  swapped(jobId: string, generations: { readonly source: number; readonly target: number }): Promise<boolean>;
  /** Both volumes are what their uses say. @param fault why it did not come to be; absent: it did. */
  swapEnded(job: shoal.v1.Job, fault?: VolumeFault): Promise<void>;
  /** The server has the volume that it had; the other, which its QEMU may have open still, is in "error". Their owners are told. */
  swapStuck(job: shoal.v1.Job, fault: VolumeFault): Promise<void>;
}
