import type { Handlers } from '../../node/rpc/server.ts';
import type { HostDrains } from '../../node/services/compute/drains/host-drains.ts';
import type { Jobs } from '../../node/services/jobs/jobs.ts';
import type { PlacementInquiry } from '../../node/services/kit/dependencies.ts';
import type { shoal } from '../../proto/messages.ts';
import type { Caller, Callers } from './kit/caller.ts';

/** `shoal.v1.JobService`: long work. Who may call what: api-gateway/policies/mesh.ts. */
export function jobHandlers(
  callers: Callers,
  { jobs, drains, inquiry }: { readonly jobs: Jobs; readonly drains: HostDrains; readonly inquiry: PlacementInquiry },
): Handlers<shoal.v1.JobService, Caller> {
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
    pauseJob: ({ id }, call) => callers.serve(call, async ({ context }) => ({ job: await jobs.pause(context, id) })),
    resumeJob: ({ id }, call) => callers.serve(call, async ({ context }) => ({ job: await jobs.resume(context, id) })),
    drainHost: (request, call) =>
      callers.serve(call, async ({ context }) => ({ job: await drains.begin(context, request) })),
    planDrain: (request, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        const { steps, warnings, refusal } = drains.plan(reader, request, inquiry);
        return { steps: [...steps], warnings: [...warnings], refusal, stale };
      }),
    undrainHost: ({ host }, call) =>
      callers.serve(call, async ({ context }) => ({ job: (await drains.undrain(context, host)) ?? null })),
    rotateAuthority: (request, call) =>
      callers.serve(call, async ({ context }) => ({ job: await jobs.rotateAuthority(context, request) })),
  };
}
