/** `/default-security-group-rules`: what the rules of new groups are made from. */
import type { FastifyInstance } from 'fastify';
import { definedOf } from '../../../node/base/defined-of.ts';
import type { NetworkService } from '../../../node/services/network/index.ts';
import type { Template } from '../../../node/services/network/kit/group-templates.ts';
import type { Gateway } from '../kit/module.ts';
import * as schemas from '../schemas/network.ts';
import { readResources } from './attributes.ts';
import { onlyOne, viewingOf } from './collection.ts';
import { defaultGroupRuleKeys } from './filters.ts';
import { addNetworkList, showAnswer, type View } from './listing.ts';
import { resourceBody } from './resource-body.ts';

type ById = { Params: { id: string } };
const path = '/v2.0/default-security-group-rules';
const key = 'default_security_group_rule';

/** Adds `/default-security-group-rules`. Everybody reads them; administrators make and remove them, one in one request. */
export function addDefaultGroupRules(
  app: FastifyInstance,
  gateway: Gateway,
  { defaultGroupRules }: NetworkService,
): void {
  addNetworkList(app, gateway, {
    path,
    key: 'default_security_group_rules',
    known: defaultGroupRuleKeys,
    views: ({ reader }) => defaultGroupRules.list(reader).map(viewOf),
  });
  app.get<ById>(`${path}/:id`, async (request) => {
    const { reader } = await viewingOf(gateway, request);
    return showAnswer(request, key, viewOf(defaultGroupRules.show(reader, request.params.id)));
  });
  app.post(path, { config: { body: resourceBody(key, schemas.defaultGroupRuleNew) } }, async (request, reply) => {
    const schema = schemas.defaultGroupRuleNew;
    const { items } = readResources(request.body, { key, schema, verb: 'POST', readOnly: ['id'] });
    const body = onlyOne(items, 'default rules');
    const made = await defaultGroupRules.create(gateway.context(request), {
      direction: body.direction,
      ...definedOf({
        ethertype: body.ethertype,
        protocol: body.protocol === null || body.protocol === undefined ? undefined : String(body.protocol),
        portMin: body.port_range_min ?? undefined,
        portMax: body.port_range_max ?? undefined,
        remotePrefix: body.remote_ip_prefix ?? undefined,
        remoteGroupId: body.remote_group_id ?? undefined,
        description: body.description,
        inDefault: body.used_in_default_sg,
        inOthers: body.used_in_non_default_sg,
      }),
    });
    return reply.code(201).send({ [key]: viewOf(made) });
  });
  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    await defaultGroupRules.delete(gateway.context(request), request.params.id);
    return reply.code(204).send();
  });
}

/** Null stands for "any". */
function viewOf({ rule, inDefault, inOthers }: Template): View {
  return {
    id: rule.id,
    direction: rule.direction,
    ethertype: rule.ethertype,
    protocol: rule.protocol === '' ? null : rule.protocol,
    port_range_min: rule.portMin < 0 ? null : rule.portMin,
    port_range_max: rule.portMax < 0 ? null : rule.portMax,
    remote_ip_prefix: rule.remotePrefix === '' ? null : rule.remotePrefix,
    remote_group_id: rule.remoteGroupId === '' ? null : rule.remoteGroupId,
    remote_address_group_id: null,
    description: rule.description,
    used_in_default_sg: inDefault,
    used_in_non_default_sg: inOthers,
  };
}
