/**
 * A network driver without packets: real code, for tests, for the simulator and for an agent without root.
 *
 * `FakeNetworkHost` is the machine: what was made on it goes on while drivers come and go. A test looks at it, orders
 * failures (`faults`), or takes things away behind the driver's back (`reboot`); the driver is what the agent holds. It
 * refuses what the real one refuses, and counts each call that changed something, so that a test can see that a second
 * run changes nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import { ShoalError } from '../../node/base/errors.ts';
import type { NetworkId, PortId, RouterId } from '../../node/base/ids.ts';
import type { ForwardingSpec, LocalPortSpec, NetworkDriver, NetworkFound, NetworkSpec, RouterSpec } from '../types.ts';
import { tapName } from '../vxlan/model/names.ts';
import { checkForwarding, checkNetwork, checkPort, checkRouter } from '../vxlan/model/validate.ts';
import { isTwin } from '../vxlan/networks/ports.ts';
import { Faults } from './faults.ts';

/** Operations whose next calls can be made to fail. */
type FakeNetworkOperation =
  | 'start'
  | 'found'
  | 'ensureNetwork'
  | 'removeNetwork'
  | 'ensurePort'
  | 'removePort'
  | 'setForwarding'
  | 'ensureRouter'
  | 'removeRouter';

/** The machine behind a fake network driver. Outlives the drivers opened on it. */
export class FakeNetworkHost {
  readonly faults = new Faults<FakeNetworkOperation>();
  readonly networks = new Map<NetworkId, NetworkSpec>();
  readonly ports = new Map<PortId, LocalPortSpec>();
  readonly forwarding = new Map<NetworkId, ForwardingSpec>();
  readonly routers = new Map<RouterId, RouterSpec>();
  /** What guests have posted as their passwords, until it is in their metadata. */
  readonly postedPasswords = new Map<PortId, string>();
  /** False: the host has no way out, and refuses floating IPs and source NAT. */
  hasExternalInterface = true;
  /** Calls that changed something, since the beginning. */
  changes = 0;

  /** A guest posts its administrator's password to the metadata service; the status that it is answered with. */
  postPassword(portId: PortId, password: string): 200 | 400 | 404 | 409 {
    const known = this.ports.get(portId)?.metadata['/openstack/latest/password'];
    if (known === undefined) return 404;
    if (known.length > 0 || this.postedPasswords.has(portId)) return 409;
    if (!/^[!-~]{1,1020}$/.test(password)) return 400;
    this.postedPasswords.set(portId, password);
    return 200;
  }

  /** Power goes: nothing of it survives. */
  reboot(): void {
    this.networks.clear();
    this.ports.clear();
    this.forwarding.clear();
    this.routers.clear();
  }
}

/** What one agent holds of it. */
export class FakeNetworkDriver implements NetworkDriver {
  readonly name = 'fake';
  readonly #host: FakeNetworkHost;
  #started = false;

  constructor(host: FakeNetworkHost = new FakeNetworkHost()) {
    this.#host = host;
  }

  get changes(): number {
    return this.#host.changes;
  }

  async start(signal: AbortSignal): Promise<void> {
    checkSignal(signal);
    this.#host.faults.strike('start');
    this.#started = true;
  }

  async stop(): Promise<void> {
    this.#started = false;
  }

  async found(signal: AbortSignal): Promise<NetworkFound> {
    const host = this.#begin('found', signal);
    return {
      networks: [...host.networks.values()].map(({ networkId, vni }) => ({ networkId, vni })),
      ports: [...host.ports.values()].map(({ portId, networkId }) => {
        const postedPassword = host.postedPasswords.get(portId);
        const plain = { portId, networkId, tapName: tapName(portId) };
        return postedPassword === undefined ? plain : { ...plain, postedPassword };
      }),
      routers: [...host.routers.values()].map(({ routerId, external }) => ({
        routerId,
        floatingIps: (external?.floatingIps ?? []).map((entry) => entry.floatingIp).sort(),
      })),
    };
  }

  async ensureNetwork(spec: NetworkSpec, signal: AbortSignal): Promise<void> {
    const host = this.#begin('ensureNetwork', signal);
    checkNetwork(spec);
    const previous = host.networks.get(spec.networkId);
    if (previous !== undefined && previous.vni !== spec.vni) {
      throw new ShoalError('CONFLICT', `network ${spec.networkId} is on this host with VNI ${previous.vni}`);
    }
    for (const other of host.networks.values()) {
      if (other.vni === spec.vni && other.networkId !== spec.networkId) {
        throw new ShoalError('CONFLICT', `VNI ${spec.vni} is network ${other.networkId}'s on this host`);
      }
    }
    this.#put(host.networks, spec.networkId, spec);
  }

  async removeNetwork(networkId: NetworkId, signal: AbortSignal): Promise<void> {
    const host = this.#begin('removeNetwork', signal);
    const ports = [...host.ports.values()].filter((port) => port.networkId === networkId);
    const routers = [...host.routers.values()].filter((router) =>
      router.interfaces.some((leg) => leg.networkId === networkId),
    );
    if (ports.length + routers.length > 0) {
      throw new ShoalError('CONFLICT', `network ${networkId} is in use on this host`);
    }
    host.forwarding.delete(networkId);
    if (host.networks.delete(networkId)) host.changes += 1;
  }

  async ensurePort(spec: LocalPortSpec, signal: AbortSignal): Promise<{ readonly tapName: string }> {
    const host = this.#begin('ensurePort', signal);
    checkPort(spec);
    this.#network(spec.networkId);
    for (const other of host.ports.values()) {
      if (other.portId === spec.portId) {
        if (other.networkId === spec.networkId) continue;
        throw new ShoalError('CONFLICT', `port ${spec.portId} is on network ${other.networkId}`);
      }
      if (other.networkId === spec.networkId && isTwin(other, spec)) {
        throw new ShoalError('CONFLICT', `address ${spec.ip} or ${spec.mac} belongs to port ${other.portId}`);
      }
    }
    this.#put(host.ports, spec.portId, spec);
    if ((spec.metadata['/openstack/latest/password'] ?? '').length > 0) host.postedPasswords.delete(spec.portId);
    return { tapName: tapName(spec.portId) };
  }

  async removePort(portId: PortId, signal: AbortSignal): Promise<void> {
    const host = this.#begin('removePort', signal);
    if (host.ports.delete(portId)) host.changes += 1;
    host.postedPasswords.delete(portId);
  }

  async setForwarding(spec: ForwardingSpec, signal: AbortSignal): Promise<void> {
    const host = this.#begin('setForwarding', signal);
    checkForwarding(spec);
    this.#network(spec.networkId);
    this.#put(host.forwarding, spec.networkId, spec);
  }

  async ensureRouter(spec: RouterSpec, signal: AbortSignal): Promise<void> {
    const host = this.#begin('ensureRouter', signal);
    checkRouter(spec);
    for (const leg of spec.interfaces) this.#network(leg.networkId);
    const { external } = spec;
    const wantsExternal =
      (external?.floatingIps.length ?? 0) > 0 || (external?.snatHere === true && external.snatIp !== undefined);
    if (wantsExternal && !host.hasExternalInterface) {
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `router ${spec.routerId} needs an external interface; this host has none`,
      );
    }
    this.#put(host.routers, spec.routerId, spec);
  }

  async removeRouter(routerId: RouterId, signal: AbortSignal): Promise<void> {
    const host = this.#begin('removeRouter', signal);
    if (host.routers.delete(routerId)) host.changes += 1;
  }

  #begin(operation: FakeNetworkOperation, signal: AbortSignal): FakeNetworkHost {
    if (!this.#started) throw new ShoalError('UNAVAILABLE', 'the network driver is not started');
    checkSignal(signal);
    this.#host.faults.strike(operation);
    return this.#host;
  }

  #network(networkId: NetworkId): void {
    if (!this.#host.networks.has(networkId)) {
      throw new ShoalError('CONFLICT', `network ${networkId} is not on this host`, { facts: { networkId } });
    }
  }

  #put<K, V>(things: Map<K, V>, id: K, spec: V): void {
    const before = things.get(id);
    things.set(id, spec);
    if (before === spec || isDeepStrictEqual(before, spec)) return;
    this.#host.changes += 1;
  }
}

function checkSignal(signal: AbortSignal): void {
  if (signal.aborted) throw new ShoalError('CANCELLED', 'cancelled before it began');
}
