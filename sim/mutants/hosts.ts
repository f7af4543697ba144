/** Bugs planted on the host's side: claims, guests, disks, notes, gossip. */
import { diskPutBack } from '../settings/themes.ts';
import type { Mutant } from './mutant.ts';
import { crowd, few, guests } from './settings.ts';

export const hostMutants = {
  'claims-ignored': {
    text: 'a host admits without looking at its room, and takes in what is recorded',
    overrides: crowd,
    host: 'claims-ignored',
  },
  'releases-at-once': {
    text: 'a host forgets a claim as soon as it has admitted it, and takes in what is recorded',
    overrides: crowd,
    host: 'releases-at-once',
  },
  'deletes-without-record': {
    text: 'a host removes guests whose records it does not find',
    overrides: { ...guests, faults: ['disk-wipe'], faultEveryMs: 2_000 },
    host: 'deletes-without-record',
  },
  'stops-without-quorum': {
    text: 'a host stops its guests when it has been without a quorum for a while',
    overrides: { ...guests, faults: ['net-isolate'], faultEveryMs: 3_000, faultForMs: 5_000 },
    host: 'stops-without-quorum',
  },
  'forgets-claims': {
    text: "a host's claims do not survive a restart of its agent",
    overrides: guests,
    host: 'forgets-claims',
  },
  'lower-advert-wins': {
    text: 'the advert that comes last wins, whatever its number',
    overrides: { ...guests, faults: ['net-replay', 'net-reorder', 'gossip-liar'], faultForMs: 5_000 },
    host: 'lower-advert-wins',
  },
  'gossip-authorises': {
    text: 'whoever places a server takes its own view for the consent of the host, which takes in what is recorded',
    overrides: crowd,
    host: 'gossip-authorises',
  },
  'takes-over-on-suspicion': {
    text: 'a host starts the guests of a host that it thinks dead',
    overrides: {
      ...guests,
      storage: 'rbd',
      faults: ['agent-down', 'gossip-alone'],
      faultEveryMs: 4_000,
      faultForMs: 15_000,
    },
    host: 'takes-over-on-suspicion',
  },
  'stops-on-suspicion': {
    text: 'a host stops its guests when it thinks that another one is dead',
    overrides: { ...guests, faults: ['agent-down'], faultEveryMs: 4_000, faultForMs: 15_000 },
    host: 'stops-on-suspicion',
  },
  'releases-before-exit': {
    text: 'the claim of a server that is being deleted is given back while its guest runs',
    overrides: { ...guests, faults: ['drivers-slow'], faultForMs: 5_000 },
    host: 'releases-before-exit',
  },
  'removes-disks-of-stopped': {
    text: 'a host takes a server that is off for one that is gone, and removes its disk',
    overrides: guests,
    host: 'removes-disks-of-stopped',
  },
  'binds-old-claims': {
    text: 'a claim that has ended is bound, and the host takes the server in whatever room it has',
    overrides: {
      ...crowd,
      faults: ['agent-outlives-its-claim'],
      hostVcpus: 2,
      chaosMs: 120_000,
    },
    host: 'binds-old-claims',
  },
  'retry-meets-its-tombstone': {
    text: 'a claim that is given back has ended for everybody, the next try of its own request included',
    overrides: {
      ...guests,
      tenants: 4,
      faults: ['clients-give-up', 'net-isolate'],
      faultEveryMs: 1_000,
      faultForMs: 3_000,
      network: { delayMs: 20, jitterMs: 5, loss: 0, repeat: 0, overtake: 0 },
    },
    host: 'retry-meets-its-tombstone',
  },
  'claims-by-wall-clock': {
    text: 'claims expire by the wall clock',
    overrides: {
      ...guests,
      tenants: 3,
      faults: ['clock-step', 'agent-failpoint', 'clients-give-up'],
      faultEveryMs: 300,
      chaosMs: 60_000,
      faultForMs: 8_000,
      network: { delayMs: 20, jitterMs: 5, loss: 0, repeat: 0, overtake: 0 },
      syncMs: 10,
    },
    host: 'claims-by-wall-clock',
  },
  'lock-after-start': {
    text: "a disk's lock is taken half a second after its guest was started",
    overrides: guests,
    drivers: (_machine, set, clock) => ({
      ...set,
      storage: new Proxy(set.storage, {
        get: (target, key) => {
          const value: unknown = Reflect.get(target, key);
          if (typeof value !== 'function') return value;
          if (key !== 'openDisk') return value.bind(target);
          const open = target.openDisk.bind(target);
          return async (...args: Parameters<typeof open>) => {
            clock.setTimeout(() => {
              open(...args).catch(() => {
                // The bug: nobody looks.
              });
            }, 500);
            return { kind: 'file', path: '/simulated' };
          };
        },
      }),
    }),
  },
  'disk-left-behind': {
    text: 'a disk is called removed and is not',
    overrides: few,
    drivers: (_machine, set) => ({ ...set, storage: without(set.storage, 'removeDisk') }),
  },
  'port-left-behind': {
    text: 'a port is called unplugged and is not',
    overrides: few,
    drivers: (_machine, set) => ({ ...set, network: without(set.network, 'removePort') }),
  },
  'power-off-forgotten': {
    text: 'that a guest powered itself off is not noted',
    overrides: {
      ...guests,
      tenants: 3,
      faults: ['guest-powers-off', 'net-isolate', 'agent-down'],
      faultEveryMs: 500,
      faultForMs: 4_000,
    },
    hostStore: (inner) => ({
      ...inner,
      write: (writes) => inner.write(writes.filter(({ key }) => !key.startsWith('off/'))),
    }),
  },
  'acts-unnoted': {
    text: 'a host does not note on the word of which records it acts',
    overrides: { ...guests, ...diskPutBack, clients: 1 },
    hostStore: (inner) => ({
      ...inner,
      // Alone: together with a change of claims it is part of that.
      write: async (writes) => {
        if (writes.length > 1 || writes[0]?.key !== 'claims-followed') await inner.write(writes);
      },
    }),
  },
  'foreign-references-taken': {
    text: 'whose the things are that a request names is not looked at',
    overrides: guests,
    host: 'foreign-references-taken',
  },
  'shows-others-servers': {
    text: 'whoever asks is taken for an administrator',
    overrides: guests,
    host: 'shows-others-servers',
  },
} as const satisfies Readonly<Record<string, Mutant>>;

/** A driver whose method `name` does nothing. */
function without<T extends object>(driver: T, name: keyof T): T {
  return new Proxy(driver, {
    get: (target, key) => {
      if (key === name) return async () => {};
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
