import type { shoal } from '../../../proto/messages.ts';
import type { RequestContext } from '../../services/kit/context.ts';
import { systemPermissions } from '../../services/kit/permissions.ts';

/** Names what a job asks of services: as a request, of which histories tell. */
export function requestIdOf({ id }: shoal.v1.Job): string {
  return `req-${id}`;
}

/**
 * For what a job asks of services. Acts as the system, since who may begin the job was asked when it was made, and in the history of
 * what it changes as the user who began it.
 */
export function operatorContext(job: shoal.v1.Job, signal: AbortSignal): RequestContext {
  return {
    requestId: requestIdOf(job),
    userId: job.userId,
    userName: '',
    userDomainId: '',
    projectId: job.projectId,
    permissions: systemPermissions,
    signal,
  };
}
