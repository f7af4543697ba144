/**
 * The bytes of a volume that nobody has attached, moved to another pool that its host reaches. They are copied whole, then the record
 * names the new place, then the old bytes go: whatever of it crashes, one whole copy is where the record says.
 */
import { shoal } from '../../../../proto/messages.ts';
import { failpoint } from '../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { VolumeId } from '../../../base/ids.ts';
import { volumeTable } from '../../../state/tables/index.ts';
import { poolOf } from '../../kinds/volume/kit/tools.ts';
import { diskEncryption, volumeSpec } from '../../kinds/volume/kit/volume-spec.ts';
import {
  faultOfVolumeJob,
  nextOfVolumeJob,
  progressOfVolumeJob,
  type VolumeJobAction,
  type VolumeJobWorld,
} from '../../plan/volume-job-plan.ts';
import type { JobKind } from '../job-kind.ts';
import type { BackupTools, BackupToolsOf } from './volume-backup.ts';

const failpointMigrateCopied = failpoint('migrate.copied', 'a volume is in two pools, and recorded in the old one');
const failpointMigrateSwitched = failpoint('migrate.switched', 'a volume is in two pools, and recorded in the new one');
const failpointMigrateCleaned = failpoint('migrate.cleaned', 'a volume is moved, and its job does not say so');

const words = { working: 'Moving the volume.', done: 'The volume is moved.' };
/** The job's word for: nothing is left in the old place. */
const cleaned = 'cleaned';

/** See above. */
export function volumeMigrateJob(toolsOf: BackupToolsOf): JobKind<VolumeJobWorld, VolumeJobAction> {
  return {
    name: 'volume-migrate',
    world(job, reader) {
      const volume = volumeTable.get(reader, job.volumeMigrate?.volumeId ?? '')?.record;
      if (volume === undefined || volume.status === 'deleting') return { subject: 'gone' };
      if (volume.migrationStatus === 'error') return { subject: 'failed' };
      return { subject: job.phase === cleaned ? 'done' : 'under-way' };
    },
    next: (job, world) => nextOfVolumeJob(job, world, words),
    progress: progressOfVolumeJob,
    noteAfter: (job, action) => (action === 'work' ? new shoal.v1.Job({ ...job, phase: cleaned }) : undefined),
    async carryOut(job, action, signal, tell) {
      const tools = toolsOf(signal);
      const move = job.volumeMigrate;
      const volume = volumeTable.must(tools.reader, move?.volumeId ?? '').record;
      if (move === null) throw new ShoalError('DRIVER_FAILED', 'the job does not say where the volume goes');
      const isSwitched = volume.pool === move.targetPool && volume.migrationStatus === 'success';
      if (action === 'give-up') {
        if (!isSwitched) await tools.storage.get(move.targetPool)?.removeDisk(volume.id as VolumeId, signal);
        return tools.jobReports.migrateFailed(volume.id, faultOfVolumeJob(job));
      }
      if (!isSwitched) {
        await copy(volume, move, tools, (percent) => tell({ done: Math.floor(percent), total: 100 }));
        failpointMigrateCopied();
        const place = { hostId: move.targetHostId, pool: move.targetPool, typeId: move.typeId };
        await tools.jobReports.migrated(volume.id, place);
        failpointMigrateSwitched();
      }
      if (move.sourcePool !== move.targetPool) await forgetOld(volume, move, tools);
      failpointMigrateCleaned();
    },
  };
}

async function copy(
  volume: shoal.v1.Volume,
  move: shoal.v1.VolumeMigrateJob,
  tools: BackupTools,
  progress: (percent: number) => void,
): Promise<void> {
  const { signal, hostId } = tools;
  const source = poolOf(volume, tools);
  const isNear = move.targetHostId === hostId || tools.storage.get(move.targetPool)?.capabilities.shared === true;
  const target = isNear ? tools.storage.get(move.targetPool) : undefined;
  const isSame = move.sourcePool === move.targetPool;
  // In a shared pool another host reaches the same bytes.
  if (isSame && source.capabilities.shared) return;
  if (target === undefined || isSame) {
    throw new ShoalError('DRIVER_FAILED', 'Its host does not reach the other place: back it up and restore it there.');
  }
  if (volume.attachments.length > 0) {
    throw new ShoalError('DRIVER_FAILED', 'It is attached: detach it, move it, and attach it again.');
  }
  const encryption = diskEncryption(volume, tools);
  const from = { volumeId: volume.id as VolumeId, ...(encryption === undefined ? {} : { encryption }) };
  const spec = volumeSpec(volume, tools);
  await target.ensureDisk(spec, signal);
  const { ranges } = await source.exportDisk(from, undefined, signal);
  await target.importDisk(spec, ranges, progress, signal);
}

/** The record names the new place: the bytes in the old one, with what was kept of them for backups, are nobody's. */
async function forgetOld(volume: shoal.v1.Volume, move: shoal.v1.VolumeMigrateJob, tools: BackupTools): Promise<void> {
  const old = poolOf({ pool: move.sourcePool }, tools);
  const volumeId = volume.id as VolumeId;
  for (const id of await old.listSnapshots(volumeId, tools.signal))
    await old.removeSnapshot(volumeId, id, tools.signal);
  await old.removeDisk(volumeId, tools.signal);
}
