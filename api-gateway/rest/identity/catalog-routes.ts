import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { Gateway } from '../kit/module.ts';
import { type Catalog, type CatalogService, serviceId } from './catalog.ts';
import { compared, exact, type Filters, nobody } from './filters.ts';
import { addIdentityList } from './lists.ts';

/** The filters of `GET /v3/services`: `name` and `type`, also by Keystone's comparisons (`name__contains`). */
export const serviceFilters: Filters<Pick<CatalogService, 'name' | 'type'>> = {
  ...compared('name', (service) => service.name),
  ...compared('type', (service) => service.type),
};

/** The filters of `GET /v3/endpoints`: equal text only. `interface` is `public`, `internal` or `admin`. */
export const endpointFilters: Filters<ReturnType<Catalog['endpoints']>[number]> = {
  service_id: exact((endpoint) => endpoint.service_id),
  interface: exact((endpoint) => endpoint.interface),
  region_id: exact((endpoint) => endpoint.region_id),
};

/** No region lies in another. */
export const regionFilters: Filters<unknown> = { parent_region_id: nobody };

type ById = { Params: { id: string } };

/** `/v3/services`, `/v3/endpoints`, `/v3/regions`: to look at. They follow from what is served and are not to be edited. */
export function addCatalogRoutes(app: FastifyInstance, gateway: Gateway, catalog: Catalog): void {
  const root = (request: FastifyRequest): string => `${gateway.baseUrl(request)}/identity`;
  const services = (request: FastifyRequest) =>
    catalog.services.map((service) => ({
      id: serviceId(service),
      type: service.type,
      name: service.name,
      enabled: true,
      description: '',
      links: { self: `${root(request)}/v3/services/${serviceId(service)}` },
    }));
  const endpoints = (request: FastifyRequest) =>
    catalog.endpoints(gateway.baseUrl(request)).map((endpoint) => ({
      ...endpoint,
      links: { self: `${root(request)}/v3/endpoints/${endpoint.id}` },
    }));
  const regions = (request: FastifyRequest) => [
    {
      id: catalog.region,
      description: '',
      parent_region_id: null,
      links: { self: `${root(request)}/v3/regions/${catalog.region}` },
    },
  ];

  addIdentityList<ReturnType<typeof services>[number]>(app, gateway, {
    path: '/v3/services',
    key: 'services',
    isStateless: true,
    items: ({ request }) => services(request),
    filters: serviceFilters,
    view: (service) => service,
  });

  addIdentityList(app, gateway, {
    path: '/v3/endpoints',
    key: 'endpoints',
    isStateless: true,
    items: ({ request }) => endpoints(request),
    filters: endpointFilters,
    view: (endpoint) => endpoint,
  });

  addIdentityList(app, gateway, {
    path: '/v3/regions',
    key: 'regions',
    isStateless: true,
    items: ({ request }) => regions(request),
    filters: regionFilters,
    view: (region) => region,
  });

  app.get<ById>('/v3/services/:id', async (request) => ({
    service: byId(services(request), request.params.id, 'service'),
  }));
  app.get<ById>('/v3/endpoints/:id', async (request) => ({
    endpoint: byId(endpoints(request), request.params.id, 'endpoint'),
  }));
  app.get<ById>('/v3/regions/:id', async (request) => ({
    region: byId(regions(request), request.params.id, 'region'),
  }));
}

function byId<T extends { readonly id: string }>(items: readonly T[], id: string, what: string): T {
  const found = items.find((item) => item.id === id);
  if (found === undefined) throw new ShoalError('NOT_FOUND', `Could not find ${what}: ${id}.`);
  return found;
}
