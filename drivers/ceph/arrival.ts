/** Disks of a guest that comes from another host while it runs: a QEMU of this host has them open before the lock is this host's. */
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId } from '../../node/base/ids.ts';
import type { DiskSource, DiskSpec } from '../types.ts';
import { type Fence, stillWatched } from './fence.ts';
import { ipOf, type LockHolder } from './rbd.ts';

/** A disk as Ceph has it, and this host's own address there. */
interface ArrivingDisk {
  readonly rbdId: string;
  readonly holders: readonly LockHolder[];
  readonly address: string;
}

/** How QEMU opens it before the memory has come. Throws `FENCE_UNPROVEN` when it was taken at a higher generation. */
export function openWaiting(
  { volumeId, generation }: DiskSpec,
  holders: readonly LockHolder[],
  source: DiskSource,
): DiskSource {
  const newer = holders.find((holder) => holder.generation > generation);
  if (newer === undefined) return source;
  throw new ShoalError('FENCE_UNPROVEN', `disk ${volumeId} is locked at generation ${newer.generation}`, {
    facts: { owner: newer.owner, generation: newer.generation },
  });
}

/**
 * Takes the lock with this host's own QEMU watching. Its former holder has given it back, or is fenced first: the caller's
 * generation is committed. `FENCE_UNPROVEN` while anybody else has the disk open, and is repeated.
 */
export async function takeArrived(
  fence: Fence,
  { volumeId, generation }: DiskSpec,
  owner: HostId,
  { rbdId, holders, address }: ArrivingDisk,
  signal: AbortSignal,
): Promise<void> {
  for (const holder of holders) {
    if (holder.generation >= generation) {
      throw new ShoalError('FENCE_UNPROVEN', `disk ${volumeId} is locked at generation ${holder.generation}`, {
        facts: { owner: holder.owner, generation: holder.generation },
      });
    }
    const ip = ipOf(holder.address);
    if (holder.owner !== owner && ip === address) {
      throw new ShoalError('FENCE_UNPROVEN', `host ${holder.owner} has our own address ${ip}: it cannot be fenced`);
    }
    if (holder.owner !== owner) await fence.fenceAddress(ip, signal);
    await fence.breakLock(rbdId, holder, signal);
  }
  const isTaken = await fence.takeLock(rbdId, { owner, generation }, signal);
  if (!isTaken) throw new ShoalError('FENCE_UNPROVEN', `another host took disk ${volumeId} at the same moment`);
  const foreign = (await fence.watchers(volumeId, signal)).filter((watcher) => ipOf(watcher.address) !== address);
  if (foreign.length > 0) throw stillWatched(volumeId, foreign);
}
