/** The ports of a host in the simulated world: what in production is the machine, its network and the other hosts. */
import type { HostPorts } from '../../node/agent/host-ports.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId } from '../../node/base/ids.ts';
import type { Prng } from '../../node/base/prng.ts';
import { AdvertView } from '../../node/mesh/rules/adverts.ts';
import type { ClaimChecker } from '../checkers/claims.ts';
import type { GossipChecker } from '../checkers/gossip.ts';
import type { WorldMark } from '../settings/points.ts';
import type { HostMachine } from '../world/machine.ts';
import type { Process } from '../world/node.ts';
import { type HeardAdverts, SimGossip } from './gossip.ts';
import { type AskHost, askWithin, simulatedPeers } from './peer-channel.ts';
import { plainSealing } from './sealing.ts';
import { watchedClaims } from './watched-claims.ts';

/** What the world gives to one process of a host's agent. */
export interface HostWorldParts {
  readonly process: Process;
  readonly machine: HostMachine;
  readonly random: Prng;
  readonly newId: () => string;
  /** Start of the agent: adverts of a later one win. */
  readonly epoch: number;
  /** All hosts of the mesh. */
  readonly hosts: readonly HostId[];
  /** Sends gossip to one of them. */
  readonly send: (to: HostId, told: HeardAdverts) => void;
  /** Asks another agent over the network. */
  readonly ask: AskHost;
  /** What the kernel at a host says of its agent's port. */
  readonly port: (to: HostId, timeoutMs: number) => Promise<'listening' | 'closed' | 'silent' | 'unknown'>;
  /** What is held of adverts. Default: production's view. */
  readonly adverts?: (() => AdvertView) | undefined;
  readonly checker: GossipChecker;
  readonly claimChecker: ClaimChecker;
  readonly reached: (mark: WorldMark) => void;
  /** A component failed with an unexpected error, which has no code. */
  readonly onFailed: (error: unknown) => void;
}

/** What the hosts tell of: QEMU 7.2.22, emulating. */
const hypervisor = {
  version: 7_002_022,
  machine: 'pc-i440fx-7.2',
  guestCpu: 'qemu64',
  devices: ['virtio-blk-pci', 'virtio-net-pci'],
  firmware: { uefi: false, secureBoot: false },
};

/** The ports. */
export function simulatedPorts(world: HostWorldParts): HostPorts<SimGossip> {
  const { process, machine, random, newId, ask } = world;
  const { state, clock, life, logger } = process;
  const { hostId } = machine;
  const drivers = machine.drivers(life);
  const within = askWithin(clock, ask);
  return {
    services: { state, clock, logger, newId },
    random: random.fork(),
    store: machine.store.open(life, process.end),
    drivers: { ...drivers, hypervisor },
    openKey: (name, secret) => plainSealing.open(state.local, name, secret),
    blobs: machine.images,
    inventory: machine.inventory(),
    load: async () => machine.load(),
    peers: simulatedPeers(hostId, ask, within),
    gossip: (ownAdvert) =>
      new SimGossip({
        ...world,
        self: hostId,
        clock,
        logger,
        name: life.name,
        random: random.fork(),
        view: world.adverts?.() ?? new AdvertView(),
        ownAdvert,
        ask: (to, timeoutMs, work) => within(to, { timeoutMs }, async ({ gossip }) => work(gossip)),
      }),
    claims: (inner) => watchedClaims(inner, hostId, world.claimChecker),
    observer: {
      health: (_part, error) => {
        // Production tells of it and goes on; here it is a fault of the code.
        if (error !== undefined && !(error instanceof ShoalError)) world.onFailed(error);
      },
    },
  };
}
