/** What a host holds in pools that its configuration does not name any more. */
import { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import { bootsFromVolume } from '../services/volume/records/server-disks.ts';
import { serverTable, volumeTable } from '../state/tables/index.ts';
import type { StateReader } from '../state/types.ts';

/**
 * Says which pools they are and how much is in each; undefined: the host has all that is recorded of it. Nothing is destroyed:
 * the disks stay where they are, and what needs them fails with this reason until the pool is set again.
 * @param has the pools of this host by name.
 */
export function lacksPools(
  reader: StateReader,
  hostId: HostId,
  has: { has(name: string): boolean },
): ShoalError | undefined {
  const disks = new Map<string, number>();
  const count = (pool: string): void => {
    if (pool !== '' && !has.has(pool)) disks.set(pool, (disks.get(pool) ?? 0) + 1);
  };
  for (const { record } of volumeTable.by(reader, 'host', hostId)) if (record.madeGib > 0) count(record.pool);
  for (const { record } of serverTable.by(reader, 'host', hostId)) if (!bootsFromVolume(record)) count(record.storage);
  if (disks.size === 0) return undefined;
  const told = [...disks].map(([pool, number]) => `${pool} (${number} ${number === 1 ? 'disk' : 'disks'})`).join(', ');
  return new ShoalError(
    'UNAVAILABLE',
    `this host has no storage pool ${told}: set it under "pools" again and restart the agent, or move or delete what is in it`,
    { facts: { pools: Object.fromEntries(disks) } },
  );
}
