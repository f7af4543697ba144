/**
 * A server goes over from one volume to another while it runs: the other is filled by its QEMU, the records of server and volumes
 * change in one transaction, then the guest goes over and the first volume is free. Both stay: nothing is removed.
 */
import type { shoal } from '../../../../proto/messages.ts';
import { failpoint } from '../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { VolumeId } from '../../../base/ids.ts';
import { doneWords } from '../../../services/jobs/volume-job-end.ts';
import { switchedPhase } from '../../../services/kit/reporting/volume-move-reporting.ts';
import { volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { makeVolume } from '../../kinds/volume/kit/make-volume.ts';
import { poolOf } from '../../kinds/volume/kit/tools.ts';
import { forgetSwitch } from '../../outage/undecided-switches.ts';
import {
  afterVolumeMove,
  faultOfLeftover,
  faultOfVolumeMove,
  guestOverPhase,
  nextOfVolumeMove,
  progressOfVolumeMove,
  type VolumeMoveAction,
  type VolumeMoveWorld,
} from '../../plan/volume-move-plan.ts';
import type { JobKind } from '../job-kind.ts';
import { goOver, type MoveTarget, mustGoOver, openTarget, runningGuest, stayPut } from '../moves/guest-goes-over.ts';
import type { BackupTools, BackupToolsOf } from './volume-backup.ts';

const failpointSwapClosed = failpoint('swap.closed', 'a server has another volume, and the first is not free yet');
const failpointSwapTakenBack = failpoint('swap.taken-back', 'a swap is taken back, and recorded as under way');

const words = { working: 'Copying to the other volume.', done: doneWords['volume-swap'] };

type Swap = shoal.v1.VolumeSwapJob;

/** See above. */
export function volumeSwapJob(toolsOf: BackupToolsOf): JobKind<VolumeMoveWorld, VolumeMoveAction> {
  return {
    name: 'volume-swap',
    world: worldOf,
    next: (job, world) => nextOfVolumeMove(job, world, words),
    progress: progressOfVolumeMove,
    noteAfter: (job, action) => afterVolumeMove(job, action, ''),
    async carryOut(job, action, signal, tell) {
      const tools = toolsOf(signal);
      const swap = job.volumeSwap;
      if (swap === null) throw new ShoalError('DRIVER_FAILED', 'the job does not say what is swapped');
      switch (action) {
        case 'copy':
          return copy(job, swap, tools, (percent) => tell({ done: Math.floor(percent), total: 100 }));
        case 'finish':
          await mustGoOver(() => finish(job, swap, tools));
          failpointSwapClosed();
          return tools.jobReports.moves.swapEnded(job);
        // Nothing is old here: an earlier version noted so much before it ended the job.
        case 'remove-old':
        case 'leave-old':
          return tools.jobReports.moves.swapEnded(job);
        case 'give-up':
          return tools.jobReports.moves.swapStuck(job, faultOfLeftover(job, 'take-back'));
        case 'take-back': {
          const target = volumeTable.get(tools.reader, swap.targetVolumeId)?.record;
          if (target !== undefined) await stayPut(swap, targetOf(target, target.generation + 1), tools);
          failpointSwapTakenBack();
          return tools.jobReports.moves.swapEnded(job, faultOfVolumeMove(job));
        }
      }
    },
  };
}

function worldOf({ phase, volumeSwap }: shoal.v1.Job, reader: StateReader): VolumeMoveWorld {
  const status = volumeTable.get(reader, volumeSwap?.volumeId ?? '')?.record.migrationStatus ?? '';
  return {
    isSwitched: phase === switchedPhase || phase === guestOverPhase,
    isAwaited: ['starting', 'migrating'].includes(status),
  };
}

function targetOf(volume: shoal.v1.Volume, generation: number): MoveTarget {
  return { volume, pool: volume.pool, generation, isMade: true };
}

async function copy(
  job: shoal.v1.Job,
  swap: Swap,
  tools: BackupTools,
  progress: (percent: number) => void,
): Promise<void> {
  const { serverId, volumeId } = swap;
  const source = volumeTable.must(tools.reader, volumeId).record;
  const other = volumeTable.must(tools.reader, swap.targetVolumeId).record;
  if (other.madeGib === 0) {
    // The next decision sees it made.
    return tools.volumeReports.made(other, await makeVolume(other, tools, () => {}));
  }
  const guest = await runningGuest(serverId, tools);
  if (guest?.disks?.includes(volumeId as VolumeId) !== true) {
    throw new ShoalError('DRIVER_FAILED', 'The server does not run: start it, and swap its volume then.');
  }
  const target = await openTarget(targetOf(other, other.generation + 1), tools);
  const generations = { source: source.generation, target: other.generation };
  const decide = (): Promise<boolean> => tools.jobReports.moves.swapped(job.id, generations);
  await goOver({ serverId, volumeId, target, jobId: job.id }, { decide, progress }, tools);
}

/** The records name the other volume: a guest that has not gone over does it now, and the first volume is closed. */
async function finish(
  job: shoal.v1.Job,
  { serverId, volumeId, targetVolumeId, sourceGeneration }: Swap,
  tools: BackupTools,
): Promise<void> {
  const other = volumeTable.get(tools.reader, targetVolumeId)?.record;
  const guest = await runningGuest(serverId, tools);
  if (other !== undefined && guest?.disks?.some((id) => id === volumeId || id === targetVolumeId) === true) {
    const target = await openTarget(targetOf(other, other.generation), tools);
    const decide = async (): Promise<boolean> => true;
    await goOver({ serverId, volumeId, target, jobId: job.id }, { decide, progress: () => {} }, tools);
  }
  await forgetSwitch(tools.store, volumeId);
  const source = volumeTable.get(tools.reader, volumeId)?.record;
  if (source === undefined) return;
  await poolOf(source, tools).closeDisk(source.id as VolumeId, tools.hostId, sourceGeneration, tools.signal);
}
