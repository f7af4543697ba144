/** Everything that a seed decides before anything runs. Printed first, so that a run can be understood from its head. */
import type { NetworkConditions } from '../world/network.ts';
import type { FaultName } from './fault-names.ts';

export interface SimOptions {
  readonly seed: number;
  /** Agents. */
  readonly hosts: number;
  /** Time under faults. Unit: ms. */
  readonly chaosMs: number;
  /** Clients that read and write records and counters. */
  readonly clients: number;
  /** Keys that they share. Few, so that they get in each other's way. */
  readonly keys: number;
  /** Mean pause of a client between two operations. Unit: ms. */
  readonly thinkMs: number;
  /** Tenants that create, stop, start, reboot and delete servers, up to six each; 0: hosts have no guests. */
  readonly tenants: number;
  /** Mean pause of a tenant between two operations. Unit: ms. */
  readonly tenantThinkMs: number;
  /** Mean pause of an operator who empties hosts, between two operations; 0: there is none. Unit: ms. */
  readonly operatorThinkMs: number;
  /** Mean pause of each tenant's user of volumes, between two operations; 0: there are none. Unit: ms. */
  readonly volumeThinkMs: number;
  /** Mean pause of each tenant's user of all that can be done to servers, between two operations; 0: there are none. Unit: ms. */
  readonly verbThinkMs: number;
  /** Of the servers, how many ask for another host when theirs is lost. Unit: percent. */
  readonly haPercent: number;
  /** Servers that are made before the faults begin, shared out among the tenants; at most six for each. */
  readonly servers: number;
  /** Virtual CPUs that a host gives away; 1 GiB of memory and 10 GiB of disk come with each. Few, so that hosts fill up. */
  readonly hostVcpus: number;
  /** Storage of the servers: this host's own, or one that all hosts share. */
  readonly storage: 'local' | 'rbd';
  /** Mean time between two faults. Unit: ms. */
  readonly faultEveryMs: number;
  /** Mean length of one. Unit: ms. */
  readonly faultForMs: number;
  readonly faults: readonly FaultName[];
  readonly network: NetworkConditions;
  /** Usual time of a disk's sync. Unit: ms. */
  readonly syncMs: number;
  /** Size at which logs are compacted: small ones make snapshots common. Unit: bytes. */
  readonly logBytesMax: number;
  /** How long a voter may be silent before the autopilot replaces it. Unit: ms. */
  readonly graceMs: number;
  /** Racks that the hosts stand in, in turn; each has one switch. 0: none is known. */
  readonly racks: number;
  /** Hosts beside the voters that hold the whole state; all others hold slices of it. */
  readonly standbys: number;
  /** Unlikely branches of production code that are forced now and then (node/base/buggify/buggify.ts). */
  readonly unlikely: readonly string[];
  /** How often, each time that one is come to. */
  readonly unlikelyChance: number;
}

/** Servers that a tenant keeps at a time, about. */
export const serversPerTenant = 6;

/** Bounds of what may be fixed, both ends included. */
export const optionBounds = {
  hosts: [1, 2_000],
  chaosMs: [0, 1_000 * 3_600_000],
  clients: [0, 1_000],
  keys: [1, 1_000],
  thinkMs: [1, 3_600_000],
  racks: [0, 20],
  standbys: [0, 2_000],
  tenants: [0, 10_000],
  tenantThinkMs: [1, 3_600_000],
  operatorThinkMs: [0, 3_600_000],
  volumeThinkMs: [0, 3_600_000],
  verbThinkMs: [0, 3_600_000],
  haPercent: [0, 100],
  servers: [0, 60_000],
  hostVcpus: [1, 1_000],
  faultEveryMs: [1, 3_600_000],
  faultForMs: [1, 3_600_000],
  syncMs: [0.01, 10_000],
  logBytesMax: [1_000, 2 ** 40],
  graceMs: [1_000, 24 * 3_600_000],
} as const satisfies Readonly<Partial<Record<keyof SimOptions, readonly [number, number]>>>;

/** An option that is a number. All are whole numbers but `syncMs`. */
export type NumberOption = keyof typeof optionBounds;

/** What a caller may fix. */
export type SimOverrides = Partial<Omit<SimOptions, 'seed'>>;
