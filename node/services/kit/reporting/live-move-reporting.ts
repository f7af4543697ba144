import type { MemoryProgress, MemoryReceiver } from '../../../../drivers/types.ts';
import type { shoal } from '../../../../proto/messages.ts';

/** How the job of a live migration tells the records what is so. Each call is one guarded transaction. */
export interface LiveMoveReports {
  /** What the target must know to make the guest's devices. A move that is over is no error. */
  described(job: shoal.v1.Job, hardware: string): Promise<void>;
  /**
   * The memory is about to be sent: from now on the guest is the job's to pause and to let go on. Throws `CONFLICT` when the move is
   * over, or the server is being deleted.
   */
  copying(job: shoal.v1.Job): Promise<void>;
  /** A hint for people, so failing is no error. */
  progress(job: shoal.v1.Job, memory: MemoryProgress): Promise<void>;
  /**
   * All of the memory is at the target: record, ports, volumes and migration name it, in one transaction. Throws `CONFLICT` when the
   * move is over otherwise. Done already: success.
   */
  switched(job: shoal.v1.Job): Promise<void>;
  /** It has come to nothing: the server stays, and the target is to end what it made. */
  withdrawn(job: shoal.v1.Job, end: { readonly isCancelled: boolean; readonly why: string }): Promise<void>;
}

/** How the host that is to have the guest tells the records. A record that moved on is no error. */
export interface ReceivingReports {
  /** The guest waits for its memory there. */
  receiving(server: shoal.v1.Server, receiver: MemoryReceiver): Promise<void>;
  /** This host cannot take it. */
  receiveFailed(server: shoal.v1.Server, message: string): Promise<void>;
  /** What it had of a guest that never ran there is gone. */
  discarded(server: shoal.v1.Server): Promise<void>;
}
