/** What is measured of another program. */
import type { Times } from '../figures/times.ts';

/** One of them. */
export interface BaselineRow {
  readonly what: string;
  readonly version: string;
  /** Members, or watchers. */
  readonly members: number;
  /** From a change until the last of them had it. */
  readonly seenByAll: Times;
  /** At rest: of one member, or of the server that all watch. Unit: percent of a core. */
  readonly cpuPercent: number;
  /** Of one member, or of the server. */
  readonly rssMib: number;
}

/** How much of it. */
export interface BaselineOptions {
  readonly members: number;
  readonly watchers: number;
  readonly changes: number;
  readonly restMs: number;
}
