/** Bugs planted in takeovers: of servers whose host is lost, or only seems to be. */
import type { StorageDriver, StorageWitness } from '../../drivers/types.ts';
import type { PortsWrap } from '../agents/host-agent.ts';
import type { SimOverrides } from '../settings/options.ts';
import { changedDriver } from './host-ports.ts';
import type { Mutant } from './mutant.ts';
import { guests } from './settings.ts';

const lost = {
  ...guests,
  hosts: 5,
  storage: 'rbd',
  haPercent: 100,
  hostVcpus: 12,
  verbThinkMs: 0,
  volumeThinkMs: 0,
  operatorThinkMs: 0,
  faults: ['host-lost'],
  faultEveryMs: 4_000,
  faultForMs: 5_000,
  chaosMs: 60_000,
} as const satisfies SimOverrides;

/** Another witness of each storage that hosts share. */
function withWitness(
  change: (inner: StorageWitness, world: Parameters<PortsWrap>[1]) => Partial<StorageWitness>,
): PortsWrap {
  return (ports, world) => ({
    ...ports,
    drivers: {
      ...ports.drivers,
      storage: new Map(
        [...ports.drivers.storage].map(([name, driver]): [string, StorageDriver] => {
          const { witness } = driver;
          if (witness === undefined) return [name, driver];
          return [name, changedDriver(driver, { witness: changedDriver(witness, change(witness, world)) })];
        }),
      ),
    },
  });
}

export const takeoverMutants = {
  'takes-over-without-fence': {
    text: 'the lock of a lost host is broken, and the host is fenced by nobody',
    overrides: lost,
    ports: withWitness((_inner, { machine }) => ({
      fenceFormer: async ({ volumeId }) => {
        for (const { disks } of machine.storages) {
          const disk = disks.get(volumeId);
          if (disk === undefined) continue;
          disk.lock = undefined;
          disk.watchers.clear();
        }
      },
    })),
  },
  'resumes-after-fence': {
    text: 'a host that was fenced lifts its fence at once, and lets the guests go on that stood still',
    overrides: lost,
    ports: withWitness((inner, { machine }) => ({
      beat: async (owner, text, signal) => {
        if (await inner.isFenced(owner, signal)) {
          await inner.unfence(owner, signal);
          for (const guest of machine.compute.guests.values()) {
            if (guest.power === 'paused' && guest.detail === 'io-error') guest.power = 'running';
          }
        }
        await inner.beat(owner, text, signal);
      },
    })),
  },
  'takes-cut-off-for-gone': {
    text: 'what a host tells storage is not read: one that is only cut off counts as gone',
    overrides: { ...lost, faults: ['net-isolate'], faultForMs: 25_000, faultEveryMs: 3_000 },
    ports: withWitness((inner) => ({
      lastBeat: async (owner, signal) =>
        (await inner.lastBeat(owner, signal)) === undefined ? undefined : 'always the same',
    })),
  },
} as const satisfies Readonly<Record<string, Mutant>>;
