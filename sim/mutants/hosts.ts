/** Bugs planted on the host's side: claims, guests, disks, notes, gossip. */
import type { PeerChannel } from '../../node/host/peer-channel.ts';
import { AdvertView, type HeldAdvert } from '../../node/mesh/rules/adverts.ts';
import type { Placed } from '../../node/services/kit/dependencies.ts';
import { shoal } from '../../proto/messages.ts';
import { diskPutBack } from '../settings/themes.ts';
import {
  adopting,
  changedDriver,
  wallClockOnly,
  withClaims,
  withoutFence,
  withStorage,
  withStore,
} from './host-ports.ts';
import type { Mutant } from './mutant.ts';
import { plantedFaults } from './planted-faults.ts';
import { crowd, few, guests, volumes } from './settings.ts';

/** A view in which the advert that comes last wins. */
class LastAdverts extends AdvertView {
  override merge(offered: HeldAdvert): boolean {
    this.retain((hostId) => hostId !== offered.hostId);
    return super.merge(offered);
  }
}

/** A channel whose claims are admitted without anybody being asked. */
function presumptuous(inner: PeerChannel): PeerChannel {
  return {
    call: (hostId, make) =>
      inner.call(hostId, (calls) =>
        make({
          ...calls,
          claim: async () => new shoal.v1.ClaimResponse({ admitted: true }),
          claimBatch: async ({ claims }) =>
            new shoal.v1.ClaimBatchResponse({ answers: (claims ?? []).map(() => ({ admitted: true })) }),
        }),
      ),
    stream: (hostId, make) => inner.stream(hostId, make),
  };
}

export const hostMutants = {
  'claims-ignored': {
    text: 'a host admits without looking at its room, and takes in what is recorded',
    overrides: crowd,
    ports: withClaims((inner) => ({
      ...adopting(inner),
      admit: async ({ serverId, generation, needs }) => ({
        outcome: 'admitted',
        record: { serverId, generation, needs, groupId: '', state: 'admitted', expiresAtMs: 0, pci: [], numa: [] },
        changes: [],
      }),
    })),
  },
  'releases-at-once': {
    text: 'a host forgets a claim as soon as it has admitted it, and takes in what is recorded',
    overrides: crowd,
    ports: withClaims((inner) => ({
      ...adopting(inner),
      admit: async (claim, ttlMs) => {
        const admission = await inner.admit(claim, ttlMs);
        await inner.withdraw(claim.serverId, claim.generation, claim.asker ?? '');
        return admission;
      },
    })),
  },
  'deletes-without-record': {
    text: 'a host removes guests whose records it does not find',
    overrides: { ...guests, faults: ['disk-wipe'], faultEveryMs: 2_000 },
    hand: plantedFaults['deletes-without-record'],
  },
  'stops-without-quorum': {
    text: 'a host stops its guests when it has been without a quorum for a while',
    overrides: { ...guests, faults: ['net-isolate'], faultEveryMs: 3_000, faultForMs: 5_000 },
    hand: plantedFaults['stops-without-quorum'],
  },
  'forgets-claims': {
    text: "a host's claims do not survive a restart of its agent",
    overrides: guests,
    ports: withStore((inner) => ({
      ...inner,
      entries: (prefix) => (prefix === 'claim/' ? [] : inner.entries(prefix)),
    })),
  },
  'lower-advert-wins': {
    text: 'the advert that comes last wins, whatever its number',
    overrides: { ...guests, faults: ['net-replay', 'net-reorder', 'gossip-liar'], faultForMs: 5_000 },
    adverts: () => new LastAdverts(),
  },
  'gossip-authorises': {
    text: 'the placer takes its own view for the consent of the host, which takes in what is recorded',
    overrides: crowd,
    ports: (ports, world) => ({ ...withClaims(adopting)(ports, world), peers: presumptuous(ports.peers) }),
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
    hand: plantedFaults['takes-over-on-suspicion'],
  },
  'stops-on-suspicion': {
    text: 'a host stops its guests when it thinks that another one is dead',
    overrides: { ...guests, faults: ['agent-down'], faultEveryMs: 4_000, faultForMs: 15_000 },
    hand: plantedFaults['stops-on-suspicion'],
  },
  'releases-before-exit': {
    text: 'the claim of a server that is being deleted is given back while its guest runs',
    overrides: { ...guests, faults: ['drivers-slow'], faultForMs: 5_000 },
    hand: plantedFaults['releases-before-exit'],
  },
  'removes-disks-of-stopped': {
    text: 'a host takes a server that is off for one that is gone, and removes its disk',
    overrides: guests,
    hand: plantedFaults['removes-disks-of-stopped'],
  },
  'binds-old-claims': {
    text: 'a claim that has ended is bound, and the host takes the server in whatever room it has',
    overrides: {
      ...crowd,
      faults: ['agent-outlives-its-claim'],
      hostVcpus: 2,
      chaosMs: 120_000,
    },
    ports: withClaims(adopting),
    placer: (inner) => {
      const ageless = <T extends Placed>(placed: T): T => ({ ...placed, isTooOld: () => false });
      return {
        place: async (...asked) => ageless(await inner.place(...asked)),
        placeBatch: async (...asked) => (await inner.placeBatch(...asked)).map(ageless),
      };
    },
  },
  'retry-meets-its-tombstone': {
    text: 'a claim that is given back has ended for everybody, the next try of its own request included',
    overrides: {
      ...guests,
      tenants: 8,
      tenantThinkMs: 150,
      hostVcpus: 60,
      faults: ['clients-give-up', 'net-isolate'],
      faultEveryMs: 700,
      faultForMs: 3_000,
      chaosMs: 90_000,
      network: { delayMs: 20, jitterMs: 5, loss: 0, repeat: 0, overtake: 0 },
    },
    ports: withClaims((inner) => ({
      admit: ({ asker: _asker, ...nobodys }, ttlMs) => inner.admit(nobodys, ttlMs),
    })),
  },
  'claims-by-wall-clock': {
    text: 'a host tells by its wall clock how much time has passed, and so when claims expire',
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
    ports: (ports) => ({
      ...ports,
      services: { ...ports.services, clock: wallClockOnly(ports.services.clock) },
    }),
  },
  'lock-after-start': {
    text: "a disk's lock is taken half a second after its guest was started",
    overrides: guests,
    ports: withStorage((storage, { services: { clock } }) =>
      changedDriver(storage, {
        openDisk: async (...asked) => {
          clock.setTimeout(() => {
            storage.openDisk(...asked).catch(() => {
              // The bug: nobody looks.
            });
          }, 500);
          return { kind: 'file', path: '/simulated', format: 'qcow2' };
        },
      }),
    ),
  },
  'snapshot-goes-on': {
    text: 'what a guest writes to its volume goes into the snapshots, too',
    overrides: volumes,
    hand: plantedFaults['snapshot-goes-on'],
  },
  'removes-detached-volumes': {
    text: 'a host takes a volume that nobody has attached for one that is gone, and removes its bytes',
    overrides: volumes,
    hand: plantedFaults['removes-detached-volumes'],
  },
  'serves-on': {
    text: 'what served a volume to another host goes on after its record says that it has ended',
    overrides: volumes,
    hand: plantedFaults['serves-on'],
  },
  'disk-left-behind': {
    text: 'a disk is called removed and is not',
    overrides: few,
    ports: withStorage((storage) => changedDriver(storage, { removeDisk: async () => {} })),
  },
  'port-left-behind': {
    text: 'a port is called unplugged and is not',
    overrides: few,
    ports: (ports) => ({
      ...ports,
      drivers: { ...ports.drivers, network: changedDriver(ports.drivers.network, { removePort: async () => {} }) },
    }),
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
    ports: withStore((inner) => ({
      ...inner,
      write: (writes) => inner.write(writes.filter(({ key }) => !key.startsWith('off/'))),
    })),
  },
  'acts-unnoted': {
    text: 'a host does not note on the word of which records it acts',
    overrides: { ...guests, ...diskPutBack, clients: 1 },
    ports: withoutFence,
  },
  'foreign-references-taken': {
    text: 'whose the things are that a request names is not looked at',
    overrides: guests,
    takenForAdmin: ['reacher'],
  },
  'shows-others-servers': {
    text: 'every caller is taken for an administrator',
    overrides: guests,
    takenForAdmin: ['tenant'],
  },
} as const satisfies Readonly<Record<string, Mutant>>;
