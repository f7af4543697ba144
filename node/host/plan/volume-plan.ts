/**
 * What a host does about one volume: the record gives one step, or none. Pure. What is on the storage is not asked for each
 * pass, for it may be slow or away and every step finds out itself what is done already; so the record alone decides.
 *
 * The order of the questions below is the design:
 *
 * 1. Is it ours, and does no job work on it? A job (a copy, a backup, a restore) has the volume to itself.
 * 2. Is it to go? Only when no guest may have it open and no snapshot is left: its bytes are others' content until then.
 * 3. Has it bytes? Then: back to a snapshot, or larger.
 * 4. Does the record say all that was done?
 */
import type { shoal } from '../../../proto/messages.ts';
import type { HostId } from '../../base/ids.ts';

/** One thing to do about a volume. All steps are idempotent. */
export type VolumeStep =
  /** Make its bytes, where that is quick: empty, above an image, a clone, or what lies there already. Tell the record. */
  | { readonly kind: 'make' }
  /** Its content is a full copy, or a backup's: begin the job that makes it. */
  | { readonly kind: 'begin-copy' }
  /** Give it the size that its owner asked for; a guest that has it open sees that. Tell the record. */
  | { readonly kind: 'grow' }
  /** Put its content back to what it was at a snapshot; tell the record. */
  | { readonly kind: 'revert' }
  /** Its bytes go, or are let go of; then the record. */
  | { readonly kind: 'remove' }
  /** The record does not say yet that all is done. */
  | { readonly kind: 'report' };

/** What is known of the volume besides its record. */
export interface VolumeMemory {
  /** What its owner asks for now has failed, and the owner is told. */
  readonly failed: boolean;
  /** A job about it is under way. */
  readonly hasJob: boolean;
  /** Snapshots of it that are recorded. */
  readonly snapshots: number;
  /** Its content is that of another volume, and its storage cannot clone that: a copy takes as long as it is large. */
  readonly isFullCopy: boolean;
}

/** The next step for one volume on this host; undefined when all is as it should be, or when others must act first. */
export function planVolume(volume: shoal.v1.Volume, memory: VolumeMemory, self: HostId): VolumeStep | undefined {
  if (volume.hostId !== self || memory.hasJob) return undefined;
  if (volume.status === 'deleting') return mayGo(volume, memory) ? { kind: 'remove' } : undefined;
  if (memory.failed || isAtRest(volume)) return undefined;
  if (volume.madeGib === 0) return planMake(volume, memory);
  if (volume.status === 'reverting') return { kind: 'revert' };
  if (volume.sizeGib > volume.madeGib) return { kind: 'grow' };
  return volume.observedRevision < volume.askedRevision ? { kind: 'report' } : undefined;
}

/** An owner, or an administrator, has to change the status before anything is done. */
function isAtRest({ status }: shoal.v1.Volume): boolean {
  return status.startsWith('error');
}

function mayGo({ attachments }: shoal.v1.Volume, { snapshots }: VolumeMemory): boolean {
  return attachments.length === 0 && snapshots === 0;
}

function planMake({ sourceBackupId }: shoal.v1.Volume, { isFullCopy }: VolumeMemory): VolumeStep {
  return { kind: isFullCopy || sourceBackupId !== '' ? 'begin-copy' : 'make' };
}

/** Whether the volume is to have the content of another one, now or as it was. */
export function isCopy({ sourceSnapshotId, sourceVolumeId, managedName }: shoal.v1.Volume): boolean {
  return managedName === '' && (sourceSnapshotId !== '' || sourceVolumeId !== '');
}
