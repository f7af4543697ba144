/** `/os-migrations` and `/servers/{id}/migrations`: moves of servers, for administrators, and for projects' managers without their hosts. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import { flavorTable } from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import { shown } from '../../kit/input.ts';
import type { Filter, Filters } from '../kit/lists/filter.ts';
import { readInstant } from '../kit/lists/instant.ts';
import type { Listing } from '../kit/lists/list.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import { migrationActionBody } from '../schemas/compute.ts';
import { linksOf, plainTimeText, readFlag, rootOf, type View, viewingOf } from './kit/common.ts';
import { addNovaList, alternatives, single } from './kit/lists.ts';
import { type Microversion, microversionOf, requireMicroversion } from './kit/microversion.ts';

type Migration = shoal.v1.Migration;

const ofServer = '/v2.1/servers/:id/migrations';
const forceCompleteFrom: Microversion = 22;
const typeAndLinksFrom: Microversion = 23;
const abortFrom: Microversion = 24;
const abortQueuedFrom: Microversion = 65;
const uuidFrom: Microversion = 59;
const allProjects = 'os_compute_api:os-migrations:index:all_projects';
const hostsOfAll = 'os_compute_api:os-migrations:index:host';
const hostsOfServer = 'os_compute_api:servers:migrations:index:host';
const changesBeforeFrom: Microversion = 66;
const userFrom: Microversion = 80;

/** Adds both. A server's own list has, as Nova's, only its live migrations that are under way: those are ended here, or made to end. */
export function addMigrations(
  app: FastifyInstance,
  gateway: Gateway,
  { servers, migrations, liveMigrations }: ComputeService,
): void {
  addNovaList<Migration>(app, gateway, {
    path: '/v2.1/os-migrations',
    key: 'migrations',
    paging: 'marker',
    pagedFrom: uuidFrom,
    items: ({ context, query, reader, request }) => {
      // As in Nova: a caller who may not see all projects' names the own one.
      const projectId = query.one('project_id');
      if (projectId === undefined || projectId !== context.projectId) gateway.enforce(request, allProjects);
      const all = migrations.list(reader);
      // Before there are pages, Nova lists them by their number.
      return microversionOf(request) >= uuidFrom ? all : all.toSorted((a, b) => a.number - b.number);
    },
    idOf: ({ id }) => id,
    filters: migrationFilters,
    view: (migration, { request, reader }) => migrationView(gateway, request, reader, migration),
  });
  const live = async (request: FastifyRequest, id: string): Promise<readonly Migration[]> => {
    requireMicroversion(request, { from: typeAndLinksFrom });
    const { context, reader } = await viewingOf(gateway, request);
    servers.show(context, reader, id);
    return migrations.underWay(reader, id).filter(({ kind }) => kind === 'live-migration');
  };
  app.get<{ Params: { id: string } }>(ofServer, async (request) => {
    const found = await live(request, request.params.id);
    return { migrations: found.map((migration) => serverMigrationView(gateway, request, migration)) };
  });
  app.get<{ Params: { id: string; key: string } }>(`${ofServer}/:key`, async (request) => {
    const { id, key } = request.params;
    const found = (await live(request, id)).find((one) => String(one.number) === key);
    if (found === undefined) {
      throw new ShoalError('NOT_FOUND', `In-progress live migration ${shown(key)} is not found for server ${id}.`);
    }
    return { migration: serverMigrationView(gateway, request, found) };
  });
  app.delete<{ Params: { id: string; key: string } }>(`${ofServer}/:key`, async (request, reply) => {
    requireMicroversion(request, { from: abortFrom });
    const { id, key } = request.params;
    const found = (await live(request, id)).find((one) => String(one.number) === key);
    // Until 2.65 only one that runs could be ended.
    if (found !== undefined && found.status !== 'running' && microversionOf(request) < abortQueuedFrom) {
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `Migration ${shown(key)} state of instance ${id} is ${found.status}, not running.`,
      );
    }
    await liveMigrations.abort(gateway.context(request), id, key);
    return reply.code(202).send();
  });
  app.post<{ Params: { id: string; key: string } }>(
    `${ofServer}/:key/action`,
    { config: { body: migrationActionBody } },
    async (request, reply) => {
      requireMicroversion(request, { from: forceCompleteFrom });
      parse(migrationActionBody, request.body);
      const { id, key } = request.params;
      await liveMigrations.forceComplete(gateway.context(request), id, key);
      return reply.code(202).send();
    },
  );
}

function equal(of: (migration: Migration) => string): Filter<Migration> {
  return alternatives((value) => (migration) => of(migration) === value);
}

function changed(holds: (updatedMs: number, ms: number) => boolean): Filter<Migration> {
  return single((value, key) => {
    const ms = readInstant(value);
    if (ms === undefined) throw new ShoalError('INVALID_ARGUMENT', `Invalid ${key} value: ${shown(value)}`);
    return (migration) => holds(migration.updatedMs, ms);
  });
}

function migrationFilters({ request }: Listing): Filters<Migration> {
  const microversion = microversionOf(request);
  return {
    // Nova hides what it has moved by itself; nothing here is hidden.
    hidden: alternatives((value) => () => readFlag(value) === false),
    host: alternatives((value) => (one) => one.sourceHostName === value || one.targetHostName === value),
    instance_uuid: equal(({ serverId }) => serverId),
    migration_type: equal(({ kind }) => kind),
    source_compute: equal(({ sourceHostName }) => sourceHostName),
    status: equal(({ status }) => status),
    ...(microversion >= uuidFrom ? { 'changes-since': changed((updatedMs, ms) => updatedMs >= ms) } : {}),
    ...(microversion >= userFrom
      ? { user_id: equal(({ userId }) => userId), project_id: equal(({ projectId }) => projectId) }
      : {}),
    ...(microversion >= changesBeforeFrom ? { 'changes-before': changed((updatedMs, ms) => updatedMs <= ms) } : {}),
  };
}

function migrationView(gateway: Gateway, request: FastifyRequest, reader: StateReader, one: Migration): View {
  const microversion = microversionOf(request);
  const isLive =
    one.kind === 'live-migration' && ['queued', 'preparing', 'running', 'post-migrating'].includes(one.status);
  const path = `servers/${one.serverId}/migrations/${one.number}`;
  return {
    ...placesView(one, gateway.allows(request, hostsOfAll)),
    created_at: plainTimeText(one.createdMs),
    dest_host: null,
    id: one.number,
    instance_uuid: one.serverId,
    old_instance_type_id: flavorNumber(reader, one.oldFlavorId),
    new_instance_type_id: flavorNumber(reader, one.newFlavorId),
    status: one.status,
    updated_at: plainTimeText(one.updatedMs),
    ...(microversion >= typeAndLinksFrom ? { migration_type: one.kind } : {}),
    ...(microversion >= typeAndLinksFrom && isLive ? { links: linksOf(rootOf(gateway, request), path) } : {}),
    ...(microversion >= uuidFrom ? { uuid: one.id } : {}),
    ...(microversion >= userFrom ? { user_id: one.userId, project_id: one.projectId } : {}),
  };
}

function serverMigrationView(gateway: Gateway, request: FastifyRequest, one: Migration): View {
  const microversion = microversionOf(request);
  return {
    ...placesView(one, gateway.allows(request, hostsOfServer)),
    created_at: plainTimeText(one.createdMs),
    dest_host: null,
    disk_processed_bytes: one.diskProcessedBytes,
    disk_remaining_bytes: one.diskRemainingBytes,
    disk_total_bytes: one.diskTotalBytes,
    id: one.number,
    memory_processed_bytes: one.memoryProcessedBytes,
    memory_remaining_bytes: one.memoryRemainingBytes,
    memory_total_bytes: one.memoryTotalBytes,
    server_uuid: one.serverId,
    status: one.status,
    updated_at: plainTimeText(one.updatedMs),
    ...(microversion >= uuidFrom ? { uuid: one.id } : {}),
    ...(microversion >= userFrom ? { user_id: one.userId, project_id: one.projectId } : {}),
  };
}

/** Nova calls the agent that runs guests "compute", and its hypervisor "node": each host is both. */
function placesView({ sourceHostName, targetHostName }: Migration, isTold: boolean): View {
  if (!isTold) return { source_compute: null, source_node: null, dest_compute: null, dest_node: null };
  const target = targetHostName === '' ? null : targetHostName;
  return { source_compute: sourceHostName, source_node: sourceHostName, dest_compute: target, dest_node: target };
}

/**
 * Nova's clients want a whole number. Flavors have none here but for those whose id is one; another's place among them by id
 * is told, from 2^30 on, so that it is not taken for one of those.
 */
function flavorNumber(reader: StateReader, flavorId: string): number {
  if (/^[0-9]{1,9}$/.test(flavorId)) return Number(flavorId);
  const ids = flavorTable.list(reader).map(({ record }) => record.id);
  return 2 ** 30 + ids.toSorted().indexOf(flavorId) + 1;
}
