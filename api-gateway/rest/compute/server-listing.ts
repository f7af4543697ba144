/** Filters and order of server lists, as Nova has them. */

import { ShoalError } from '../../../node/base/errors.ts';
import { vmState } from '../../../node/services/compute/machine/vm-state.ts';
import { zoneOf } from '../../../node/services/kit/zones.ts';
import { hostTable, portTable } from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import { shown } from '../../kit/input.ts';
import { type Filter, type Filters, once } from '../kit/lists/filter.ts';
import { readInstant } from '../kit/lists/instant.ts';
import type { Listing } from '../kit/lists/list.ts';
import { type Compare, orderBy } from '../kit/lists/order.ts';
import { readFlag } from './kit/common.ts';
import { alternatives, single } from './kit/lists.ts';
import { microversionOf } from './kit/microversion.ts';
import { namePattern } from './kit/name-pattern.ts';
import { refusedServerFilters } from './kit/queries.ts';
import { progressOf, statusText } from './server-view.ts';

type Server = shoal.v1.Server;

/** By what servers are filtered; by more for whom `servers:allow_all_filters` holds. Given several times, one of the values has to fit. */
export function serverFilters({ request, reader, allows }: Listing): Filters<Server> {
  const microversion = microversionOf(request);
  return {
    ...ownFilters,
    ip: addressed(reader, 'ip'),
    ip6: addressed(reader, 'ip6'),
    availability_zone: alternatives((value) => (server) => {
      const host = hostTable.find(reader, server.hostId)?.record;
      return (host === undefined ? server.zone : zoneOf(reader, host)) === value;
    }),
    ...(microversion >= 66 ? { 'changes-before': changed((updatedMs, ms) => updatedMs <= ms) } : {}),
    ...(microversion >= 26 ? tagFilters : {}),
    ...(microversion >= 73 ? { locked } : {}),
    ...(microversion >= 83 || allows('os_compute_api:servers:allow_all_filters') ? datedFilters : {}),
    ...(allows('os_compute_api:servers:allow_all_filters') ? allFilters(reader) : {}),
  };
}

/** At that second, as times are shown. */
function moment(of: (server: Server) => number): Filter<Server> {
  return alternatives((value, key) => {
    const ms = readInstant(value);
    if (ms === undefined) throw new ShoalError('INVALID_ARGUMENT', `Invalid ${key} value: ${shown(value)}`);
    return (server) => of(server) !== 0 && Math.floor(of(server) / 1000) === Math.floor(ms / 1000);
  });
}

/** Administrators', and everybody's from 2.83 on. */
const datedFilters: Filters<Server> = {
  created_at: moment((server) => server.createdMs),
  launched_at: moment((server) => server.launchedMs),
  // Servers that are gone are not kept.
  terminated_at: moment(() => 0),
  config_drive: alternatives((value) => {
    const wanted = readFlag(value);
    if (wanted === undefined)
      throw new ShoalError('INVALID_ARGUMENT', `Invalid value for config_drive: ${shown(value)}`);
    return (server) => server.configDrive === wanted;
  }),
  progress: alternatives((value) => {
    if (!/^[0-9]{1,3}$/.test(value))
      throw new ShoalError('INVALID_ARGUMENT', `Invalid value for progress: ${shown(value)}`);
    return (server) => (progressOf(statusText(server)) ?? 0) === Number(value);
  }),
};

const gone: Filter<Server> = once((value) => (readFlag(value) === true ? () => false : undefined));

function pattern(of: (server: Server) => string): Filter<Server> {
  return alternatives((value, key) => {
    const wanted = namePattern(key, value);
    return (server) => wanted.matches(of(server));
  });
}

function equal(of: (server: Server) => string | undefined): Filter<Server> {
  return alternatives((value) => (server) => of(server) === value);
}

function changed(holds: (updatedMs: number, ms: number) => boolean): Filter<Server> {
  return single((value, key) => {
    const ms = readInstant(value);
    if (ms === undefined) throw new ShoalError('INVALID_ARGUMENT', `Invalid ${key} value: ${shown(value)}`);
    return (server) => holds(server.updatedMs, ms);
  });
}

/** What of the server's record alone. */
const ownFilters: Filters<Server> = {
  // Servers that are gone are not kept.
  deleted: gone,
  soft_deleted: gone,
  name: pattern((server) => server.name),
  display_name: pattern((server) => server.name),
  hostname: pattern((server) => server.hostname),
  description: pattern((server) => server.description),
  display_description: pattern((server) => server.description),
  access_ip_v4: pattern((server) => server.accessIpv4),
  access_ip_v6: pattern((server) => server.accessIpv6),
  status: alternatives((value) => (server) => statusText(server) === value.toUpperCase()),
  vm_state: equal(vmState),
  task_state: equal((server) => server.taskState),
  power_state: equal((server) => String(server.powerState)),
  image: alternatives((value) => (server) => server.imageId === lastPart(value)),
  image_ref: alternatives((value) => (server) => server.imageId === lastPart(value)),
  flavor: alternatives((value) => (server) => server.flavor?.id === lastPart(value)),
  uuid: equal((server) => server.id),
  user_id: equal((server) => server.userId),
  key_name: equal((server) => server.keyName),
  reservation_id: equal((server) => server.reservationId),
  'changes-since': changed((updatedMs, ms) => updatedMs >= ms),
};

function tagged(holds: (wanted: readonly string[], tags: readonly string[]) => boolean): Filter<Server> {
  return single((value) => (server) => holds(value.split(','), server.tags));
}

const hasAll = (wanted: readonly string[], tags: readonly string[]) => wanted.every((tag) => tags.includes(tag));
const hasAny = (wanted: readonly string[], tags: readonly string[]) => wanted.some((tag) => tags.includes(tag));

const tagFilters: Filters<Server> = {
  tags: tagged(hasAll),
  'tags-any': tagged(hasAny),
  'not-tags': tagged((wanted, tags) => !hasAll(wanted, tags)),
  'not-tags-any': tagged((wanted, tags) => !hasAny(wanted, tags)),
};

const locked: Filter<Server> = single((value) => {
  const wanted = readFlag(value);
  if (wanted === undefined) throw new ShoalError('INVALID_ARGUMENT', `Invalid value for locked: ${shown(value)}`);
  return (server) => server.locked === wanted;
});

/** Nova would look for these; here a list that ignored one would show servers that were not asked for. */
const refused: Filter<Server> = (_values, key) => {
  throw new ShoalError('INVALID_ARGUMENT', `Invalid query: servers cannot be filtered by ${key} here.`);
};

function allFilters(reader: StateReader): Filters<Server> {
  const hostName = equal((server) => hostTable.find(reader, server.hostId)?.record.name);
  return {
    ...Object.fromEntries(refusedServerFilters.map((key) => [key, refused])),
    project_id: equal((server) => server.projectId),
    tenant_id: equal((server) => server.projectId),
    host: hostName,
    node: hostName,
  };
}

const sortValues = (reader: StateReader): Readonly<Record<string, (server: Server) => string | number>> => ({
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
  host: (server) => hostTable.find(reader, server.hostId)?.record.name ?? '',
  key_name: (server) => server.keyName,
  locked: (server) => Number(server.locked),
  image_ref: (server) => server.imageId,
});

/** The list's own order, newest first, unless the query has another. */
export function serverOrder({ query, reader, request }: Listing): Compare<Server> | undefined {
  const isKnown = (key: string): boolean => key !== 'locked' || microversionOf(request) >= 73;
  return orderBy(query, { values: sortValues(reader), fallback: 'desc' }, isKnown);
}

/** Servers with a fixed address of the key's family that matches. */
function addressed(reader: StateReader, key: 'ip' | 'ip6'): Filter<Server> {
  return alternatives((value) => {
    const pattern = namePattern(key, value);
    return (server) =>
      addressesOf(reader, server)
        .filter((address) => address.includes(':') === (key === 'ip6'))
        .some((address) => pattern.matches(address));
  });
}

function addressesOf(reader: StateReader, server: Server): readonly string[] {
  return server.portIds.flatMap((id) => portTable.find(reader, id)?.record.fixedIps.map((fixed) => fixed.ip) ?? []);
}

/** References may be whole URLs. */
export function lastPart(reference: string): string {
  return reference.split('/').at(-1) ?? '';
}
