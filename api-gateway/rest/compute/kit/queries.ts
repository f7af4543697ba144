/**
 * What the queries of compute routes may hold, key by key, as Nova's own definitions have it. A key that is not here is
 * ignored, and refused from the microversion on from which Nova refuses it. `LEDGER.md` says of each key what it does.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import { ownValue } from '../../../../node/base/own-value.ts';
import { shown } from '../../../kit/input.ts';
import { Query } from '../../kit/lists/query.ts';
import { type Microversion, microversionOf } from './microversion.ts';

/** One route's query. */
interface QueryKeys {
  /** From this microversion on an unknown key is refused. Absent: `strictForAllFrom`. */
  readonly strictFrom?: Microversion;
  /** Key -> the first microversion that has it. Before, it is one of the unknown. */
  readonly keys: Readonly<Record<string, Microversion>>;
}

const first = 1;
/** From then on no query may hold what is not known. */
const strictForAllFrom: Microversion = 102;
const page = { limit: first, marker: first };

/**
 * Filters of servers that Nova's administrators have and that cannot be honoured: nothing here keeps such a value. To
 * others they mean nothing, as in Nova.
 */
export const refusedServerFilters = [
  'kernel_id',
  'ramdisk_id',
  'launch_index',
  'locked_by',
  'root_device_name',
  'auto_disk_config',
  // What Nova keeps in tables of their own, and refuses, too.
  'block_device_mapping',
  'services',
  'metadata',
  'system_metadata',
  'info_cache',
  'extra',
  'fault',
  'numa_topology',
  'pci_devices',
  'pci_requests',
  'device_metadata',
] as const;

/** Filters of servers that administrators have, and everybody from 2.83 on. */
const datedServerFilters = ['created_at', 'launched_at', 'terminated_at', 'config_drive', 'progress'] as const;

const servers: QueryKeys = {
  strictFrom: 75,
  keys: {
    ...page,
    sort_key: first,
    sort_dir: first,
    all_tenants: first,
    deleted: first,
    soft_deleted: first,
    name: first,
    display_name: first,
    hostname: first,
    description: first,
    display_description: first,
    status: first,
    vm_state: first,
    task_state: first,
    power_state: first,
    image: first,
    image_ref: first,
    flavor: first,
    uuid: first,
    user_id: first,
    project_id: first,
    tenant_id: first,
    key_name: first,
    reservation_id: first,
    ip: first,
    ip6: first,
    access_ip_v4: first,
    access_ip_v6: first,
    availability_zone: first,
    host: first,
    node: first,
    'changes-since': first,
    'changes-before': 66,
    tags: 26,
    'tags-any': 26,
    'not-tags': 26,
    'not-tags-any': 26,
    locked: 73,
    ...Object.fromEntries(datedServerFilters.map((key) => [key, first])),
    ...Object.fromEntries(refusedServerFilters.map((key) => [key, first])),
  },
};
const flavors: QueryKeys = {
  strictFrom: 75,
  keys: { ...page, name: 102, is_public: first, minRam: first, minDisk: first, sort_key: first, sort_dir: first },
};
const hypervisors: QueryKeys = {
  strictFrom: 53,
  keys: { limit: 33, marker: 33, hypervisor_hostname_pattern: 53, with_servers: 53 },
};
const keypair: QueryKeys = { strictFrom: 75, keys: { user_id: 10 } };
const quotas: QueryKeys = { strictFrom: 75, keys: { user_id: first } };

const images: QueryKeys = {
  keys: {
    ...{ ...page, name: first, status: first, minDisk: first, minRam: first },
    ...{ server: first, type: first, 'changes-since': first },
  },
};

const usage = { start: first, end: first, limit: 40, marker: 40 };

/** By route, below the module's prefix. As in Nova, the queries of other routes are not looked at until 2.102. */
export const queries: Readonly<Record<string, QueryKeys>> = {
  'GET /v2.1/servers': servers,
  'GET /v2.1/servers/detail': servers,
  'GET /v2.1/servers/:id/os-instance-actions': {
    strictFrom: 58,
    keys: { limit: 58, marker: 58, 'changes-since': 58, 'changes-before': 66 },
  },
  'GET /v2.1/os-migrations': {
    strictFrom: 59,
    keys: {
      ...{ hidden: first, host: first, instance_uuid: first, source_compute: first, status: first },
      ...{ migration_type: first, limit: 59, marker: 59, 'changes-since': 59, 'changes-before': 66 },
      ...{ user_id: 80, project_id: 80 },
    },
  },
  'GET /v2.1/servers/:id/os-volume_attachments': { strictFrom: 75, keys: { limit: first, offset: first } },
  'GET /v2.1/flavors': flavors,
  'GET /v2.1/flavors/detail': flavors,
  'GET /v2.1/images': images,
  'GET /v2.1/images/detail': images,
  'GET /v2.1/os-hypervisors': hypervisors,
  'GET /v2.1/os-hypervisors/detail': hypervisors,
  'GET /v2.1/os-hypervisors/:id': { strictFrom: 53, keys: { with_servers: 53 } },
  'GET /v2.1/os-keypairs': { strictFrom: 75, keys: { user_id: 10, limit: 35, marker: 35 } },
  'GET /v2.1/os-keypairs/:name': keypair,
  'DELETE /v2.1/os-keypairs/:name': keypair,
  'GET /v2.1/os-server-groups': { strictFrom: 75, keys: { all_projects: first, limit: first, offset: first } },
  'GET /v2.1/os-services': { strictFrom: 75, keys: { host: first, binary: first } },
  'GET /v2.1/limits': { strictFrom: 75, keys: { tenant_id: first, reserved: first } },
  'GET /v2.1/os-quota-sets/:project': quotas,
  'GET /v2.1/os-quota-sets/:project/detail': quotas,
  'PUT /v2.1/os-quota-sets/:project': quotas,
  'DELETE /v2.1/os-quota-sets/:project': quotas,
  'GET /v2.1/os-simple-tenant-usage': { strictFrom: 75, keys: { ...usage, detailed: first } },
  'GET /v2.1/os-simple-tenant-usage/:project': { strictFrom: 75, keys: usage },
  'GET /v2.1/os-hosts': { keys: { zone: first } },
  'GET /v2.1/os-security-groups': { keys: { all_tenants: first, limit: first, offset: first } },
};

/** Refuses the unknown keys of queries where Nova does. */
export function addQueryChecks(app: FastifyInstance, prefix: string): void {
  app.addHook('preHandler', async (request) => {
    const path = request.routeOptions.url?.slice(prefix.length) ?? '';
    if (request.is404) return;
    const route = ownValue(queries, `${request.method} ${path}`);
    if (route !== undefined || request.method === 'GET') checkKeys(request, route ?? { keys: {} });
  });
}

function checkKeys(request: FastifyRequest, { strictFrom = strictForAllFrom, keys }: QueryKeys): void {
  const microversion = microversionOf(request);
  if (microversion < strictFrom) return;
  const unknown = Query.of(request).keys.find(
    (key) => microversion < (ownValue(keys, key) ?? Number.POSITIVE_INFINITY),
  );
  if (unknown === undefined) return;
  throw new ShoalError(
    'INVALID_ARGUMENT',
    `Invalid query: additional properties are not allowed ('${shown(unknown)}' was unexpected).`,
  );
}
