/** Hosts as the checkers see them: plain pictures, of which the dear parts are drawn again only when they have changed. */
import type { ClaimRecord } from '../../placement/index.ts';
import type { HostPicture } from '../checkers/hosts.ts';
import type { HostMachine } from '../world/machine.ts';

/** By the list that a store gave. */
const liveClaimsOf = new WeakMap<object, readonly ClaimRecord[]>();
/** By the list of those that hold room. */
const claimPicturesOf = new WeakMap<object, HostPicture['claims']>();

/** Claims that hold room; the ledger also keeps those that have ended, for a while. */
export function liveClaims(machine: HostMachine): readonly ClaimRecord[] {
  const entries = machine.store.peek('claim/');
  let live = liveClaimsOf.get(entries);
  if (live === undefined) {
    live = entries
      .map(([, value]) => value as ClaimRecord)
      .filter(({ state }) => state === 'admitted' || state === 'bound');
    liveClaimsOf.set(entries, live);
  }
  return live;
}

/** A host with its guests, its claims and its room. */
export function pictureOf(machine: HostMachine): HostPicture {
  return {
    name: `n${machine.raftId}`,
    guests: [...machine.compute.guests].map(([serverId, guest]) => ({
      serverId,
      generation: guest.spec.generation,
      isRunning: guest.power === 'running',
    })),
    claims: claimPictures(machine),
    room: {
      vcpus: machine.capacity.vcpus.total,
      memoryMib: machine.capacity.memoryMib.total,
      diskGib: machine.capacity.diskGib.total,
    },
  };
}

function claimPictures(machine: HostMachine): HostPicture['claims'] {
  const live = liveClaims(machine);
  let pictures = claimPicturesOf.get(live);
  if (pictures === undefined) {
    pictures = live.map(({ serverId, generation, needs }) => ({
      serverId,
      generation,
      vcpus: needs.vcpus,
      memoryMib: needs.memoryMib,
      diskGib: needs.diskGib,
    }));
    claimPicturesOf.set(live, pictures);
  }
  return pictures;
}
