import { ShoalError } from '../../node/base/errors.ts';
import type { FaultKind } from './fault.ts';

const driverError = (): ShoalError => new ShoalError('UNAVAILABLE', 'a simulated failure of a driver');

export const hostFaults = {
  'host-power-cut': {
    text: 'a host loses power: agent, guests, taps; it comes back after a while',
    strike(world) {
      const node = world.random.pick(world.nodes);
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
      const machine = world.machines.length === 0 ? undefined : world.random.pick(world.machines);
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
      const machine = world.machines.length === 0 ? undefined : world.random.pick(world.machines);
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
      const machine = world.machines.length === 0 ? undefined : world.random.pick(world.machines);
      if (machine === undefined) return undefined;
      const operation = world.random.pick(['list', 'find', 'startGuest', 'stopGuest', 'removeGuest'] as const);
      machine.compute.faults.failNext(operation, driverError(), 1 + world.random.below(4));
      return { detail: `n${machine.raftId} ${operation}`, end: () => machine.compute.faults.clear() };
    },
  },
  'network-driver-errors': {
    text: 'the next calls of a network driver fail',
    strike(world) {
      const machine = world.machines.length === 0 ? undefined : world.random.pick(world.machines);
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
  'storage-errors': {
    text: 'the next calls of a storage driver fail',
    strike(world) {
      const machine = world.machines.length === 0 ? undefined : world.random.pick(world.machines);
      if (machine === undefined) return undefined;
      const operation = world.random.pick(['ensureDisk', 'openDisk', 'closeDisk', 'removeDisk', 'hasImage'] as const);
      machine.storage.faults.failNext(operation, driverError(), 1 + world.random.below(4));
      return { detail: `n${machine.raftId} ${operation}`, end: () => machine.storage.faults.clear() };
    },
  },
  'guests-start-slowly': {
    text: 'guests take seconds to start on one host',
    strike(world, forMs) {
      const machine = world.machines.length === 0 ? undefined : world.random.pick(world.machines);
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
} as const satisfies Readonly<Record<string, FaultKind>>;
