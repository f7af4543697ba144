import type { Handlers } from '../../../node/rpc/server.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { type Caller, type Callers, mustHaveProject } from '../kit/caller.ts';
import { tokenOf } from '../kit/client-token.ts';
import { isOr, pageById } from '../kit/page.ts';

type BackupMethods =
  | 'listVolumeBackups'
  | 'getVolumeBackup'
  | 'createVolumeBackup'
  | 'deleteVolumeBackup'
  | 'restoreVolumeBackup'
  | 'exportVolumeBackup'
  | 'importVolumeBackup'
  | 'verifyVolumeBackup'
  | 'expireVolumeBackups';

/** The part of `shoal.v1.VolumeService` that is about backups. */
export function backupHandlers(
  callers: Callers,
  { backups, backupUpkeep }: Pick<VolumeService, 'backups' | 'backupUpkeep'>,
): Pick<Handlers<shoal.v1.VolumeService, Caller>, BackupMethods> {
  return {
    listVolumeBackups: (request, call) =>
      callers.serve(call, async ({ context, read, enforce }) => {
        const { allProjects, volumeId } = request;
        if (allProjects) enforce('volume:get_all:all_projects');
        const { reader, stale } = await read();
        const all = backups.list(context, reader, { allProjects }).filter((one) => isOr(volumeId, one.volumeId));
        const { page, nextPageToken } = pageById(all, request);
        return { backups: page.map(backupView), nextPageToken, stale, revision: reader.revision };
      }),
    getVolumeBackup: ({ backupId }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader, stale } = await read();
        return { backup: backupView(backups.show(context, reader, backupId)), stale };
      }),
    createVolumeBackup: (request, call) =>
      callers.serve(call, async ({ context }) => {
        mustHaveProject(context, '');
        // Named one by one: what a message does not carry is no property of its own.
        const { volumeId, snapshotId, name, description, incremental, metadata, clientToken } = request;
        const made = await backups.create(context, {
          ...{ volumeId, name, description, incremental, metadata, force: true },
          ...(snapshotId === '' ? {} : { snapshotId }),
          ...tokenOf(clientToken),
        });
        return { backup: backupView(made) };
      }),
    deleteVolumeBackup: ({ backupId, force }, call) =>
      callers.serve(call, async ({ context, enforce }) => {
        if (force) enforce('volume_extension:backup_admin_actions:force_delete');
        await backups.remove(context, backupId, { force });
        return {};
      }),
    restoreVolumeBackup: ({ backupId, volumeId }, call) =>
      callers.serve(call, async ({ context }) => {
        await backups.restore(context, backupId, volumeId);
        return {};
      }),
    exportVolumeBackup: ({ backupId }, call) =>
      callers.serve(call, async ({ context, read }) => backups.exportRecord(context, (await read()).reader, backupId)),
    importVolumeBackup: ({ service, url }, call) =>
      callers.serve(call, async ({ context }) => ({
        backup: backupView(await backups.importRecord(context, service, url)),
      })),
    verifyVolumeBackup: ({ backupId }, call) =>
      callers.serve(call, async ({ context }) => ({ jobId: (await backupUpkeep.verify(context, backupId)).id })),
    expireVolumeBackups: (request, call) =>
      callers.serve(call, async ({ context, enforce }) => {
        const { allProjects, volumeId, keepNewest, olderThanSeconds } = request;
        if (allProjects) enforce('volume:get_all:all_projects');
        const job = await backupUpkeep.expire(context, { allProjects, volumeId, keepNewest, olderThanSeconds });
        return { jobId: job.id };
      }),
  };
}

/** A backup as its owner may see it: its key and its host are not his to know. */
function backupView(backup: shoal.v1.VolumeBackup): shoal.v1.VolumeBackupView {
  return new shoal.v1.VolumeBackupView({
    id: backup.id,
    name: backup.name,
    description: backup.description,
    projectId: backup.projectId,
    volumeId: backup.volumeId,
    snapshotId: backup.snapshotId,
    sizeGib: backup.sizeGib,
    status: backup.status,
    failReason: backup.failReason,
    parentId: backup.parentId,
    children: backup.children,
    objectCount: backup.objectCount,
    storedBytes: backup.storedBytes,
    metadata: backup.metadata,
    dataTimestampMs: backup.dataTimestampMs,
    createdMs: backup.createdMs,
    verifiedMs: backup.verifiedMs,
    verifyFault: backup.verifyFault,
    restoreVolumeId: backup.restoreVolumeId,
  });
}
