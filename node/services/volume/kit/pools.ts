/**
 * Where volumes go: the pool that a type names, and the host that carries out what is asked of a volume there. By the hosts'
 * own adverts, which are hints: the host that is chosen says in the end whether it can.
 */
import type { shoal } from '../../../../proto/messages.ts';
import { ownValue } from '../../../base/own-value.ts';
import type { Prng } from '../../../base/prng.ts';
import { hostTable, meshTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { HostViews } from '../../kit/dependencies.ts';
import { advertisedPools } from '../../kit/storage-pools.ts';
import { zoneOf } from '../../kit/zones.ts';
import type { VolumeOptions } from './dependencies.ts';

/** Extra specs by which a type names its pool. */
const poolSpecs = ['volume_backend_name', 'pool_name', 'shoal:storage'] as const;

/** A pool as the hosts that reach it tell of it. */
export interface Pool {
  readonly name: string;
  readonly shared: boolean;
  /** Those that reach it, are members, and are not known to be down. */
  readonly hosts: readonly PoolHost[];
}

interface PoolHost {
  readonly hostId: string;
  readonly hostName: string;
  /** Takes new volumes. */
  readonly enabled: boolean;
  /** GiB; undefined: not told. */
  readonly freeGib: number | undefined;
  /** The pool is nearly full, full, or takes no writes: nothing new goes there. */
  readonly isTroubled: boolean;
}

/** Name of the pool of volumes of a type. */
export function poolOfType(
  reader: StateReader,
  type: shoal.v1.VolumeType | undefined,
  options: Pick<VolumeOptions, 'storage'>,
): string {
  for (const name of poolSpecs) {
    const pool = ownValue(type?.extraSpecs ?? {}, name) ?? '';
    if (pool !== '') return pool;
  }
  const recorded = meshTable.get(reader, 'mesh')?.record.defaultStorage ?? '';
  return recorded === '' ? options.storage : recorded;
}

/** A pool by its name; undefined: no host advertises it. */
export function findPool(reader: StateReader, views: HostViews, name: string): Pool | undefined {
  let shared: boolean | undefined;
  const hosts: PoolHost[] = [];
  for (const advert of views.adverts()) {
    const pool = advertisedPools(advert).find((one) => one.name === name);
    if (pool === undefined) continue;
    shared ??= pool.shared;
    const host = hostTable.find(reader, advert.hostId)?.record;
    if (host === undefined || views.condition(advert.hostId) === 'dead') continue;
    const enabled = advert.enabled && !host.disabled;
    const isTroubled = pool.condition !== undefined;
    hosts.push({ hostId: host.id, hostName: host.name, enabled, freeGib: pool.freeGib, isTroubled });
  }
  return shared === undefined ? undefined : { name, shared, hosts };
}

/** Part of the most free room that is as good as the most. */
const nearlyMost = 0.9;

/** What a host is chosen by. */
interface HostNeeds {
  /** Empty: any. */
  readonly zone: string;
  readonly sizeGib: number;
  /** That host and no other. */
  readonly hostId?: string | undefined;
}

/**
 * The host that is to carry out what is asked of a volume of the pool; undefined: none that takes new volumes has the room. Of
 * a pool of hosts' own one of those with the most free room; of a shared pool any, so that the work is spread. Room is as the
 * hosts last told it: a hundred volumes that are asked for at once see the same, and must not all go to one host.
 */
export function chooseHost(reader: StateReader, pool: Pool, needs: HostNeeds, random: Prng): string | undefined {
  const fit = pool.hosts.filter((host) => {
    if (needs.hostId !== undefined) return host.hostId === needs.hostId;
    const record = hostTable.find(reader, host.hostId)?.record;
    const isInZone = needs.zone === '' || (record !== undefined && zoneOf(reader, record) === needs.zone);
    return (
      host.enabled && !host.isTroubled && isInZone && (host.freeGib === undefined || host.freeGib >= needs.sizeGib)
    );
  });
  if (fit.length === 0) return undefined;
  if (pool.shared) return fit[random.below(fit.length)]?.hostId;
  const free = (host: PoolHost): number => host.freeGib ?? 0;
  const mostGib = Math.max(...fit.map(free));
  const best = fit.filter((host) => free(host) >= mostGib * nearlyMost);
  return best[random.below(best.length)]?.hostId;
}

/** Cinder's name of where a volume is: `HOST@POOL#POOL`; empty while it has no host. */
export function hostAttribute(reader: StateReader, { hostId, pool }: Pick<shoal.v1.Volume, 'hostId' | 'pool'>): string {
  if (hostId === '') return '';
  const name = hostTable.find(reader, hostId)?.record.name ?? hostId;
  return `${name}@${pool}#${pool}`;
}
