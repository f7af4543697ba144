/**
 * What a rotation of the mesh's authority does next. Pure.
 *
 *     a new authority stands beside the present one (with the job's own first transaction)
 *     know    all hosts know it as the present one; they show each other what they showed before
 *     show    all hosts show certificates of it
 *     drop    what the one before has signed counts no more, once clients of the API had their time
 *
 * Hosts that are switched off are waited for until a time; one that comes back later gets its certificate by its host key. There
 * is no way back: the key of the authority before is not kept. Cancelled or late, a rotation ends where it is, with both counting.
 */
import type { shoal } from '../../../proto/messages.ts';
import type { JobDecision, JobProgress } from './job-plan.ts';

/** Hosts named in a message; the rest are counted. */
const namedMax = 10;

/** A host as far as a rotation has to know it. */
interface RotationHost {
  readonly name: string;
  /** It knows the new authority as the present one. */
  readonly knows: boolean;
  /** It shows its peers a certificate of the new authority. */
  readonly shows: boolean;
}

/** What is read for one decision. */
export interface RotationWorld {
  readonly nowMs: number;
  /** The authority of this job is the mesh's present one. */
  readonly isPresent: boolean;
  /** Members are to show certificates of the present authority only. */
  readonly isOnlyShown: boolean;
  /** An authority of before counts still. */
  readonly hasFormer: boolean;
  readonly hosts: readonly RotationHost[];
}

/** What a rotation does. */
export type RotationAction = 'show-only-present' | 'drop-former';

/** See above. */
export function nextOfRotation(job: shoal.v1.Job, world: RotationWorld): JobDecision<RotationAction> {
  const { absentUntilMs = 0, keepUntilMs = 0 } = job.rotateAuthority ?? {};
  const { nowMs, hosts } = world;
  if (!world.isPresent) {
    return end(
      'failed',
      'Another authority has taken its place meanwhile: the mesh was re-keyed. Nothing is left to do here.',
    );
  }
  if (!world.hasFormer) return end('succeeded', 'The new authority alone counts.');
  if (job.cancelRequested) return end('cancelled', halfway);
  if (nowMs >= job.deadlineMs) return end('failed', halfway);
  const isLate = nowMs >= absentUntilMs;
  const ignorant = hosts.filter(({ knows }) => !knows);
  if (!world.isOnlyShown) {
    if (ignorant.length > 0 && !isLate) return wait(`Waiting for hosts that do not know it yet: ${named(ignorant)}.`);
    return act('show-only-present', 'All hosts know the new authority; they are told to show its certificates.');
  }
  const others = hosts.filter(({ shows }) => !shows);
  if (others.length > 0 && !isLate)
    return wait(`Waiting for hosts that show the certificate of before: ${named(others)}.`);
  if (nowMs < keepUntilMs) {
    return wait(
      `All hosts show certificates of the new authority. Clients of the API may trust the one before until ${new Date(keepUntilMs).toISOString()}.`,
    );
  }
  return act('drop-former', 'What the authority before has signed counts no more.');
}

/** Each host counts when it knows the new authority, and again when it shows its certificate. */
export function progressOfRotation(_job: shoal.v1.Job, { hosts, hasFormer }: RotationWorld): JobProgress {
  const done = hosts.filter(({ knows }) => knows).length + hosts.filter(({ shows }) => shows).length;
  return { done: done + (hasFormer ? 0 : 1), total: 2 * hosts.length + 1 };
}

const halfway =
  'The rotation ended halfway: the new authority is the present one, and what those before it have signed counts, too. Begin another rotation to end that.';

function named(hosts: readonly RotationHost[]): string {
  const names = hosts.slice(0, namedMax).map(({ name }) => name);
  return hosts.length > namedMax ? `${names.join(', ')} and ${hosts.length - namedMax} more` : names.join(', ');
}

function wait(message: string): JobDecision<RotationAction> {
  return { kind: 'wait', message };
}

function act(action: RotationAction, message: string): JobDecision<RotationAction> {
  return { kind: 'do', action, about: 'mesh/authority', message };
}

function end(status: 'succeeded' | 'failed' | 'cancelled', message: string): JobDecision<RotationAction> {
  return { kind: 'end', status, message };
}
