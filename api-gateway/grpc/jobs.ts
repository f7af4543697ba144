import type { Handlers } from '../../node/rpc/server.ts';
import type { Jobs } from '../../node/services/jobs/jobs.ts';
import type { shoal } from '../../proto/messages.ts';
import type { Caller, Callers } from './kit/caller.ts';

/** `shoal.v1.JobService`: long work. Who may call what: api-gateway/policies/mesh.ts. */
export function jobHandlers(callers: Callers, jobs: Jobs): Handlers<shoal.v1.JobService, Caller> {
  return {
    listJobs: ({ ended }, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        return { jobs: [...jobs.list(reader, { ended })], stale };
      }),
    getJob: ({ id }, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        return { job: jobs.show(reader, id), stale };
      }),
    cancelJob: ({ id }, call) => callers.serve(call, async ({ context }) => ({ job: await jobs.cancel(context, id) })),
    drainHost: (request, call) =>
      callers.serve(call, async ({ context }) => ({ job: await jobs.drainHost(context, request) })),
    rotateAuthority: (request, call) =>
      callers.serve(call, async ({ context }) => ({ job: await jobs.rotateAuthority(context, request) })),
  };
}
