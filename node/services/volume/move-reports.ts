/**
 * What jobs that move volumes tell the records. The word that switches a volume over writes the job's own record too: once the job is
 * being taken back that word finds another record than it was planned on, and comes too late for ever.
 */
import { shoal } from '../../../proto/messages.ts';
import type { Row } from '../../state/table.ts';
import { jobTable, serverTable, volumeTable } from '../../state/tables/index.ts';
import { hasEnded } from '../jobs/job-record.ts';
import { endJob } from '../jobs/volume-job-end.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { putOnHost } from '../kit/put-on-host.ts';
import { switchedPhase, type VolumeMoveReports } from '../kit/reporting/volume-move-reporting.ts';
import type { VolumeFault } from '../kit/reporting/volume-reporting.ts';
import { type Attempt, transact } from '../kit/transact.ts';
import { amountsOfVolume, chargeAnyway, refund } from './kit/charges.ts';
import { addMessage } from './kit/messages.ts';
import { diskOf, newAttachment, withoutServer, writeDisks } from './records/server-disks.ts';
import { allowsMultiattach, typeById } from './records/type-record.ts';
import { isMigrating, restingStatus, writeVolume } from './records/volume-record.ts';

type Volume = shoal.v1.Volume;
type Job = shoal.v1.Job;

/** See above. Given to the kinds of jobs. */
export class VolumeMoveReportService implements VolumeMoveReports {
  readonly #deps: ServiceDependencies;
  readonly #signal: AbortSignal;

  /** @param signal ends waits when the agent stops. */
  constructor(deps: ServiceDependencies, signal: AbortSignal) {
    this.#deps = deps;
    this.#signal = signal;
  }

  async switched(jobId: string, generation: number): Promise<boolean> {
    return this.#onJob(jobId, (attempt, row) => {
      const move = row.record.volumeMigrate;
      const volume = volumeTable.get(attempt.reader, move?.volumeId ?? '');
      if (move === null || volume === undefined || !isMigrating(volume.record)) return false;
      if (volume.record.generation !== generation) return false;
      const next = generation + 1;
      const isServed = this.#followOnServers(attempt, volume.record, row.record.ownerHostId, move.targetPool, next);
      if (!isServed) return false;
      const { typeId } = move;
      const isRetyped = typeId !== '' && typeId !== volume.record.typeId;
      if (isRetyped) this.#retype(attempt, volume.record, typeId);
      putOnHost(attempt.change, move.targetHostId);
      const type = isRetyped ? typeById(attempt.reader, typeId) : undefined;
      const retyped = { typeId, multiattach: type === undefined ? volume.record.multiattach : allowsMultiattach(type) };
      const place = { hostId: move.targetHostId, pool: move.targetPool, ...(isRetyped ? retyped : {}) };
      writeVolume(attempt.change, volume, { ...place, generation: next, migrationStatus: 'completing' }, this.#nowMs);
      const volumeMigrate = new shoal.v1.VolumeMigrateJob({ ...move, sourceGeneration: generation });
      this.#writeJob(attempt, row, { volumeMigrate });
      return true;
    });
  }

  async moved(job: Job, leftover?: VolumeFault): Promise<void> {
    await this.#end(job, leftover, (attempt) => {
      const row = volumeTable.get(attempt.reader, job.volumeMigrate?.volumeId ?? '');
      if (row === undefined || !isMigrating(row.record)) return;
      const fields = { migrationStatus: 'success', previousStatus: '', status: restingStatus(row.record.attachments) };
      writeVolume(attempt.change, row, fields, this.#nowMs);
      if (leftover !== undefined) this.#tell(attempt, row.record, 'migrate', leftover);
    });
  }

  async moveFailed(job: Job, fault: VolumeFault): Promise<void> {
    await this.#end(job, fault, (attempt) => {
      const row = volumeTable.get(attempt.reader, job.volumeMigrate?.volumeId ?? '');
      if (row === undefined || !isMigrating(row.record)) return;
      const { record } = row;
      const fields = { migrationStatus: 'error', previousStatus: '', status: restingStatus(record.attachments) };
      writeVolume(attempt.change, row, fields, this.#nowMs);
      this.#tell(attempt, record, record.status === 'retyping' ? 'retype' : 'migrate', fault);
    });
  }

  async swapped(jobId: string, generations: { readonly source: number; readonly target: number }): Promise<boolean> {
    return this.#onJob(jobId, (attempt, row) => {
      const swap = row.record.volumeSwap;
      if (swap === null) return false;
      const { reader, change } = attempt;
      const server = serverTable.get(reader, swap.serverId);
      const [source, target] = [volumeTable.get(reader, swap.volumeId), volumeTable.get(reader, swap.targetVolumeId)];
      const disk = server === undefined ? undefined : diskOf(server.record, swap.volumeId);
      if (server === undefined || source === undefined || target === undefined || disk === undefined) return false;
      const isSame = source.record.generation === generations.source && target.record.generation === generations.target;
      const isHere = server.record.hostId === row.record.ownerHostId && !server.record.deleting;
      if (!isSame || !isHere || !isMigrating(source.record) || !isMigrating(target.record)) return false;
      const generation = generations.target + 1;
      const { record } = target;
      const draft = {
        serverId: server.record.id,
        hostId: server.record.hostId,
        device: (disk.device ?? '').replace(/^\/dev\//, ''),
      };
      const attachment = newAttachment({ ...draft, id: this.#deps.newId(), readOnly: record.readOnly });
      const attached = new shoal.v1.VolumeAttachment({ ...attachment, status: 'attached', attachedMs: this.#nowMs });
      const { id: volumeId, pool, sizeGib } = record;
      const next = new shoal.v1.ServerDisk({ ...disk, volumeId, pool, sizeGib, generation, attachmentId: attached.id });
      writeDisks(
        change,
        server,
        server.record.disks.map((one) => (one === disk ? next : one)),
        this.#nowMs,
      );
      // Both are what they are once the guest has gone over: until then nothing else is done to them.
      const between = { migrationStatus: 'completing', previousStatus: '' };
      writeVolume(change, source, { ...between, ...withoutServer(source.record, swap.serverId) }, this.#nowMs);
      const taken = { attachments: [attached], hostId: server.record.hostId, generation, status: 'in-use' };
      writeVolume(change, target, { ...between, ...taken }, this.#nowMs);
      putOnHost(change, server.record.hostId);
      this.#writeJob(attempt, row, {
        volumeSwap: new shoal.v1.VolumeSwapJob({ ...swap, sourceGeneration: generations.source }),
      });
      return true;
    });
  }

  async swapEnded(job: Job, fault?: VolumeFault): Promise<void> {
    const { volumeId = '', targetVolumeId = '' } = job.volumeSwap ?? {};
    await this.#end(job, fault, (attempt) => {
      for (const id of [volumeId, targetVolumeId]) {
        const row = volumeTable.get(attempt.reader, id);
        if (row === undefined || !isMigrating(row.record)) continue;
        const fields = { migrationStatus: '', previousStatus: '', status: restingStatus(row.record.attachments) };
        writeVolume(attempt.change, row, fields, this.#nowMs);
        if (fault !== undefined && id === volumeId) this.#tell(attempt, row.record, 'migrate', fault);
      }
    });
  }

  async swapStuck(job: Job, fault: VolumeFault): Promise<void> {
    const { volumeId = '', targetVolumeId = '' } = job.volumeSwap ?? {};
    await this.#end(job, fault, (attempt) => {
      for (const id of [volumeId, targetVolumeId]) {
        const row = volumeTable.get(attempt.reader, id);
        if (row === undefined || !isMigrating(row.record)) continue;
        const status = id === targetVolumeId ? 'error' : restingStatus(row.record.attachments);
        writeVolume(attempt.change, row, { migrationStatus: 'error', previousStatus: '', status }, this.#nowMs);
        this.#tell(attempt, row.record, 'migrate', fault);
      }
    });
  }

  get #nowMs(): number {
    return this.#deps.clock.nowMs();
  }

  /** The server that has it knows where. False: it has moved meanwhile, or its disk is not what it was. */
  #followOnServers(
    { reader, change }: Attempt,
    volume: Volume,
    hostId: string,
    pool: string,
    generation: number,
  ): boolean {
    for (const { serverId } of volume.attachments) {
      const server = serverTable.get(reader, serverId ?? '');
      const disk = server === undefined ? undefined : diskOf(server.record, volume.id);
      if (server === undefined || disk === undefined) return false;
      if (server.record.hostId !== hostId || server.record.deleting || disk.detaching === true) return false;
      const next = new shoal.v1.ServerDisk({ ...disk, pool, generation });
      writeDisks(
        change,
        server,
        server.record.disks.map((one) => (one === disk ? next : one)),
        this.#nowMs,
      );
    }
    return true;
  }

  /** Quotas follow. */
  #retype({ change }: Attempt, volume: Volume, typeId: string): void {
    refund(change, volume.projectId, amountsOfVolume(volume));
    chargeAnyway(change, volume.projectId, amountsOfVolume({ ...volume, typeId }));
  }

  #writeJob({ change }: Attempt, row: Row<Job>, fields: Partial<shoal.v1.Job.$Properties>): void {
    const next = { ...row.record, ...fields, phase: switchedPhase, updatedMs: this.#nowMs };
    jobTable.update(change, row, new shoal.v1.Job(next));
  }

  /** True at once when the job's record says that it is switched already; false for one that is taken back. */
  #onJob(jobId: string, work: (attempt: Attempt, row: Row<Job>) => boolean): Promise<boolean> {
    return transact(this.#deps, { signal: this.#signal }, (attempt) => {
      const row = jobTable.get(attempt.reader, jobId);
      if (row === undefined || hasEnded(row.record)) return false;
      if (row.record.phase === switchedPhase) return true;
      const isRunning = row.record.status === shoal.v1.JobStatus.JOB_STATUS_RUNNING && !row.record.cancelRequested;
      return isRunning && work(attempt, row);
    });
  }

  /** What becomes of the volumes, and the end of the job, which has the last word once. */
  async #end(job: Job, fault: VolumeFault | undefined, work: (attempt: Attempt) => void): Promise<void> {
    await transact(this.#deps, { signal: this.#signal }, (attempt) => {
      const row = jobTable.get(attempt.reader, job.id);
      if (row === undefined || hasEnded(row.record)) return;
      work(attempt);
      endJob(attempt, row, this.#nowMs, fault);
    });
  }

  #tell({ change }: Attempt, volume: Volume, action: 'retype' | 'migrate', { message }: VolumeFault): void {
    const { id, projectId } = volume;
    const draft = { projectId, resourceType: 'VOLUME', resourceId: id, action, text: message } as const;
    addMessage(change, draft, { id: this.#deps.newId(), nowMs: this.#nowMs });
  }
}
