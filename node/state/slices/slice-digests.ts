/**
 * A slice in brief: its rows dealt to buckets by their keys, and a digest of each bucket. Two sides that compare them exchange
 * only the buckets that differ, whole; so the cost of a repair follows what differs and not how large the slice is.
 */
import { DigestSum, type DigestValue, isSameDigest } from '../digest.ts';
import type { KeyValue } from '../types.ts';

/** Buckets are a power of two between these. */
export const bucketsMin = 16;
export const bucketsMax = 8192;

/**
 * How many buckets a slice of so many rows is dealt to: two to four rows each. With more, the digests would cost more than the rows
 * that are sent for a hundredth of a slice, packed at some sixty bytes each; with fewer, less.
 */
export function bucketCountFor(rows: number): number {
  let buckets = bucketsMin;
  while (buckets * 4 < rows && buckets < bucketsMax) buckets *= 2;
  return buckets;
}

/** The bucket of a key, in [0, `buckets`). FNV-1a over its UTF-16 code units: part of the protocol between agents. */
export function bucketOf(key: string, buckets: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  hash ^= hash >>> 15;
  return (hash >>> 0) & (buckets - 1);
}

/** The digest of each bucket. */
export function bucketDigests(rows: Iterable<KeyValue>, buckets: number): readonly DigestValue[] {
  const sums = Array.from({ length: buckets }, () => new DigestSum());
  for (const row of rows) sums[bucketOf(row.key, buckets)]?.key(1, row);
  return sums.map((sum) => sum.value);
}

/** Numbers of the buckets whose digests differ. Both sides have as many. */
export function differingBuckets(ours: readonly DigestValue[], theirs: readonly DigestValue[]): ReadonlySet<number> {
  const differing = new Set<number>();
  ours.forEach((digest, at) => {
    const other = theirs[at];
    if (other === undefined || !isSameDigest(digest, other)) differing.add(at);
  });
  return differing;
}
