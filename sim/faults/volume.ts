/** Faults that strike what is done to volumes alone: a run without volumes has none of them. */
import { ShoalError } from '../../node/base/errors.ts';
import { type FaultKind, someMachine, somePool } from './fault.ts';

const driverError = (): ShoalError => new ShoalError('UNAVAILABLE', 'a simulated failure of a driver');
const refusal = (): ShoalError => new ShoalError('DRIVER_FAILED', 'a simulated refusal of a driver');

/** What jobs about volumes do on a storage. */
const diskWork = [
  ...(['createSnapshot', 'removeSnapshot', 'revertDisk', 'copyDisk', 'exportDisk', 'importDisk'] as const),
  ...(['serveDisk', 'unserveDisk', 'ensureDisk', 'openDisk', 'closeDisk', 'removeDisk'] as const),
] as const;
/** And in guests. */
const plugging = [
  ...(['attachDisk', 'detachDisk', 'resizeDisk', 'snapshotDisks', 'removeDiskSnapshot'] as const),
  ...(['mirrorDisk', 'cancelMirror'] as const),
] as const;

export const volumeFaults = {
  'disk-work-fails': {
    text: 'the next calls of a storage driver that keep, copy, read, write or serve disks fail, or are refused for good',
    strike(world) {
      const machine = someMachine(world);
      if (machine === undefined) return undefined;
      const { faults, name } = somePool(world, machine);
      const operation = world.random.pick(diskWork);
      const error = world.random.chance(0.5) ? driverError() : refusal();
      faults.failNext(operation, error, 1 + world.random.below(3));
      return { detail: `n${machine.raftId} ${name} ${operation} ${error.code}`, end: () => faults.clear() };
    },
  },
  'plugging-fails': {
    text: 'the next calls of a compute driver that plug, unplug, keep or mirror disks of guests fail, or are refused for good',
    strike(world) {
      const machine = someMachine(world);
      if (machine === undefined) return undefined;
      const { faults } = machine.compute;
      const operation = world.random.pick(plugging);
      const error = world.random.chance(0.5) ? driverError() : refusal();
      faults.failNext(operation, error, 1 + world.random.below(3));
      return { detail: `n${machine.raftId} ${operation} ${error.code}`, end: () => faults.clear() };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
