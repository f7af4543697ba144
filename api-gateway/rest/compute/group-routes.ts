/** `/os-server-groups`. */

import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/compute.ts';
import { type View, viewingOf } from './kit/common.ts';
import { addNovaList } from './kit/lists.ts';
import { type Microversion, microversionOf } from './kit/microversion.ts';

type ById = { Params: { id: string } };

/**
 * Adds the server groups. Until 2.63 a body has `policies` with one member, from 2.64 on `policy` and `rules`; the soft
 * policies need 2.15.
 */
export function addServerGroups(app: FastifyInstance, gateway: Gateway, { serverGroups }: ComputeService): void {
  addNovaList(app, gateway, {
    path: '/v2.1/os-server-groups',
    key: 'server_groups',
    paging: 'offset',
    items: ({ context, reader, query, allows }) => {
      const isAll =
        query.one('all_projects') !== undefined && allows('os_compute_api:os-server-groups:index:all_projects');
      return serverGroups.list(context, reader, isAll);
    },
    idOf: (group) => group.id,
    view: (group, { request }) => groupView(group, microversionOf(request)),
  });
  app.get<ById>('/v2.1/os-server-groups/:id', async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    return { server_group: groupView(serverGroups.show(context, reader, request.params.id), microversionOf(request)) };
  });
  app.post('/v2.1/os-server-groups', { config: { body: schemas.newServerGroupBody } }, async (request) => {
    const context = gateway.context(request);
    const { name, policies, policy, rules } = parse(schemas.newServerGroupBody, request.body).server_group;
    const microversion = microversionOf(request);
    const wanted = microversion >= 64 ? policy : policies?.[0];
    const isMixed = microversion >= 64 ? policies !== undefined : policy !== undefined || rules !== undefined;
    if (microversion < 15 && wanted?.startsWith('soft-') === true) {
      throw new ShoalError('INVALID_ARGUMENT', `Invalid body: ${wanted} is a policy from 2.15 on.`);
    }
    if (wanted === undefined || isMixed) {
      throw new ShoalError('INVALID_ARGUMENT', 'A server group has a name and one policy.');
    }
    const group = await serverGroups.create(context, {
      name,
      policy: wanted,
      ...(rules?.max_server_per_host === undefined ? {} : { maxServerPerHost: Number(rules.max_server_per_host) }),
    });
    return { server_group: groupView(group, microversion) };
  });
  app.delete<ById>('/v2.1/os-server-groups/:id', async (request, reply) => {
    await serverGroups.delete(gateway.context(request), request.params.id);
    return reply.code(204).send();
  });
}

function groupView(group: shoal.v1.ServerGroup, microversion: Microversion): View {
  return {
    id: group.id,
    name: group.name,
    members: group.memberIds,
    ...(microversion >= 13 ? { project_id: group.projectId, user_id: group.userId } : {}),
    ...(microversion >= 64
      ? {
          policy: group.policy,
          rules: group.policy === 'anti-affinity' ? { max_server_per_host: group.maxServerPerHost } : {},
        }
      : { policies: [group.policy], metadata: {} }),
  };
}
