/** Lists of volumes, and their sum. */
import type { FastifyInstance } from 'fastify';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import { sourceVolumeIdOf } from '../../../node/services/volume/records/volume-record.ts';
import { zoneOfVolume } from '../../../node/services/volume/records/volume-zone.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import { anyOf, type Filters, once } from '../kit/lists/filter.ts';
import type { Listing } from '../kit/lists/list.ts';
import { Query } from '../kit/lists/query.ts';
import type { Gateway } from '../kit/module.ts';
import { viewingOf } from './kit/common.ts';
import {
  addBothLists,
  flagFilter,
  mapFilter,
  scopeOf,
  textFilters,
  timeFilters,
  wantsAllProjects,
} from './kit/lists.ts';
import { microversionOf, requireMicroversion } from './kit/microversion.ts';
import { backendOf, briefVolumeView, metadataOf, volumeView } from './volume-view.ts';

type Volume = shoal.v1.Volume;

const sortValues = {
  id: ({ id }: Volume) => id,
  name: ({ name }: Volume) => name,
  status: ({ status }: Volume) => status,
  size: ({ sizeGib }: Volume) => sizeGib,
  availability_zone: ({ zone }: Volume) => zone,
  bootable: ({ bootable }: Volume) => String(bootable),
  created_at: ({ createdMs }: Volume) => createdMs,
  updated_at: ({ updatedMs }: Volume) => updatedMs,
  user_id: ({ userId }: Volume) => userId,
  project_id: ({ projectId }: Volume) => projectId,
  group_id: ({ groupId }: Volume) => groupId,
} as const;

/** Adds `/volumes`, `/volumes/detail` and `/volumes/summary`. */
export function addVolumeLists(app: FastifyInstance, gateway: Gateway, { volumes }: VolumeService): void {
  addBothLists<Volume>(app, gateway, {
    path: '/v3/volumes',
    key: 'volumes',
    items: (listing) => volumes.list(listing.context, listing.reader, scopeOf(listing)),
    filters: volumeFilters,
    sortValues,
    idOf: ({ id }) => id,
    brief: briefVolumeView,
    whole: volumeView,
  });
  app.get('/v3/volumes/summary', async (request) => {
    requireMicroversion(request, { from: 12 });
    const { context, reader } = await viewingOf(gateway, request);
    const isAll = wantsAllProjects(Query.of(request)) && gateway.allows(request, 'volume:get_all:all_projects');
    const all = volumes.list(context, reader, { allProjects: isAll });
    return {
      'volume-summary': {
        total_size: all.reduce((sum, { sizeGib }) => sum + sizeGib, 0),
        total_count: all.length,
        ...(microversionOf(request) >= 36 ? { metadata: valuesByKey(all) } : {}),
      },
    };
  });
}

function volumeFilters(listing: Listing): Filters<Volume> {
  const { reader } = listing;
  return {
    ...textFilters<Volume>(listing, {
      name: ({ name }) => name,
      display_name: ({ name }) => name,
      description: ({ description }) => description,
      status: ({ status }) => status,
      availability_zone: (volume) => zoneOfVolume(reader, volume),
      migration_status: ({ migrationStatus }) => migrationStatus,
      group_id: ({ groupId }) => groupId,
      user_id: ({ userId }) => userId,
    }),
    id: anyOf(
      (value) =>
        ({ id }) =>
          id === value,
    ),
    size: anyOf(
      (value) =>
        ({ sizeGib }) =>
          String(sizeGib) === value,
    ),
    snapshot_id: anyOf(
      (value) =>
        ({ sourceSnapshotId }) =>
          sourceSnapshotId === value,
    ),
    source_volid: anyOf((value) => (volume) => sourceVolumeIdOf(volume) === value),
    bootable: flagFilter(({ bootable }) => bootable),
    multiattach: flagFilter(({ multiattach }) => multiattach),
    encrypted: flagFilter(({ encryption }) => encryption != null),
    metadata: mapFilter(metadataOf),
    ...(microversionOf(listing.request) >= 4
      ? { glance_metadata: mapFilter(({ imageMetadata }: Volume) => imageMetadata) }
      : {}),
    ...administrators(listing, reader),
    ...timeFilters<Volume>(listing, {
      created_at: ({ createdMs }) => createdMs,
      updated_at: ({ updatedMs }) => updatedMs,
    }),
  };
}

/** What only administrators can tell apart chooses nothing for others, as in Cinder. */
function administrators({ allows }: Listing, reader: StateReader): Filters<Volume> {
  if (!allows('volume_extension:volume_host_attribute')) return { project_id: () => undefined, host: () => undefined };
  return {
    project_id: anyOf(
      (value) =>
        ({ projectId }) =>
          projectId === value,
    ),
    host: once((value) => (volume) => {
      const backend = backendOf(reader, volume) ?? '';
      return backend === value || backend.split('#')[0] === value || backend.split('@')[0] === value;
    }),
  };
}

/** Every value that a key of the metadata has among these volumes. */
function valuesByKey(all: readonly Volume[]): Record<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const [key, value] of all.flatMap(({ metadata }) => Object.entries(metadata))) {
    found.set(key, (found.get(key) ?? new Set()).add(value));
  }
  return Object.fromEntries([...found].map(([key, values]) => [key, [...values].sort()]));
}
