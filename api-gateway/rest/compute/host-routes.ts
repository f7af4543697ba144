/** Hosts as Nova's operators know them: hypervisors, hosts, services, zones. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { ownValue } from '../../../node/base/own-value.ts';
import type { HostView } from '../../../node/services/compute/hosts.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { shown } from '../../kit/input.ts';
import { once } from '../kit/lists/filter.ts';
import { Query } from '../kit/lists/query.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/compute.ts';
import { plainTimeText, readFlag, type View, viewingOf } from './kit/common.ts';
import { addNovaList, single } from './kit/lists.ts';
import { type Microversion, microversionOf, requireMicroversion } from './kit/microversion.ts';

type ById = { Params: { id: string } };

/** The one service that runs on each host; Nova's tools look for this name. */
const computeBinary = 'nova-compute';

/**
 * Adds `/os-hypervisors`, for administrators. Until 2.52 `:id` is the host's Raft number, from 2.53 on its UUID.
 */
export function addHypervisors(app: FastifyInstance, gateway: Gateway, { hosts }: ComputeService): void {
  const all = async (request: FastifyRequest): Promise<readonly HostView[]> => {
    const { reader } = await viewingOf(gateway, request);
    return hosts.list(reader);
  };
  const one = async (request: FastifyRequest<ById>): Promise<HostView> => {
    const { id } = request.params;
    const microversion = microversionOf(request);
    const found = (await all(request)).find((view) => idOf(view.host, microversion) === id);
    if (found === undefined) throw new ShoalError('NOT_FOUND', `Hypervisor with ID '${id}' could not be found.`);
    return found;
  };
  const list = (path: string, isDetailed: boolean): void =>
    addNovaList(app, gateway, {
      path,
      key: 'hypervisors',
      paging: 'marker',
      pagedFrom: 33,
      items: ({ reader, query, request }) => {
        const pattern = microversionOf(request) >= 53 ? query.one('hypervisor_hostname_pattern') : undefined;
        return pattern === undefined ? hosts.list(reader) : byPattern(hosts.list(reader), pattern);
      },
      idOf: (view, { request }) => idOf(view.host, microversionOf(request)),
      view: (view, { request }) => {
        const microversion = microversionOf(request);
        return {
          ...(isDetailed ? hypervisorView(view, microversion, gateway.clock.nowMs()) : briefView(view, microversion)),
          ...(wantsServers(request) ? serversView(view, microversion) : {}),
        };
      },
    });

  list('/v2.1/os-hypervisors', false);
  list('/v2.1/os-hypervisors/detail', true);
  app.get('/v2.1/os-hypervisors/statistics', async (request) => {
    requireMicroversion(request, { to: 87 });
    return { hypervisor_statistics: statisticsView(await all(request)) };
  });
  app.get<ById>('/v2.1/os-hypervisors/:id', async (request) => {
    const view = await one(request);
    const microversion = microversionOf(request);
    return {
      hypervisor: {
        ...hypervisorView(view, microversion, gateway.clock.nowMs()),
        ...(wantsServers(request) ? serversView(view, microversion) : {}),
      },
    };
  });
  app.get<ById>('/v2.1/os-hypervisors/:id/uptime', async (request) => {
    requireMicroversion(request, { to: 87 });
    const view = await one(request);
    const uptime = uptimeText(view, gateway.clock.nowMs());
    // Nova has to ask the host, and says so when it cannot.
    if (uptime === null) {
      throw new ShoalError('INVALID_ARGUMENT', `Compute service of ${view.host.name} is unavailable at this time.`);
    }
    return { hypervisor: { ...briefView(view, microversionOf(request)), uptime } };
  });
  app.get<ById>('/v2.1/os-hypervisors/:id/search', async (request) => {
    requireMicroversion(request, { to: 52 });
    const found = byPattern(await all(request), request.params.id);
    return { hypervisors: found.map((view) => briefView(view, microversionOf(request))) };
  });
  app.get<ById>('/v2.1/os-hypervisors/:id/servers', async (request) => {
    requireMicroversion(request, { to: 52 });
    const found = byPattern(await all(request), request.params.id);
    return {
      hypervisors: found.map((view) => ({
        ...briefView(view, microversionOf(request)),
        ...serversView(view, microversionOf(request)),
      })),
    };
  });
}

/** Whether the servers of each hypervisor are asked for. Throws `INVALID_ARGUMENT` for what is no flag. */
function wantsServers(request: FastifyRequest): boolean {
  const text = Query.of(request).one('with_servers');
  if (microversionOf(request) < 53 || text === undefined) return false;
  const flag = readFlag(text);
  if (flag === undefined) throw new ShoalError('INVALID_ARGUMENT', 'with_servers is true or false.');
  return flag;
}

function byPattern(views: readonly HostView[], pattern: string): readonly HostView[] {
  const found = views.filter((view) => view.host.name.includes(pattern));
  if (found.length === 0)
    throw new ShoalError('NOT_FOUND', `No hypervisor matching '${shown(pattern)}' could be found.`);
  return found;
}

/** A number until 2.52, the host's identity from 2.53 on. */
function idOf(host: shoal.v1.Host, microversion: Microversion): string {
  return microversion >= 53 ? host.id : String(host.raftId);
}

function typedId(host: shoal.v1.Host, microversion: Microversion): string | number {
  return microversion >= 53 ? host.id : host.raftId;
}

function briefView({ host, isUp }: HostView, microversion: Microversion): View {
  return {
    id: typedId(host, microversion),
    hypervisor_hostname: host.name,
    state: isUp ? 'up' : 'down',
    status: host.disabled ? 'disabled' : 'enabled',
  };
}

/** None are left out before 2.75. */
function serversView(view: HostView, microversion: Microversion): View {
  if (view.servers.length === 0 && microversion < 75) return {};
  return { servers: view.servers.map((server) => ({ uuid: server.id, name: server.name })) };
}

/** What a host has. Without an advert nothing is known, and zeros say so as well as Nova's integers can. */
function amountsOf({ advert, servers }: HostView) {
  const memory = advert?.memoryMib ?? 0;
  const memoryUsed = (advert?.memoryMibUsed ?? 0) + (advert?.memoryMibReserved ?? 0);
  const disk = advert?.diskGib ?? 0;
  const diskUsed = (advert?.diskGibUsed ?? 0) + (advert?.diskGibReserved ?? 0);
  return {
    vcpus: advert?.vcpus ?? 0,
    vcpus_used: advert?.vcpusUsed ?? 0,
    memory_mb: memory,
    memory_mb_used: memoryUsed,
    free_ram_mb: memory - memoryUsed,
    local_gb: disk,
    local_gb_used: diskUsed,
    free_disk_gb: disk - diskUsed,
    disk_available_least: disk - diskUsed,
    running_vms: servers.filter((server) => server.powerState === 1).length,
    current_workload: servers.filter((server) => server.taskState !== '').length,
  };
}

/**
 * How long a host has been up, as `uptime` prints it: time of day, days and hours, users (of which nothing is told: 0), load of
 * the last minute. Null: it is down, or of a version that does not tell it.
 */
function uptimeText({ advert, isUp }: HostView, nowMs: number): string | null {
  if (!isUp || advert === undefined || advert.bootedMs === 0) return null;
  const minutes = Math.max(0, Math.floor((nowMs - advert.bootedMs) / 60_000));
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  const clock = `${hours}:${String(minutes % 60).padStart(2, '0')}`;
  const long = days === 0 ? clock : `${days} day${days === 1 ? '' : 's'}, ${clock}`;
  const load = advert.load_1m.toFixed(2);
  return ` ${new Date(nowMs).toISOString().slice(11, 19)} up ${long},  0 users,  load average: ${load}`;
}

/** From 2.88 on without amounts, which a placement service tells better, and with the uptime. */
function hypervisorView(view: HostView, microversion: Microversion, nowMs: number): View {
  const { host, advert } = view;
  const cpu = cpuInfo(advert);
  return {
    ...briefView(view, microversion),
    ...(microversion >= 88 ? { uptime: uptimeText(view, nowMs) } : amountsOf(view)),
    hypervisor_type: advert?.hypervisorType ?? '',
    hypervisor_version: advert?.hypervisorVersion ?? 0,
    ...(microversion >= 88 ? {} : { cpu_info: microversion >= 28 ? cpu : JSON.stringify(cpu) }),
    host_ip: advert === undefined || advert.hostIp === '' ? host.vtepIp : advert.hostIp,
    service: {
      id: typedId(host, microversion),
      host: host.name,
      disabled_reason: host.disabledReason === '' ? null : host.disabledReason,
    },
  };
}

/** Nova's `cpu_info`, as far as the host tells it. Features are those of os-traits' names that guests can be given. */
function cpuInfo(advert: HostView['advert']): View {
  const told = advert?.capabilities ?? {};
  const topology = Object.entries(told).flatMap(([name, value]) =>
    name.startsWith(topologyPrefix) ? [[name.slice(topologyPrefix.length), Number(value)] as const] : [],
  );
  return {
    arch: advert?.architecture ?? '',
    model: ownValue(told, 'cpu_info:model') ?? '',
    vendor: ownValue(told, 'cpu_info:vendor') ?? '',
    topology: Object.fromEntries(topology),
    features: [...(advert?.traits ?? [])],
  };
}

/** Beginning of the capabilities that say how a host's processors are laid out. */
const topologyPrefix = 'cpu_info:topology:';

function statisticsView(views: readonly HostView[]): View {
  const sum = new Map(['count', ...Object.keys(amountsOf(emptyView))].map((key) => [key, 0]));
  for (const view of views) {
    // Nova leaves out what takes no part.
    if (view.host.disabled) continue;
    sum.set('count', (sum.get('count') ?? 0) + 1);
    for (const [key, value] of Object.entries(amountsOf(view))) sum.set(key, (sum.get(key) ?? 0) + value);
  }
  return Object.fromEntries(sum);
}

const emptyView: HostView = {
  host: new shoal.v1.Host(),
  advert: undefined,
  lastSeenMs: 0,
  isUp: false,
  zone: '',
  servers: [],
};

/** Adds `/os-hosts`, which Nova serves up to 2.42; `:id` is the host's name. Amounts are vCPUs, MiB and GiB. */
export function addHosts(app: FastifyInstance, gateway: Gateway, { hosts }: ComputeService): void {
  addNovaList<HostView>(app, gateway, {
    path: '/v2.1/os-hosts',
    key: 'hosts',
    microversions: { to: 42 },
    items: ({ reader }) => hosts.list(reader),
    filters: () => ({ zone: single((text) => (view) => view.zone === text) }),
    idOf: (view) => view.host.id,
    view: (view) => ({ host_name: view.host.name, service: 'compute', zone: view.zone }),
  });
  app.get<ById>('/v2.1/os-hosts/:id', async (request) => {
    requireMicroversion(request, { to: 42 });
    const { reader } = await viewingOf(gateway, request);
    const view = hosts.list(reader).find((candidate) => candidate.host.name === request.params.id);
    if (view === undefined) {
      throw new ShoalError('NOT_FOUND', `Compute host ${request.params.id} could not be found.`);
    }
    return { host: resourcesOf(view).map((resource) => ({ resource })) };
  });
  app.put<ById>('/v2.1/os-hosts/:id', { config: { body: schemas.hostBody } }, async (request) => {
    requireMicroversion(request, { to: 42 });
    const body = parse(schemas.hostBody, request.body);
    hosts.show((await viewingOf(gateway, request)).reader, request.params.id);
    if (body.maintenance_mode !== undefined) throw notByThisDriver();
    const isEnabled = body.status?.trim().toLowerCase() === 'enable';
    const { name } = await hosts.setEnabled(gateway.context(request), request.params.id, isEnabled);
    return { host: name, status: isEnabled ? 'enabled' : 'disabled' };
  });
  // Of the machine itself; no driver of Nova but XenAPI's ever did these.
  for (const action of ['startup', 'shutdown', 'reboot']) {
    app.get<ById>(`/v2.1/os-hosts/:id/${action}`, async (request) => {
      requireMicroversion(request, { to: 42 });
      hosts.show((await viewingOf(gateway, request)).reader, request.params.id);
      throw notByThisDriver();
    });
  }
}

/** Nova's words where its driver cannot do what the API has. */
function notByThisDriver(): ShoalError {
  return new ShoalError('NOT_IMPLEMENTED', 'Requested functionality not supported');
}

/** Nova's three-part account of a host: what there is, what is used, and each project's part. */
function resourcesOf(view: HostView): readonly View[] {
  const amounts = amountsOf(view);
  const row = (project: string, cpu: number, memory: number, disk: number): View => ({
    host: view.host.name,
    project,
    cpu,
    memory_mb: memory,
    disk_gb: disk,
  });
  const byProject = new Map<string, { cpu: number; memory: number; disk: number }>();
  for (const { projectId, flavor } of view.servers) {
    const sum = byProject.get(projectId) ?? { cpu: 0, memory: 0, disk: 0 };
    sum.cpu += flavor?.vcpus ?? 0;
    sum.memory += flavor?.memoryMib ?? 0;
    sum.disk += flavor?.diskGib ?? 0;
    byProject.set(projectId, sum);
  }
  const projects = [...byProject].map(([id, sum]) => row(id, sum.cpu, sum.memory, sum.disk));
  const max = { cpu: 0, memory: 0, disk: 0 };
  for (const sum of byProject.values()) {
    max.cpu += sum.cpu;
    max.memory += sum.memory;
    max.disk += sum.disk;
  }
  return [
    row('(total)', amounts.vcpus, amounts.memory_mb, amounts.local_gb),
    row('(used_now)', amounts.vcpus_used, amounts.memory_mb_used, amounts.local_gb_used),
    row('(used_max)', max.cpu, max.memory, max.disk),
    ...projects,
  ];
}

/**
 * Adds `/os-services`: one `nova-compute` for each host, to be enabled, disabled and forced down. Up to 2.52 by host
 * and binary, from 2.53 on by id.
 */
export function addServices(app: FastifyInstance, gateway: Gateway, { hosts }: ComputeService): void {
  addNovaList<HostView>(app, gateway, {
    path: '/v2.1/os-services',
    key: 'services',
    items: ({ reader }) => hosts.list(reader),
    filters: () => ({
      host: once((text) => (view) => view.host.name === text),
      binary: once((text) => () => text === computeBinary),
    }),
    idOf: (view) => view.host.id,
    view: (view, { request }) => serviceView(view, microversionOf(request)),
  });
  const byName = (path: string, enabled: boolean): void => {
    app.put(`/v2.1/os-services/${path}`, { config: { body: schemas.serviceByNameBody } }, async (request) => {
      requireMicroversion(request, { to: 52 });
      const context = gateway.context(request);
      const body = parse(schemas.serviceByNameBody, request.body);
      if (path === 'disable-log-reason' && body.disabled_reason === undefined) {
        throw new ShoalError('INVALID_ARGUMENT', 'Missing disabled reason field');
      }
      mustBeCompute(body.binary, body.host);
      const host = await hosts.setEnabled(context, body.host, enabled, body.disabled_reason);
      const status = host.disabled ? 'disabled' : 'enabled';
      const reason = path === 'disable-log-reason' ? { disabled_reason: host.disabledReason } : {};
      return { service: { host: host.name, binary: body.binary, status, ...reason } };
    });
  };
  byName('enable', true);
  byName('disable', false);
  byName('disable-log-reason', false);
  app.put('/v2.1/os-services/force-down', { config: { body: schemas.forceDownBody } }, async (request) => {
    requireMicroversion(request, { from: 11, to: 52 });
    const { host, binary, forced_down: forcedDown } = parse(schemas.forceDownBody, request.body);
    mustBeCompute(binary, host);
    const record = await hosts.update(gateway.context(request), host, { forcedDown: flagOf(forcedDown) });
    return { service: { host: record.name, binary, forced_down: record.forcedDown } };
  });
  app.put<ById>('/v2.1/os-services/:id', { config: { body: schemas.serviceBody } }, async (request) => {
    requireMicroversion(request, { from: 53 });
    const context = gateway.context(request);
    const { status, disabled_reason: reason, forced_down: down } = parse(schemas.serviceBody, request.body);
    if (status === undefined && down === undefined) {
      throw new ShoalError(
        'INVALID_ARGUMENT',
        "No updates were requested. Fields 'status' or 'forced_down' should be specified.",
      );
    }
    if (reason !== undefined && status !== 'disabled') {
      throw new ShoalError('INVALID_ARGUMENT', "Specifying disabled_reason requires that status is 'disabled'.");
    }
    const before = (await viewingOf(gateway, request)).reader;
    const { id } = serviceOf(hosts.list(before), request).host;
    await hosts.update(context, id, {
      ...(status === undefined ? {} : { enabled: status === 'enabled' }),
      ...(reason === undefined ? {} : { reason }),
      ...(down === undefined ? {} : { forcedDown: flagOf(down) }),
    });
    const { reader } = await viewingOf(gateway, request);
    return { service: serviceView(hosts.show(reader, id), microversionOf(request)) };
  });
}

/** `openstack compute service delete`: the host leaves the mesh. 204; 409 while it has servers, or lives and votes. */
export function addServiceRemoval(app: FastifyInstance, gateway: Gateway, { hosts }: ComputeService): void {
  app.delete<ById>('/v2.1/os-services/:id', async (request, reply) => {
    const context = gateway.context(request);
    const { reader } = await viewingOf(gateway, request);
    await hosts.remove(context, serviceOf(hosts.list(reader), request).host.id);
    return reply.code(204).send();
  });
}

/** The service that the path's id names, in the form of the request's microversion; a host's name is none. Throws `NOT_FOUND`. */
function serviceOf(views: readonly HostView[], request: FastifyRequest<ById>): HostView {
  const { id } = request.params;
  const microversion = microversionOf(request);
  const found = views.find(({ host }) => idOf(host, microversion) === id);
  if (found === undefined) throw new ShoalError('NOT_FOUND', `Service ${id} not found.`);
  return found;
}

/** The one service that a host has; the others of Nova are parts of every agent. */
function mustBeCompute(binary: string, host: string): void {
  if (binary === computeBinary) return;
  throw new ShoalError('NOT_FOUND', `Could not find binary ${binary} on host ${host}.`);
}

function flagOf(value: boolean | string): boolean {
  const flag = readFlag(String(value));
  if (flag === undefined) throw new ShoalError('INVALID_ARGUMENT', `forced_down is true or false, not ${value}.`);
  return flag;
}

function serviceView({ host, lastSeenMs, isUp, zone }: HostView, microversion: Microversion): View {
  return {
    id: typedId(host, microversion),
    binary: computeBinary,
    host: host.name,
    zone,
    status: host.disabled ? 'disabled' : 'enabled',
    state: isUp ? 'up' : 'down',
    updated_at: plainTimeText(lastSeenMs),
    disabled_reason: host.disabledReason === '' ? null : host.disabledReason,
    ...(microversion >= 11 ? { forced_down: host.forcedDown } : {}),
  };
}

/**
 * Adds `/os-availability-zone` and, for administrators, its `/detail` with the hosts. A zone is available while one of
 * its hosts is up and enabled.
 */
export function addZones(app: FastifyInstance, gateway: Gateway, { hosts }: ComputeService): void {
  app.get('/v2.1/os-availability-zone', async (request) => {
    const { reader } = await viewingOf(gateway, request);
    return {
      availabilityZoneInfo: [...hosts.zones(reader)].map(([zoneName, members]) => ({
        zoneName,
        zoneState: { available: members.some((view) => view.isUp && !view.host.disabled) },
        hosts: null,
      })),
    };
  });
  app.get('/v2.1/os-availability-zone/detail', async (request) => {
    const { reader } = await viewingOf(gateway, request);
    return {
      availabilityZoneInfo: [...hosts.zones(reader)].map(([zoneName, members]) => ({
        zoneName,
        zoneState: { available: members.some((view) => view.isUp && !view.host.disabled) },
        hosts: Object.fromEntries(
          members.map(({ host, lastSeenMs, isUp }) => [
            host.name,
            {
              [computeBinary]: {
                active: !host.disabled,
                available: isUp,
                updated_at: plainTimeText(lastSeenMs),
              },
            },
          ]),
        ),
      })),
    };
  });
}
