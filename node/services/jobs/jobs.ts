/** Jobs as operators see them: listed, shown, cancelled; and the ones that operators begin. */
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { jobTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { AddAuthority, ServiceDependencies } from '../kit/dependencies.ts';
import { transact } from '../kit/transact.ts';
import { beginJob, hasEnded } from './job-record.ts';

/** Of a rotation: how long clients may go on with the authority before, and hosts that are off are waited for. Unit: seconds. */
const rotationSeconds = { keep: 86_400, absent: 3_600, max: 30 * 86_400, grace: 86_400 } as const;

/** Kinds that can rest: they do one thing after the other, and lose nothing by a pause in between. */
const restingKinds: ReadonlySet<string> = new Set(['drain', 'drain-domain']);

/** What it works with. */
interface JobsDependencies extends ServiceDependencies {
  readonly addAuthority: AddAuthority;
}

/** See above. Who may call what is the gateway's. The work is done by node/host/jobs. */
export class Jobs {
  readonly #deps: JobsDependencies;

  constructor(deps: JobsDependencies) {
    this.#deps = deps;
  }

  /** Newest first. @param options.ended also those that have ended. */
  list(reader: StateReader, options: { readonly ended: boolean }): readonly shoal.v1.Job[] {
    const rows = options.ended ? jobTable.list(reader) : jobTable.by(reader, 'under-way', 'yes');
    return rows.map(({ record }) => record).sort((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? 1 : -1));
  }

  /** Throws `NOT_FOUND`. */
  show(reader: StateReader, id: string): shoal.v1.Job {
    return jobTable.must(reader, id).record;
  }

  /** Asks for a job to be taken back. Throws `NOT_FOUND`; `CONFLICT` for one that has ended. */
  cancel(context: RequestContext, id: string): Promise<shoal.v1.Job> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = jobTable.must(reader, id);
      if (hasEnded(row.record))
        throw new ShoalError('CONFLICT', `The job ${id} has ended: there is nothing to cancel.`);
      if (row.record.cancelRequested) return row.record;
      const next = new shoal.v1.Job({ ...row.record, cancelRequested: true, updatedMs: this.#deps.clock.nowMs() });
      jobTable.update(change, row, next);
      return next;
    });
  }

  /**
   * Has a job rest: what is under way is finished, and nothing else is begun until it goes on. Throws `NOT_FOUND`; `CONFLICT` for one
   * that has ended, is taken back, or is of a kind that cannot rest.
   */
  pause(context: RequestContext, id: string): Promise<shoal.v1.Job> {
    return this.#setPaused(context, id, true);
  }

  /** Has a job that rests go on. Throws as `pause`. */
  resume(context: RequestContext, id: string): Promise<shoal.v1.Job> {
    return this.#setPaused(context, id, false);
  }

  #setPaused(context: RequestContext, id: string, paused: boolean): Promise<shoal.v1.Job> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = jobTable.must(reader, id);
      const { kind, status, cancelRequested } = row.record;
      if (hasEnded(row.record)) throw new ShoalError('CONFLICT', `The job ${id} has ended.`);
      if (!restingKinds.has(kind)) throw new ShoalError('CONFLICT', `The job ${id} is a ${kind}, which cannot rest.`);
      if (cancelRequested || status === shoal.v1.JobStatus.JOB_STATUS_ROLLING_BACK) {
        throw new ShoalError('CONFLICT', `The job ${id} is being taken back, which cannot rest.`);
      }
      if (row.record.paused === paused) return row.record;
      const next = new shoal.v1.Job({ ...row.record, paused, updatedMs: this.#deps.clock.nowMs() });
      jobTable.update(change, row, next);
      return next;
    });
  }

  /**
   * Begins to rotate the authority: the new one stands beside the present one when this returns. Throws `INVALID_ARGUMENT` for a
   * time out of range, `CONFLICT` while another rotation is under way, or when a member has not said its TLS key yet.
   */
  async rotateAuthority(
    context: RequestContext,
    draft: { readonly keepSeconds?: number | null; readonly absentSeconds?: number | null },
  ): Promise<shoal.v1.Job> {
    const keepSeconds = draft.keepSeconds ?? rotationSeconds.keep;
    const absentSeconds = draft.absentSeconds ?? rotationSeconds.absent;
    for (const [name, seconds] of Object.entries({ keep_seconds: keepSeconds, absent_seconds: absentSeconds })) {
      if (seconds <= rotationSeconds.max) continue;
      throw new ShoalError('INVALID_ARGUMENT', `${name} is ${seconds}; it must be ${rotationSeconds.max} at most.`);
    }
    const id = this.#deps.newId();
    return transact(this.#deps, context, (attempt) => {
      const nowMs = this.#deps.clock.nowMs();
      const [absentUntilMs, keepUntilMs] = [nowMs + absentSeconds * 1_000, nowMs + keepSeconds * 1_000];
      const authoritySha256 = this.#deps.addAuthority(attempt);
      return beginJob(
        attempt,
        {
          id,
          kind: 'rotate-authority',
          subject: 'mesh/authority',
          projectId: context.projectId,
          userId: context.userId,
          deadlineMs: Math.max(absentUntilMs, keepUntilMs) + rotationSeconds.grace * 1_000,
          detail: {
            rotateAuthority: new shoal.v1.RotateAuthorityJob({ authoritySha256, absentUntilMs, keepUntilMs }),
          },
        },
        nowMs,
      );
    });
  }
}
