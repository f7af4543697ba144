import type { HostProfile } from './host-profile.ts';

/**
 * A limit that aggregates may set by metadata `key`: the lowest of several, `fallback` where none is given or none is a
 * number. Remembers the answer by profile.
 */
export function aggregateLimit(key: string, fallback: number): (profile: HostProfile | undefined) => number {
  const known = new WeakMap<HostProfile, number>();
  return (profile) => {
    if (profile === undefined) return fallback;
    const remembered = known.get(profile);
    if (remembered !== undefined) return remembered;
    const limit = lowestNumber(profile.metadata.get(key)) ?? fallback;
    known.set(profile, limit);
    return limit;
  };
}

/** The lowest of the texts that are finite numbers; undefined when there is none. */
export function lowestNumber(values: ReadonlySet<string> | undefined): number | undefined {
  let lowest: number | undefined;
  for (const value of values ?? []) {
    const number = value.trim() === '' ? Number.NaN : Number(value);
    if (Number.isFinite(number) && (lowest === undefined || number < lowest)) lowest = number;
  }
  return lowest;
}
