import type { shoal } from '../../../../proto/messages.ts';

/** What a host tells of a guest that is as it was asked to be. */
export type ReportedPower = 'running' | 'stopped' | 'paused' | 'suspended';

/** How the host tells the records what is so. Each call is one guarded transaction; a record that moved on is no error. */
export interface HostReports {
  /** @param notice what the host did on its own to get there, for the owner; absent: what was asked for. */
  power(server: shoal.v1.Server, power: ReportedPower, rebootsDone: number, notice?: string): Promise<void>;
  /** The guest powered itself off: SHUTOFF, and wanted so. */
  shutdown(server: shoal.v1.Server): Promise<void>;
  fault(server: shoal.v1.Server, message: string, details: string): Promise<void>;
  released(server: shoal.v1.Server): Promise<void>;
  /** Record, ports made for it, quota: gone. */
  deleted(server: shoal.v1.Server): Promise<void>;
  /** What the host is doing now (Nova's task_state); a hint for people, so failing is no error. */
  task(server: shoal.v1.Server, taskState: string): Promise<void>;
}
