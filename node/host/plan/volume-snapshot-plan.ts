/** What a host does about one snapshot of a volume. Pure; as ../plan/volume-plan.ts, by the record alone. */
import type { shoal } from '../../../proto/messages.ts';
import type { HostId } from '../../base/ids.ts';

/** One thing to do about a snapshot. All steps are idempotent. */
export type VolumeSnapshotStep =
  /** Keep the content of these volumes as it is at one instant, and tell the records. */
  | { readonly kind: 'make'; readonly snapshotIds: readonly string[] }
  /** It goes from the storage, then from the records. */
  | { readonly kind: 'remove' };

/** What is known of the snapshot besides its record. */
export interface VolumeSnapshotMemory {
  /** To make it has failed, and its owner is told. */
  readonly failed: boolean;
  /** Its volume has bytes. */
  readonly isVolumeMade: boolean;
  /** A job about its volume is under way. */
  readonly hasJob: boolean;
  /** All snapshots of its group that are being made on this host, itself included; of none: itself. Sorted. */
  readonly together: readonly string[];
}

/** The next step for one snapshot on this host; undefined when all is as it should be, or when others must act first. */
export function planVolumeSnapshot(
  snapshot: shoal.v1.VolumeSnapshot,
  memory: VolumeSnapshotMemory,
  self: HostId,
): VolumeSnapshotStep | undefined {
  if (snapshot.hostId !== self) return undefined;
  // A job may be reading it.
  if (snapshot.status === 'deleting') return memory.hasJob ? undefined : { kind: 'remove' };
  if (snapshot.status !== 'creating' || memory.failed || !memory.isVolumeMade) return undefined;
  // The first of a group stands for all of it.
  return memory.together[0] === snapshot.id ? { kind: 'make', snapshotIds: memory.together } : undefined;
}
