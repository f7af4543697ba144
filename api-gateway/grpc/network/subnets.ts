import { assert } from '../../../node/base/assert.ts';
import type { Handlers } from '../../../node/rpc/server.ts';
import type { NetworkService } from '../../../node/services/network/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import * as bodies from '../../rest/network/bodies.ts';
import * as schemas from '../../rest/schemas/network.ts';
import { type Caller, type Callers, mustHaveProject } from '../kit/caller.ts';
import { isOr } from '../kit/page.ts';
import { changedAttributes, listed, newAttributes, tagsOf, viewingOf } from './viewing.ts';
import { subnetView } from './views.ts';

type Served = Handlers<shoal.v1.NetworkService, Caller>;

/** Subnets, as `/v2.0/subnets` has them. */
export function subnetHandlers(
  callers: Callers,
  { subnets }: NetworkService,
): Pick<Served, 'listSubnets' | 'getSubnet' | 'createSubnet' | 'updateSubnet' | 'deleteSubnet'> {
  const creation = { key: 'subnet', schema: schemas.subnetNew, readOnly: schemas.readOnly.subnet };
  const change = { key: 'subnet', schema: schemas.subnetPatch, readOnly: schemas.readOnly.subnet };
  return {
    listSubnets: (request, call) =>
      callers.serve(call, async (served) => {
        const { page, paging } = await listed(served, request, ({ context, reader }) =>
          subnets
            .list(context, reader)
            .filter((each) => isOr(request.name, each.name) && isOr(request.networkId, each.networkId)),
        );
        return { subnets: page.map((each) => subnetView(each)), ...paging };
      }),
    getSubnet: ({ subnetId }, call) =>
      callers.serve(call, async (served) => {
        const viewing = await viewingOf(served);
        const found = subnets.show(viewing.context, viewing.reader, subnetId);
        return { subnet: subnetView(found), stale: viewing.stale };
      }),
    createSubnet: (request, call) =>
      callers.serve(call, async (served) => {
        const { context } = served;
        mustHaveProject(context, request.projectId);
        const attributes = newAttributes(request, creation);
        const [made] = await subnets.create(context, [bodies.subnetDraft(attributes)]);
        assert(made !== undefined, 'one subnet of one draft');
        return { subnet: subnetView(made) };
      }),
    updateSubnet: (request, call) =>
      callers.serve(call, async (served) => {
        const { subnetId, tags } = request;
        const attributes = changedAttributes(request, change, { omitted: ['subnetId'] });
        const patch = { ...bodies.subnetPatchOf(attributes), ...tagsOf(served, 'subnet', tags) };
        const changed = await subnets.update(served.context, subnetId, patch);
        return { subnet: subnetView(changed) };
      }),
    deleteSubnet: ({ subnetId }, call) =>
      callers.serve(call, async ({ context }) => {
        await subnets.delete(context, subnetId);
        return {};
      }),
  };
}
