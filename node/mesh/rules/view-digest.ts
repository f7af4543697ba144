/**
 * A digest of a view of fixed size, whatever the number of hosts: two hosts compare theirs, and send what differs only.
 * Pure.
 *
 * A view is a table of (host, epoch, sequence). Each row falls into a bucket by its host, and a bucket's digest is the
 * exclusive or of the hashes of its rows: it does not depend on their order, and a row is put in or taken out at once. The
 * hash is quick and no secret: a member that finds a collision hides its own newest advert from a comparison, and no other.
 */
import type { HostId } from '../../base/ids.ts';
import type { AdvertOrder } from './advert-order.ts';

/** Buckets of a digest. With 1,000 hosts eight rows fall into one. */
const digestBuckets = 128;
/** Bytes of an encoded digest: eight a bucket. */
export const digestBytes = digestBuckets * 8;

/** Which bucket a host's row is in. */
export function bucketOf(hostId: HostId): number {
  return hashOf(hostId, { epoch: 0, sequence: 0 }, 0x9747b28c) % digestBuckets;
}

/** The digest of a table that changes. */
export class ViewDigest {
  /** Two words a bucket. */
  readonly #words: Uint32Array;

  /** @param copied starts with the same rows; default: with none. */
  constructor(copied?: ViewDigest) {
    this.#words = copied === undefined ? new Uint32Array(2 * digestBuckets) : Uint32Array.from(copied.#words);
  }

  /** Puts a row in, or takes it out: the same thing. */
  toggle(hostId: HostId, order: AdvertOrder): void {
    const at = 2 * bucketOf(hostId);
    this.#words[at] = (this.#words[at] ?? 0) ^ hashOf(hostId, order, 0x2545f491);
    this.#words[at + 1] = (this.#words[at + 1] ?? 0) ^ hashOf(hostId, order, 0x85ebca6b);
  }

  /** As it is now, as it is sent. */
  encode(): Uint8Array {
    const bytes = new Uint8Array(digestBytes);
    const view = new DataView(bytes.buffer);
    for (const [at, word] of this.#words.entries()) view.setUint32(4 * at, word);
    return bytes;
  }
}

/** The buckets in which two digests differ, ascending; all of them when `theirs` is no digest of this kind. */
export function differingBuckets(ours: Uint8Array, theirs: Uint8Array): readonly number[] {
  const buckets: number[] = [];
  for (let bucket = 0; bucket < digestBuckets; bucket += 1) {
    const isSame =
      theirs.length === digestBytes &&
      [0, 1, 2, 3, 4, 5, 6, 7].every((at) => ours[8 * bucket + at] === theirs[8 * bucket + at]);
    if (!isSame) buckets.push(bucket);
  }
  return buckets;
}

/** MurmurHash3's mixing (Appleby) over the characters of the id and the two numbers. */
function hashOf(hostId: HostId, { epoch, sequence }: AdvertOrder, seed: number): number {
  let hash = seed;
  for (let at = 0; at < hostId.length; at += 4) {
    const block =
      hostId.charCodeAt(at) |
      ((hostId.charCodeAt(at + 1) || 0) << 8) |
      ((hostId.charCodeAt(at + 2) || 0) << 16) |
      ((hostId.charCodeAt(at + 3) || 0) << 24);
    hash = mixed(hash, block);
  }
  for (const value of [epoch, sequence]) {
    hash = mixed(hash, value >>> 0);
    hash = mixed(hash, Math.floor(value / 2 ** 32) >>> 0);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mixed(hash: number, block: number): number {
  let k = Math.imul(block, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  k = hash ^ Math.imul(k, 0x1b873593);
  k = (k << 13) | (k >>> 19);
  return (Math.imul(k, 5) + 0xe6546b64) | 0;
}
