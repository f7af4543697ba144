/**
 * The bytes of a volume, moved to another pool. Of one that nobody has attached they are copied by its host; of one that a server
 * has they are mirrored by the server's QEMU while it works with them. Once the new place holds all of them the record is switched
 * over, then the old bytes go: whatever of it crashes, the whole content is where the record says.
 */
import { shoal } from '../../../../proto/messages.ts';
import { failpoint } from '../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { VolumeId } from '../../../base/ids.ts';
import { doneWords } from '../../../services/jobs/volume-job-end.ts';
import { switchedPhase } from '../../../services/kit/reporting/volume-move-reporting.ts';
import { volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { poolOf } from '../../kinds/volume/kit/tools.ts';
import { diskEncryption, volumeSpec } from '../../kinds/volume/kit/volume-spec.ts';
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

const failpointMigrateCopied = failpoint('migrate.copied', 'a volume is in two pools, and recorded in the old one');
const failpointMigrateSwitched = failpoint('migrate.switched', 'a volume is in two pools, and recorded in the new one');
const failpointMigrateCleaned = failpoint('migrate.cleaned', 'a volume is moved, and its job does not say so');
const failpointMigrateTakenBack = failpoint('migrate.taken-back', 'a move is taken back, and recorded as under way');

const words = { working: 'Moving the volume.', done: doneWords['volume-migrate'] };

type Volume = shoal.v1.Volume;
type Move = shoal.v1.VolumeMigrateJob;

/** See above. */
export function volumeMigrateJob(toolsOf: BackupToolsOf): JobKind<VolumeMoveWorld, VolumeMoveAction> {
  return {
    name: 'volume-migrate',
    world: worldOf,
    next: (job, world) => nextOfVolumeMove(job, world, words),
    progress: progressOfVolumeMove,
    noteAfter: (job, action) => afterVolumeMove(job, action, job.volumeMigrate?.sourceHostId ?? ''),
    async carryOut(job, action, signal, tell) {
      const tools = toolsOf(signal);
      const move = job.volumeMigrate;
      if (move === null) throw new ShoalError('DRIVER_FAILED', 'the job does not say where the volume goes');
      const volume = volumeTable.get(tools.reader, move.volumeId)?.record;
      switch (action) {
        case 'copy': {
          if (volume === undefined) throw new ShoalError('DRIVER_FAILED', 'The volume is not recorded any more.');
          const progress = (percent: number): void => tell({ done: Math.floor(percent), total: 100 });
          return copy(job, move, volume, tools, progress);
        }
        case 'finish':
          return mustGoOver(() => finish(job, move, volume, tools));
        case 'remove-old':
          await removeOld(move, tools);
          failpointMigrateCleaned();
          return tools.jobReports.moves.moved(job);
        case 'leave-old':
          return tools.jobReports.moves.moved(job, faultOfLeftover(job, 'remove-old'));
        case 'take-back':
          await takeBack(move, volume, tools);
          failpointMigrateTakenBack();
          return tools.jobReports.moves.moveFailed(job, faultOfVolumeMove(job));
        case 'give-up':
          return tools.jobReports.moves.moveFailed(job, faultOfLeftover(job, 'take-back'));
      }
    },
  };
}

function worldOf({ phase, volumeMigrate: move }: shoal.v1.Job, reader: StateReader): VolumeMoveWorld {
  const volume = volumeTable.get(reader, move?.volumeId ?? '')?.record;
  // A job that an earlier version switched over says so by the volume alone.
  const isThere =
    volume !== undefined && move !== null && volume.pool === move.targetPool && volume.pool !== move.sourcePool;
  const isAwaited = volume !== undefined && ['starting', 'migrating'].includes(volume.migrationStatus);
  return { isSwitched: phase === switchedPhase || phase === guestOverPhase || isThere, isAwaited };
}

async function copy(
  job: shoal.v1.Job,
  move: Move,
  volume: Volume,
  tools: BackupTools,
  progress: (percent: number) => void,
): Promise<void> {
  const decide = (): Promise<boolean> => tools.jobReports.moves.switched(job.id, volume.generation);
  const serverId = serverOf(volume);
  if (serverId === undefined) {
    await copyClosed(move, volume, tools, progress);
    failpointMigrateCopied();
    if (!(await decide())) throw new ShoalError('CONFLICT', 'The volume is used otherwise by now.');
    return failpointMigrateSwitched();
  }
  const guest = await runningGuest(serverId, tools);
  if (guest?.disks?.includes(volume.id as VolumeId) !== true) {
    throw new ShoalError('DRIVER_FAILED', 'Its server does not run: start it, or detach the volume, and move it then.');
  }
  const target = await openTarget(targetOf(move, volume), tools);
  await goOver({ serverId, volumeId: volume.id, target, jobId: job.id }, { decide, progress }, tools);
}

/** The server that has it; undefined: nobody has it. Throws `DRIVER_FAILED` for uses that no guest can be asked about. */
function serverOf({ attachments }: Volume): string | undefined {
  const [first, ...others] = attachments;
  if (first === undefined) return undefined;
  if (others.length > 0 || first.serverId === null || first.serverId === undefined || first.serverId === '') {
    throw new ShoalError('DRIVER_FAILED', 'It is attached otherwise than to one server: detach it, and move it then.');
  }
  return first.serverId;
}

/** As it is to be there. Before the switch its generation is one below. */
function targetOf(move: Move, volume: Volume, generation = volume.generation + 1): MoveTarget {
  const typeId = move.typeId === '' ? volume.typeId : move.typeId;
  return { volume: new shoal.v1.Volume({ ...volume, typeId }), pool: move.targetPool, generation, isMade: false };
}

async function copyClosed(
  move: Move,
  volume: Volume,
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
  const encryption = diskEncryption(volume, tools);
  const from = { volumeId: volume.id as VolumeId, ...(encryption === undefined ? {} : { encryption }) };
  const spec = volumeSpec(volume, tools);
  await target.ensureDisk(spec, signal);
  const { ranges } = await source.exportDisk(from, undefined, signal);
  await target.importDisk(spec, ranges, progress, signal);
}

/** The records name the new place: a guest that has not gone over does it now. */
async function finish(job: shoal.v1.Job, move: Move, volume: Volume | undefined, tools: BackupTools): Promise<void> {
  const serverId = volume?.attachments[0]?.serverId;
  if (volume !== undefined && typeof serverId === 'string' && serverId !== '') {
    const guest = await runningGuest(serverId, tools);
    if (guest?.disks?.includes(volume.id as VolumeId) === true) {
      const target = await openTarget(targetOf(move, volume, volume.generation), tools);
      const decide = async (): Promise<boolean> => true;
      await goOver({ serverId, volumeId: volume.id, target, jobId: job.id }, { decide, progress: () => {} }, tools);
    }
  }
  await forgetSwitch(tools.store, move.volumeId);
}

/** The bytes in the old place, with what was kept of them for backups, are nobody's. */
async function removeOld(move: Move, tools: BackupTools): Promise<void> {
  const { signal, hostId } = tools;
  // In the same pool only another host's bytes are other bytes.
  const isOther = move.sourcePool !== move.targetPool || move.targetHostId !== hostId;
  const old = poolOf({ pool: move.sourcePool }, tools);
  if (!isOther || (move.sourcePool === move.targetPool && old.capabilities.shared)) return;
  const volumeId = move.volumeId as VolumeId;
  await old.closeDisk(volumeId, hostId, move.sourceGeneration, signal);
  try {
    for (const id of await old.listSnapshots(volumeId, signal)) await old.removeSnapshot(volumeId, id, signal);
    await old.removeDisk(volumeId, signal);
  } catch (caught) {
    if (!ShoalError.is(caught, 'CONFLICT')) throw caught;
    throw new ShoalError('UNAVAILABLE', `the old disk of volume ${volumeId} is still open`, { cause: caught });
  }
}

/** The volume is where it was: what is half done in the new place goes. */
async function takeBack(move: Move, volume: Volume | undefined, tools: BackupTools): Promise<void> {
  const { signal } = tools;
  const storage = tools.storage.get(move.targetPool);
  const isSamePool = move.sourcePool === move.targetPool;
  // There the old bytes are the new ones.
  if (isSamePool && (move.sourceHostId === tools.hostId || storage?.capabilities.shared === true)) return;
  // A host that does not reach the place has made nothing there.
  if (storage === undefined) return;
  const serverId = volume?.attachments[0]?.serverId;
  if (volume !== undefined && typeof serverId === 'string' && serverId !== '') {
    await stayPut({ serverId, volumeId: volume.id }, targetOf(move, volume), tools);
  }
  await storage.removeDisk(move.volumeId as VolumeId, signal);
}
