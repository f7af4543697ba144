import type { HostId } from '../../node/base/ids.ts';
import type { Prng } from '../../node/base/prng.ts';

/** UUIDs (version 4 in form) from the seed. */
export function idMaker(random: Prng): () => string {
  const hex = (digits: number): string => {
    let made = '';
    while (made.length < digits) made += random.uint32().toString(16).padStart(8, '0');
    return made.slice(0, digits);
  };
  return () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
}

/** A host's address in the underlay: of the range for examples, and of that for benchmarks where it is too small. */
export function hostIpOf(raftId: number): string {
  return raftId < 255 ? `192.0.2.${raftId}` : `198.18.${raftId >>> 8}.${raftId & 255}`;
}

/** A host's id, from which its number can be read. */
export function hostIdOf(raftId: number): HostId {
  return String(raftId).padStart(32, '0') as HostId;
}
