/**
 * User numbers that a host gives away: one for each guest, one for each disk that it serves, a few for its own helpers. They have no name and no entry in
 * /etc/passwd; what matters is that nobody else has them.
 *
 * Group numbers are the same as user numbers.
 */
import { ShoalError } from '../node/base/errors.ts';

/** A run of user numbers that is this agent's alone. Two agents on one machine need two. */
export interface UidRange {
  readonly first: number;
  readonly count: number;
}

/**
 * Of 1,879,048,192 to 2,147,483,646, which systemd's table of user numbers calls unused: above what useradd, subuid
 * (to 600,100,000) and systemd's containers take, below what is negative as a 32-bit number.
 */
export const uidRangeDefault: UidRange = { first: 1_900_000_000, count: 65_536 };

/** The first numbers of a range are the host's own. */
const reserved = 16;
/** One number of so many is for what serves a disk to another host. */
const exportShare = 8;
/** 56 guests and 8 disks that are served, numbers that rest among them. */
const countMin = reserved + 64;
const uidMax = 2_147_483_646;

/** Throws `INVALID_ARGUMENT` for a range that is too small, or has numbers of real users in it. */
export function checkUidRange({ first, count }: UidRange): void {
  const isSane = Number.isSafeInteger(first) && Number.isSafeInteger(count);
  if (isSane && first >= 65_536 && count >= countMin && first + count - 1 <= uidMax) return;
  throw new ShoalError(
    'INVALID_ARGUMENT',
    `user numbers from ${first}, ${count} of them: they must lie within 65536 and ${uidMax}, at least ${countMin}`,
  );
}

/** The user that the metadata server becomes, and the group that may read what it serves. */
export function metadataServerUid(range: UidRange): number {
  return range.first;
}

/** The group that may read image content: every guest is in it, and reaches only the files that it is shown. */
export function imagesGid(range: UidRange): number {
  return range.first + 1;
}

/** Who tries at start what guests will be able to do. */
export function probeUid(range: UidRange): number {
  return range.first + 2;
}

/** What guests are given: from this number on, to where those of exports begin. */
export function guestUids(range: UidRange): UidRange {
  return { first: range.first + reserved, count: range.count - reserved - exportCount(range) };
}

/** What serves a disk to another host is given: the last of the range. */
export function exportUids(range: UidRange): UidRange {
  const count = exportCount(range);
  return { first: range.first + range.count - count, count };
}

function exportCount({ count }: UidRange): number {
  return Math.floor((count - reserved) / exportShare);
}
