/**
 * Keeps this host's network as the records want it: ensures what the view lists, removes what is known to be ours and is
 * gone from the records.
 *
 * "Known to be ours" is a note in the host store, made before a thing is first ensured, with the revision of the state
 * that asked for it. Only a state at least as new may have it removed; what carries no note was made by somebody else
 * and is left alone. So neither an empty state nor an old one can take a network from under a guest.
 */
import type { ForwardingSpec, LocalPortSpec, NetworkDriver, NetworkSpec, RouterSpec } from '../drivers/types.ts';
import type { NetworkId, PortId, RouterId } from './base/ids.ts';
import type { Logger } from './base/logger.ts';
import type { HostStore } from './store/host-store.ts';

/** All that this host must carry, at one revision of the state. */
export interface HostNetworkView {
  readonly revision: number;
  readonly networks: readonly NetworkSpec[];
  readonly ports: readonly LocalPortSpec[];
  readonly forwarding: readonly ForwardingSpec[];
  readonly routers: readonly RouterSpec[];
}

type Kind = 'network' | 'port' | 'router';

/** What one pass could not do; it is tried again at the next. */
export interface SyncFailure {
  readonly what: string;
  readonly error: unknown;
}

/** Brings the network driver's host to a view. One pass at a time. */
export class NetworkSync {
  readonly #driver: NetworkDriver;
  readonly #store: HostStore;
  readonly #logger: Logger;
  /** What was last ensured in this process, and as text: an unchanged spec costs nothing. */
  readonly #applied = new Map<string, { readonly spec: object; readonly text: string }>();
  /** What guests read, as text: large, and seldom made anew. */
  readonly #metadataTexts = new WeakMap<object, string>();
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

  /** Forgets what was applied, so that the next pass looks at everything again. */
  recheck(): void {
    this.#applied.clear();
  }

  /**
   * One pass. `busyPorts` are plugged into a process that lives and are never removed.
   * Failures of single things do not stop the others; they are returned.
   */
  async sync(view: HostNetworkView, busyPorts: ReadonlySet<PortId>, signal: AbortSignal): Promise<SyncFailure[]> {
    const failures: SyncFailure[] = [];
    const attempt = async (what: string, run: () => Promise<void>): Promise<void> => {
      try {
        await run();
      } catch (error) {
        failures.push({ what, error });
      }
    };
    const ensure = async (key: string, spec: object, run: () => Promise<void>): Promise<void> => {
      await attempt(key, async () => {
        await run();
        this.#applied.set(key, { spec, text: this.#textOf(spec) });
      });
    };

    await this.#carry(view);
    for (const spec of view.networks) {
      const key = `network/${spec.networkId}`;
      if (!this.#isApplied(key, spec)) await ensure(key, spec, () => this.#driver.ensureNetwork(spec, signal));
    }
    for (const spec of view.ports) {
      const key = `port/${spec.portId}`;
      if (this.#isApplied(key, spec)) continue;
      await ensure(key, spec, async () => {
        const { tapName } = await this.#driver.ensurePort(spec, signal);
        this.#tapNames.set(spec.portId, tapName);
      });
    }
    for (const spec of view.forwarding) {
      const key = `forwarding/${spec.networkId}`;
      if (!this.#isApplied(key, spec)) await ensure(key, spec, () => this.#driver.setForwarding(spec, signal));
    }
    for (const spec of view.routers) {
      const key = `router/${spec.routerId}`;
      if (!this.#isApplied(key, spec)) await ensure(key, spec, () => this.#driver.ensureRouter(spec, signal));
    }
    await attempt('removal', () => this.#remove(view, busyPorts, attempt, signal));
    return failures;
  }

  /** Whether the driver has been told just this. Most of a view is as it was in the pass before. */
  #isApplied(key: string, spec: object): boolean {
    const applied = this.#applied.get(key);
    if (applied === undefined) return false;
    if (applied.spec === spec) return true;
    const text = this.#textOf(spec);
    if (applied.text !== text) return false;
    this.#applied.set(key, { spec, text });
    return true;
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
    busyPorts: ReadonlySet<PortId>,
    attempt: (what: string, run: () => Promise<void>) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const found = await this.#driver.found(signal);
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
    const stillBusy = new Set(found.ports.filter((port) => busyPorts.has(port.portId)).map((port) => port.networkId));
    for (const { networkId } of found.networks) {
      if (wantedNetworks.has(networkId) || stillBusy.has(networkId) || !this.#mayRemove('network', networkId, view)) {
        continue;
      }
      await attempt(`network/${networkId}`, async () => {
        await this.#driver.removeNetwork(networkId, signal);
        this.#applied.delete(`forwarding/${networkId}`);
        await this.#forget('network', networkId);
      });
    }
  }

  #textOf(spec: object): string {
    if (!('metadata' in spec) || typeof spec.metadata !== 'object' || spec.metadata === null)
      return JSON.stringify(spec);
    let metadata = this.#metadataTexts.get(spec.metadata);
    if (metadata === undefined) {
      metadata = JSON.stringify(spec.metadata);
      this.#metadataTexts.set(spec.metadata, metadata);
    }
    return JSON.stringify({ ...spec, metadata });
  }

  #mayRemove(kind: Kind, id: string, view: HostNetworkView): boolean {
    const note = this.#store.get(carriedKey(kind, id)) as { readonly revision: number } | undefined;
    if (note !== undefined) return view.revision >= note.revision;
    const told = `${kind}/${id}`;
    if (!this.#orphansTold.has(told)) {
      this.#orphansTold.add(told);
      this.#logger.warn({ kind, id }, 'found on this host without a record of ours; left alone');
    }
    return false;
  }

  async #forget(kind: Kind, id: string): Promise<void> {
    this.#applied.delete(`${kind}/${id}`);
    await this.#store.write([{ key: carriedKey(kind, id), value: undefined }]);
  }
}

function carriedKey(kind: Kind, id: string): string {
  return `carried/${kind}/${id}`;
}
