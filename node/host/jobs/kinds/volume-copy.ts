/** A volume that is a full copy of another, or of a snapshot: made by the host that has both. */
import type { shoal } from '../../../../proto/messages.ts';
import { failpoint } from '../../../base/buggify/buggify.ts';
import type { VolumeId } from '../../../base/ids.ts';
import { doneWords } from '../../../services/jobs/volume-job-end.ts';
import { volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { forgetCopySource, makeVolume } from '../../kinds/volume/kit/make-volume.ts';
import { poolOf, type VolumeTools } from '../../kinds/volume/kit/tools.ts';
import {
  faultOfVolumeJob,
  nextOfVolumeJob,
  progressOfVolumeJob,
  type VolumeJobAction,
  type VolumeJobWorld,
} from '../../plan/volume-job-plan.ts';
import type { JobKind } from '../job-kind.ts';

const failpointCopyMade = failpoint('volume-copy.made', 'a volume is copied whole, and recorded as creating');
const failpointCopyTakenBack = failpoint('volume-copy.taken-back', 'a copy is removed, and recorded as creating');

const words = { working: 'Copying the volume.', done: doneWords['volume-copy'] };

/** Gives the tools of this host for one action. */
export type VolumeToolsOf = (signal: AbortSignal) => VolumeTools;

/** See above. */
export function volumeCopyJob(toolsOf: VolumeToolsOf): JobKind<VolumeJobWorld, VolumeJobAction> {
  return {
    name: 'volume-copy',
    world: worldOf,
    next: (job, world) => nextOfVolumeJob(job, world, words),
    progress: progressOfVolumeJob,
    async carryOut(job, action, signal, tell) {
      const tools = toolsOf(signal);
      const volume = volumeTable.must(tools.reader, volumeIdOf(job)).record;
      if (action === 'work') {
        const madeGib = await makeVolume(volume, tools, (percent) => tell({ done: Math.floor(percent), total: 100 }));
        failpointCopyMade();
        await tools.volumeReports.made(volume, madeGib);
        return;
      }
      if (volume.sourceVolumeId !== '' && volume.sourceSnapshotId === '') await forgetCopySource(volume, tools);
      await poolOf(volume, tools).removeDisk(volume.id as VolumeId, signal);
      failpointCopyTakenBack();
      await tools.volumeReports.failed(volume, faultOfVolumeJob(job));
    },
  };
}

function volumeIdOf(job: shoal.v1.Job): string {
  return job.volumeCopy?.volumeId ?? '';
}

function worldOf(job: shoal.v1.Job, reader: StateReader): VolumeJobWorld {
  const volume = volumeTable.get(reader, volumeIdOf(job))?.record;
  if (volume === undefined || volume.status === 'deleting') return { subject: 'gone' };
  if (volume.madeGib > 0) return { subject: 'done' };
  return { subject: volume.status === 'error' ? 'failed' : 'under-way' };
}
