/** Bugs planted in what is done to volumes: moves, swaps, snapshots of groups, what is charged for them. */
import type { ComputeDriver, MirrorSteps } from '../../drivers/types.ts';
import { ShoalError } from '../../node/base/errors.ts';
import { volumeTable } from '../../node/state/tables/index.ts';
import type { PortsWrap } from '../agents/host-agent.ts';
import { changedDriver } from './host-ports.ts';
import type { Mutant } from './mutant.ts';
import { volumes } from './settings.ts';

/** Other drivers of guests. */
function withCompute(
  change: (inner: ComputeDriver, machine: Parameters<PortsWrap>[1]['machine']) => Partial<ComputeDriver>,
): PortsWrap {
  return (ports, { machine }) => {
    const { compute } = ports.drivers;
    return { ...ports, drivers: { ...ports.drivers, compute: changedDriver(compute, change(compute, machine)) } };
  };
}

/** Another word of the records on whether the guest goes over. */
function deciding(steps: MirrorSteps, switchOver: MirrorSteps['switchOver']): MirrorSteps {
  return { ...steps, switchOver };
}

/** Users of volumes who do hardly anything but move them. */
const movers = { ...volumes, tenants: 3, faults: ['agent-crash'], volumeThinkMs: 60 } as const;

export const volumeMutants = {
  'stays-on-its-disk': {
    text: 'a guest goes on with the old disk of a volume when the records name the new one',
    overrides: movers,
    ports: withCompute((inner) => ({
      mirrorDisk: async (serverId, volumeId, target, steps, signal) => {
        let isGoing = false;
        const stay = async (): Promise<boolean> => {
          isGoing = await steps.switchOver();
          return false;
        };
        try {
          await inner.mirrorDisk(serverId, volumeId, target, deciding(steps, stay), signal);
        } catch (caught) {
          if (!isGoing || !ShoalError.is(caught, 'CONFLICT')) throw caught;
        }
      },
    })),
  },
  'writes-on-in-a-switch': {
    text: 'what a guest writes while the records decide between two disks is in the old one alone',
    overrides: movers,
    ports: withCompute((inner, machine) => ({
      mirrorDisk: (serverId, volumeId, target, steps, signal) => {
        const goOn = (): Promise<boolean> => {
          const mirror = machine.compute.guests.get(serverId)?.mirrors.get(volumeId);
          if (mirror !== undefined) mirror.isPending = false;
          return steps.switchOver();
        };
        return inner.mirrorDisk(serverId, volumeId, target, deciding(steps, goOn), signal);
      },
    })),
  },
  'group-kept-one-by-one': {
    text: 'volumes of a group are kept one after the other while their guest writes',
    overrides: { ...movers, faults: [] },
    ports: withCompute((inner) => ({
      snapshotDisks: async (serverId, snapshots, options, signal) => {
        let frozen = false;
        for (const one of snapshots) ({ frozen } = await inner.snapshotDisks(serverId, [one], options, signal));
        return { frozen };
      },
    })),
  },
  'old-disk-left-behind': {
    text: 'a host removes no disk of a volume that is somewhere else by now',
    overrides: { ...movers, chaosMs: 30_000 },
    ports: (ports) => {
      const storage = new Map(
        [...ports.drivers.storage].map(([name, driver]) => {
          const removeDisk: typeof driver.removeDisk = async (volumeId, signal) => {
            const volume = volumeTable.get(ports.services.state.local, volumeId)?.record;
            if (volume === undefined || volume.pool === name) await driver.removeDisk(volumeId, signal);
          };
          return [name, changedDriver(driver, { removeDisk })] as const;
        }),
      );
      return { ...ports, drivers: { ...ports.drivers, storage } };
    },
  },
  'type-quota-leaks': {
    text: 'volumes that are deleted, or get another type, stay counted for the type that they had',
    overrides: movers,
    command: (_node, _index, command) => ({
      ...command,
      transaction: {
        ...command.transaction,
        thenOps: command.transaction.thenOps.map((op) =>
          op.kind === 'add' && op.key.includes('/volumes_') && op.delta < 0 ? { ...op, delta: 0 } : op,
        ),
      },
    }),
  },
} as const satisfies Readonly<Record<string, Mutant>>;
