import { ShoalError } from '../../node/base/errors.ts';
import { storageBytes } from '../world/machine.ts';
import { type FaultKind, someMachine, somePool } from './fault.ts';

const driverError = (): ShoalError => new ShoalError('UNAVAILABLE', 'a simulated failure of a driver');

export const hostFaults = {
  'host-power-cut': {
    text: 'a host loses power: agent, guests, taps; it comes back after a while',
    strike(world) {
      const node = world.random.pick(world.nodes);
      if (node.isWitness) return undefined;
      const machine = world.machines.find((candidate) => candidate.raftId === node.raftId);
      node.crash();
      node.isHeldDown = true;
      machine?.powerCut();
      return { detail: node.name, end: () => node.boot() };
    },
  },
  'power-everywhere': {
    text: 'all hosts lose power at once and come back in any order',
    strike(world, forMs) {
      if (world.nodes.some(({ isWitness }) => isWitness)) return undefined;
      for (const node of world.nodes) {
        node.crash();
        node.isHeldDown = true;
        world.later(world.random.float() * forMs, () => node.boot());
      }
      for (const machine of world.machines) machine.powerCut();
      return { detail: '' };
    },
  },
  'guest-crash': {
    text: "a guest's process dies",
    strike(world) {
      const machine = someMachine(world);
      const running = machine?.runningGuests() ?? [];
      if (machine === undefined || running.length === 0) return undefined;
      const guest = world.random.pick(running);
      machine.compute.crash(guest);
      return { detail: `${guest} on n${machine.raftId}` };
    },
  },
  'guest-powers-off': {
    text: 'a guest powers itself off',
    strike(world) {
      const machine = someMachine(world);
      const running = machine?.runningGuests() ?? [];
      if (machine === undefined || running.length === 0) return undefined;
      const guest = world.random.pick(running);
      machine.compute.powerOff(guest);
      return { detail: `${guest} on n${machine.raftId}` };
    },
  },
  'compute-errors': {
    text: 'the next calls of a compute driver fail',
    strike(world) {
      const machine = someMachine(world);
      if (machine === undefined) return undefined;
      const operation = world.random.pick(['list', 'find', 'startGuest', 'stopGuest', 'removeGuest'] as const);
      machine.compute.faults.failNext(operation, driverError(), 1 + world.random.below(4));
      return { detail: `n${machine.raftId} ${operation}`, end: () => machine.compute.faults.clear() };
    },
  },
  'network-driver-errors': {
    text: 'the next calls of a network driver fail',
    strike(world) {
      const machine = someMachine(world);
      if (machine === undefined) return undefined;
      const operation = world.random.pick([
        'found',
        'ensureNetwork',
        'ensurePort',
        'removePort',
        'setForwarding',
      ] as const);
      machine.network.faults.failNext(operation, driverError(), 1 + world.random.below(4));
      return { detail: `n${machine.raftId} ${operation}`, end: () => machine.network.faults.clear() };
    },
  },
  'host-network-meddled': {
    text: "somebody changes a host's network behind the agent's back: takes a tap or a bridge, loads another firewall",
    strike(world) {
      const machine = someMachine(world);
      if (machine === undefined) return undefined;
      const { networks, ports, forwarding } = machine.network;
      const [portIds, networkIds] = [[...ports.keys()], [...networks.keys()]];
      // A bridge that was taken leaves its taps behind, until they are made again.
      if (portIds.length === 0 || networkIds.length === 0) return undefined;
      const what = world.random.pick(['tap', 'bridge', 'firewall'] as const);
      if (what === 'tap') ports.delete(world.random.pick(portIds));
      if (what === 'bridge') {
        const networkId = world.random.pick(networkIds);
        networks.delete(networkId);
        forwarding.delete(networkId);
      }
      if (what === 'firewall')
        for (const [id, spec] of ports) ports.set(id, { ...spec, portSecurity: false, rules: [] });
      return { detail: `n${machine.raftId} ${what}` };
    },
  },
  'storage-errors': {
    text: 'the next calls of a storage driver fail',
    strike(world) {
      const machine = someMachine(world);
      if (machine === undefined) return undefined;
      const operation = world.random.pick(['ensureDisk', 'openDisk', 'closeDisk', 'removeDisk', 'hasImage'] as const);
      const { faults, name } = somePool(world, machine);
      faults.failNext(operation, driverError(), 1 + world.random.below(4));
      return { detail: `n${machine.raftId} ${name} ${operation}`, end: () => faults.clear() };
    },
  },
  'guests-start-slowly': {
    text: 'guests take seconds to start on one host',
    strike(world, forMs) {
      const machine = someMachine(world);
      if (machine === undefined) return undefined;
      machine.compute.behaviour.startDelayMs = forMs / 2;
      return {
        detail: `n${machine.raftId}`,
        end: () => {
          machine.compute.behaviour.startDelayMs = 0;
        },
      };
    },
  },
  'host-reboot': {
    text: 'a host is rebooted: agent, guests and taps are gone, and it is back at once',
    strike(world) {
      const node = world.random.pick(world.nodes);
      if (node.isWitness) return undefined;
      node.crash();
      node.isHeldDown = true;
      world.machines.find(({ raftId }) => raftId === node.raftId)?.powerCut();
      world.later(500 + world.random.below(2_000), () => node.boot());
      return { detail: node.name };
    },
  },
  'guest-io-error': {
    text: "a guest's disk fails under it, and QEMU stops it",
    strike(world) {
      const machine = someMachine(world);
      const running = machine?.runningGuests() ?? [];
      if (machine === undefined || running.length === 0) return undefined;
      const guest = world.random.pick(running);
      machine.compute.ioError(guest);
      return {
        detail: `${guest} on n${machine.raftId}`,
        // An operator mends the storage and ends the QEMU that stopped; its host starts another.
        end: () => {
          if (machine.compute.guests.get(guest)?.detail === 'io-error') machine.compute.crash(guest);
        },
      };
    },
  },
  'guests-hang': {
    text: 'guests of one host do not power off when they are asked to',
    strike(world) {
      const machine = someMachine(world);
      if (machine === undefined) return undefined;
      machine.compute.behaviour.powerOffDelayMs = 60_000;
      return {
        detail: `n${machine.raftId}`,
        end: () => {
          machine.compute.behaviour.powerOffDelayMs = 0;
        },
      };
    },
  },
  'guests-keep-crashing': {
    text: 'guests of one host die soon after they have been started',
    strike(world) {
      const machine = someMachine(world);
      if (machine === undefined) return undefined;
      machine.compute.behaviour.crashAfterMs = 100 + world.random.below(1_000);
      for (const guest of machine.runningGuests().slice(0, 2)) machine.compute.crash(guest);
      return {
        detail: `n${machine.raftId}`,
        end: () => {
          delete machine.compute.behaviour.crashAfterMs;
        },
      };
    },
  },
  'guests-refuse': {
    text: 'QEMU refuses to start on one host',
    strike(world) {
      const machine = someMachine(world);
      if (machine === undefined) return undefined;
      const error = new ShoalError('DRIVER_FAILED', 'a simulated QEMU that does not start');
      machine.compute.faults.failNext('startGuest', error, 10);
      return { detail: `n${machine.raftId}`, end: () => machine.compute.faults.clear() };
    },
  },
  'drivers-slow': {
    text: "one host's QEMU, kernel or storage answers a hundred times as slowly",
    strike(world) {
      const machine = someMachine(world);
      if (machine === undefined) return undefined;
      const driver = world.random.pick(['compute', 'network', 'storage'] as const);
      machine.slowness[driver] = 100;
      return {
        detail: `n${machine.raftId} ${driver}`,
        end: () => {
          machine.slowness[driver] = 1;
        },
      };
    },
  },
  'storage-full': {
    text: 'there is no room for new disks',
    strike(world) {
      const machine = someMachine(world);
      if (machine === undefined) return undefined;
      const storage = somePool(world, machine);
      storage.totalBytes = 0;
      return {
        detail: `n${machine.raftId} ${storage.name}`,
        end: () => {
          storage.totalBytes = storageBytes;
        },
      };
    },
  },
  'host-notes-fail': {
    text: "the next write of a host's own notes fails, and the agent is restarted",
    strike(world) {
      const machine = someMachine(world);
      if (machine === undefined) return undefined;
      machine.store.failNext = true;
      return { detail: `n${machine.raftId}` };
    },
  },
  'host-notes-slow': {
    text: "writes of a host's own notes take two hundred times as long",
    strike(world) {
      const machine = someMachine(world);
      if (machine === undefined) return undefined;
      machine.store.slowFactor = 200;
      return {
        detail: `n${machine.raftId}`,
        end: () => {
          machine.store.slowFactor = 1;
        },
      };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
