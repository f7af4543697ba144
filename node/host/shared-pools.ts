import type { StorageDriver } from '../../drivers/types.ts';
import { ShoalError } from '../base/errors.ts';
import { gibBytes } from '../base/units.ts';

/**
 * Room on each shared storage, GiB, by its name. A storage that does not answer is left out: placement then asks for no
 * room there, and who makes the disk finds out. What a host keeps itself is counted by its claims, so it is not asked.
 */
export async function sharedFreeGib(
  storage: ReadonlyMap<string, StorageDriver>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const free = new Map<string, number>();
  for (const [name, driver] of storage) {
    if (!driver.capabilities.shared) continue;
    try {
      const { freeBytes } = await driver.capacity(signal);
      free.set(name, Math.floor(freeBytes / gibBytes));
    } catch (caught) {
      if (!(caught instanceof ShoalError) || signal.aborted) throw caught;
    }
  }
  return free;
}
