/**
 * The part of an advert that changes all the time, and is told by itself (AdvertUpdate): a tenth of the whole, for those who
 * hold the rest, its **profile**. Pure.
 */
import type { shoal } from '../../../proto/messages.ts';
import { differs } from './advert-changes.ts';

/** The one metric of an advert that updates tell. */
const availableMetric = 'memory.available_mib';

/** Load is told in hundredths. */
const loadSteps = 100;

/** What updates tell, as they tell it. */
type AdvertUsage = Pick<
  shoal.v1.AdvertUpdate,
  | 'vcpusUsed'
  | 'memoryMibUsed'
  | 'diskGibUsed'
  | 'servers'
  | 'ioOps'
  | 'buildFailures'
  | 'cpuPercent'
  | 'load_1mHundredths'
  | 'memoryAvailableMib'
>;

/** The usage that an advert tells of. */
export function usageOf(advert: shoal.v1.IAdvert): AdvertUsage {
  const count = (value: number | null | undefined): number => Math.max(0, Math.round(value ?? 0));
  return {
    vcpusUsed: count(advert.vcpusUsed),
    memoryMibUsed: count(advert.memoryMibUsed),
    diskGibUsed: count(advert.diskGibUsed),
    servers: count(advert.servers),
    ioOps: count(advert.ioOps),
    buildFailures: count(advert.buildFailures),
    cpuPercent: count(advert.cpuPercent),
    load_1mHundredths: count(loadSteps * (advert.load_1m ?? 0)),
    memoryAvailableMib: count(new Map(Object.entries(advert.metrics ?? {})).get(availableMetric)),
  };
}

/** An advert with another usage. One that tells of no available memory tells of none afterwards. */
export function withUsage<Advert extends shoal.v1.IAdvert>(advert: Advert, usage: AdvertUsage): Advert {
  // One by one: what comes in an update has more fields than these.
  const { vcpusUsed, memoryMibUsed, diskGibUsed, servers, ioOps, buildFailures, cpuPercent } = usage;
  const counts = { vcpusUsed, memoryMibUsed, diskGibUsed, servers, ioOps, buildFailures, cpuPercent };
  const metrics = Object.entries(advert.metrics ?? {}).map(([name, value]): [string, number] => [
    name,
    name === availableMetric ? usage.memoryAvailableMib : value,
  ]);
  return { ...advert, ...counts, load_1m: usage.load_1mHundredths / loadSteps, metrics: Object.fromEntries(metrics) };
}

/** Whether two adverts of a host are the same but for their usage: an update turns the one into the other. */
export function sameProfile(a: shoal.v1.IAdvert, b: shoal.v1.IAdvert): boolean {
  const usage = usageOf(a);
  return !differs(withUsage(a, usage), withUsage(b, usage));
}
