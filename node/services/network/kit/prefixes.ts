/** Sets of prefixes: what a pool has, and where in it a further one fits. Pure; both families. */
import { formatPrefix, type IpFamily, type IpPrefix, type IpRange, overlaps } from './address.ts';

const bitsOf = { 4: 32, 6: 128 } as const satisfies Readonly<Record<IpFamily, number>>;

/** The fewest prefixes that have the same addresses, in order. All are of one family. */
export function mergedPrefixes(prefixes: readonly IpPrefix[]): readonly IpPrefix[] {
  return mergedRanges(prefixes).flatMap(prefixesOf);
}

/** The same addresses as ranges that neither overlap nor touch, in order. */
function mergedRanges(ranges: readonly IpRange[]): readonly IpRange[] {
  const merged: IpRange[] = [];
  for (const range of sorted(ranges)) {
    const before = merged.at(-1);
    if (before === undefined || range.first > before.last + 1n) {
      merged.push({ family: range.family, first: range.first, last: range.last });
    } else if (range.last > before.last) {
      merged[merged.length - 1] = { ...before, last: range.last };
    }
  }
  return merged;
}

/** A range as the fewest prefixes. */
function prefixesOf({ family, first: begin, last }: IpRange): IpPrefix[] {
  const prefixes: IpPrefix[] = [];
  for (let first = begin; first <= last; ) {
    // The largest block that begins here and ends in the range.
    let prefixLength: number = bitsOf[family];
    while (prefixLength > 0 && fits(first, prefixLength - 1, family, last)) prefixLength -= 1;
    const end = first + blockSize(family, prefixLength) - 1n;
    prefixes.push({ family, first, last: end, prefixLength });
    first = end + 1n;
  }
  return prefixes;
}

function fits(first: bigint, prefixLength: number, family: IpFamily, last: bigint): boolean {
  const size = blockSize(family, prefixLength);
  return first % size === 0n && first + size - 1n <= last;
}

/** Whether every address of `inner` is in `outer`. */
export function covers(outer: readonly IpPrefix[], inner: readonly IpRange[]): boolean {
  const ranges = mergedRanges(outer);
  return inner.every(({ family, first, last }) =>
    ranges.some((range) => range.family === family && range.first <= first && last <= range.last),
  );
}

/** The prefixes without the addresses of others. */
export function withoutPrefixes(prefixes: readonly IpPrefix[], gone: readonly IpPrefix[]): readonly IpPrefix[] {
  const left = mergedRanges(gone).reduce<readonly IpRange[]>(
    (ranges, hole) => ranges.flatMap((range) => rangeWithoutRange(range, hole)),
    mergedRanges(prefixes),
  );
  return left.flatMap(prefixesOf);
}

function rangeWithoutRange(range: IpRange, hole: IpRange): IpRange[] {
  if (!overlaps(range, hole)) return [range];
  const { family, first, last } = range;
  return [
    ...(first < hole.first ? [{ family, first, last: hole.first - 1n }] : []),
    ...(hole.last < last ? [{ family, first: hole.last + 1n, last }] : []),
  ];
}

/**
 * The first prefix of a length that lies in one of `prefixes` and touches none of `taken`. Undefined: there is none. Its cost
 * grows with `taken`, not with the addresses.
 */
export function freePrefix(
  prefixes: readonly IpPrefix[],
  taken: readonly IpRange[],
  prefixLength: number,
): IpPrefix | undefined {
  const inOrder = mergedRanges(taken);
  for (const { family, first, last } of sorted(prefixes)) {
    const size = blockSize(family, prefixLength);
    let candidate = roundedUp(first, size);
    for (const range of inOrder) {
      if (range.family !== family || range.last < candidate) continue;
      if (range.first > candidate + size - 1n) break;
      candidate = roundedUp(range.last + 1n, size);
    }
    if (candidate + size - 1n <= last) return { family, first: candidate, last: candidate + size - 1n, prefixLength };
  }
  return undefined;
}

/** How many prefixes of `unitLength` bits the ranges come to; what is smaller counts as a part of one. */
export function unitsOf(ranges: readonly IpPrefix[], unitLength: number): number {
  return ranges.reduce((sum, { prefixLength }) => sum + 2 ** (unitLength - prefixLength), 0);
}

/** For records. */
export function prefixTexts(prefixes: readonly IpPrefix[]): string[] {
  return prefixes.map(formatPrefix);
}

function blockSize(family: IpFamily, prefixLength: number): bigint {
  return 1n << BigInt(bitsOf[family] - prefixLength);
}

function roundedUp(value: bigint, size: bigint): bigint {
  return ((value + size - 1n) / size) * size;
}

function sorted<R extends IpRange>(ranges: readonly R[]): R[] {
  return ranges.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
}
