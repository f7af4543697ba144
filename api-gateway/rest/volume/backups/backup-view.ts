/** Backups as Cinder shows them. */
import type { FastifyRequest } from 'fastify';
import type { shoal } from '../../../../proto/messages.ts';
import type { Gateway } from '../../kit/module.ts';
import { known, linksOf, maybeTime, timeText, type View } from '../kit/common.ts';
import { microversionOf } from '../kit/microversion.ts';

type Backup = shoal.v1.VolumeBackup;

interface Shown {
  readonly gateway: Gateway;
  readonly request: FastifyRequest;
}

/** In lists that are not detailed, and in answers to changes. */
export function briefBackupView({ id, name }: Backup, { gateway, request }: Shown): View {
  return { id, name, links: linksOf(gateway, request, `/backups/${id}`) };
}

/** All of it that this caller may see. */
export function backupView(backup: Backup, shown: Shown): View {
  const { gateway, request } = shown;
  const microversion = microversionOf(request);
  const isAdministrators = gateway.allows(request, 'backup:backup_project_attribute');
  return {
    ...briefBackupView(backup, shown),
    status: backup.status,
    size: backup.sizeGib,
    object_count: backup.objectCount,
    availability_zone: known(backup.zone),
    container: known(backup.container),
    created_at: timeText(backup.createdMs),
    updated_at: maybeTime(backup.updatedMs),
    description: known(backup.description),
    fail_reason: known(backup.failReason),
    volume_id: backup.volumeId,
    is_incremental: backup.parentId !== '',
    has_dependent_backups: backup.children > 0,
    snapshot_id: known(backup.snapshotId),
    data_timestamp: timeText(backup.dataTimestampMs === 0 ? backup.createdMs : backup.dataTimestampMs),
    ...(microversion >= 18 && isAdministrators ? { 'os-backup-project-attr:project_id': backup.projectId } : {}),
    ...(microversion >= 43 ? { metadata: backup.metadata } : {}),
    ...(microversion >= 56 && isAdministrators ? { user_id: backup.userId } : {}),
  };
}
