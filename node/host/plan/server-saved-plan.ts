/**
 * The part of a server's plan that exchanges its disks: rebuild, rescue, and the end of a server here that is shelved. It comes
 * before power: the guest is started from the disks as they are afterwards. Pure.
 */
import type { GuestFound } from '../../../drivers/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import { isInRescue, rescueDiskOf } from '../../services/volume/kit/disks-of-server.ts';

export type SavedStep =
  /** Power off, make the new disks, remove those that they take the place of, tell the record. */
  | { readonly kind: 'rebuild' }
  /** Power off: the next start is from the disk of the rescue. */
  | { readonly kind: 'rescue'; readonly graceMs: number }
  /** Power off, remove the disk of the rescue, tell the record: the next start is from the server's own. */
  | { readonly kind: 'unrescue'; readonly graceMs: number }
  /** Guest and disks of its own go, its volumes are closed, and the record is told: it has no host afterwards. */
  | { readonly kind: 'offload' };

/** @param options.graceMs how long a guest may take to power off. `wait`: a step of it has failed, and nothing else may be done before it is asked for again. */
export function planSaved(
  record: shoal.v1.Server,
  guest: GuestFound | undefined,
  { hasFailed, graceMs }: { readonly hasFailed: boolean; readonly graceMs: number },
): SavedStep | 'wait' | undefined {
  if (record.offloading) return { kind: 'offload' };
  const step = exchange(record, guest, graceMs);
  return step !== undefined && hasFailed ? 'wait' : step;
}

function exchange(record: shoal.v1.Server, guest: GuestFound | undefined, graceMs: number): SavedStep | undefined {
  if (record.replacedDisks.length > 0) return { kind: 'rebuild' };
  const disk = rescueDiskOf(record);
  if (disk === undefined) return undefined;
  if (!isInRescue(record)) return { kind: 'unrescue', graceMs };
  const isUp = guest?.power === 'running' || guest?.power === 'paused';
  // One that does not say what it has is left alone.
  return isUp && guest.disks?.some((volumeId) => volumeId === disk.volumeId) === false
    ? { kind: 'rescue', graceMs }
    : undefined;
}
