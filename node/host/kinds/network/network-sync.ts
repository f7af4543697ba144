/**
 * Keeps this host's network as the records want it: ensures what the view lists, removes what is known to be ours and is
 * gone from the records. Every pass sees what has gone from the host and makes it again; what is there is looked at in
 * full when its spec has changed, and by turns when asked to `recheck`.
 *
 * "Known to be ours" is a note in the host store, made before a thing is first ensured, with the revision of the state
 * that asked for it. Only a state at least as new may have it removed; what carries no note was made by somebody else
 * and is left alone. So neither an empty state nor an old one can take a network from under a guest.
 */
import { isDeepStrictEqual } from 'node:util';
import type { NetworkDriver, NetworkFound } from '../../../../drivers/types.ts';
import { reached } from '../../../base/buggify/buggify.ts';
import type { NetworkId, PortId, RouterId } from '../../../base/ids.ts';
import type { Logger } from '../../../base/telemetry/logger.ts';
import type { HostNetworkView, SyncFailure } from '../../../services/kit/host-network-view.ts';
import type { HostStore } from '../../../store/host/host-store.ts';

type Kind = 'network' | 'port' | 'router';

/**
 * Calls of `recheck` until everything has been looked at again. One look at one port asks the kernel several times, by a
 * process each (20-60 ms of processor): a host with many guests would do little else if it looked at all of them each time.
 */
const rechecksForAll = 6;

/** Runs a part of a pass; its failure is noted, and the others go on. */
type Attempt = (what: string, run: () => Promise<void>) => Promise<void>;

/** Brings the network driver's host to a view. One pass at a time. */
export class NetworkSync {
  readonly #driver: NetworkDriver;
  readonly #store: HostStore;
  readonly #logger: Logger;
  /** What was last ensured in this process, that of longest ago first: an unchanged spec costs nothing. */
  readonly #applied = new Map<string, object>();
  /** What was applied and must be checked again. */
  readonly #toRecheck = new Map<string, object>();
  readonly #tapNames = new Map<PortId, string>();
  readonly #orphansTold = new Set<string>();

  constructor(deps: { readonly driver: NetworkDriver; readonly store: HostStore; readonly logger: Logger }) {
    this.#driver = deps.driver;
    this.#store = deps.store;
    this.#logger = deps.logger;
  }

  /** The tap of a port ensured by the last pass. */
  tapName(portId: PortId): string | undefined {
    return this.#tapNames.get(portId);
  }

  /**
   * Has the next pass look again at what nobody has looked at for longest: one part in `rechecksForAll`. Should any of that
   * have been changed by somebody else (a firewall that was loaded again), that pass looks at everything.
   */
  recheck(): void {
    let left = Math.ceil(this.#applied.size / rechecksForAll);
    for (const [key, spec] of this.#applied) {
      if (left === 0) return;
      left -= 1;
      this.#applied.delete(key);
      this.#toRecheck.set(key, spec);
    }
  }

  /**
   * One pass. `busyPorts` are plugged into a process that lives and are never removed.
   * Failures of single things do not stop the others; they are returned.
   */
  async sync(view: HostNetworkView, busyPorts: ReadonlySet<PortId>, signal: AbortSignal): Promise<SyncFailure[]> {
    const failures: SyncFailure[] = [...view.failures];
    const attempt: Attempt = async (what, run) => {
      try {
        await run();
      } catch (error) {
        failures.push({ what, error });
      }
    };
    await this.#carry(view);
    let found: NetworkFound | undefined;
    await attempt('found', async () => {
      found = await this.#driver.found(signal);
    });
    if (found !== undefined) this.#missMissing(view, found);
    if (await this.#ensureAll(view, attempt, signal)) {
      reached('network-changed-by-others');
      this.#logger.warn({}, 'this network was changed by somebody else; all of it is looked at again');
      this.#applied.clear();
      await this.#ensureAll(view, attempt, signal);
    }
    if (found !== undefined) await this.#remove(view, found, busyPorts, attempt, signal);
    return failures;
  }

  /** Ensures what the driver has not been told yet. True: something that it had been told was not so any more. */
  async #ensureAll(view: HostNetworkView, attempt: Attempt, signal: AbortSignal): Promise<boolean> {
    let hasDrifted = false;
    const ensure = async (key: string, spec: object, run: () => Promise<void>): Promise<void> => {
      if (this.#isApplied(key, spec)) return;
      await attempt(key, async () => {
        const { changes } = this.#driver;
        await run();
        const before = this.#toRecheck.get(key);
        if (before !== undefined && this.#driver.changes !== changes && isDeepStrictEqual(before, spec))
          hasDrifted = true;
        this.#toRecheck.delete(key);
        this.#applied.delete(key);
        this.#applied.set(key, spec);
      });
    };
    for (const spec of view.networks)
      await ensure(`network/${spec.networkId}`, spec, () => this.#driver.ensureNetwork(spec, signal));
    for (const spec of view.ports) {
      await ensure(`port/${spec.portId}`, spec, async () => {
        const { tapName } = await this.#driver.ensurePort(spec, signal);
        this.#tapNames.set(spec.portId, tapName);
      });
    }
    for (const spec of view.forwarding)
      await ensure(`forwarding/${spec.networkId}`, spec, () => this.#driver.setForwarding(spec, signal));
    for (const spec of view.routers)
      await ensure(`router/${spec.routerId}`, spec, () => this.#driver.ensureRouter(spec, signal));
    return hasDrifted;
  }

  /** Whether the driver has been told just this. Most of a view is as it was in the pass before. */
  #isApplied(key: string, spec: object): boolean {
    const applied = this.#applied.get(key);
    if (applied === undefined) return false;
    if (applied === spec) return true;
    if (!isDeepStrictEqual(applied, spec)) return false;
    // What makes views hands out the same object while nothing changes: the next comparison is quick.
    this.#applied.set(key, spec);
    return true;
  }

  /** What was made once and is not there any more is made again in this pass. */
  #missMissing(view: HostNetworkView, found: NetworkFound): void {
    const networks = new Set(found.networks.map(({ networkId }) => networkId));
    const ports = new Set(found.ports.map(({ portId }) => portId));
    const routers = new Set(found.routers.map(({ routerId }) => routerId));
    for (const { networkId } of view.networks)
      if (!networks.has(networkId)) this.#applied.delete(`network/${networkId}`);
    // What was plugged into a network that has gone is there still, and not plugged into anything.
    for (const { portId, networkId } of view.ports)
      if (!ports.has(portId) || !networks.has(networkId)) this.#applied.delete(`port/${portId}`);
    for (const { networkId } of view.forwarding)
      if (!networks.has(networkId)) this.#applied.delete(`forwarding/${networkId}`);
    for (const { routerId, interfaces } of view.routers)
      if (!routers.has(routerId) || interfaces.some(({ networkId }) => !networks.has(networkId)))
        this.#applied.delete(`router/${routerId}`);
  }

  /** Notes what is about to be carried, before any of it is made. */
  async #carry(view: HostNetworkView): Promise<void> {
    const keys = [
      ...view.networks.map((spec) => carriedKey('network', spec.networkId)),
      ...view.ports.map((spec) => carriedKey('port', spec.portId)),
      ...view.routers.map((spec) => carriedKey('router', spec.routerId)),
    ].filter((key) => this.#store.get(key) === undefined);
    if (keys.length > 0) await this.#store.write(keys.map((key) => ({ key, value: { revision: view.revision } })));
  }

  async #remove(
    view: HostNetworkView,
    found: NetworkFound,
    busyPorts: ReadonlySet<PortId>,
    attempt: Attempt,
    signal: AbortSignal,
  ): Promise<void> {
    const wantedPorts = new Set<PortId>(view.ports.map((spec) => spec.portId));
    const wantedRouters = new Set<RouterId>(view.routers.map((spec) => spec.routerId));
    const wantedNetworks = new Set<NetworkId>(view.networks.map((spec) => spec.networkId));
    // Ports before routers before networks: a network goes only when nothing is on it.
    for (const { portId } of found.ports) {
      if (wantedPorts.has(portId) || busyPorts.has(portId) || !this.#mayRemove('port', portId, view)) continue;
      await attempt(`port/${portId}`, async () => {
        await this.#driver.removePort(portId, signal);
        this.#tapNames.delete(portId);
        await this.#forget('port', portId);
      });
    }
    for (const { routerId } of found.routers) {
      if (wantedRouters.has(routerId) || !this.#mayRemove('router', routerId, view)) continue;
      await attempt(`router/${routerId}`, async () => {
        await this.#driver.removeRouter(routerId, signal);
        await this.#forget('router', routerId);
      });
    }
    const isStaying = (portId: PortId): boolean => busyPorts.has(portId) || view.kept.has(portId);
    const stillBusy = new Set(found.ports.filter((port) => isStaying(port.portId)).map((port) => port.networkId));
    for (const { networkId } of found.networks) {
      if (wantedNetworks.has(networkId) || stillBusy.has(networkId) || !this.#mayRemove('network', networkId, view)) {
        continue;
      }
      await attempt(`network/${networkId}`, async () => {
        await this.#driver.removeNetwork(networkId, signal);
        this.#drop(`forwarding/${networkId}`);
        await this.#forget('network', networkId);
      });
    }
  }

  #mayRemove(kind: Kind, id: string, view: HostNetworkView): boolean {
    if (view.kept.has(id)) return false;
    const note = this.#store.get(carriedKey(kind, id)) as { readonly revision: number } | undefined;
    if (note !== undefined) return view.revision >= note.revision;
    const told = `${kind}/${id}`;
    if (!this.#orphansTold.has(told)) {
      this.#orphansTold.add(told);
      this.#logger.warn({ kind, id }, 'found on this host without a record of ours; left alone');
    }
    return false;
  }

  #drop(key: string): void {
    this.#applied.delete(key);
    this.#toRecheck.delete(key);
  }

  async #forget(kind: Kind, id: string): Promise<void> {
    this.#drop(`${kind}/${id}`);
    await this.#store.write([{ key: carriedKey(kind, id), value: undefined }]);
  }
}

function carriedKey(kind: Kind, id: string): string {
  return `carried/${kind}/${id}`;
}
