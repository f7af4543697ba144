/**
 * Nova's old way to the network service's security groups, up to 2.35: `openstack server add security group` and several
 * other clients still find groups by it.
 */

import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { isAdministrator } from '../../../node/services/kit/permissions.ts';
import type { NetworkService } from '../../../node/services/network/index.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/compute.ts';
import { readFlag, viewingOf } from './kit/common.ts';
import { addNovaList } from './kit/lists.ts';
import { lastOfProxies, requireMicroversion } from './kit/microversion.ts';
import { securityGroupView } from './kit/security-group-view.ts';

type ById = { Params: { id: string } };

/**
 * Adds `/os-security-groups`. A list makes the project's default group first, if it can be
 * written now. Microversions from 2.36 on get 404, as
 * from Nova.
 */
export function addSecurityGroups(app: FastifyInstance, gateway: Gateway, { securityGroups }: NetworkService): void {
  const path = '/v2.1/os-security-groups';

  addNovaList(app, gateway, {
    path,
    key: 'security_groups',
    microversions: lastOfProxies,
    paging: 'offset',
    items: async ({ context, reader, query, request }) => {
      const err = gateway.isStale(request) ? undefined : await securityGroups.offerDefault(context);
      if (err !== undefined) gateway.logger.debug({ err }, 'the default security group could not be created');
      const isAll = isAdministrator(context) && readFlag(query.one('all_tenants') ?? 'false') === true;
      return securityGroups.list(context, reader).filter((group) => isAll || group.projectId === context.projectId);
    },
    idOf: (group) => group.id,
    view: (group, { reader }) => securityGroupView(reader, group),
  });
  app.get<ById>(`${path}/:id`, async (request) => {
    requireMicroversion(request, lastOfProxies);
    const { context, reader } = await viewingOf(gateway, request);
    return { security_group: securityGroupView(reader, securityGroups.show(context, reader, request.params.id)) };
  });
  app.post(path, { config: { body: schemas.securityGroupBody } }, async (request) => {
    requireMicroversion(request, lastOfProxies);
    const { name, description } = parse(schemas.securityGroupBody, request.body).security_group;
    const group = await securityGroups.create(gateway.context(request), {
      name: nameOf(name),
      description: description ?? '',
    });
    return { security_group: securityGroupView(await gateway.readState(request), group) };
  });
  app.put<ById>(`${path}/:id`, { config: { body: schemas.securityGroupBody } }, async (request) => {
    requireMicroversion(request, lastOfProxies);
    const { name, description } = parse(schemas.securityGroupBody, request.body).security_group;
    const group = await securityGroups.update(gateway.context(request), request.params.id, {
      name: nameOf(name),
      ...(description == null ? {} : { description }),
    });
    return { security_group: securityGroupView(await gateway.readState(request), group) };
  });
  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    requireMicroversion(request, lastOfProxies);
    try {
      await securityGroups.delete(gateway.context(request), request.params.id);
    } catch (caught) {
      // Nova calls a group in use a bad request.
      if (ShoalError.is(caught, 'CONFLICT'))
        throw new ShoalError('INVALID_ARGUMENT', caught.message, { cause: caught });
      throw caught;
    }
    return reply.code(202).send();
  });
}

/** As it is given, blanks around it too. Throws `INVALID_ARGUMENT` for blanks alone: the group could not be told from others. */
function nameOf(text: string): string {
  if (text.trim() === '') throw new ShoalError('INVALID_ARGUMENT', 'Security group name cannot be empty.');
  return text;
}
