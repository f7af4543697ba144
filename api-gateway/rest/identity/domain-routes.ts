import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IdentityDirectory } from '../../../node/services/identity/directory.ts';
import { domainTable } from '../../../node/state/tables/index.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import { createDomainBody, updateDomainBody } from '../schemas/identity.ts';
import { extrasOf } from './extras.ts';
import { domainFilters } from './filters.ts';
import { addIdentityList, rootOf } from './lists.ts';
import { domainView } from './views.ts';

type ById = { Params: { id: string } };

/** `/v3/domains`. */
export function addDomainRoutes(app: FastifyInstance, gateway: Gateway, directory: IdentityDirectory): void {
  const root = (request: FastifyRequest): string => `${gateway.baseUrl(request)}/identity`;

  addIdentityList(app, gateway, {
    path: '/v3/domains',
    key: 'domains',
    items: ({ reader }) => domainTable.list(reader).map((row) => row.record),
    filters: domainFilters,
    view: (domain, listing) => domainView(rootOf(listing), domain),
  });

  app.get<ById>('/v3/domains/:id', async (request) => {
    const { id } = request.params;
    return { domain: domainView(root(request), domainTable.must(await gateway.readState(request), id).record) };
  });

  app.post('/v3/domains', async (request, reply) => {
    const { domain } = parse(createDomainBody, request.body);
    const made = await directory.createDomain(gateway.context(request), {
      name: domain.name,
      description: domain.description ?? '',
      enabled: domain.enabled ?? true,
      extras: extrasOf(createDomainBody.properties.domain, domain),
    });
    return reply.code(201).send({ domain: domainView(root(request), made) });
  });

  app.patch<ById>('/v3/domains/:id', async (request) => {
    const { domain } = parse(updateDomainBody, request.body);
    const { name, description, enabled } = domain;
    const changed = await directory.updateDomain(gateway.context(request), request.params.id, {
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description: description ?? '' }),
      ...(enabled === undefined ? {} : { enabled }),
      extras: extrasOf(updateDomainBody.properties.domain, domain, request.params.id),
    });
    return { domain: domainView(root(request), changed) };
  });

  app.delete<ById>('/v3/domains/:id', async (request, reply) => {
    await directory.deleteDomain(gateway.context(request), request.params.id);
    return reply.code(204).send();
  });
}
