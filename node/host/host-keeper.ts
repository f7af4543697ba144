/**
 * The kinds that a host keeps, hung into one loop: its networks first, then its servers, which are plugged into them, then the
 * volumes that those have open and others, and their snapshots.
 */
import type { ComputeDriver, GuestFound, NetworkDriver } from '../../drivers/types.ts';
import type { shoal } from '../../proto/messages.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import type { HostNetworkView } from '../services/kit/host-network-view.ts';
import type { StateClient, StateReader } from '../state/types.ts';
import type { KindObserver } from './engine/kind.ts';
import { SteppedKind, type SteppedOptions } from './engine/stepped-kind.ts';
import { HostLoop } from './host-loop.ts';
import { NetworkKinds } from './kinds/network/network-kinds.ts';
import type { ServerPorts } from './kinds/server/kit/tools.ts';
import { busyPorts, mayStartGuest, serverKind } from './kinds/server/server-kind.ts';
import { GuestHolds } from './kinds/volume/kit/guest-holds.ts';
import type { VolumePorts } from './kinds/volume/kit/tools.ts';
import { volumeKind } from './kinds/volume/volume-kind.ts';
import { volumeSnapshotKind } from './kinds/volume-snapshot/volume-snapshot-kind.ts';

/** What the host is kept with. */
interface HostKeeperDeps extends Omit<ServerPorts, 'tapName'>, VolumePorts {
  readonly state: StateClient;
  readonly compute: ComputeDriver;
  readonly network: NetworkDriver;
  /** What this host must carry; told of every change before it is asked, it says whether that may be another now. */
  readonly networkViews: { of(reader: StateReader): HostNetworkView; heard(keys: readonly string[]): boolean };
  /** Lays what an owner has asked of this host alone over a record. */
  readonly withIntents: (server: shoal.v1.Server) => shoal.v1.Server;
  /** Has the ledger of claims follow the records; see kinds/server/server-kind.ts. */
  readonly onRecords: (
    servers: readonly shoal.v1.Server[],
    revision: number,
    isHere: (serverId: string) => boolean,
  ) => Promise<ReadonlyMap<string, string>>;
  /** Whether this host has acted on newer records than those of `revision`. Default: never. */
  readonly isBehind?: ((revision: number) => boolean) | undefined;
  /** Called, and waited for, before a step does what the records of `revision` ask for. */
  readonly onActing?: ((revision: number) => Promise<void>) | undefined;
  readonly onGuests?: ((guests: readonly GuestFound[]) => void) | undefined;
  readonly observer?: KindObserver | undefined;
  /** Pools whose storage has fenced this host. */
  readonly fencedPools: ReadonlySet<string>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Times. Unit: ms. */
interface HostKeeperOptions extends SteppedOptions {
  /** How long a guest may take to power off when it is stopped. */
  readonly stopGraceMs: number;
}

/** The loop of one host, not started yet. */
export function hostKeeper(deps: HostKeeperDeps, options: HostKeeperOptions): HostLoop {
  const { state, compute, store, clock, logger, observer, onActing } = deps;
  const network = new NetworkKinds({
    ...{ driver: deps.network, store, clock, logger },
    onPosted: (portId, password) => deps.nicReports.passwordPosted(portId, password),
  });
  const guestHolds = new GuestHolds();
  const definition = serverKind({ ...deps, guestHolds, tapName: (portId) => network.tapName(portId) }, options);
  return new HostLoop(
    {
      state,
      kinds: (passes) => {
        const stepping = { state, passes, clock, logger, observer, onActing };
        const servers = new SteppedKind(definition, stepping, options);
        const volumes = new SteppedKind(volumeKind(deps), stepping, options);
        const snapshots = new SteppedKind(volumeSnapshotKind(deps, guestHolds), stepping, options);
        const networks = network.kind({
          views: deps.networkViews,
          busyPorts: () => busyPorts(servers.observed.wanted, servers.observed.found),
          needsTaps: () => mayStartGuest(servers.observed.wanted, servers.observed.found),
          passes,
          observer,
          retryMs: options.retryMs,
        });
        return [networks, servers, volumes, snapshots];
      },
      onHostEvent: (changed) => compute.onEvent(changed),
      onPeriod: () => network.recheck(),
      isBehind: deps.isBehind,
      observer,
      clock,
      logger,
    },
    options,
  );
}
