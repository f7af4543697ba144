/** A planted bug: what it puts between the parts. */

import type { Clock } from '../../node/base/clock.ts';
import type { RaftTransport } from '../../node/consensus/transport/transport.ts';
import type { Command } from '../../node/state/command.ts';
import type { StateClient } from '../../node/state/types.ts';
import type { HostStore } from '../../node/store/host/host-store.ts';
import type { OpenedLog } from '../../node/store/index.ts';
import type { Disk } from '../../node/store/log/disk.ts';
import type { LogPlace } from '../../node/store/log/log-place.ts';
import type { SimOverrides } from '../settings/options.ts';
import type { HostDriverSet, HostMachine } from '../world/machine.ts';
import type { Process, SimNode } from '../world/node.ts';

/** Planted bugs of a host's side. */
export type HostMutant =
  | 'claims-ignored'
  | 'releases-at-once'
  | 'deletes-without-record'
  | 'stops-without-quorum'
  | 'forgets-claims'
  | 'lower-advert-wins'
  | 'gossip-authorises'
  | 'takes-over-on-suspicion'
  | 'stops-on-suspicion'
  | 'releases-before-exit'
  | 'removes-disks-of-stopped'
  | 'claims-by-wall-clock'
  | 'binds-old-claims'
  | 'retry-meets-its-tombstone'
  | 'shows-others-servers'
  | 'foreign-references-taken';

export interface Mutant {
  /** For people. */
  readonly text: string;
  /** What its seeds have in common, so that it can show. */
  readonly overrides?: SimOverrides;
  readonly transport?: (node: SimNode, inner: RaftTransport) => RaftTransport;
  readonly disk?: (node: SimNode, inner: Disk) => Disk;
  /** Stands between a start and the database that it finds. */
  readonly place?: (node: SimNode, inner: LogPlace) => LogPlace;
  readonly state?: (node: SimNode, inner: StateClient, clock: Clock) => StateClient;
  /**
   * What is applied instead of a command. `node` undefined: the checkers' replay, which has the bugs that every member has.
   */
  readonly command?: (node: SimNode | undefined, index: number, command: Command) => Command;
  readonly host?: HostMutant;
  /** Stands between the log as it was opened and the loop. */
  readonly log?: (node: SimNode, inner: OpenedLog) => OpenedLog;
  /** Sees each process when it runs, before the rest of the agent is built on it. */
  readonly started?: (node: SimNode, process: Process) => void;
  readonly hostStore?: (inner: HostStore) => HostStore;
  readonly drivers?: (machine: HostMachine, drivers: HostDriverSet, clock: Clock) => HostDriverSet;
}
