/** The network of a host, as the kinds of things that it is made of: networks, their ports, forwarding and routers. */
import { isDeepStrictEqual } from 'node:util';
import type { NetworkDriver, NetworkFound } from '../../../../drivers/types.ts';
import { coverageMark } from '../../../base/buggify/buggify.ts';
import type { Clock } from '../../../base/clock.ts';
import { isUnrecorded, ShoalError } from '../../../base/errors.ts';
import type { PortId } from '../../../base/ids.ts';
import type { Logger } from '../../../base/telemetry/logger.ts';
import { RepeatedLog } from '../../../base/telemetry/repeated-log.ts';
import type { HostNetworkView, SyncFailure } from '../../../services/kit/host-network-view.ts';
import type { StateReader } from '../../../state/types.ts';
import type { HostStore } from '../../../store/host/host-store.ts';
import { EnsuredKinds } from '../../engine/ensured-kinds.ts';
import type { Kind, KindObserver, Pass, Passes } from '../../engine/kind.ts';
import { forwardingKind } from './forwarding.ts';
import { networkKind } from './network.ts';
import { portKind } from './port.ts';
import { routerKind } from './router.ts';

const markNetworkPartFailed = coverageMark('network-part-failed', 'a part of a network could not be made');

/** After a part of the network could not be made. */
const defaultRetryMs = 1_000;

/** What it works with. */
interface NetworkKindsDeps {
  readonly driver: NetworkDriver;
  readonly store: HostStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Tells what the guest of a port has posted as its password; told again at each look until the port's metadata has it. */
  readonly onPosted?: ((portId: PortId, password: string) => Promise<void>) | undefined;
}

/** The network kinds of one host, in one pass after another. */
export class NetworkKinds {
  readonly #kinds: EnsuredKinds<HostNetworkView, NetworkFound>;
  readonly #tapNames = new Map<PortId, string>();
  /** Ports whose guests have posted passwords, as of the last look. */
  #posted: NetworkFound['ports'] = [];
  readonly #deps: NetworkKindsDeps;
  /** Whether the host is to be looked at whatever the records say. */
  #isLookDue = true;

  constructor(deps: NetworkKindsDeps) {
    const { driver, store, logger } = deps;
    this.#deps = deps;
    this.#kinds = new EnsuredKinds(
      { found: (signal) => this.#look(signal), changes: () => driver.changes, store, logger },
      [networkKind(driver), portKind(driver, this.#tapNames), forwardingKind(driver), routerKind(driver)],
    );
  }

  /** The tap of a port ensured by the last pass. */
  tapName(portId: PortId): string | undefined {
    return this.#tapNames.get(portId);
  }

  /** As in engine/ensured-kinds.ts. */
  recheck(): void {
    this.#isLookDue = true;
    this.#kinds.recheck();
  }

  /** As in engine/ensured-kinds.ts. @param busyPorts are plugged into a process that lives. */
  async sync(view: HostNetworkView, busyPorts: ReadonlySet<PortId>, signal: AbortSignal): Promise<SyncFailure[]> {
    const failures = await this.#kinds.sync(view, busyPorts, signal);
    await this.#tellPosted();
    return failures;
  }

  async #look(signal: AbortSignal): Promise<NetworkFound> {
    const found = await this.#deps.driver.found(signal);
    this.#posted = found.ports.filter(({ postedPassword }) => postedPassword !== undefined);
    return found;
  }

  async #tellPosted(): Promise<void> {
    for (const { portId, postedPassword = '' } of this.#posted) {
      try {
        await this.#deps.onPosted?.(portId, postedPassword);
      } catch (caught) {
        // It is kept by the metadata server, and told again at the next look.
        if (!isUnrecorded(ShoalError.from(caught, 'DRIVER_FAILED').code)) throw caught;
        this.#deps.logger.debug({ portId, err: caught }, 'a password that a guest has posted is not recorded yet');
      }
    }
  }

  /**
   * The same as a kind of the host loop. Looking at the network runs several programs, so a pass for something else leaves it
   * alone: the host is looked at when the records want something else of it, when other ports are in use, before a guest may
   * be started, after a failure, and each period.
   */
  kind(host: {
    /** What this host must carry; told of every change before it is asked, it says whether that may be another now. */
    readonly views: { of(reader: StateReader): HostNetworkView; heard(keys: readonly string[]): boolean };
    /** Ports plugged into a guest that lives, as of this pass. */
    readonly busyPorts: () => ReadonlySet<PortId>;
    /** Whether a guest may be started in this pass. */
    readonly needsTaps: () => boolean;
    readonly passes: Passes;
    readonly observer?: KindObserver | undefined;
    readonly retryMs?: number | undefined;
  }): Kind {
    const repeated = new RepeatedLog(this.#deps);
    const tell = ({ what, error }: SyncFailure): void => {
      const typed = ShoalError.from(error, 'DRIVER_FAILED');
      repeated.error(
        `network ${what} ${typed.code}`,
        { what, code: typed.code, facts: typed.facts, err: typed },
        'a part of the network could not be made',
      );
    };
    let last: { readonly view: HostNetworkView; readonly busyPorts: ReadonlySet<PortId> } | undefined;
    return {
      name: 'network',
      busy: new Map(),
      concerns: (keys) => host.views.heard(keys),
      observe: async () => {},
      act: async ({ reader, signal }: Pass) => {
        const view = host.views.of(reader);
        const inUse = host.busyPorts();
        const isSame = last !== undefined && isSameView(last.view, view) && isSameSet(last.busyPorts, inUse);
        if (isSame && !this.#isLookDue && !host.needsTaps()) return;
        this.#isLookDue = false;
        last = undefined;
        const failures = await this.sync(view, inUse, signal);
        for (const failure of failures) tell(failure);
        host.observer?.health?.('network', failures[0]?.error);
        if (failures.length === 0) {
          last = { view, busyPorts: inUse };
          return;
        }
        markNetworkPartFailed();
        host.passes.wakeLater(host.retryMs ?? defaultRetryMs);
      },
    };
  }
}

/** Much cheaper than a look at the host. A server's record changes with each of its disks, and its network does not. */
function isSameView(a: HostNetworkView, b: HostNetworkView): boolean {
  const parts = ({ networks, ports, forwarding, routers, kept }: HostNetworkView): object => ({
    networks,
    ports,
    forwarding,
    routers,
    kept,
  });
  return isDeepStrictEqual(parts(a), parts(b));
}

function isSameSet(a: ReadonlySet<PortId>, b: ReadonlySet<PortId>): boolean {
  return a.size === b.size && [...a].every((id) => b.has(id));
}
