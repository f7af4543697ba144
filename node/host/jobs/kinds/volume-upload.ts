/**
 * An image made of a volume: its bytes are read as they were at one instant, by the host that has it, and become the image's content
 * there. What is read is a snapshot that bears the image's id, so that the volume goes on meanwhile; it goes when the image is there.
 */
import { Readable } from 'node:stream';
import { shoal } from '../../../../proto/messages.ts';
import { failpoint } from '../../../base/buggify/buggify.ts';
import type { VolumeId, VolumeSnapshotId } from '../../../base/ids.ts';
import { doneWords } from '../../../services/jobs/volume-job-end.ts';
import type { ImageContent } from '../../../services/kit/dependencies.ts';
import { uploadFormats } from '../../../services/volume/kit/upload-formats.ts';
import { imageTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { forgetSource, keepSource } from '../../kinds/volume/kit/kept-source.ts';
import { makeUnlessMade } from '../../kinds/volume/kit/make-volume.ts';
import { poolOf } from '../../kinds/volume/kit/tools.ts';
import {
  faultOfVolumeJob,
  nextOfVolumeJob,
  progressOfVolumeJob,
  type VolumeJobAction,
  type VolumeJobWorld,
} from '../../plan/volume-job-plan.ts';
import { imageBytes } from '../content/image-bytes.ts';
import type { JobKind } from '../job-kind.ts';
import type { BackupTools } from './volume-backup.ts';

const failpointUploadKept = failpoint('upload.kept', 'a volume is kept at an instant, to become an image');
const failpointUploadStored = failpoint('upload.stored', 'the content of an image is stored, and recorded as saving');
const failpointUploadTakenBack = failpoint('upload.taken-back', 'an image is given up, and recorded as saving');

const words = { working: 'Making an image of the volume.', done: doneWords['volume-upload'] };

/** What it works with, for one action. */
export interface UploadTools extends BackupTools {
  /** Where this host keeps the content of images. */
  readonly imageContent: ImageContent;
}

/** See above. */
export function volumeUploadJob(
  toolsOf: (signal: AbortSignal) => UploadTools,
): JobKind<VolumeJobWorld, VolumeJobAction> {
  return {
    name: 'volume-upload',
    world: worldOf,
    next: (job, world) => nextOfVolumeJob(job, world, words),
    progress: progressOfVolumeJob,
    async carryOut(job, action, signal, tell) {
      const tools = toolsOf(signal);
      const { volumeId = '', imageId = '' } = job.volumeUpload ?? {};
      const volume = volumeTable.must(tools.reader, volumeId ?? '').record;
      if (action === 'give-up') {
        await forgetSource(volume, imageId ?? '', tools);
        failpointUploadTakenBack();
        return tools.jobReports.uploadFailed(volume.id, imageId ?? '', faultOfVolumeJob(job));
      }
      await makeUnlessMade(volume, tools);
      await keepSource(volume, imageId ?? '', tools);
      failpointUploadKept();
      const from = { volumeId: volume.id as VolumeId, snapshotId: imageId as VolumeSnapshotId };
      const open = () => poolOf(volume, tools).exportDisk(from, undefined, signal);
      const diskFormat = uploadFormats.find((one) => one === job.volumeUpload?.diskFormat) ?? 'raw';
      const told = (percent: number): void => tell({ done: percent, total: 100 });
      const image = await imageBytes(diskFormat, imageId ?? '', open, told);
      const declared = { diskFormat, bytesMax: image.sizeBytes };
      const stored = await tools.imageContent.store(Readable.from(image.bytes), declared, signal);
      failpointUploadStored();
      await forgetSource(volume, imageId ?? '', tools);
      return tools.jobReports.uploaded(volume.id, imageId ?? '', stored);
    },
  };
}

/** Whose status is what: the volume waits for its image, and the image for its content. */
function worldOf({ volumeUpload }: shoal.v1.Job, reader: StateReader): VolumeJobWorld {
  const volume = volumeTable.get(reader, volumeUpload?.volumeId ?? '')?.record;
  if (volume === undefined) return { subject: 'gone' };
  if (volume.status === 'uploading') return { subject: 'under-way' };
  const image = imageTable.get(reader, volumeUpload?.imageId ?? '')?.record;
  if (image === undefined) return { subject: 'gone' };
  return { subject: image.status === shoal.v1.ImageStatus.IMAGE_STATUS_KILLED ? 'failed' : 'done' };
}
