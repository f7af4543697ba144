/** Filters and order of server lists, as Nova has them. */
import type { FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { ownValue } from '../../../node/base/own-value.ts';
import { vmState } from '../../../node/services/compute/server-record.ts';
import { zoneOf } from '../../../node/services/kit/zones.ts';
import { hostTable, portTable } from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import { shown } from '../../kit/input.ts';
import { sortOrder } from '../kit/sort-order.ts';
import { queryValue, queryValues, readFlag } from './kit/common.ts';
import type { Microversion } from './kit/microversion.ts';
import { namePattern } from './kit/name-pattern.ts';
import { refusedServerFilters } from './kit/queries.ts';
import { statusText } from './server-view.ts';

type Server = shoal.v1.Server;

/** The servers that the query asks for, in its order. By more for whom `servers:allow_all_filters` holds. */
export function selectServers(
  request: FastifyRequest,
  reader: StateReader,
  servers: readonly Server[],
  options: { readonly allows: (rule: string) => boolean; readonly microversion: Microversion },
): readonly Server[] {
  const tests: ((server: Server) => boolean)[] = [];
  // Given several times, one of the values has to fit.
  const add = (key: string, make: (value: string) => (server: Server) => boolean): void => {
    const wanted = [...new Set(queryValues(request, key))].filter((value) => value !== '').map(make);
    if (wanted.length > 0) tests.push((server) => wanted.some((test) => test(server)));
  };
  // What is a list by itself, or a bound, is given once.
  const addOne = (key: string, make: (value: string) => (server: Server) => boolean): void => {
    if (queryValue(request, key) !== undefined) add(key, make);
  };
  // Servers that are gone are not kept.
  for (const key of ['deleted', 'soft_deleted']) {
    if (readFlag(queryValue(request, key) ?? 'false') === true) return [];
  }
  const allFilters = options.allows('os_compute_api:servers:allow_all_filters');
  if (allFilters) refuseFilters(request);
  const addPattern = (keys: readonly string[], textOf: (server: Server) => string): void => {
    for (const key of keys) {
      add(key, (value) => {
        const pattern = namePattern(key, value);
        return (server) => pattern.matches(textOf(server));
      });
    }
  };
  addPattern(['name', 'display_name'], (server) => server.name);
  addPattern(['hostname'], (server) => server.hostname);
  addPattern(['description', 'display_description'], (server) => server.description);
  addPattern(['access_ip_v4'], (server) => server.accessIpv4);
  addPattern(['access_ip_v6'], (server) => server.accessIpv6);
  add('status', (value) => (server) => statusText(server) === value.toUpperCase());
  add('vm_state', (value) => (server) => vmState(server) === value);
  add('task_state', (value) => (server) => server.taskState === value);
  add('power_state', (value) => (server) => String(server.powerState) === value);
  for (const key of ['image', 'image_ref']) add(key, (value) => (server) => server.imageId === lastPart(value));
  add('flavor', (value) => (server) => server.flavor?.id === lastPart(value));
  add('uuid', (value) => (server) => server.id === value);
  add('user_id', (value) => (server) => server.userId === value);
  add('key_name', (value) => (server) => server.keyName === value);
  add('reservation_id', (value) => (server) => server.reservationId === value);
  add('ip', (value) => {
    const pattern = namePattern('ip', value);
    return (server) => addressesOf(reader, server).some((address) => pattern.matches(address));
  });
  // No server has an IPv6 address yet.
  add('ip6', () => () => false);
  addOne('changes-since', (value) => {
    const sinceMs = Date.parse(value);
    if (Number.isNaN(sinceMs)) throw new ShoalError('INVALID_ARGUMENT', `Invalid changes-since value: ${shown(value)}`);
    return (server) => server.updatedMs >= sinceMs;
  });
  if (options.microversion >= 66) {
    addOne('changes-before', (value) => {
      const beforeMs = Date.parse(value);
      if (Number.isNaN(beforeMs))
        throw new ShoalError('INVALID_ARGUMENT', `Invalid changes-before value: ${shown(value)}`);
      return (server) => server.updatedMs <= beforeMs;
    });
  }
  add('availability_zone', (value) => (server) => {
    const host = hostTable.find(reader, server.hostId)?.record;
    return (host === undefined ? server.zone : zoneOf(reader, host)) === value;
  });
  if (options.microversion >= 26) {
    const list = (value: string): readonly string[] => value.split(',');
    addOne('tags', (value) => (server) => list(value).every((tag) => server.tags.includes(tag)));
    addOne('tags-any', (value) => (server) => list(value).some((tag) => server.tags.includes(tag)));
    addOne('not-tags', (value) => (server) => !list(value).every((tag) => server.tags.includes(tag)));
    addOne('not-tags-any', (value) => (server) => !list(value).some((tag) => server.tags.includes(tag)));
  }
  if (options.microversion >= 73) {
    addOne('locked', (value) => {
      const wanted = readFlag(value);
      if (wanted === undefined) throw new ShoalError('INVALID_ARGUMENT', `Invalid value for locked: ${shown(value)}`);
      return (server) => server.locked === wanted;
    });
  }
  if (allFilters) {
    add('project_id', (value) => (server) => server.projectId === value);
    add('tenant_id', (value) => (server) => server.projectId === value);
    for (const key of ['host', 'node']) {
      add(key, (value) => (server) => hostTable.find(reader, server.hostId)?.record.name === value);
    }
  }
  return sortServers(
    request,
    { reader, microversion: options.microversion },
    servers.filter((server) => tests.every((test) => test(server))),
  );
}

/** Nova would look for these; here a list that ignored one would show servers that were not asked for. */
function refuseFilters(request: FastifyRequest): void {
  const refused = refusedServerFilters.find((key) => queryValues(request, key).length > 0);
  if (refused === undefined) return;
  throw new ShoalError('INVALID_ARGUMENT', `Invalid query: servers cannot be filtered by ${refused} here.`);
}

const sortValues: Readonly<Record<string, (server: Server, reader: StateReader) => string | number>> = {
  created_at: (server) => server.createdMs,
  updated_at: (server) => server.updatedMs,
  launched_at: (server) => server.launchedMs,
  display_name: (server) => server.name,
  name: (server) => server.name,
  uuid: (server) => server.id,
  vm_state: (server) => vmState(server),
  task_state: (server) => server.taskState,
  power_state: (server) => server.powerState,
  project_id: (server) => server.projectId,
  user_id: (server) => server.userId,
  host: (server, reader) => hostTable.find(reader, server.hostId)?.record.name ?? '',
  key_name: (server) => server.keyName,
  locked: (server) => Number(server.locked),
  image_ref: (server) => server.imageId,
};

function sortServers(
  request: FastifyRequest,
  { reader, microversion }: { readonly reader: StateReader; readonly microversion: Microversion },
  servers: readonly Server[],
): readonly Server[] {
  const order = sortOrder(queryValues(request, 'sort_key'), queryValues(request, 'sort_dir'), {
    fallback: 'desc',
    isKnown: (key) => Object.hasOwn(sortValues, key) && (key !== 'locked' || microversion >= 73),
  });
  if (order.length === 0) return servers;
  return [...servers].sort((a, b) => {
    for (const { key, isDescending } of order) {
      const value = ownValue(sortValues, key);
      const left = value?.(a, reader) ?? '';
      const right = value?.(b, reader) ?? '';
      if (left !== right) return left < right === isDescending ? 1 : -1;
    }
    return 0;
  });
}

function addressesOf(reader: StateReader, server: Server): readonly string[] {
  return server.portIds.flatMap((id) => portTable.find(reader, id)?.record.fixedIps.map((fixed) => fixed.ip) ?? []);
}

/** References may be whole URLs. */
export function lastPart(reference: string): string {
  return reference.split('/').at(-1) ?? '';
}
