/**
 * A server that goes to another host while it runs, carried out by the host that it leaves: the target is told of the guest's
 * hardware and makes ready (kinds/server/steps/live), the memory is sent, and the records are switched over. From then on both hosts
 * do what the record says of each: this one lets go of the guest, which stands still, and the target lets it go on.
 */
import type { ComputeDriver, MemoryProgress } from '../../../../drivers/types.ts';
import type { shoal } from '../../../../proto/messages.ts';
import { failpoint } from '../../../base/buggify/buggify.ts';
import type { Clock } from '../../../base/clock.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { HostId, ServerId } from '../../../base/ids.ts';
import type { LiveMoveReports } from '../../../services/kit/reporting/live-move-reporting.ts';
import { liveMoveName } from '../../../services/kit/sealing.ts';
import { liveMove } from '../../../services/kit/server-move.ts';
import { serverTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { VolumeKeyTools } from '../../kinds/volume/kit/volume-spec.ts';
import {
  type LiveMigrationAction,
  type LiveMigrationWorld,
  nextOfLiveMigration,
  progressOfLiveMigration,
  whyTakenBack,
} from '../../plan/live-migration-plan.ts';
import type { JobKind } from '../job-kind.ts';

const failpointDescribed = failpoint(
  'live-migration.described',
  'a target knows the hardware of a guest, and makes ready',
);
const failpointCopying = failpoint(
  'live-migration.copying',
  'the memory of a guest is about to be sent, and recorded so',
);
const failpointSent = failpoint('live-migration.sent', 'a memory is at two hosts, and the record names the first');
const failpointSwitched = failpoint('live-migration.switched', 'a server has another host, and its guest is at both');
const failpointCancelled = failpoint('live-migration.cancelled', 'a copy is ended, and recorded as under way');
const failpointWithdrawn = failpoint('live-migration.withdrawn', 'a server stays, and its guest may be paused');

/** How long a target may take to make ready. Unit: ms. */
const readyMsMax = 180_000;
/** How often the progress of the memory is recorded, at most. Unit: ms. */
const progressMs = 3_000;

/** What it works with, for one action. */
export interface LiveMigrationTools extends VolumeKeyTools {
  readonly hostId: HostId;
  readonly compute: ComputeDriver;
  /** The replica here, as it goes on. */
  readonly reader: StateReader;
  readonly liveMoveReports: LiveMoveReports;
  readonly signal: AbortSignal;
}

/** See above. */
export function liveMigrationJob(
  toolsOf: (signal: AbortSignal) => LiveMigrationTools,
  self: HostId,
  clock: Pick<Clock, 'nowMs' | 'monotonicMs'>,
): JobKind<LiveMigrationWorld, LiveMigrationAction> {
  const worldOf = (job: shoal.v1.Job, reader: StateReader): LiveMigrationWorld =>
    worldAt(job, reader, self, clock.nowMs());
  return {
    name: 'live-migration',
    world: worldOf,
    next: nextOfLiveMigration,
    progress: progressOfLiveMigration,
    async carryOut(job, action, signal, tell) {
      const tools = toolsOf(signal);
      const serverId = (job.liveMigration?.serverId ?? '') as ServerId;
      switch (action) {
        case 'describe':
          await tools.liveMoveReports.described(job, await tools.compute.hardwareOf(serverId, signal));
          return failpointDescribed();
        case 'send': {
          const notes = new MemoryNotes(clock, (memory) => tools.liveMoveReports.progress(job, memory));
          const told = (memory: MemoryProgress): void => {
            // What becomes of the memory is nobody's any more.
            if (worldOf(job, tools.reader).isDeleting) throw new ShoalError('CONFLICT', 'The server is being deleted.');
            notes.tell(memory);
            const { totalBytes, remainingBytes } = memory;
            if (totalBytes > 0)
              tell({ done: Math.floor((100 * (totalBytes - remainingBytes)) / totalBytes), total: 100 });
          };
          return send(job, serverId, tools, told);
        }
        case 'take-back':
          return takeBack(job, serverId, tools, worldOf(job, tools.reader));
      }
    },
  };
}

async function send(
  job: shoal.v1.Job,
  serverId: ServerId,
  tools: LiveMigrationTools,
  progress: (memory: MemoryProgress) => void,
): Promise<void> {
  const { compute, reader, liveMoveReports, openKey, signal } = tools;
  await liveMoveReports.copying(job);
  failpointCopying();
  const move = moveOf(job, reader);
  if (openKey === undefined) throw new ShoalError('DRIVER_FAILED', 'this host opens no keys of moves');
  const { migrationId, receiverAddress: address, receiverPort: port, sealedKey, keyEpoch } = move;
  const secret = openKey(liveMoveName(migrationId), { sealed: sealedKey, keyEpoch });
  const key = { user: 'shoal', keyHex: Buffer.from(secret).toString('hex') };
  const mustFinish = (): boolean => {
    const now = serverTable.get(reader, serverId)?.record;
    return now !== undefined && liveMove(now)?.mustFinish === true;
  };
  await compute.sendGuest(serverId, { address, port, key }, { progress, mustFinish }, signal);
  failpointSent();
  await liveMoveReports.switched(job);
  failpointSwitched();
}

/** The guest goes on by its host's plan, once the record says that it stays. */
async function takeBack(
  job: shoal.v1.Job,
  serverId: ServerId,
  { compute, hostId, reader, liveMoveReports, signal }: LiveMigrationTools,
  world: LiveMigrationWorld,
): Promise<void> {
  const end = whyTakenBack(job, world) ?? { isCancelled: false, why: 'It was taken back.' };
  if (serverTable.get(reader, serverId)?.record.hostId === hostId) {
    try {
      await compute.cancelSend(serverId, signal);
    } catch (caught) {
      if (signal.aborted) throw caught;
      // It is tried until it works: a record that lets the guest go on must not come before.
      throw new ShoalError('UNAVAILABLE', `the copy of the memory of ${serverId} cannot be ended`, { cause: caught });
    }
  }
  failpointCancelled();
  await liveMoveReports.withdrawn(job, end);
  failpointWithdrawn();
}

function moveOf({ liveMigration }: shoal.v1.Job, reader: StateReader): shoal.v1.ServerMove {
  const server = serverTable.get(reader, liveMigration?.serverId ?? '')?.record;
  const move = server === undefined ? undefined : liveMove(server);
  if (move !== undefined && move.migrationId === liveMigration?.migrationId) return move;
  throw new ShoalError('CONFLICT', 'The server does not move there any more.');
}

function worldAt(job: shoal.v1.Job, reader: StateReader, self: HostId, nowMs: number): LiveMigrationWorld {
  const { serverId = '', migrationId, targetHostId } = job.liveMigration ?? {};
  const server = serverTable.get(reader, serverId)?.record;
  const live = server === undefined ? undefined : liveMove(server);
  const move = live?.migrationId === migrationId ? live : undefined;
  const isThere = server?.hostId === targetHostId && server?.generation === job.liveMigration?.generation;
  return {
    server: isThere ? 'there' : server?.hostId === self ? 'here' : 'elsewhere',
    move: move === undefined ? 'over' : move.phase === 'copying' ? 'copying' : 'preparing',
    isDeleting: server?.deleting === true,
    isDescribed: (move?.hardware ?? '') !== '',
    isReceiving: (move?.receiverPort ?? 0) > 0,
    refusal: move?.receiverError ?? '',
    isLate: nowMs > job.createdMs + readyMsMax,
  };
}

/** Passes on how far the memory is, the first at once and then one in a while, one after the other. */
class MemoryNotes {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #note: (memory: MemoryProgress) => Promise<void>;
  #lastMs = Number.NEGATIVE_INFINITY;
  #isBusy = false;

  /** @param note never rejects. */
  constructor(clock: Pick<Clock, 'monotonicMs'>, note: (memory: MemoryProgress) => Promise<void>) {
    this.#clock = clock;
    this.#note = note;
  }

  tell(memory: MemoryProgress): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#isBusy || nowMs - this.#lastMs < progressMs) return;
    this.#lastMs = nowMs;
    this.#isBusy = true;
    void this.#note(memory).finally(() => {
      this.#isBusy = false;
    });
  }
}
