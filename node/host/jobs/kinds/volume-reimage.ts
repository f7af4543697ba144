/**
 * An image, written over the content of a volume by the volume's host. The image is read from a disk beside it that lies above the
 * image, bears the job's id and is as large: what is behind the image's end becomes zeros. The volume's own disk stays, with its snapshots
 * and its key.
 */
import type { StorageDriver } from '../../../../drivers/types.ts';
import { shoal } from '../../../../proto/messages.ts';
import { failpoint } from '../../../base/buggify/buggify.ts';
import type { ImageSha256, VolumeId } from '../../../base/ids.ts';
import { gibBytes } from '../../../base/units.ts';
import { doneWords } from '../../../services/jobs/volume-job-end.ts';
import { imageTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { ensureImageFor, makeUnlessMade } from '../../kinds/volume/kit/make-volume.ts';
import { poolOf } from '../../kinds/volume/kit/tools.ts';
import { volumeSpec } from '../../kinds/volume/kit/volume-spec.ts';
import type { JobDecision } from '../../plan/job-plan.ts';
import {
  faultOfVolumeJob,
  nextOfVolumeJob,
  progressOfVolumeJob,
  type VolumeJobAction,
  type VolumeJobWorld,
} from '../../plan/volume-job-plan.ts';
import type { JobKind } from '../job-kind.ts';
import type { BackupTools, BackupToolsOf } from './volume-backup.ts';

const failpointReimageBeside = failpoint('reimage.beside', 'a disk of an image lies beside the volume that it is for');
const failpointReimageWritten = failpoint('reimage.written', 'an image is written over a volume, and not recorded');
const failpointReimageTakenBack = failpoint('reimage.taken-back', 'a reimage is given up, and recorded as under way');

const words = { working: 'Writing the image over the volume.', done: doneWords['volume-reimage'] };

/** The job's word for: nothing of it lies beside the volume any more. */
const cleanPhase = 'clean';

/** The disk beside is also removed where the volume was deleted meanwhile. */
type ReimageAction = VolumeJobAction | 'clean-up';

/** See above. */
export function volumeReimageJob(toolsOf: BackupToolsOf): JobKind<VolumeJobWorld, ReimageAction> {
  return {
    name: 'volume-reimage',
    world: worldOf,
    next: nextOfReimage,
    progress: progressOfVolumeJob,
    async carryOut(job, action, signal, tell) {
      const tools = toolsOf(signal);
      const { volumeId, imageMetadata } = job.volumeReimage ?? {};
      const volume = volumeTable.get(tools.reader, volumeId ?? '')?.record;
      if (volume === undefined || action === 'clean-up') return removeBeside(job, volume, tools);
      if (action === 'give-up') {
        await removeBeside(job, volume, tools);
        failpointReimageTakenBack();
        return tools.jobReports.reimageFailed(volume.id, faultOfVolumeJob(job));
      }
      await makeUnlessMade(volume, tools);
      await write(job, volume, tools, (percent) => tell({ done: Math.floor(percent), total: 100 }));
      failpointReimageWritten();
      await removeBeside(job, volume, tools);
      return tools.jobReports.reimaged(volume.id, imageMetadata ?? {});
    },
    noteAfter: (job, action) => (action === 'clean-up' ? new shoal.v1.Job({ ...job, phase: cleanPhase }) : undefined),
  };
}

async function write(
  job: shoal.v1.Job,
  volume: shoal.v1.Volume,
  tools: BackupTools,
  progress: (percent: number) => void,
): Promise<void> {
  const { reader, signal } = tools;
  const storage = poolOf(volume, tools);
  const image = imageTable.must(reader, job.volumeReimage?.imageId ?? '').record;
  await ensureImageFor(image, { pool: volume.pool, storage }, tools);
  const besideId = job.id as VolumeId;
  const sizeBytes = volume.sizeGib * gibBytes;
  const imageSha256 = image.sha256 as ImageSha256;
  await storage.ensureDisk({ volumeId: besideId, sizeBytes, imageSha256, generation: 1 }, signal);
  failpointReimageBeside();
  const spec = { ...volumeSpec(volume, tools), ...(await bottomOf(volume, storage, signal)) };
  const { ranges } = await storage.exportDisk({ volumeId: besideId }, undefined, signal);
  await storage.importDisk(spec, ranges, progress, signal);
}

/** What the volume's own disk lies on stays below it. */
async function bottomOf(
  { id }: shoal.v1.Volume,
  storage: StorageDriver,
  signal: AbortSignal,
): Promise<{ readonly imageSha256?: ImageSha256 }> {
  const found = await storage.findDisk(id as VolumeId, signal);
  return found?.imageSha256 === undefined ? {} : { imageSha256: found.imageSha256 };
}

/** Of a volume that is not recorded any more it is looked for in every pool here. Absent is success. */
async function removeBeside(
  { id }: shoal.v1.Job,
  volume: shoal.v1.Volume | undefined,
  tools: BackupTools,
): Promise<void> {
  const pools = volume === undefined ? [...tools.storage.values()] : [poolOf(volume, tools)];
  for (const storage of pools) await storage.removeDisk(id as VolumeId, tools.signal);
}

function nextOfReimage(job: shoal.v1.Job, world: VolumeJobWorld): JobDecision<ReimageAction> {
  const isOver = world.subject === 'gone' && job.phase !== cleanPhase;
  if (!isOver) return nextOfVolumeJob(job, world, words);
  return { kind: 'do', action: 'clean-up', about: 'clean-up', message: 'Removing what is half done.' };
}

function worldOf({ volumeReimage }: shoal.v1.Job, reader: StateReader): VolumeJobWorld {
  const volume = volumeTable.get(reader, volumeReimage?.volumeId ?? '')?.record;
  if (volume === undefined || volume.status === 'deleting') return { subject: 'gone' };
  if (volume.status === 'downloading') return { subject: 'under-way' };
  return { subject: volume.status.startsWith('error') ? 'failed' : 'done' };
}
