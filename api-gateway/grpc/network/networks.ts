import { assert } from '../../../node/base/assert.ts';
import type { Handlers } from '../../../node/rpc/server.ts';
import type { NetworkService } from '../../../node/services/network/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import * as bodies from '../../rest/network/bodies.ts';
import * as schemas from '../../rest/schemas/network.ts';
import { type Caller, type Callers, mustHaveProject } from '../kit/caller.ts';
import { isOr } from '../kit/page.ts';
import { changedAttributes, listed, newAttributes, tagsOf, viewingOf } from './viewing.ts';
import { networkView } from './views.ts';

type Served = Handlers<shoal.v1.NetworkService, Caller>;

/** Networks, as `/v2.0/networks` has them. */
export function networkHandlers(
  callers: Callers,
  { networks }: NetworkService,
): Pick<Served, 'listNetworks' | 'getNetwork' | 'createNetwork' | 'updateNetwork' | 'deleteNetwork'> {
  const creation = { key: 'network', schema: schemas.networkNew, readOnly: schemas.readOnly.network };
  const change = { key: 'network', schema: schemas.networkPatch, readOnly: schemas.readOnly.network };
  return {
    listNetworks: (request, call) =>
      callers.serve(call, async (served) => {
        const { page, viewing, paging } = await listed(served, request, ({ context, reader }) =>
          networks.list(context, reader).filter((each) => isOr(request.name, each.name)),
        );
        return { networks: page.map((each) => networkView(viewing, each)), ...paging };
      }),
    getNetwork: ({ networkId }, call) =>
      callers.serve(call, async (served) => {
        const viewing = await viewingOf(served);
        const found = networks.show(viewing.context, viewing.reader, networkId);
        return { network: networkView(viewing, found), stale: viewing.stale };
      }),
    createNetwork: (request, call) =>
      callers.serve(call, async (served) => {
        const { context } = served;
        mustHaveProject(context, request.projectId);
        const attributes = newAttributes(request, creation);
        const [made] = await networks.create(context, [bodies.networkDraft(attributes)]);
        assert(made !== undefined, 'one network of one draft');
        return { network: networkView(await viewingOf(served), made) };
      }),
    updateNetwork: (request, call) =>
      callers.serve(call, async (served) => {
        const { networkId, tags } = request;
        const attributes = changedAttributes(request, change, { omitted: ['networkId'] });
        const patch = { ...bodies.networkPatchOf(attributes), ...tagsOf(served, 'network', tags) };
        const changed = await networks.update(served.context, networkId, patch);
        return { network: networkView(await viewingOf(served), changed) };
      }),
    deleteNetwork: ({ networkId }, call) =>
      callers.serve(call, async ({ context }) => {
        await networks.delete(context, networkId);
        return {};
      }),
  };
}
