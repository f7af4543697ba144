import type { shoal } from '../../../../proto/messages.ts';
import type { ActionEvent } from './action-event.ts';

/** What a host tells of a guest that is as it was asked to be. */
export type ReportedPower = 'running' | 'stopped' | 'paused' | 'suspended';

/** What the host did to get there, for the history of the server's actions. */
export interface DoneFor {
  /** When it began, wall clock, ms. */
  readonly startMs: number;
  /** Its parts. */
  readonly events: readonly ActionEvent[];
}

/** How the host tells the records what is so. Each call is one guarded transaction; a record that moved on is no error. */
export interface HostReports {
  /**
   * @param notice what the host did on its own to get there, for the owner; absent: what was asked for.
   * @param done what it did for the request that is carried out by this; absent: nothing is known of it.
   */
  power(
    server: shoal.v1.Server,
    power: ReportedPower,
    rebootsDone: number,
    notice?: string,
    done?: DoneFor,
  ): Promise<void>;
  /** The guest powered itself off: SHUTOFF, and wanted so. */
  shutdown(server: shoal.v1.Server): Promise<void>;
  /** The disks that were to take the place of others are there, and those are gone. */
  rebuilt(server: shoal.v1.Server): Promise<void>;
  /** The rescue is over: its disk is gone. */
  unrescued(server: shoal.v1.Server): Promise<void>;
  /** Guest and disks of its own are gone here: it has no host any more. */
  offloaded(server: shoal.v1.Server): Promise<void>;
  fault(server: shoal.v1.Server, message: string, details: string): Promise<void>;
  /** The guest is gone here, its disks are closed, and their locks given back. */
  released(server: shoal.v1.Server, done?: DoneFor): Promise<void>;
  /** Nothing of the server, which has moved on for good, is left here. */
  cleaned(server: shoal.v1.Server): Promise<void>;
  /** Record, ports made for it, quota: gone. */
  deleted(server: shoal.v1.Server): Promise<void>;
  /** What the host is doing now (Nova's task_state); a hint for people, so failing is no error. */
  task(server: shoal.v1.Server, taskState: string): Promise<void>;
}
