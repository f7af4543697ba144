/**
 * The host's side of one process of an agent, and its services, as production builds them (node/agent/host-side.ts and
 * services.ts), on the ports of a machine of the simulated world. What is not production code: how adverts travel, and
 * that nothing is signed (gossip.ts).
 */
import { buildBackground } from '../../node/agent/background.ts';
import type { HostPorts } from '../../node/agent/host-ports.ts';
import { buildHost, type HostSide } from '../../node/agent/host-side.ts';
import { buildServices, type Services } from '../../node/agent/services.ts';
import type { Service } from '../../node/base/lifecycle.ts';
import { fixedTokenKeys } from '../../node/services/identity/token-keys.ts';
import type { Placer, ServiceDependencies } from '../../node/services/kit/dependencies.ts';
import { plainMetadataSettings } from '../../node/services/network/metadata.ts';
import type { HostMachine } from '../world/machine.ts';
import type { SimGossip } from './gossip.ts';
import { hostConfig } from './host-config.ts';
import { noConsoles, notSimulated } from './not-simulated.ts';
import { plainSealing } from './sealing.ts';
import { type HostWorldParts, simulatedPorts } from './simulated-ports.ts';

/** Stands between an agent and its ports: planted bugs, and hosts that lie. */
export type PortsWrap = (inner: HostPorts<SimGossip>, world: HostWorldParts) => HostPorts<SimGossip>;

interface HostAgentParts extends HostWorldParts {
  /** Racks that hosts stand in; 0: none. */
  readonly racks: number;
  /** From the inside to the outside. */
  readonly wraps: readonly PortsWrap[];
  /** Stands between the services and their placer. Default: nothing does. */
  readonly wrapPlacer?: ((inner: Placer) => Placer) | undefined;
}

/** One process of it. */
export class HostAgent {
  readonly machine: HostMachine;
  readonly host: HostSide<SimGossip>;
  readonly services: Services;
  readonly deps: ServiceDependencies;
  readonly #ports: HostPorts<SimGossip>;
  readonly #background: Service;

  constructor(parts: HostAgentParts) {
    const { machine, wraps, racks, process, wrapPlacer } = parts;
    const { hostId, raftId, mainPool } = machine;
    this.machine = machine;
    this.#ports = wraps.reduce((inner, wrap) => wrap(inner, parts), simulatedPorts(parts));
    this.deps = this.#ports.services;
    const config = hostConfig(raftId, { storage: mainPool, racks });
    const { signal } = new AbortController();
    this.host = buildHost(this.#ports, { config, hostId, meshId: 'mesh', metadata: plainMetadataSettings, signal });
    const { placer, control, probe, gossip, images } = this.host;
    this.services = buildServices(
      {
        services: this.deps,
        placer: wrapPlacer?.(placer) ?? placer,
        control,
        consoles: noConsoles,
        probe,
        views: gossip,
        images,
        tokenKeys: fixedTokenKeys(new Uint8Array(32)), // Nobody but this world reads them.
        // No scenario takes a host's record away, and the simulated hosts have no mesh to re-key.
        rekey: () => notSimulated('removes no host from its mesh'),
        addAuthority: () => notSimulated('has no authority'),
        sealing: plainSealing,
        troubles: () => process.loop.troubles(),
      },
      { config, hostId },
    );
    this.#background = buildBackground({
      services: this.deps,
      compute: this.services.compute,
      backups: this.services.volume.backups,
      hostId,
      isLeader: () => process.loop.isLeader,
      resizeConfirmWindowSeconds: 0,
      hostViews: gossip,
      askKernel: parts.port,
      downHostGraceMs: 5_000, // Outages are short here.
      volumeTools: this.host.volumeTools,
      imageContent: images,
      backupStore: () => notSimulated('has no store for backups'),
      sealing: plainSealing,
    });
  }

  /** Starts the drivers, then the rest. Ends early, and for good, when the process dies. */
  async start(): Promise<void> {
    const { signal } = new AbortController();
    const { compute, network, storage } = this.#ports.drivers;
    for (const driver of [compute, network, ...storage.values()]) await driver.start(signal);
    await this.host.gossip.start();
    await this.host.start();
    await this.#background.start();
  }
}
