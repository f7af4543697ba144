/** `/rbac-policies`: who may use a thing beside its own project. */
import type { FastifyInstance } from 'fastify';
import { definedOf } from '../../../node/base/defined-of.ts';
import type { NetworkService } from '../../../node/services/network/index.ts';
import type { Gateway } from '../kit/module.ts';
import * as schemas from '../schemas/network.ts';
import { readResources } from './attributes.ts';
import { projectOf } from './bodies.ts';
import { onlyOne, viewingOf } from './collection.ts';
import { rbacPolicyKeys } from './filters.ts';
import { addNetworkList, showAnswer } from './listing.ts';
import { resourceBody } from './resource-body.ts';
import { rbacPolicyView } from './views.ts';

type ById = { Params: { id: string } };
const path = '/v2.0/rbac-policies';
const key = 'rbac_policy';

/** Adds `/rbac-policies`, which as in Neutron have neither tags nor revisions. One in one request. */
export function addRbacPolicies(app: FastifyInstance, gateway: Gateway, { rbacPolicies }: NetworkService): void {
  addNetworkList(app, gateway, {
    path,
    key: 'rbac_policies',
    known: rbacPolicyKeys,
    views: ({ context, reader }) => rbacPolicies.list(context, reader).map(rbacPolicyView),
  });
  app.get<ById>(`${path}/:id`, async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    return showAnswer(request, key, rbacPolicyView(rbacPolicies.show(context, reader, request.params.id)));
  });
  app.post(path, { config: { body: resourceBody(key, schemas.rbacPolicyNew) } }, async (request, reply) => {
    const { readOnly, rbacPolicyNew: schema } = schemas;
    const { items } = readResources(request.body, { key, schema, verb: 'POST', readOnly: readOnly.rbac_policy });
    const body = onlyOne(items, 'RBAC policies');
    const made = await rbacPolicies.create(gateway.context(request), {
      ...projectOf(body),
      objectType: body.object_type,
      objectId: body.object_id,
      action: body.action,
      targetProject: body.target_tenant,
    });
    return reply.code(201).send({ [key]: rbacPolicyView(made) });
  });
  app.put<ById>(`${path}/:id`, { config: { body: resourceBody(key, schemas.rbacPolicyPatch) } }, async (request) => {
    const { readOnly, rbacPolicyPatch: schema } = schemas;
    const { items } = readResources(request.body, { key, schema, verb: 'PUT', readOnly: readOnly.rbac_policy });
    const patch = definedOf({ targetProject: items[0]?.target_tenant });
    return { [key]: rbacPolicyView(await rbacPolicies.update(gateway.context(request), request.params.id, patch)) };
  });
  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    await rbacPolicies.delete(gateway.context(request), request.params.id);
    return reply.code(204).send();
  });
}
