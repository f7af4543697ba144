/**
 * What a host does about one volume: the record gives one step, or none. Pure. What is on the storage is not asked for each
 * pass, for it may be slow or away and every step finds out itself what is done already; so the record alone decides, and what is
 * served by processes of this host, which the host knows.
 *
 * The order of the questions below is the design:
 *
 * 1. Is it ours? Then it is served to another host, or not, as the record says: a guest there waits for its disk, whatever else is
 *    done to the volume.
 * 2. Does no job work on it? A job (a copy, a backup, a restore) has the volume to itself.
 * 3. Is it to go? Only when no guest may have it open and no snapshot is left: its bytes are others' content until then.
 * 4. Has it bytes? Then: back to a snapshot, or larger.
 * 5. Does the record say all that was done?
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
  /** It has grown, and guests of this host that have it beside others have not seen that: show them, and tell their records. */
  | { readonly kind: 'resize-guests'; readonly serverIds: readonly string[] }
  /** Put its content back to what it was at a snapshot; tell the record. */
  | { readonly kind: 'revert' }
  /** Its bytes go, or are let go of; then the record. */
  | { readonly kind: 'remove' }
  /** A server on another host has it: serve it over the network, at the generation that the record says; tell the record where. */
  | { readonly kind: 'serve' }
  /** End what serves it: no server of another host has it any more. Tell the record. */
  | { readonly kind: 'unserve' }
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
  /** Servers of this host that have it beside others, and whose records say less than the bytes that it has. */
  readonly smallAtServers: readonly string[];
  /** Its content is that of another volume, and its storage cannot clone that: a copy takes as long as it is large. */
  readonly isFullCopy: boolean;
}

/** How a volume is served now. */
interface ServedNow {
  readonly generation: number;
  readonly address: string;
  readonly port: number;
}

/** The next step for one volume on this host; undefined when all is as it should be, or when others must act first. */
export function planVolume(
  volume: shoal.v1.Volume,
  servedNow: ServedNow | undefined,
  memory: VolumeMemory,
  self: HostId,
): VolumeStep | undefined {
  if (volume.hostId !== self) return memory.failed ? undefined : planGuests(memory);
  const serving = planServing(volume, servedNow);
  if (serving !== undefined) return serving;
  if (memory.hasJob) return undefined;
  if (volume.status === 'deleting') return mayGo(volume, memory) ? { kind: 'remove' } : undefined;
  if (memory.failed || isAtRest(volume)) return undefined;
  if (volume.madeGib === 0) return planMake(volume, memory);
  if (volume.status === 'reverting') return { kind: 'revert' };
  if (volume.sizeGib > volume.madeGib) return { kind: 'grow' };
  return volume.observedRevision < volume.askedRevision ? { kind: 'report' } : planGuests(memory);
}

/** Whichever host a volume is of, the guests that have it open are on their own. */
function planGuests({ smallAtServers }: VolumeMemory): VolumeStep | undefined {
  return smallAtServers.length === 0 ? undefined : { kind: 'resize-guests', serverIds: smallAtServers };
}

/** An owner, or an administrator, has to change the status before anything is done. */
function isAtRest({ status }: shoal.v1.Volume): boolean {
  return status.startsWith('error');
}

function mayGo({ attachments, served }: shoal.v1.Volume, { snapshots }: VolumeMemory): boolean {
  return attachments.length === 0 && served === null && snapshots === 0;
}

function planServing(
  { served, madeGib, generation }: shoal.v1.Volume,
  now: ServedNow | undefined,
): VolumeStep | undefined {
  if (served === null || served.ending) {
    // What is served at a higher generation was asked for by a record that has not arrived here yet.
    const isOver = now !== undefined && now.generation <= generation;
    return isOver || (served !== null && now === undefined) ? { kind: 'unserve' } : undefined;
  }
  if (madeGib === 0 || (now !== undefined && now.generation > served.generation)) return undefined;
  const isTold = now?.generation === served.generation && now.address === served.address && now.port === served.port;
  return isTold ? undefined : { kind: 'serve' };
}

function planMake({ sourceBackupId }: shoal.v1.Volume, { isFullCopy }: VolumeMemory): VolumeStep {
  return { kind: isFullCopy || sourceBackupId !== '' ? 'begin-copy' : 'make' };
}

/** Whether the volume is to have the content of another one, now or as it was. */
export function isCopy({ sourceSnapshotId, sourceVolumeId, managedName }: shoal.v1.Volume): boolean {
  return managedName === '' && (sourceSnapshotId !== '' || sourceVolumeId !== '');
}
