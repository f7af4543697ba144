import type { Handlers } from '../../../node/rpc/server.ts';
import { badRequest } from '../../../node/services/kit/network-refusals.ts';
import type { NetworkService } from '../../../node/services/network/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import * as bodies from '../../rest/network/bodies.ts';
import * as schemas from '../../rest/schemas/network.ts';
import { type Caller, type Callers, mustHaveProject } from '../kit/caller.ts';
import { isOr } from '../kit/page.ts';
import { changedAttributes, listed, newAttributes, tagsOf, viewingOf } from './viewing.ts';
import { portView, routerView } from './views.ts';

type Served = Handlers<shoal.v1.NetworkService, Caller>;

const eitherOr = 'Either subnet_id or port_id must be specified';

/** Routers and their interfaces, as `/v2.0/routers` has them. */
export function routerHandlers(
  callers: Callers,
  { routers }: NetworkService,
): Pick<
  Served,
  | 'listRouters'
  | 'getRouter'
  | 'createRouter'
  | 'updateRouter'
  | 'deleteRouter'
  | 'addRouterInterface'
  | 'removeRouterInterface'
> {
  const creation = { key: 'router', schema: schemas.routerNew, readOnly: schemas.readOnly.router };
  const change = { key: 'router', schema: schemas.routerPatch, readOnly: schemas.readOnly.router };
  return {
    listRouters: (request, call) =>
      callers.serve(call, async (served) => {
        const { page, paging } = await listed(served, request, ({ context, reader }) =>
          routers.list(context, reader).filter((each) => isOr(request.name, each.name)),
        );
        return { routers: page.map((each) => routerView(each)), ...paging };
      }),
    getRouter: ({ routerId }, call) =>
      callers.serve(call, async (served) => {
        const viewing = await viewingOf(served);
        const found = routers.show(viewing.context, viewing.reader, routerId);
        return { router: routerView(found), stale: viewing.stale };
      }),
    createRouter: (request, call) =>
      callers.serve(call, async (served) => {
        const { context } = served;
        mustHaveProject(context, request.projectId);
        const attributes = newAttributes(request, creation);
        const made = await routers.create(context, bodies.routerDraft(attributes));
        return { router: routerView(made) };
      }),
    updateRouter: (request, call) =>
      callers.serve(call, async (served) => {
        const { routerId, tags } = request;
        const attributes = changedAttributes(request, change, { omitted: ['routerId'] });
        const patch = { ...bodies.routerPatchOf(attributes), ...tagsOf(served, 'router', tags) };
        const changed = await routers.update(served.context, routerId, patch);
        return { router: routerView(changed) };
      }),
    deleteRouter: ({ routerId }, call) =>
      callers.serve(call, async ({ context }) => {
        await routers.delete(context, routerId);
        return {};
      }),
    addRouterInterface: (request, call) =>
      callers.serve(call, async (served) => {
        const { subnetId, portId } = interfaceOf(request);
        if ((subnetId === undefined) === (portId === undefined)) throw badRequest(eitherOr);
        const draft = portId === undefined ? { subnetId: subnetId ?? '' } : { portId };
        const { port } = await routers.addInterface(served.context, request.routerId, draft);
        return { port: portView(await viewingOf(served), port) };
      }),
    removeRouterInterface: (request, call) =>
      callers.serve(call, async ({ context }) => {
        const draft = interfaceOf(request);
        if (draft.subnetId === undefined && draft.portId === undefined) throw badRequest(eitherOr);
        await routers.removeInterface(context, request.routerId, draft);
        return {};
      }),
  };
}

/** What an interface is made of or known by. Throws `INVALID_ARGUMENT` for what is no id. */
function interfaceOf({ subnetId, portId }: { readonly subnetId: string; readonly portId: string }) {
  const { subnet_id, port_id } = newAttributes(
    { subnetId, portId },
    { key: 'router interface', schema: schemas.routerInterface, readOnly: [] },
    { emptyIsNone: ['subnetId', 'portId'] },
  );
  return {
    ...(typeof subnet_id === 'string' ? { subnetId: subnet_id } : {}),
    ...(typeof port_id === 'string' ? { portId: port_id } : {}),
  };
}
