/**
 * An image made of a server: its root disk is kept as it is at one instant, by a snapshot that bears the image's id, so that the
 * guest goes on meanwhile; what is read from that becomes the image's content on this host, as qcow2, and the snapshot goes.
 */
import { Readable } from 'node:stream';
import { shoal } from '../../../../proto/messages.ts';
import { failpoint } from '../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { HostId, VolumeId, VolumeSnapshotId } from '../../../base/ids.ts';
import { isJobTask } from '../../../services/compute/machine/job-tasks.ts';
import type { ServerImageReports } from '../../../services/kit/reporting/server-image-reporting.ts';
import { disksOf } from '../../../services/volume/kit/disks-of-server.ts';
import { imageTable, serverTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { whereItIs } from '../../kinds/volume/kit/open-guest.ts';
import { poolOf } from '../../kinds/volume/kit/tools.ts';
import {
  faultOfServerImage,
  nextOfServerImage,
  progressOfServerImage,
  type ServerImageAction,
  type ServerImageWorld,
} from '../../plan/server-image-plan.ts';
import { imageBytes } from '../content/image-bytes.ts';
import type { JobKind } from '../job-kind.ts';
import type { UploadTools } from './volume-upload.ts';

const failpointKept = failpoint('server-image.kept', 'the disk of a server is kept at an instant, to become an image');
const failpointStored = failpoint(
  'server-image.stored',
  'the content of an image of a server is stored, and kept twice',
);
const failpointForgotten = failpoint(
  'server-image.forgotten',
  'the content of an image of a server is stored, and recorded as saving',
);
const failpointMade = failpoint('server-image.made', 'an image of a server is recorded, and its job goes on');
const failpointTakenBack = failpoint(
  'server-image.taken-back',
  'an image of a server is given up, and recorded as saving',
);

/** Only what a disk holds is stored: a flavor's disk is mostly empty. */
const storedFormat = 'qcow2';

/** What it works with, for one action. */
export interface ServerImageTools extends UploadTools {
  readonly serverImageReports: ServerImageReports;
}

/** See above. */
export function serverImageJob(
  toolsOf: (signal: AbortSignal) => ServerImageTools,
  self: HostId,
): JobKind<ServerImageWorld, ServerImageAction> {
  const worldOf = (job: shoal.v1.Job, reader: StateReader) => worldAt(job, reader, self);
  return {
    name: 'server-image',
    world: worldOf,
    next: nextOfServerImage,
    progress: progressOfServerImage,
    async carryOut(job, action, signal, tell) {
      const tools = toolsOf(signal);
      const server = serverTable.get(tools.reader, job.serverImage?.serverId ?? '')?.record;
      if (action === 'give-up') {
        const fault = faultOfServerImage(job, worldOf(job, tools.reader));
        if (server?.hostId === self) await forgetRoot(server, job, tools);
        failpointTakenBack();
        return tools.serverImageReports.failed(job, fault);
      }
      if (server === undefined) throw deletedMeanwhile();
      await makeImage(job, server, tools, {
        signal,
        tell: (percent) => tell({ done: percent, total: 100 }),
        checkWanted: () => {
          const { server: where, image, isTakenOver } = worldOf(job, tools.reader);
          if (where !== 'here' || image === 'gone' || isTakenOver) throw deletedMeanwhile();
        },
      });
    },
  };
}

interface Making {
  readonly signal: AbortSignal;
  readonly tell: (percent: number) => void;
  /** Throws once the server or the image is deleted. */
  readonly checkWanted: () => void;
}

async function makeImage(
  job: shoal.v1.Job,
  server: shoal.v1.Server,
  tools: ServerImageTools,
  { signal, tell, checkWanted }: Making,
): Promise<void> {
  const disk = rootOf(server);
  await keepRoot(server, job, tools);
  failpointKept();
  checkWanted();
  await tools.serverImageReports.stage(job, 'pending-upload');
  const from = { volumeId: disk.volumeId as VolumeId, snapshotId: imageIdOf(job) as VolumeSnapshotId };
  await tools.serverImageReports.stage(job, 'uploading');
  const told = (percent: number): void => {
    checkWanted();
    tell(percent);
  };
  const open = () => poolOf(disk, tools).exportDisk(from, undefined, signal);
  const image = await imageBytes(storedFormat, imageIdOf(job), open, told);
  const declared = { diskFormat: storedFormat, bytesMax: image.sizeBytes };
  const stored = await tools.imageContent.store(Readable.from(image.bytes), declared, signal);
  failpointStored();
  await forgetRoot(server, job, tools);
  failpointForgotten();
  await tools.serverImageReports.made(job, { ...stored, diskFormat: storedFormat });
  failpointMade();
}

/** Keeps the root disk at one instant. Done already: success. Throws `DRIVER_FAILED` when the guest must be frozen and was not. */
async function keepRoot(server: shoal.v1.Server, job: shoal.v1.Job, tools: ServerImageTools): Promise<void> {
  const disk = rootOf(server);
  const volumeId = disk.volumeId as VolumeId;
  const snapshotId = imageIdOf(job) as VolumeSnapshotId;
  const { quiesce = false, mustQuiesce = false } = job.serverImage ?? {};
  await whereItIs(asAttached(server), tools, {
    open: async (serverId) => {
      const isKept = (await poolOf(disk, tools).listSnapshots(volumeId, tools.signal)).includes(snapshotId);
      if (isKept) return;
      const snapshots = [{ volumeId, snapshotId }];
      const { frozen } = await tools.compute.snapshotDisks(
        serverId,
        snapshots,
        { freeze: quiesce === true },
        tools.signal,
      );
      if (frozen || mustQuiesce !== true) return;
      await forgetRoot(server, job, tools);
      throw new ShoalError(
        'DRIVER_FAILED',
        'The image demands a quiesced guest (os_require_quiesce), and the guest agent did not freeze its file systems: is it running?',
      );
    },
    closed: () => keepClosed(disk, snapshotId, tools),
  });
}

/**
 * Of a server that is off. A disk that is not there is not on its way: it could not be made, when its server was built or
 * rebuilt, and nobody makes it before the server is started. `DRIVER_FAILED` then, which its owner reads.
 */
async function keepClosed(
  disk: shoal.v1.ServerDisk,
  snapshotId: VolumeSnapshotId,
  tools: ServerImageTools,
): Promise<void> {
  try {
    await poolOf(disk, tools).createSnapshot(disk.volumeId as VolumeId, snapshotId, tools.signal);
  } catch (caught) {
    if (!ShoalError.is(caught, 'NOT_FOUND')) throw caught;
    throw new ShoalError('DRIVER_FAILED', 'The server has no disk: it could not be made.', { cause: caught });
  }
}

/** Removes what `keepRoot` made. Absent is success. */
async function forgetRoot(server: shoal.v1.Server, job: shoal.v1.Job, tools: ServerImageTools): Promise<void> {
  const disk = rootOf(server);
  const snapshot = { volumeId: disk.volumeId as VolumeId, snapshotId: imageIdOf(job) as VolumeSnapshotId };
  await whereItIs(asAttached(server), tools, {
    open: (serverId) => tools.compute.removeDiskSnapshot(serverId, snapshot, tools.signal),
    closed: () => poolOf(disk, tools).removeSnapshot(snapshot.volumeId, snapshot.snapshotId, tools.signal),
  });
}

/** The root disk as what asks for the guest that has a volume open looks at it. */
function asAttached(server: shoal.v1.Server): Pick<shoal.v1.Volume, 'id' | 'attachments'> {
  const attachment = new shoal.v1.VolumeAttachment({ serverId: server.id });
  return { id: rootOf(server).volumeId, attachments: [attachment] };
}

function rootOf(server: shoal.v1.Server): shoal.v1.ServerDisk {
  const disk = disksOf(server).find(({ volumeId }) => volumeId === server.rootVolumeId);
  if (disk === undefined) throw new ShoalError('NOT_FOUND', `server ${server.id} has no root disk of its own`);
  return disk;
}

function imageIdOf({ serverImage }: shoal.v1.Job): string {
  return serverImage?.imageId ?? '';
}

function deletedMeanwhile(): ShoalError {
  return new ShoalError('NOT_FOUND', 'The server or the image was deleted before the image was made.');
}

function worldAt(job: shoal.v1.Job, reader: StateReader, self: HostId): ServerImageWorld {
  const server = serverTable.get(reader, job.serverImage?.serverId ?? '')?.record;
  const image = imageTable.get(reader, imageIdOf(job))?.record;
  const isHere = server?.hostId === self && !server.deleting;
  const isShelving = job.serverImage?.purpose === 'shelve';
  const isSaving = image?.status === shoal.v1.ImageStatus.IMAGE_STATUS_SAVING;
  return {
    server: server === undefined ? 'gone' : isHere ? 'here' : 'leaving',
    image: image === undefined ? 'gone' : isSaving ? 'saving' : 'there',
    isTakenOver: isShelving && server !== undefined && !isJobTask(server.taskState),
    isPoweringOff: isShelving && server?.status !== shoal.v1.ServerStatus.SERVER_STATUS_SHUTOFF,
  };
}
