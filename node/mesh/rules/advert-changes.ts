/**
 * What of a host's changes is told to the mesh, and how soon. Pure.
 *
 * Every advert goes to every host, so that what it costs grows with the square of the mesh: figures that are never twice the
 * same (load, free memory) are told only when they have left a band around what was told last, and a change that no
 * placement depends on waits until it can be told with others.
 */
import type { shoal } from '../../../proto/messages.ts';

/** Of a change: there is none; it may wait for others; it is told at once. */
type Urgency = 'none' | 'ordinary' | 'important';

/** CPU that is busy, in points of percent, load, and free memory: how far each may move from what was told last. */
const cpuPercentBand = 15;
const loadBandMin = 1;
const loadBandRatio = 0.25;
const metricBandRatio = 0.125;
/** Steps of the host's loop under way: they come and go with every start of a guest. */
const ioOpsBand = 2;
/** Room on shared storage: all hosts that share it tell of it. */
const poolFreeBandRatio = 0.02;

/** The numbers of an advert that its maker fills in when it is signed: no change by themselves. */
const stamps: ReadonlySet<string> = new Set(['epoch', 'sequence', 'publishedMs', 'profile']);

/** What is to be told: `now`, but with the figures of `told` wherever they are still within their bands. */
export function steadied(told: shoal.v1.IAdvert | undefined, now: shoal.v1.IAdvert): shoal.v1.IAdvert {
  if (told === undefined) return now;
  const loadBand = Math.max(loadBandMin, loadBandRatio * (told.load_1m ?? 0));
  return {
    ...now,
    cpuPercent: within(told.cpuPercent, now.cpuPercent, cpuPercentBand),
    load_1m: within(told.load_1m, now.load_1m, loadBand),
    ioOps: within(told.ioOps, now.ioOps, ioOpsBand),
    metrics: steadyMetrics(told.metrics ?? {}, now.metrics ?? {}),
    pools: steadyPools(told.pools ?? [], now.pools ?? []),
  };
}

/** How soon a change from `told` to `now`, which has been steadied, is told. */
export function urgencyOf(told: shoal.v1.IAdvert | undefined, now: shoal.v1.IAdvert): Urgency {
  if (told === undefined) return 'important';
  if ((told.enabled ?? false) !== (now.enabled ?? false)) return 'important';
  if (roomLevels(told).some((level, at) => level !== roomLevels(now)[at])) return 'important';
  return differs(told, now) ? 'ordinary' : 'none';
}

/**
 * Free vCPUs, memory and disk as placement feels them: nothing, or a power of two. Between two hosts with half and with
 * twice the room it chooses differently; of one that has just filled up it gets refusals until it knows.
 */
function roomLevels(advert: shoal.v1.IAdvert): readonly number[] {
  const level = (
    total: number | null | undefined,
    reserved: number | null | undefined,
    ratio: number | null | undefined,
    used: number | null | undefined,
  ): number => {
    const free = ((total ?? 0) - (reserved ?? 0)) * (ratio ?? 1) - (used ?? 0);
    return free < 1 ? -1 : Math.floor(Math.log2(free));
  };
  return [
    level(advert.vcpus, advert.vcpusReserved, advert.vcpusRatio, advert.vcpusUsed),
    level(advert.memoryMib, advert.memoryMibReserved, advert.memoryRatio, advert.memoryMibUsed),
    level(advert.diskGib, advert.diskGibReserved, advert.diskRatio, advert.diskGibUsed),
  ];
}

function within(told: number | null | undefined, now: number | null | undefined, band: number): number {
  const [before, after] = [told ?? 0, now ?? 0];
  return Math.abs(after - before) <= band ? before : after;
}

function steadyMetrics(
  told: Readonly<Record<string, number>>,
  now: Readonly<Record<string, number>>,
): Record<string, number> {
  const before = new Map(Object.entries(told));
  return Object.fromEntries(
    Object.entries(now).map(([name, value]) => {
      const known = before.get(name);
      return [name, known === undefined ? value : within(known, value, metricBandRatio * Math.abs(known))];
    }),
  );
}

function steadyPools(
  told: readonly shoal.v1.IStoragePool[],
  now: readonly shoal.v1.IStoragePool[],
): shoal.v1.IStoragePool[] {
  const before = new Map(told.map((pool) => [pool.name, pool]));
  return now.map((pool) => {
    const knownGib = before.get(pool.name)?.freeGib;
    if (typeof knownGib !== 'number' || typeof pool.freeGib !== 'number') return pool;
    return { ...pool, freeGib: within(knownGib, pool.freeGib, poolFreeBandRatio * knownGib) };
  });
}

/** Whether two values differ anywhere, the stamps of an advert left out. Lists count in order; what is absent is at its default. */
export function differs(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return !Object.is(a ?? absentAs(b), b ?? absentAs(a));
  }
  const [before, after] = [new Map<string, unknown>(Object.entries(a)), new Map<string, unknown>(Object.entries(b))];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    if (!stamps.has(name) && differs(before.get(name), after.get(name))) return true;
  }
  return false;
}

/** What a field that is not there counts as beside this value: protobuf's default of its type. */
function absentAs(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return value;
  if (typeof value === 'number') return 0;
  if (typeof value === 'string') return '';
  return typeof value === 'boolean' ? false : undefined;
}
