/** What the service consists of: extensions, zones, the filters of its lists, and clusters, of which there are none. */
import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { ownValue } from '../../../node/base/own-value.ts';
import type { HostView } from '../../../node/services/compute/hosts.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import { Query } from '../kit/lists/query.ts';
import type { Gateway } from '../kit/module.ts';
import { extensionAliases, extensionView } from './extensions.ts';
import { addCinderList } from './kit/lists.ts';
import { requireMicroversion } from './kit/microversion.ts';
import { resourceFilters } from './resource-filters.ts';

/** Adds what describes the service. */
export function addDescriptions(
  app: FastifyInstance,
  gateway: Gateway,
  { hosts }: Pick<ComputeService, 'hosts'>,
): void {
  app.get('/v3/extensions', async () => ({ extensions: extensionAliases.map(extensionView) }));
  app.get<{ Params: { alias: string } }>('/v3/extensions/:alias', async (request) => {
    const alias = extensionAliases.find((name) => name === request.params.alias);
    if (alias === undefined) throw new ShoalError('NOT_FOUND', 'The resource could not be found.');
    return { extension: extensionView(alias) };
  });
  addCinderList<[string, readonly HostView[]]>(app, gateway, {
    path: '/v3/os-availability-zone',
    key: 'availabilityZoneInfo',
    isWhole: true,
    items: ({ reader }) => [...hosts.zones(reader)],
    idOf: ([zone]) => zone,
    // Cinder tells whether a zone takes volumes, and nothing of its hosts.
    view: ([zoneName, views]) => ({
      zoneName,
      zoneState: { available: views.some(({ isUp, host }) => isUp && !host.disabled) },
    }),
  });
  app.get('/v3/resource_filters', async (request) => {
    requireMicroversion(request, { from: 33 });
    const wanted = Query.of(request).one('resource');
    const names = Object.keys(resourceFilters).filter((name) => wanted === undefined || name === wanted);
    return { resource_filters: names.map((resource) => ({ resource, filters: ownValue(resourceFilters, resource) })) };
  });
  addCinderList<never>(app, gateway, {
    path: '/v3/clusters',
    key: 'clusters',
    from: 7,
    isWhole: true,
    items: () => [],
    filters: () => clusterFilters,
    idOf: () => '',
    view: () => ({}),
  });
  addCinderList<never>(app, gateway, {
    path: '/v3/clusters/detail',
    key: 'clusters',
    from: 7,
    isWhole: true,
    items: () => [],
    filters: () => clusterFilters,
    idOf: () => '',
    view: () => ({}),
  });
  app.get<{ Params: { id: string } }>('/v3/clusters/:id', async (request) => {
    requireMicroversion(request, { from: 7 });
    throw new ShoalError('NOT_FOUND', `Cluster ${request.params.id.slice(0, 255)} could not be found.`);
  });
  // Each agent takes up by itself what it left unfinished: nothing is there to be asked for.
  app.post('/v3/workers/cleanup', async (request, reply) => {
    requireMicroversion(request, { from: 24 });
    return reply.code(202).send({ cleaning: [], unavailable: [] });
  });
}

const all = () => () => true;
/** Of none, so that what they choose makes no difference; they are known all the same. */
const clusterFilters = {
  name: all,
  binary: all,
  is_up: all,
  disabled: all,
  num_hosts: all,
  num_down_hosts: all,
  replication_status: all,
  frozen: all,
  active_backend_id: all,
} as const;
