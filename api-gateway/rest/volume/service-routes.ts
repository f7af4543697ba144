/** What runs where, as Cinder's operators know it: every agent carries out volumes in each pool that it reaches, and schedules. */
import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { ownValue } from '../../../node/base/own-value.ts';
import type { HostView } from '../../../node/services/compute/hosts.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import { advertisedPools } from '../../../node/services/kit/storage-pools.ts';
import { volumeSnapshotTable, volumeTable } from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import { shown } from '../../kit/input.ts';
import { once } from '../kit/lists/filter.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import { failoverBody, serviceBody } from '../schemas/volume.ts';
import { timeText, type View, viewingOf } from './kit/common.ts';
import { addCinderList } from './kit/lists.ts';
import { microversionOf, requireMicroversion } from './kit/microversion.ts';

type Hosts = Pick<ComputeService, 'hosts'>;

interface ServiceView {
  readonly binary: 'cinder-scheduler' | 'cinder-volume' | 'cinder-backup';
  /** `HOST`, or `HOST@POOL` of what carries out volumes. */
  readonly host: string;
  readonly of: HostView;
}

/** One of each for a host, and one for each of its pools. */
function servicesOf(of: HostView): readonly ServiceView[] {
  const pools = of.advert === undefined ? [] : advertisedPools(of.advert);
  return [
    { binary: 'cinder-scheduler', host: of.host.name, of },
    { binary: 'cinder-backup', host: of.host.name, of },
    ...pools.map(({ name }): ServiceView => ({ binary: 'cinder-volume', host: `${of.host.name}@${name}`, of })),
  ];
}

/**
 * Adds `/os-services`. A host is one service: it is disabled as a whole, by Nova's API, and no service of it alone, which
 * answers 501.
 */
export function addServices(app: FastifyInstance, gateway: Gateway, { hosts }: Hosts): void {
  addCinderList<ServiceView>(app, gateway, {
    path: '/v3/os-services',
    key: 'services',
    isWhole: true,
    items: ({ reader }) => hosts.list(reader).flatMap(servicesOf),
    filters: () => ({
      // A host's name finds all that runs there, and `HOST@POOL` the one.
      host: once(
        (text) =>
          ({ host, of }) =>
            host === text || of.host.name === text,
      ),
      binary: once(
        (text) =>
          ({ binary }) =>
            binary === text,
      ),
    }),
    idOf: ({ binary, host }) => `${binary}/${host}`,
    view: ({ binary, host, of }, { request }) => ({
      binary,
      host,
      zone: of.zone,
      status: of.host.disabled ? 'disabled' : 'enabled',
      state: of.isUp ? 'up' : 'down',
      updated_at: timeText(of.lastSeenMs),
      disabled_reason: of.host.disabledReason === '' ? null : of.host.disabledReason,
      ...(binary === 'cinder-volume' ? { replication_status: 'disabled', active_backend_id: null, frozen: false } : {}),
      ...(microversionOf(request) >= 7 ? { cluster: null } : {}),
      ...(microversionOf(request) >= 49 && binary === 'cinder-volume'
        ? { backend_state: of.isUp ? 'up' : 'down' }
        : {}),
    }),
  });
  for (const [action, { what, from = 0 }] of Object.entries(notServed)) {
    app.put(`/v3/os-services/${action}`, async (request) => {
      requireMicroversion(request, { from });
      if (ownValue(ofOne, action) !== undefined) {
        const { reader } = await viewingOf(gateway, request);
        mustBeThere(hosts.list(reader).flatMap(servicesOf), action, request.body);
      }
      throw new ShoalError('NOT_IMPLEMENTED', `This version of Shoal does not have ${what}.`);
    });
  }
  for (const action of ['failover_host', 'failover'] as const) {
    app.put(`/v3/os-services/${action}`, { config: { body: failoverBody } }, async (request) => {
      requireMicroversion(request, { from: action === 'failover' ? 26 : 0 });
      const { host } = parse(failoverBody, request.body);
      const { reader } = await viewingOf(gateway, request);
      const isThere = hosts
        .list(reader)
        .flatMap(servicesOf)
        .some((one) => one.binary === 'cinder-volume' && (one.host === host || one.of.host.name === host));
      if (!isThere) {
        throw new ShoalError('NOT_FOUND', `Service cinder-volume could not be found on host ${shown(host)}.`);
      }
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `Invalid input received: ${shown(host)} has no replication target: nothing of it is kept elsewhere to fail over to.`,
      );
    });
  }
}

const oneService =
  'a single service of a host that is disabled: `openstack compute service set --disable` is about the whole host';

/** Actions about one service, with what Cinder answers when there is no such one. */
const ofOne: Readonly<Record<string, 'NOT_FOUND' | 'INVALID_ARGUMENT'>> = {
  enable: 'NOT_FOUND',
  disable: 'NOT_FOUND',
  'disable-log-reason': 'NOT_FOUND',
  freeze: 'INVALID_ARGUMENT',
  thaw: 'INVALID_ARGUMENT',
};

/** What is wrong with the request is told before that it is not served. */
function mustBeThere(services: readonly ServiceView[], action: string, body: unknown): void {
  const { host, binary, service, disabled_reason: reason } = parse(serviceBody, body);
  const wanted = action === 'freeze' || action === 'thaw' ? 'cinder-volume' : (binary ?? service);
  if (wanted === undefined)
    throw new ShoalError('INVALID_ARGUMENT', "Missing required element 'binary' in request body.");
  if (action === 'disable-log-reason' && (reason ?? '').trim() === '') {
    throw new ShoalError('INVALID_ARGUMENT', "Missing required element 'disabled_reason' in request body.");
  }
  if (services.some((one) => one.binary === wanted && (one.host === host || one.of.host.name === host))) return;
  throw new ShoalError(
    ownValue(ofOne, action) ?? 'NOT_FOUND',
    `Service ${shown(wanted)} could not be found on host ${shown(host)}.`,
  );
}

/** Actions that this API has not, each with the microversion that brought it. */
const notServed: Readonly<Record<string, { readonly what: string; readonly from?: number }>> = {
  enable: { what: oneService.replaceAll('disable', 'enable') },
  disable: { what: oneService },
  'disable-log-reason': { what: oneService },
  freeze: { what: 'frozen backends' },
  thaw: { what: 'frozen backends' },
  'get-log': { what: 'levels of logs for its API to tell: each agent has its own, `logLevel`', from: 32 },
  'set-log': { what: 'levels of logs for its API to set: each agent has its own, `logLevel`', from: 32 },
};

/** Adds `/os-hosts`: hosts with what is kept on them, by project. */
export function addHosts(app: FastifyInstance, gateway: Gateway, { hosts }: Hosts): void {
  addCinderList<ServiceView>(app, gateway, {
    path: '/v3/os-hosts',
    key: 'hosts',
    isWhole: true,
    items: ({ reader }) => hosts.list(reader).flatMap(servicesOf),
    filters: () => ({
      zone: once(
        (text) =>
          ({ of }) =>
            of.zone === text,
      ),
    }),
    idOf: ({ binary, host }) => `${binary}/${host}`,
    view: ({ binary, host, of }) => ({
      host_name: host,
      service: binary,
      zone: of.zone,
      'service-status': of.isUp ? 'available' : 'unavailable',
      'service-state': of.host.disabled ? 'disabled' : 'enabled',
      'last-update': timeText(of.lastSeenMs),
    }),
  });
  app.get<{ Params: { id: string } }>('/v3/os-hosts/:id', async (request) => {
    const { reader } = await viewingOf(gateway, request);
    const { id } = request.params;
    const found = hosts
      .list(reader)
      .flatMap(servicesOf)
      .find(({ host }) => host === id);
    if (found === undefined) throw new ShoalError('NOT_FOUND', `Host ${id.slice(0, 255)} could not be found.`);
    const pool = id.split('@')[1];
    return { host: resourcesOf(reader, found.of.host.id, pool) };
  });
}

interface Kept {
  readonly projectId: string;
  readonly sizeGib: number;
  readonly pool: string;
}

function resourcesOf(reader: StateReader, hostId: string, pool: string | undefined): readonly View[] {
  const inPool = ({ pool: own }: Kept): boolean => pool === undefined || own === pool;
  const volumes = volumeTable
    .by(reader, 'host', hostId)
    .map(({ record }) => record)
    .filter(inPool);
  const snapshots = volumeSnapshotTable
    .by(reader, 'host', hostId)
    .map(({ record }) => record)
    .filter(inPool);
  const row = (project: string, of: (kept: Kept) => boolean): View => ({
    resource: {
      host: hostId,
      project,
      volume_count: String(volumes.filter(of).length),
      total_volume_gb: String(gibOf(volumes.filter(of))),
      snapshot_count: String(snapshots.filter(of).length),
      total_snapshot_gb: String(gibOf(snapshots.filter(of))),
    },
  });
  const projects = [...new Set([...volumes, ...snapshots].map(({ projectId }) => projectId))].sort();
  return [row('(total)', () => true), ...projects.map((id) => row(id, ({ projectId }) => projectId === id))];
}

function gibOf(kept: readonly Kept[]): number {
  return kept.reduce((sum, { sizeGib }) => sum + sizeGib, 0);
}
