import type { JobKind } from '../../../../node/host/jobs/job-kind.ts';
import type { JobDecision } from '../../../../node/host/plan/job-plan.ts';
import type { Hosts } from '../../../../node/services/compute/hosts.ts';
import type { RequestContext } from '../../../../node/services/kit/context.ts';
import { hostTable } from '../../../../node/state/tables/index.ts';
import type { shoal } from '../../../../proto/messages.ts';

interface World {
  readonly isEnabled: boolean;
  readonly isTime: boolean;
}

/** Pure: the whole of what is decided. */
function next(job: shoal.v1.Job, { isEnabled, isTime }: World): JobDecision<'disable'> {
  if (job.cancelRequested) return { kind: 'end', status: 'cancelled', message: 'Nothing was done yet.' };
  if (!isEnabled) return { kind: 'end', status: 'succeeded', message: 'The host takes no new servers.' };
  if (!isTime) return { kind: 'wait', message: 'It is not time yet.' };
  return { kind: 'do', action: 'disable', about: job.subject, message: 'Disabling the host.' };
}

/** @param isTime asked at each look. */
export function disableLater(hosts: Hosts, context: RequestContext, isTime: () => boolean): JobKind<World, 'disable'> {
  const hostIdOf = (job: shoal.v1.Job): string => job.subject.slice('host/'.length);
  return {
    name: 'disable-later',
    world: (job, reader) => ({
      isEnabled: hostTable.get(reader, hostIdOf(job))?.record.disabled === false,
      isTime: isTime(),
    }),
    next,
    progress: (_job, { isEnabled }) => ({ done: isEnabled ? 0 : 1, total: 1 }),
    carryOut: async (job, _action, signal) => {
      await hosts.setEnabled({ ...context, signal }, hostIdOf(job), false, 'as planned');
    },
  };
}
