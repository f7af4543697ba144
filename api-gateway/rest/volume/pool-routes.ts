/** Pools as their hosts advertise them: `scheduler-stats/get_pools` and `capabilities`. */
import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { ownValue } from '../../../node/base/own-value.ts';
import type { HostView } from '../../../node/services/compute/hosts.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import { advertisedPools, roomOf } from '../../../node/services/kit/storage-pools.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import { poolCapabilities } from '../../../node/services/volume/kit/pool-capabilities.ts';
import { volumeTable } from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import { once } from '../kit/lists/filter.ts';
import type { Gateway } from '../kit/module.ts';
import { flagOf, timeText, type View, viewingOf } from './kit/common.ts';
import { addCinderList } from './kit/lists.ts';

interface PoolAtHost {
  readonly name: string;
  readonly shared: boolean;
  readonly freeGib?: number;
  readonly totalGib?: number;
  readonly at: HostView;
}

function poolsOf(views: readonly HostView[]): readonly PoolAtHost[] {
  return views.flatMap((at) => {
    const { advert } = at;
    if (advert === undefined) return [];
    return advertisedPools(advert).map((pool) => ({
      name: pool.name,
      shared: pool.shared,
      ...roomOf(advert, pool),
      at,
    }));
  });
}

/** `HOST@POOL`. */
function backendName({ name, at }: PoolAtHost): string {
  return `${at.host.name}@${name}`;
}

/** Adds `/scheduler-stats/get_pools` and `/capabilities/HOST@POOL`, for administrators. */
export function addPools(
  app: FastifyInstance,
  gateway: Gateway,
  { hosts, types }: Pick<ComputeService, 'hosts'> & Pick<VolumeService, 'types'>,
): void {
  addCinderList<PoolAtHost>(app, gateway, {
    path: '/v3/scheduler-stats/get_pools',
    key: 'pools',
    alsoReads: ['detail'],
    isWhole: true,
    items: ({ reader }) => poolsOf(hosts.list(reader)),
    filters: ({ context, reader }) => ({
      name: once((text) => (pool) => `${backendName(pool)}#${pool.name}` === text),
      // Those that volumes of the type can be in; a type that names no backend can be in each.
      volume_type: once((text) => {
        const type = types.list(context, reader).find(({ id, name }) => id === text || name === text);
        const backend = ownValue(type?.extraSpecs ?? {}, 'volume_backend_name');
        return ({ name }) => type !== undefined && (backend === undefined || backend === name);
      }),
    }),
    idOf: backendName,
    view: (pool, { query, reader }) => {
      const detail = query.one('detail');
      return {
        name: `${backendName(pool)}#${pool.name}`,
        ...(detail !== undefined && flagOf('detail', detail) ? { capabilities: capacityView(reader, pool) } : {}),
      };
    },
  });
  app.get<{ Params: { host: string } }>('/v3/capabilities/:host', async (request) => {
    const { reader } = await viewingOf(gateway, request);
    const wanted = request.params.host.split('#')[0];
    const pool = poolsOf(hosts.list(reader)).find((one) => backendName(one) === wanted || one.at.host.name === wanted);
    if (pool === undefined) {
      throw new ShoalError('NOT_FOUND', `Service could not be found on host ${request.params.host.slice(0, 255)}.`);
    }
    return {
      namespace: `OS::Storage::Capabilities::${backendName(pool)}`,
      ...poolCapabilities(pool),
      driver_version: pool.at.advert?.agentVersion ?? '',
      display_name: pool.name,
      description: pool.shared
        ? 'Seen alike by every host that lists it.'
        : `A pool of the host ${pool.at.host.name} alone.`,
      visibility: 'public',
      replication_targets: [],
      properties: {},
    };
  });
}

/** What is not told is "unknown", as in Cinder; disks grow as they are written, so more can be promised than is free. */
function capacityView(reader: StateReader, pool: PoolAtHost): View {
  const volumes = volumeTable.by(reader, 'host', pool.at.host.id).map(({ record }) => record);
  const promised = volumes.filter((volume) => volume.pool === pool.name).reduce((sum, { sizeGib }) => sum + sizeGib, 0);
  return {
    ...poolCapabilities(pool),
    driver_version: pool.at.advert?.agentVersion ?? '',
    total_capacity_gb: pool.totalGib ?? 'unknown',
    free_capacity_gb: pool.freeGib ?? 'unknown',
    allocated_capacity_gb: promised,
    provisioned_capacity_gb: promised,
    reserved_percentage: 0,
    max_over_subscription_ratio: '20.0',
    thin_provisioning_support: true,
    thick_provisioning_support: false,
    multiattach: true,
    QoS_support: true,
    online_extend_support: true,
    backend_state: pool.at.isUp ? 'up' : 'down',
    timestamp: timeText(pool.at.lastSeenMs),
  };
}
