import type { Handlers } from '../../node/rpc/server.ts';
import type { PlacementPreview } from '../../node/services/compute/placement-preview.ts';
import type { shoal } from '../../proto/messages.ts';
import type { Caller, Callers } from './kit/caller.ts';

/** `shoal.v1.PlacementService`. Reasons per host are for administrators. */
export function placementHandlers(
  callers: Callers,
  preview: PlacementPreview,
): Handlers<shoal.v1.PlacementService, Caller> {
  return {
    explain: (request, call) =>
      callers.serve(call, async (served) => {
        const { reader } = await served.read();
        const { explanation, hosts } = preview.explain(served.context, reader, request);
        const perHost = served.allows('shoal:placement:explain:per_host') ? hosts : [];
        return {
          filters: explanation.filters.map((filter) => ({
            filter: filter.name,
            removed: filter.removed,
            left: filter.considered - filter.removed,
            reason: filter.reasons[0]?.text ?? '',
          })),
          hosts: perHost.map((host) => ({
            hostId: host.hostId,
            hostName: host.hostName,
            filter: host.refusals[0]?.filter ?? '',
            reason: host.refusals[0]?.reason ?? '',
            weight: host.score ?? 0,
          })),
        };
      }),
    whatIf: (request, call) =>
      callers.serve(call, async (served) => {
        const { reader } = await served.read();
        return { count: preview.whatIf(served.context, reader, request, request.countMax) };
      }),
  };
}
