import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { Gateway } from '../module.ts';
import { type Catalog, serviceId } from './catalog.ts';
import { listAnswer, queryOf } from './lists.ts';

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

  app.get('/v3/services', async (request) => {
    const { type, name } = queryOf(request);
    const found = services(request)
      .filter((service) => type === undefined || service.type === type)
      .filter((service) => name === undefined || service.name === name);
    return listAnswer(gateway, request, 'services', found);
  });

  app.get('/v3/endpoints', async (request) => {
    const query = queryOf(request);
    const found = endpoints(request)
      .filter((endpoint) => query['service_id'] === undefined || endpoint.service_id === query['service_id'])
      .filter((endpoint) => query['interface'] === undefined || endpoint.interface === query['interface'])
      .filter((endpoint) => query['region_id'] === undefined || endpoint.region_id === query['region_id']);
    return listAnswer(gateway, request, 'endpoints', found);
  });

  app.get('/v3/regions', async (request) => {
    return listAnswer(gateway, request, 'regions', regions(request));
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
