import type { Handlers } from '../../../node/rpc/server.ts';
import type { NetworkService } from '../../../node/services/network/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import * as bodies from '../../rest/network/bodies.ts';
import * as schemas from '../../rest/schemas/network.ts';
import { type Caller, type Callers, mustHaveProject } from '../kit/caller.ts';
import { isOr } from '../kit/page.ts';
import { changedAttributes, listed, newAttributes, tagsOf, viewingOf } from './viewing.ts';
import { floatingIpView } from './views.ts';

type Served = Handlers<shoal.v1.NetworkService, Caller>;

/** Floating IPs, as `/v2.0/floatingips` has them. */
export function floatingIpHandlers(
  callers: Callers,
  { floatingIps }: NetworkService,
): Pick<Served, 'listFloatingIps' | 'getFloatingIp' | 'createFloatingIp' | 'updateFloatingIp' | 'deleteFloatingIp'> {
  const creation = { key: 'floatingip', schema: schemas.floatingIpNew, readOnly: schemas.readOnly.floatingip };
  const change = { key: 'floatingip', schema: schemas.floatingIpPatch, readOnly: schemas.readOnly.floatingip };
  return {
    listFloatingIps: (request, call) =>
      callers.serve(call, async (served) => {
        const { page, paging } = await listed(served, request, ({ context, reader }) =>
          floatingIps.list(context, reader).filter((each) => isOr(request.portId, each.portId)),
        );
        return { floatingIps: page.map((each) => floatingIpView(each)), ...paging };
      }),
    getFloatingIp: ({ floatingIpId }, call) =>
      callers.serve(call, async (served) => {
        const viewing = await viewingOf(served);
        const found = floatingIps.show(viewing.context, viewing.reader, floatingIpId);
        return { floatingIp: floatingIpView(found), stale: viewing.stale };
      }),
    createFloatingIp: (request, call) =>
      callers.serve(call, async (served) => {
        const { context } = served;
        mustHaveProject(context, request.projectId);
        const attributes = newAttributes(request, creation, {
          emptyIsNone: ['subnetId', 'floatingIpAddress', 'portId', 'fixedIpAddress'],
        });
        const made = await floatingIps.create(context, bodies.floatingIpDraft(attributes));
        return { floatingIp: floatingIpView(made) };
      }),
    updateFloatingIp: (request, call) =>
      callers.serve(call, async (served) => {
        const { floatingIpId, tags } = request;
        const attributes = changedAttributes(request, change, {
          omitted: ['floatingIpId'],
          emptyIsNone: ['portId', 'fixedIpAddress'],
        });
        const patch = { ...bodies.floatingIpPatchOf(attributes), ...tagsOf(served, 'floatingip', tags) };
        const changed = await floatingIps.update(served.context, floatingIpId, patch);
        return { floatingIp: floatingIpView(changed) };
      }),
    deleteFloatingIp: ({ floatingIpId }, call) =>
      callers.serve(call, async ({ context }) => {
        await floatingIps.delete(context, floatingIpId);
        return {};
      }),
  };
}
