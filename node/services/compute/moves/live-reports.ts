/** What the two hosts of a live migration tell the records. Each word is one transaction; one that comes late changes nothing. */
import type { MemoryProgress, MemoryReceiver } from '../../../../drivers/types.ts';
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { HostId } from '../../../base/ids.ts';
import { beginningOf } from '../../../base/text.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import { jobTable, serverTable } from '../../../state/tables/index.ts';
import { endJob } from '../../jobs/volume-job-end.ts';
import { putOnHost } from '../../kit/put-on-host.ts';
import type { LiveMoveReports, ReceivingReports } from '../../kit/reporting/live-move-reporting.ts';
import { liveMove } from '../../kit/server-move.ts';
import { nextRequest } from '../../kit/server-request.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import type { VolumeDependencies } from '../../volume/kit/dependencies.ts';
import { moveVolumes } from '../../volume/records/server-disks.ts';
import { withEvents } from '../history/action-history.ts';
import { noteMigration } from '../history/migrations.ts';
import { endLiveMove, liveMigrationKind } from './live-move-record.ts';
import { agreeWithGroup, movePorts } from './placing.ts';

/** Longest text of hardware, and of why a target refuses, that a record takes. Unit: characters. */
const hardwareCharactersMax = 65_536;
const refusalCharactersMax = 1_000;

/** Given to the kind of job. */
export class LiveMoveReportService implements LiveMoveReports {
  readonly #deps: VolumeDependencies;
  readonly #signal: AbortSignal;

  /** @param signal ends waits when the agent stops. */
  constructor(deps: VolumeDependencies, signal: AbortSignal) {
    this.#deps = deps;
    this.#signal = signal;
  }

  async described(job: shoal.v1.Job, hardware: string): Promise<void> {
    if (hardware.length > hardwareCharactersMax) {
      throw new ShoalError('DRIVER_FAILED', `the guest's hardware takes ${hardware.length} characters to describe`);
    }
    await this.#onMove(job, (attempt, row, move) => {
      if (move === undefined || move.hardware === hardware) return;
      this.#write(attempt, row, { move: new shoal.v1.ServerMove({ ...move, hardware }) });
    });
  }

  async copying(job: shoal.v1.Job): Promise<void> {
    await this.#onMove(job, (attempt, row, move) => {
      if (move === undefined || row.record.deleting) throw movedOn(row.record.id);
      if (move.phase === 'copying') return;
      this.#write(attempt, row, { move: new shoal.v1.ServerMove({ ...move, phase: 'copying' }) });
      noteMigration(attempt, move.migrationId, { status: 'running' }, this.#nowMs);
    });
  }

  async progress(job: shoal.v1.Job, { totalBytes, sentBytes, remainingBytes }: MemoryProgress): Promise<void> {
    try {
      await transact(this.#deps, { signal: this.#signal }, (attempt) => {
        const fields = {
          memoryTotalBytes: totalBytes,
          memoryProcessedBytes: sentBytes,
          memoryRemainingBytes: remainingBytes,
        };
        noteMigration(attempt, job.liveMigration?.migrationId ?? '', fields, this.#nowMs);
      });
    } catch (caught) {
      this.#deps.logger.debug({ jobId: job.id, err: caught }, 'the progress of a live migration could not be recorded');
    }
  }

  async switched(job: shoal.v1.Job): Promise<void> {
    const about = job.liveMigration;
    await transact(this.#deps, { signal: this.#signal }, (attempt) => {
      const row = serverTable.get(attempt.reader, about?.serverId ?? '');
      const isThere = row?.record.hostId === about?.targetHostId && row?.record.generation === about?.generation;
      if (row !== undefined && isThere) return;
      const move = row === undefined ? undefined : ownMove(row.record, job);
      if (row === undefined || move?.phase !== 'copying' || row.record.deleting) throw movedOn(about?.serverId ?? '');
      this.#switch(attempt, row, move);
      const jobRow = jobTable.get(attempt.reader, job.id);
      if (jobRow !== undefined) endJob(attempt, jobRow, this.#nowMs);
    });
  }

  async withdrawn(job: shoal.v1.Job, end: { readonly isCancelled: boolean; readonly why: string }): Promise<void> {
    await this.#onMove(job, (attempt, row, move) => {
      const jobRow = jobTable.get(attempt.reader, job.id);
      if (move === undefined) {
        if (jobRow !== undefined) endJob(attempt, jobRow, this.#nowMs, { message: end.why });
        return;
      }
      const status = end.isCancelled ? 'cancelled' : 'error';
      const why = beginningOf(end.why, refusalCharactersMax);
      const fields = endLiveMove(attempt, row.record, this.#nowMs, { status, why });
      const { record } = row;
      const failed = {
        event: 'compute_live_migration',
        hostId: record.hostId,
        startMs: job.createdMs,
        finishMs: this.#nowMs,
        error: why,
      };
      const actions = withEvents(record, isLiveMigration, [failed], this.#nowMs);
      const taskState = record.taskState === 'migrating' ? '' : record.taskState;
      this.#write(attempt, row, { ...fields, taskState, actions });
    });
  }

  get #nowMs(): number {
    return this.#deps.clock.nowMs();
  }

  /** The record names the target; from here it is a move like any other, which the host that it leaves has to release. */
  #switch(attempt: Attempt, row: Row<shoal.v1.Server>, move: shoal.v1.ServerMove): void {
    const { record } = row;
    const { targetHostId } = move;
    putOnHost(attempt.change, targetHostId);
    try {
      agreeWithGroup(attempt.change, attempt.reader, record, targetHostId);
    } catch (caught) {
      if (!ShoalError.is(caught, 'PRECONDITION_CHANGED')) throw caught;
      throw new ShoalError('CONFLICT', `The server group of instance ${record.id} does not allow the host any more.`);
    }
    const disks = moveVolumes(this.#deps, attempt, record, targetHostId);
    const next = new shoal.v1.ServerMove({
      ...move,
      ...{ phase: 'migrating', targetHostId: '', hardware: '', receiverAddress: '', receiverPort: 0 },
      ...{ sealedKey: new Uint8Array(), keyEpoch: 0, mustFinish: false, confirmsItself: true },
    });
    noteMigration(attempt, move.migrationId, { status: 'post-migrating', memoryRemainingBytes: 0 }, this.#nowMs);
    const request = nextRequest(record);
    const at = record.actions.findLastIndex(isLiveMigration);
    // From now on there is something that the target has to do for it.
    const actions = record.actions.map((action, nth) =>
      nth === at ? new shoal.v1.ServerAction({ ...action, ...request }) : action,
    );
    this.#write(attempt, row, {
      ...request,
      actions,
      hostId: targetHostId,
      previousHostId: record.hostId,
      generation: record.generation + 1,
      disks: [...disks],
      move: next,
    });
    movePorts(attempt, record, targetHostId);
  }

  async #onMove(
    job: shoal.v1.Job,
    work: (attempt: Attempt, row: Row<shoal.v1.Server>, move: shoal.v1.ServerMove | undefined) => void,
  ): Promise<void> {
    await transact(this.#deps, { signal: this.#signal }, (attempt) => {
      const row = serverTable.get(attempt.reader, job.liveMigration?.serverId ?? '');
      if (row !== undefined) return work(attempt, row, ownMove(row.record, job));
      const jobRow = jobTable.get(attempt.reader, job.id);
      if (jobRow !== undefined) endJob(attempt, jobRow, this.#nowMs, { message: 'The server was deleted.' });
    });
  }

  #write({ change }: Attempt, row: Row<shoal.v1.Server>, fields: Partial<shoal.v1.Server.$Properties>): void {
    serverTable.update(change, row, new shoal.v1.Server({ ...row.record, ...fields, updatedMs: this.#nowMs }));
  }
}

/** The reports of the host that is to have the guest. */
export class ReceivingReportService implements ReceivingReports {
  readonly #deps: Pick<VolumeDependencies, 'state' | 'clock' | 'logger' | 'newId'>;
  readonly #hostId: HostId;
  readonly #signal: AbortSignal;

  /** @param signal ends waits when the agent stops. */
  constructor(
    deps: Pick<VolumeDependencies, 'state' | 'clock' | 'logger' | 'newId'>,
    hostId: HostId,
    signal: AbortSignal,
  ) {
    this.#deps = deps;
    this.#hostId = hostId;
    this.#signal = signal;
  }

  async receiving(server: shoal.v1.Server, { address, port }: MemoryReceiver): Promise<void> {
    await this.#told(server, { receiverAddress: address, receiverPort: port, receiverError: '' });
  }

  async receiveFailed(server: shoal.v1.Server, message: string): Promise<void> {
    await this.#told(server, { receiverError: beginningOf(message, refusalCharactersMax) });
  }

  async discarded(server: shoal.v1.Server): Promise<void> {
    await transact(this.#deps, { signal: this.#signal }, (attempt) => {
      const row = serverTable.get(attempt.reader, server.id);
      const { discardHostId, discardGeneration } = row?.record ?? {};
      if (row === undefined || discardHostId !== this.#hostId) return;
      if (discardGeneration !== server.discardGeneration) return;
      this.#write(attempt, row, { discardHostId: '', discardGeneration: 0 });
    });
  }

  async #told(server: shoal.v1.Server, fields: Partial<shoal.v1.ServerMove.$Properties>): Promise<void> {
    await transact(this.#deps, { signal: this.#signal }, (attempt) => {
      const row = serverTable.get(attempt.reader, server.id);
      const move = row === undefined ? undefined : liveMove(row.record);
      if (row === undefined || move?.targetHostId !== this.#hostId) return;
      if (move.migrationId !== server.move?.migrationId) return;
      this.#write(attempt, row, { move: new shoal.v1.ServerMove({ ...move, ...fields }) });
      // The host that carries out the job looks when its record changes.
      const job = jobTable.one(attempt.reader, 'subject', indexKey(`server/${server.id}`));
      if (job !== undefined) {
        jobTable.update(attempt.change, job, new shoal.v1.Job({ ...job.record, updatedMs: this.#deps.clock.nowMs() }));
      }
    });
  }

  #write({ change }: Attempt, row: Row<shoal.v1.Server>, fields: Partial<shoal.v1.Server.$Properties>): void {
    const updatedMs = this.#deps.clock.nowMs();
    serverTable.update(change, row, new shoal.v1.Server({ ...row.record, ...fields, updatedMs }));
  }
}

/** The server's live migration if it is the job's, and has not switched hosts; undefined: it is over. */
function ownMove(server: shoal.v1.Server, { liveMigration }: shoal.v1.Job): shoal.v1.ServerMove | undefined {
  const move = liveMove(server);
  return move?.migrationId === liveMigration?.migrationId ? move : undefined;
}

function isLiveMigration({ action }: shoal.v1.IServerAction): boolean {
  return action === liveMigrationKind;
}

function movedOn(serverId: string): ShoalError {
  return new ShoalError('CONFLICT', `Instance ${serverId} does not move to that host any more.`);
}
