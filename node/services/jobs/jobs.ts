/** Jobs as operators see them: listed, shown, cancelled; and the ones that operators begin. */
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { indexKey } from '../../state/table.ts';
import { hostTable, jobTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { AddAuthority, ServiceDependencies } from '../kit/dependencies.ts';
import { transact } from '../kit/transact.ts';
import { beginJob, hasEnded } from './job-record.ts';

/** How long a job may take unless asked otherwise, and at least and most. Unit: seconds. */
const timeoutSeconds = { default: 86_400, min: 60, max: 7 * 86_400 } as const;

/** Of a rotation: how long clients may go on with the authority before, and hosts that are off are waited for. Unit: seconds. */
const rotationSeconds = { keep: 86_400, absent: 3_600, max: 30 * 86_400, grace: 86_400 } as const;

/** Of a drain. */
interface DrainDraft {
  /** Name, or id. */
  readonly host: string;
  readonly stopRunning: boolean;
  /** 0: the default. */
  readonly timeoutSeconds: number;
}

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

  /**
   * Begins to empty a host. Throws `NOT_FOUND` for no such host, `INVALID_ARGUMENT` for a time out of range, `CONFLICT`
   * while a job is under way for the host.
   */
  async drainHost(context: RequestContext, draft: DrainDraft): Promise<shoal.v1.Job> {
    const seconds = draft.timeoutSeconds === 0 ? timeoutSeconds.default : draft.timeoutSeconds;
    if (seconds < timeoutSeconds.min || seconds > timeoutSeconds.max) {
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `timeout_seconds is ${seconds}; it must be between ${timeoutSeconds.min} and ${timeoutSeconds.max}, or 0.`,
      );
    }
    const id = this.#deps.newId();
    return transact(this.#deps, context, (attempt) => {
      const { reader } = attempt;
      const row = hostTable.one(reader, 'name', indexKey(draft.host)) ?? hostTable.get(reader, draft.host);
      if (row === undefined) {
        throw new ShoalError('NOT_FOUND', `There is no host "${draft.host}" in the mesh; "shoal hosts" lists them.`);
      }
      const nowMs = this.#deps.clock.nowMs();
      const { id: hostId, disabled } = row.record;
      // What the job takes back at its end is what is so now.
      hostTable.unchanged(attempt.change, row);
      const drain = new shoal.v1.DrainJob({ hostId, stopRunning: draft.stopRunning, wasEnabled: !disabled });
      return beginJob(
        attempt,
        {
          id,
          kind: 'drain',
          subject: `host/${hostId}`,
          projectId: context.projectId,
          userId: context.userId,
          deadlineMs: nowMs + seconds * 1_000,
          detail: { drain },
        },
        nowMs,
      );
    });
  }
}
