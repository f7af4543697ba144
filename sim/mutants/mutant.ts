/** A planted bug: what it puts between the parts. */

import type { Clock } from '../../node/base/clock.ts';
import type { RaftTransport } from '../../node/consensus/transport/transport.ts';
import type { AdvertView } from '../../node/mesh/rules/adverts.ts';
import type { Placer } from '../../node/services/kit/dependencies.ts';
import type { SliceHandler } from '../../node/slices/slice-channel.ts';
import type { Command } from '../../node/state/command.ts';
import type { PartOfState } from '../../node/state/slices/partial-reader.ts';
import type { StateClient } from '../../node/state/types.ts';
import type { OpenedLog } from '../../node/store/index.ts';
import type { Disk } from '../../node/store/log/disk.ts';
import type { LogPlace } from '../../node/store/log/log-place.ts';
import type { PortsWrap } from '../agents/host-agent.ts';
import type { SimOverrides } from '../settings/options.ts';
import type { Process, SimNode } from '../world/node.ts';
import type { PlantedFault } from './planted-faults.ts';

/** Bugs of slices. */
interface SliceBugs {
  /** Stands between subscribers and the replica that feeds them. */
  readonly feeder?: (inner: SliceHandler, replica: StateClient) => SliceHandler;
  /** Stands between a slice and the host's own disk. */
  readonly disk?: (inner: Disk, clock: Clock) => Disk;
  /** Stands between a slice and those who answer from it. */
  readonly part?: (inner: PartOfState) => PartOfState;
}

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
  /** Stands between a host's agent and its ports. */
  readonly ports?: PortsWrap;
  /** What an agent holds of adverts. */
  readonly adverts?: () => AdvertView;
  /** Stands between the services of an agent and their placer. */
  readonly placer?: (inner: Placer) => Placer;
  readonly slices?: SliceBugs;
  /** What a second, wrong hand does on a host, again and again. */
  readonly hand?: PlantedFault;
  /** Callers that every agent takes for administrators. */
  readonly takenForAdmin?: readonly ('tenant' | 'reacher')[];
  /** Stands between the log as it was opened and the loop. */
  readonly log?: (node: SimNode, inner: OpenedLog) => OpenedLog;
  /** Sees each process when it runs, before the rest of the agent is built on it. */
  readonly started?: (node: SimNode, process: Process) => void;
}
