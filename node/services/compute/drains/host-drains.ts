/** Emptying hosts: what it would do, that it begins, and that a host takes servers again. The work is done by node/host/jobs. */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { hostTable, jobTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { beginJob } from '../../jobs/job-record.ts';
import type { RequestContext } from '../../kit/context.ts';
import type { HostViews, PlacementInquiry, ServiceDependencies } from '../../kit/dependencies.ts';
import { transact } from '../../kit/transact.ts';
import { type DrainStep, drainSteps } from './drain-preview.ts';
import { type DrainScope, drainOf, hostsOfScope } from './drained-hosts.ts';
import { groupsWithoutRoom, whyNoQuorum } from './what-is-left.ts';

/** How long a drain may take unless asked otherwise, and at least and most. Unit: seconds. */
const timeoutSeconds = { default: 86_400, min: 60, max: 7 * 86_400 } as const;
/** Servers on their way at once, at most. */
const parallelMax = 32;
/** Hosts that one job empties, at most: their records change in one transaction. */
const hostsAtOnceMax = 256;

/** What is asked for. */
interface DrainDraft extends DrainScope {
  readonly stopRunning: boolean;
  /** 0: the default. */
  readonly timeoutSeconds: number;
  /** Servers on their way at once; 0: the default. */
  readonly parallel: number;
}

/** What a drain would do. */
interface DrainPlan {
  readonly steps: readonly DrainStep[];
  readonly warnings: readonly string[];
  /** Why it would not begin; empty: it would. */
  readonly refusal: string;
}

/** See above. Who may call what is the gateway's. */
export class HostDrains {
  readonly #deps: ServiceDependencies & { readonly hostViews: HostViews };

  constructor(deps: ServiceDependencies & { readonly hostViews: HostViews }) {
    this.#deps = deps;
  }

  /** What `begin` would do. Throws `INVALID_ARGUMENT` and `NOT_FOUND` as it does. */
  plan(
    reader: StateReader,
    draft: DrainScope & { readonly stopRunning: boolean },
    inquiry: PlacementInquiry,
  ): DrainPlan {
    const { rows, text } = hostsOfScope(reader, draft);
    const hosts = rows.map(({ record }) => record);
    const noQuorum = this.#whyNoQuorum(reader, hosts);
    const other = hosts.flatMap(({ id }) => drainOf(reader, id) ?? [])[0]?.record;
    const refusals = [
      ...(other === undefined ? [] : [`the job ${other.id} is emptying one of them`]),
      ...(noQuorum !== undefined && text !== '' ? [noQuorum] : []),
    ];
    return {
      steps: drainSteps({ hostViews: this.#deps.hostViews, inquiry }, reader, hosts, draft.stopRunning),
      warnings: [
        ...(noQuorum !== undefined && text === '' ? [`It must not be switched off: ${noQuorum}.`] : []),
        ...groupsWithoutRoom(reader, hosts).map((group) => `Some servers stay: ${group}.`),
      ],
      refusal: refusals[0] ?? '',
    };
  }

  /**
   * Begins to empty a host, or all hosts of a zone or failure domain. Throws `NOT_FOUND` for no such host, zone or domain,
   * `INVALID_ARGUMENT` for a number out of range or too many hosts, `CONFLICT` while a job is under way for one of the hosts, or when the mesh would
   * have no quorum without the zone or domain.
   */
  async begin(context: RequestContext, draft: DrainDraft): Promise<shoal.v1.Job> {
    const { stopRunning, parallel } = draft;
    const seconds = draft.timeoutSeconds === 0 ? timeoutSeconds.default : draft.timeoutSeconds;
    checkRange('timeout_seconds', seconds, timeoutSeconds.min, timeoutSeconds.max);
    if (parallel !== 0) checkRange('parallel', parallel, 1, parallelMax);
    const id = this.#deps.newId();
    return transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const { rows, text } = hostsOfScope(reader, draft);
      if (rows.length > hostsAtOnceMax) {
        throw new ShoalError(
          'INVALID_ARGUMENT',
          `The ${text} has ${rows.length} hosts; at most ${hostsAtOnceMax} are emptied by one job: name a smaller failure domain.`,
        );
      }
      const noQuorum =
        text === ''
          ? undefined
          : this.#whyNoQuorum(
              reader,
              rows.map(({ record }) => record),
            );
      if (noQuorum !== undefined) throw new ShoalError('CONFLICT', `The ${text} cannot be emptied: ${noQuorum}.`);
      const nowMs = this.#deps.clock.nowMs();
      const hosts = rows.map((row) => {
        const other = drainOf(reader, row.record.id)?.record;
        if (other !== undefined) throw isDrained(row.record, other);
        // Unchanged but for its revision: of two drains that concern it one has to look again. What the job takes back at its
        // end is what is so now.
        hostTable.update(change, row, new shoal.v1.Host(row.record));
        return new shoal.v1.DrainedHost({ hostId: row.record.id, wasEnabled: !row.record.disabled });
      });
      const [only, ...more] = hosts;
      const isOne = text === '' && only !== undefined && more.length === 0;
      const which = isOne ? { hostId: only.hostId, wasEnabled: only.wasEnabled } : { hosts, scope: text };
      return beginJob(
        attempt,
        {
          id,
          kind: isOne ? 'drain' : 'drain-domain',
          subject: isOne ? `host/${only.hostId}` : `hosts/${text}`,
          projectId: context.projectId,
          userId: context.userId,
          deadlineMs: nowMs + seconds * 1_000,
          detail: { drain: new shoal.v1.DrainJob({ ...which, stopRunning, parallel }) },
        },
        nowMs,
      );
    });
  }

  /**
   * Lets a host take new servers again. A drain of it alone that is under way is taken back, and that does it, also for a host that was
   * disabled before. Throws `NOT_FOUND`, `CONFLICT` while it is emptied with others, and what `transact` throws.
   * @returns the drain; undefined: none was under way.
   */
  undrain(context: RequestContext, host: string): Promise<shoal.v1.Job | undefined> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const [row] = hostsOfScope(reader, { host, zone: '', failureDomain: '' }).rows;
      if (row === undefined) throw new ShoalError('NOT_FOUND', `There is no host "${host}" in the mesh.`);
      const drain = drainOf(reader, row.record.id);
      if (drain === undefined) {
        if (!row.record.disabled) return undefined;
        hostTable.update(change, row, new shoal.v1.Host({ ...row.record, disabled: false, disabledReason: '' }));
        return undefined;
      }
      if (drain.record.kind !== 'drain') throw isDrained(row.record, drain.record);
      const next = new shoal.v1.Job({
        ...drain.record,
        cancelRequested: true,
        updatedMs: this.#deps.clock.nowMs(),
        drain: new shoal.v1.DrainJob({ ...drain.record.drain, wasEnabled: true }),
      });
      jobTable.update(change, drain, next);
      return next;
    });
  }

  #whyNoQuorum(reader: StateReader, hosts: readonly shoal.v1.Host[]): string | undefined {
    return whyNoQuorum(reader, hosts, this.#deps.state.status(), this.#deps.hostViews);
  }
}

function isDrained({ name }: shoal.v1.Host, { kind, id }: shoal.v1.Job): ShoalError {
  return new ShoalError(
    'CONFLICT',
    `The ${kind} job ${id} is under way for host ${name}: wait for its end, or cancel it.`,
    { facts: { jobId: id } },
  );
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (value >= min && value <= max) return;
  throw new ShoalError('INVALID_ARGUMENT', `${name} is ${value}; it must be between ${min} and ${max}, or 0.`);
}
