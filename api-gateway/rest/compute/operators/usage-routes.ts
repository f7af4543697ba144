/** `/os-simple-tenant-usage`: what projects have used in a time, by the servers that are there. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import { vmState } from '../../../../node/services/compute/machine/vm-state.ts';
import { indexKey } from '../../../../node/state/table.ts';
import { serverTable } from '../../../../node/state/tables/index.ts';
import type { shoal } from '../../../../proto/messages.ts';
import { shown } from '../../../kit/input.ts';
import { readInstant } from '../../kit/lists/instant.ts';
import { cutPage, type Page, pathWith, placeOf } from '../../kit/lists/page.ts';
import { Query } from '../../kit/lists/query.ts';
import type { Gateway } from '../../kit/module.ts';
import { plainTimeText, type View, viewingOf } from '../kit/common.ts';
import { microversionOf } from '../kit/microversion.ts';

type Server = shoal.v1.Server;
/** From `startMs` to before `stopMs`, wall clock. */
interface Period {
  readonly startMs: number;
  readonly stopMs: number;
}

const path = '/v2.1/os-simple-tenant-usage';
/** From then on usage comes in pages of so many servers, of all projects together. */
const pagedFrom = 40;
const hourMs = 3_600_000;

/**
 * Adds the usage of all projects, for administrators, and of one. Only servers that are there count: those that are gone are not
 * kept, and who bills by the hour asks often enough, or listens to notifications.
 */
export function addUsage(app: FastifyInstance, gateway: Gateway): void {
  app.get(path, async (request) => {
    const { reader } = await viewingOf(gateway, request);
    const period = periodOf(request, gateway.clock.nowMs());
    const isDetailed = Query.of(request).one('detailed') === '1';
    const servers = serverTable.list(reader).map(({ record }) => record);
    const page = pageOf(gateway, request, used(servers, period));
    const byProject = Map.groupBy(page.items, ({ projectId }) => projectId);
    const usages = [...byProject].map(([id, own]) => projectView(id, own, period, gateway.clock.nowMs(), isDetailed));
    return { tenant_usages: usages, ...linksOf(gateway, request, 'tenant_usages_links', page) };
  });
  app.get<{ Params: { project: string } }>(`${path}/:project`, async (request) => {
    const { project } = request.params;
    gateway.enforce(request, 'os_compute_api:os-simple-tenant-usage:show', { project_id: project });
    const { reader } = await viewingOf(gateway, request);
    const period = periodOf(request, gateway.clock.nowMs());
    const servers = serverTable.by(reader, 'project', indexKey(project)).map(({ record }) => record);
    const page = pageOf(gateway, request, used(servers, period));
    const usage = page.items.length === 0 ? {} : projectView(project, page.items, period, gateway.clock.nowMs(), true);
    return { tenant_usage: usage, ...linksOf(gateway, request, 'tenant_usage_links', page) };
  });
}

/** `start` and `end` of the query, each now when it is not there; a time to come is now. Throws `INVALID_ARGUMENT`. */
function periodOf(request: FastifyRequest, nowMs: number): Period {
  const at = (key: string): number => {
    const text = Query.of(request).one(key);
    if (text === undefined || text === '') return nowMs;
    const ms = /[zZ+]/.test(text) ? undefined : readInstant(text);
    if (ms === undefined || text.length < 'YYYY-MM-DDTHH:MM:SS'.length) {
      throw new ShoalError('INVALID_ARGUMENT', `Datetime is in invalid format: ${shown(text)}`);
    }
    return ms;
  };
  const [startMs, stopMs] = [at('start'), at('end')];
  if (startMs < stopMs) return { startMs, stopMs: Math.min(stopMs, nowMs) };
  throw new ShoalError('INVALID_ARGUMENT', 'Invalid start time. The start time cannot occur after the end time.');
}

/** Servers that had started before the period's end, the oldest first. */
function used(servers: readonly Server[], { stopMs }: Period): readonly Server[] {
  return servers
    .filter(({ launchedMs }) => launchedMs !== 0 && launchedMs < stopMs)
    .toSorted((a, b) => a.createdMs - b.createdMs || (a.id < b.id ? -1 : 1));
}

function pageOf(gateway: Gateway, request: FastifyRequest, servers: readonly Server[]): Page<Server> {
  const { pageItemsMax } = gateway.limits;
  if (microversionOf(request) < pagedFrom) return cutPage(servers, { at: 0, limit: servers.length });
  const query = Query.of(request);
  const limit = Math.min(query.number('limit') ?? pageItemsMax, pageItemsMax);
  const marker = query.one('marker');
  if (marker === undefined) return cutPage(servers, { at: 0, limit });
  const missing = (): Error => new ShoalError('INVALID_ARGUMENT', `Marker ${shown(marker)} could not be found.`);
  return cutPage(servers, { at: placeOf(servers, ({ id }) => id, marker, missing) + 1, limit });
}

function linksOf(gateway: Gateway, request: FastifyRequest, key: string, { items, hasNext }: Page<Server>): View {
  const last = items.at(-1)?.id;
  if (!hasNext || last === undefined) return {};
  return { [key]: [{ rel: 'next', href: `${gateway.baseUrl(request)}${pathWith(request, { marker: last })}` }] };
}

function projectView(
  projectId: string,
  servers: readonly Server[],
  period: Period,
  nowMs: number,
  isDetailed: boolean,
): View {
  const views = servers.map((server) => serverView(server, period, nowMs));
  const sum = (of: (view: (typeof views)[number]) => number): number => views.reduce((all, view) => all + of(view), 0);
  return {
    tenant_id: projectId,
    ...(isDetailed ? { server_usages: views } : {}),
    total_local_gb_usage: sum(({ local_gb, hours }) => local_gb * hours),
    total_vcpus_usage: sum(({ vcpus, hours }) => vcpus * hours),
    total_memory_mb_usage: sum(({ memory_mb, hours }) => memory_mb * hours),
    total_hours: sum(({ hours }) => hours),
    start: plainTimeText(period.startMs),
    stop: plainTimeText(period.stopMs),
  };
}

function serverView(server: Server, { startMs, stopMs }: Period, nowMs: number) {
  const { flavor, launchedMs } = server;
  return {
    hours: Math.max(0, stopMs - Math.max(startMs, launchedMs)) / hourMs,
    flavor: flavor?.name ?? '',
    instance_id: server.id,
    name: server.name,
    tenant_id: server.projectId,
    memory_mb: flavor?.memoryMib ?? 0,
    local_gb: (flavor?.diskGib ?? 0) + (flavor?.ephemeralGib ?? 0),
    vcpus: flavor?.vcpus ?? 0,
    started_at: plainTimeText(launchedMs),
    ended_at: null,
    state: vmState(server),
    uptime: Math.max(0, Math.floor((nowMs - launchedMs) / 1000)),
  };
}
