import { assert } from '../../../node/base/assert.ts';
import type { Handlers } from '../../../node/rpc/server.ts';
import type { NetworkService } from '../../../node/services/network/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import * as bodies from '../../rest/network/bodies.ts';
import * as schemas from '../../rest/schemas/network.ts';
import { type Caller, type Callers, mustHaveProject } from '../kit/caller.ts';
import { isOr } from '../kit/page.ts';
import { changedAttributes, listed, newAttributes, tagsOf, viewingOf } from './viewing.ts';
import { portView } from './views.ts';

type Served = Handlers<shoal.v1.NetworkService, Caller>;

/** Ports, as `/v2.0/ports` has them. */
export function portHandlers(
  callers: Callers,
  { ports }: NetworkService,
): Pick<Served, 'listPorts' | 'getPort' | 'createPort' | 'updatePort' | 'deletePort'> {
  const creation = { key: 'port', schema: schemas.portNew, readOnly: schemas.readOnly.port };
  const change = { key: 'port', schema: schemas.portPatch, readOnly: schemas.readOnly.port };
  return {
    listPorts: (request, call) =>
      callers.serve(call, async (served) => {
        const { page, viewing, paging } = await listed(served, request, ({ context, reader }) =>
          ports
            .list(context, reader, {
              ...(request.networkId === '' ? {} : { networkId: request.networkId }),
              ...(request.deviceId === '' ? {} : { deviceId: request.deviceId }),
            })
            .filter((each) => isOr(request.name, each.name)),
        );
        return { ports: page.map((each) => portView(viewing, each)), ...paging };
      }),
    getPort: ({ portId }, call) =>
      callers.serve(call, async (served) => {
        const viewing = await viewingOf(served);
        const found = ports.show(viewing.context, viewing.reader, portId);
        return { port: portView(viewing, found), stale: viewing.stale };
      }),
    createPort: (request, call) =>
      callers.serve(call, async (served) => {
        const { context } = served;
        mustHaveProject(context, request.projectId);
        const attributes = newAttributes(request, creation);
        const [made] = await ports.create(context, [bodies.portDraft(attributes)]);
        assert(made !== undefined, 'one port of one draft');
        return { port: portView(await viewingOf(served), made) };
      }),
    updatePort: (request, call) =>
      callers.serve(call, async (served) => {
        const { portId, tags } = request;
        const attributes = changedAttributes(request, change, { omitted: ['portId'] });
        const patch = { ...bodies.portPatchOf(attributes), ...tagsOf(served, 'port', tags) };
        const changed = await ports.update(served.context, portId, patch);
        return { port: portView(await viewingOf(served), changed) };
      }),
    deletePort: ({ portId }, call) =>
      callers.serve(call, async ({ context }) => {
        await ports.delete(context, portId);
        return {};
      }),
  };
}
