import { localPool } from '../../drivers/local/pool-name.ts';
import type { StorageCondition, StorageDriver } from '../../drivers/types.ts';
import { ShoalError } from '../base/errors.ts';
import { gibBytes } from '../base/units.ts';
import { poolConditionText } from '../services/kit/storage-pools.ts';

/** How much a pool has, GiB. */
export interface PoolRoom {
  readonly totalGib: number;
  readonly freeGib: number;
  /** Why new disks should go elsewhere; absent: they need not. */
  readonly condition?: StorageCondition;
}

/**
 * Room in each pool, by its name. One that does not answer is left out: placement then asks for no room there, and who makes
 * the disk finds out. What lies in the data folder is counted by the host's claims, so that pool is not asked.
 */
export async function poolRooms(
  storage: ReadonlyMap<string, StorageDriver>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, PoolRoom>> {
  const rooms = new Map<string, PoolRoom>();
  for (const [name, driver] of storage) {
    if (name === localPool && !driver.capabilities.shared) continue;
    try {
      const { totalBytes, freeBytes, condition } = await driver.capacity(signal);
      rooms.set(name, {
        totalGib: Math.floor(totalBytes / gibBytes),
        freeGib: Math.floor(freeBytes / gibBytes),
        ...(condition === undefined ? {} : { condition }),
      });
    } catch (caught) {
      if (!(caught instanceof ShoalError) || signal.aborted) throw caught;
    }
  }
  return rooms;
}

/** What is wrong with the pools as places for new disks, for the operator; undefined: nothing. */
export function poolTrouble(rooms: ReadonlyMap<string, PoolRoom>): ShoalError | undefined {
  const told = [...rooms].flatMap(([name, { condition }]) =>
    condition === undefined ? [] : [poolConditionText(name, condition)],
  );
  return told.length === 0 ? undefined : new ShoalError('UNAVAILABLE', told.join('; '));
}
