import type { FastifyInstance } from 'fastify';
import type { IdentityDirectory } from '../../../node/services/identity/directory.ts';
import { domainTable } from '../../../node/state/tables/index.ts';
import { change } from '../kit/lists/collection.ts';
import type { Gateway } from '../kit/module.ts';
import { createDomainBody, updateDomainBody } from '../schemas/identity.ts';
import { extrasOf } from './extras.ts';
import { domainFilters } from './filters.ts';
import { addIdentityCollection, rootOf } from './lists.ts';
import { domainView } from './views.ts';

/** `/v3/domains`. */
export function addDomainRoutes(app: FastifyInstance, gateway: Gateway, directory: IdentityDirectory): void {
  addIdentityCollection(app, gateway, {
    path: '/v3/domains',
    key: 'domains',
    one: 'domain',
    table: domainTable,
    filters: domainFilters,
    view: (domain, shown) => domainView(rootOf(shown), domain),
    create: change(createDomainBody, async ({ domain }, { context }) => {
      return directory.createDomain(context, {
        name: domain.name,
        description: domain.description ?? '',
        enabled: domain.enabled ?? true,
        extras: extrasOf(createDomainBody.properties.domain, domain),
      });
    }),
    update: change(updateDomainBody, async ({ domain }, { context, id }) => {
      const { name, description, enabled } = domain;
      return directory.updateDomain(context, id, {
        ...(name === undefined ? {} : { name }),
        ...(description === undefined ? {} : { description: description ?? '' }),
        ...(enabled === undefined ? {} : { enabled }),
        extras: extrasOf(updateDomainBody.properties.domain, domain, id),
      });
    }),
    delete: async ({ context, id }) => {
      await directory.deleteDomain(context, id);
    },
  });
}
