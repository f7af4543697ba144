/** How jobs about volumes begin. Each is carried out by the host that has the bytes, or is to have them. */
import { shoal } from '../../../proto/messages.ts';
import { indexKey } from '../../state/table.ts';
import { jobTable, volumeTable } from '../../state/tables/index.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { transact } from '../kit/transact.ts';
import { beginJob, type JobDraft } from './job-record.ts';

/** A copy that has not come to its end by then is taken back, ms: a week. */
const deadlineMs = 7 * 86_400_000;

/** The subject of all jobs about a volume: one at a time. */
export function volumeSubject(volumeId: string): string {
  return `volume/${volumeId}`;
}

/** The same of a backup. */
export function backupSubject(backupId: string): string {
  return `backup/${backupId}`;
}

/** Begins the job that makes a volume as a full copy, or of a backup, unless one about it is under way, or its record has moved on. */
export async function beginVolumeCopy(
  deps: ServiceDependencies,
  volume: shoal.v1.Volume,
  signal: AbortSignal,
): Promise<void> {
  const id = deps.newId();
  await transact(deps, { signal }, (attempt) => {
    const row = volumeTable.get(attempt.reader, volume.id);
    const isSame = row?.record.hostId === volume.hostId && row.record.askedRevision === volume.askedRevision;
    const subject = volumeSubject(volume.id);
    if (row === undefined || !isSame || row.record.madeGib > 0) return;
    if (jobTable.one(attempt.reader, 'subject', indexKey(subject)) !== undefined) return;
    volumeTable.unchanged(attempt.change, row);
    const nowMs = deps.clock.nowMs();
    const { projectId, userId, hostId: ownerHostId } = volume;
    const draft = { id, subject, projectId, userId, ownerHostId, deadlineMs: nowMs + deadlineMs };
    beginJob(attempt, { ...draft, ...workOf(volume) }, nowMs);
  });
}

function workOf({ id: volumeId, sourceBackupId: backupId }: shoal.v1.Volume): Pick<JobDraft, 'kind' | 'detail'> {
  if (backupId === '') {
    return { kind: 'volume-copy', detail: { volumeCopy: new shoal.v1.VolumeCopyJob({ volumeId }) } };
  }
  const volumeRestore = new shoal.v1.VolumeRestoreJob({ backupId, volumeId });
  return { kind: 'volume-restore', detail: { volumeRestore } };
}
