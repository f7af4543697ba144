/** What operators ask: extensions, quotas, agents, zones, how full the pools are. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { definedOf } from '../../../node/base/defined-of.ts';
import type { Hosts, HostView } from '../../../node/services/compute/hosts.ts';
import { refuse } from '../../../node/services/kit/network-refusals.ts';
import { canSeeNetwork } from '../../../node/services/kit/ownership.ts';
import { defaultLimits, type QuotaResource, type QuotaService } from '../../../node/services/kit/quota.ts';
import { parsePrefix, rangeSize } from '../../../node/services/network/kit/address.ts';
import { poolRanges } from '../../../node/services/network/kit/allocation.ts';
import { indexKey } from '../../../node/state/table.ts';
import { networkTable, portTable, quotaTable, subnetTable } from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { Gateway } from '../kit/module.ts';
import { quotaPatch } from '../schemas/network.ts';
import { readResources } from './attributes.ts';
import { viewingOf } from './collection.ts';
import { extensions } from './extensions.ts';
import * as filters from './filters.ts';
import { addNetworkList, showAnswer, type View } from './listing.ts';
import { resourceBody } from './resource-body.ts';
import { timeText } from './views.ts';

/** What Neutron's quotas speak of. */
const quotaNames = [
  'network',
  'subnet',
  'subnetpool',
  'port',
  'router',
  'floatingip',
  'security_group',
  'security_group_rule',
  'rbac_policy',
  'address_group',
] as const satisfies readonly QuotaResource[];

type ByAlias = { Params: { alias: string } };
type ByProject = { Params: { project: string } };
type ById = { Params: { id: string } };

/** Adds `/extensions`, by which clients know what is served, and an empty `/service-providers`. */
export function addExtensions(app: FastifyInstance, gateway: Gateway): void {
  const view = (alias: string, name: string): View => ({
    alias,
    name,
    description: name,
    updated: '2024-01-01T00:00:00-00:00',
    links: [],
  });
  addNetworkList(app, gateway, {
    path: '/v2.0/extensions',
    key: 'extensions',
    known: filters.extensionKeys,
    isStateless: true,
    views: () => [...extensions].map(([alias, name]) => ({ id: alias, ...view(alias, name) })),
  });
  app.get<ByAlias>('/v2.0/extensions/:alias', async (request) => {
    const { alias } = request.params;
    const name = extensions.get(alias);
    if (name === undefined) {
      throw refuse('NOT_FOUND', 'HTTPNotFound', `Extension with alias ${alias} does not exist`);
    }
    return { extension: view(alias, name) };
  });
  app.get('/v2.0/service-providers', async () => ({ service_providers: [] }));
}

/**
 * Adds `/quotas`. Limits are counts, -1 for none; a limit below the use is refused unless `force` is set, with
 * `check_limit` or without.
 */
export function addQuotas(app: FastifyInstance, gateway: Gateway, quotas: QuotaService): void {
  const limitsOf = async (request: FastifyRequest, project: string): Promise<View> => {
    const { context, reader } = await viewingOf(gateway, request);
    const { limits } = quotas.show(context, reader, project);
    return Object.fromEntries(quotaNames.map((name) => [name, limits[name]]));
  };

  addNetworkList(app, gateway, {
    path: '/v2.0/quotas',
    key: 'quotas',
    known: filters.quotaKeys,
    views: ({ reader }) =>
      quotaTable.list(reader).map(({ record }) => ({
        id: record.id,
        tenant_id: record.id,
        project_id: record.id,
        ...Object.fromEntries(quotaNames.map((name) => [name, record.limits[name] ?? defaultLimits[name]])),
      })),
  });
  app.get('/v2.0/quotas/tenant', async (request) => {
    const { projectId } = gateway.context(request);
    return { tenant: { tenant_id: projectId } };
  });
  app.get('/v2.0/quotas/project', async (request) => {
    const { projectId } = gateway.context(request);
    return { project: { project_id: projectId } };
  });
  app.get<ByProject>('/v2.0/quotas/:project', async (request) => ({
    quota: await limitsOf(request, request.params.project),
  }));
  app.get<ByProject>('/v2.0/quotas/:project/default', async () => ({
    quota: Object.fromEntries(quotaNames.map((name) => [name, defaultLimits[name]])),
  }));
  for (const path of ['/v2.0/quotas/:project/details', '/v2.0/quotas/:project/details.json']) {
    app.get<ByProject>(path, async (request) => {
      const { context, reader } = await viewingOf(gateway, request);
      const { limits, used } = quotas.show(context, reader, request.params.project);
      const details = quotaNames.map((name) => [name, { limit: limits[name], used: used[name], reserved: 0 }]);
      return { quota: Object.fromEntries(details) };
    });
  }
  app.put<ByProject>(
    '/v2.0/quotas/:project',
    { config: { body: resourceBody('quota', quotaPatch) } },
    async (request) => {
      const context = gateway.context(request);
      const { items } = readResources(request.body, { key: 'quota', schema: quotaPatch, verb: 'PUT', readOnly: [] });
      const { force, check_limit: _isAlwaysChecked, ...limits } = items[0] ?? {};
      await quotas.set(context, request.params.project, definedOf(limits), { force: force === true });
      return { quota: await limitsOf(request, request.params.project) };
    },
  );
  app.delete<ByProject>('/v2.0/quotas/:project', async (request, reply) => {
    await quotas.reset(gateway.context(request), request.params.project);
    return reply.code(204).send();
  });
}

/** Each host's agent does the work of all of Neutron's. */
export function addAgents(app: FastifyInstance, gateway: Gateway, hosts: Hosts): void {
  addNetworkList(app, gateway, {
    path: '/v2.0/agents',
    key: 'agents',
    known: filters.agentKeys,
    // As in Neutron, others see an empty list: what may not be seen is not there.
    views: ({ reader, allows }) => (allows('get_agent') ? hosts.list(reader).map((view) => agentView(view)) : []),
  });
  app.get<ById>('/v2.0/agents/:id', async (request) => {
    const { reader } = await viewingOf(gateway, request);
    const found = gateway.allows(request, 'get_agent')
      ? hosts.list(reader).find((view) => view.host.id === request.params.id)
      : undefined;
    if (found === undefined) {
      throw refuse('NOT_FOUND', 'AgentNotFound', `Agent ${request.params.id} could not be found`);
    }
    return showAnswer(request, 'agent', agentView(found));
  });
  addNetworkList(app, gateway, {
    path: '/v2.0/availability_zones',
    key: 'availability_zones',
    known: filters.zoneKeys,
    views: ({ reader }) =>
      [...hosts.zones(reader)].flatMap(([name, members]) =>
        ['network', 'router'].map((resource) => ({
          name,
          resource,
          state: members.some((view) => view.isUp && !view.host.disabled) ? 'available' : 'unavailable',
        })),
      ),
  });
}

function agentView({ host, advert, lastSeenMs, isUp, zone }: HostView): View {
  return {
    id: host.id,
    agent_type: 'Shoal agent',
    binary: 'shoal',
    host: host.name,
    topic: 'N/A',
    alive: isUp,
    admin_state_up: !host.disabled,
    availability_zone: zone,
    configurations: { tunnel_types: ['vxlan'], tunneling_ip: host.vtepIp },
    description: null,
    created_at: timeText(host.joinedMs),
    started_at: advert === undefined ? null : timeText(advert.epoch),
    heartbeat_timestamp: advert === undefined ? null : timeText(lastSeenMs),
  };
}

/**
 * Adds `/network-ip-availabilities`, for administrators: of each subnet's allocation pools, how many addresses there
 * are and how many its ports have.
 */
export function addIpAvailabilities(app: FastifyInstance, gateway: Gateway): void {
  addNetworkList(app, gateway, {
    path: '/v2.0/network-ip-availabilities',
    key: 'network_ip_availabilities',
    known: filters.availabilityKeys,
    views: ({ context, reader, query }) => {
      const versions = query.all('ip_version');
      return networkTable
        .list(reader)
        .map((row) => row.record)
        .filter((network) => canSeeNetwork(context, reader, network))
        .map((network) => availabilityView(reader, network, versions))
        .filter((view) => versions.length === 0 || view.subnet_ip_availability.length > 0);
    },
  });
  app.get<ById>('/v2.0/network-ip-availabilities/:id', async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const row = networkTable.get(reader, request.params.id);
    if (row === undefined || !canSeeNetwork(context, reader, row.record)) {
      throw refuse('NOT_FOUND', 'NetworkNotFound', `Network ${request.params.id} could not be found.`);
    }
    return { network_ip_availability: availabilityView(reader, row.record) };
  });
}

/** @param versions Of the subnets that count; empty: all. */
function availabilityView(reader: StateReader, network: shoal.v1.Network, versions: readonly string[] = []) {
  const ports = portTable.by(reader, 'network', indexKey(network.id)).map((row) => row.record);
  const records = subnetTable
    .by(reader, 'network', indexKey(network.id))
    .map((row) => row.record)
    .filter(({ cidr }) => versions.length === 0 || versions.includes(String(parsePrefix(cidr)?.family ?? 4)));
  const subnets = records.map((subnet) => ({
    subnet_id: subnet.id,
    subnet_name: subnet.name,
    cidr: subnet.cidr,
    ip_version: parsePrefix(subnet.cidr)?.family ?? 4,
    total_ips: Number(poolRanges(subnet).reduce((sum, range) => sum + rangeSize(range), 0n)),
    used_ips: ports.reduce(
      (sum, port) => sum + port.fixedIps.filter((fixed) => fixed.subnetId === subnet.id).length,
      0,
    ),
  }));
  return {
    network_id: network.id,
    network_name: network.name,
    tenant_id: network.projectId,
    project_id: network.projectId,
    total_ips: subnets.reduce((sum, subnet) => sum + subnet.total_ips, 0),
    used_ips: subnets.reduce((sum, subnet) => sum + subnet.used_ips, 0),
    subnet_ip_availability: subnets,
  };
}
