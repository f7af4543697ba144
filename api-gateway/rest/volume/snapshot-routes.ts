/** Snapshots of volumes. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import { zoneOfVolume } from '../../../node/services/volume/records/volume-zone.ts';
import { volumeTable } from '../../../node/state/tables/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import { clientTokenOf } from '../kit/client-token.ts';
import { anyOf, type Filters } from '../kit/lists/filter.ts';
import type { Listing } from '../kit/lists/list.ts';
import { Query } from '../kit/lists/query.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/volume.ts';
import { action, addActions } from './kit/actions.ts';
import { type ById, flagOf, viewingOf } from './kit/common.ts';
import { addBothLists, mapFilter, scopeOf, textFilters, timeFilters } from './kit/lists.ts';
import { microversionOf } from './kit/microversion.ts';
import { namesOf, setField } from './kit/set-fields.ts';
import { addMetadata } from './metadata-routes.ts';
import { briefSnapshotView, snapshotView } from './snapshot-view.ts';

type Snapshot = shoal.v1.VolumeSnapshot;

/** From here on a snapshot may be made of a volume that guests have open, without being forced. */
const forceIsGivenFrom = 66;

const sortValues = {
  id: ({ id }: Snapshot) => id,
  name: ({ name }: Snapshot) => name,
  status: ({ status }: Snapshot) => status,
  size: ({ sizeGib }: Snapshot) => sizeGib,
  volume_id: ({ volumeId }: Snapshot) => volumeId,
  created_at: ({ createdMs }: Snapshot) => createdMs,
  updated_at: ({ updatedMs }: Snapshot) => updatedMs,
} as const;

/** Adds `/snapshots`, with metadata and actions. */
export function addSnapshots(app: FastifyInstance, gateway: Gateway, { snapshots }: VolumeService): void {
  addBothLists<Snapshot>(app, gateway, {
    path: '/v3/snapshots',
    key: 'snapshots',
    items: (listing) => snapshots.list(listing.context, listing.reader, scopeOf(listing)),
    filters: snapshotFilters,
    sortValues,
    idOf: ({ id }) => id,
    brief: briefSnapshotView,
    whole: snapshotView,
  });
  app.post('/v3/snapshots', { config: { body: schemas.newSnapshotBody } }, async (request, reply) => {
    const made = await snapshots.create(gateway.context(request), draftOf(request));
    return reply.code(202).send({ snapshot: briefSnapshotView(made, { request }) });
  });
  app.get<ById>('/v3/snapshots/:id', async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    return { snapshot: snapshotView(snapshots.show(context, reader, request.params.id), { request }) };
  });
  app.put<ById>('/v3/snapshots/:id', { config: { body: schemas.snapshotBody } }, async (request) => {
    const { snapshot } = parse(schemas.snapshotBody, request.body);
    const changed = await snapshots.update(gateway.context(request), request.params.id, namesOf(snapshot));
    return { snapshot: briefSnapshotView(changed, { request }) };
  });
  app.delete<ById>('/v3/snapshots/:id', async (request, reply) => {
    const force = Query.of(request).one('force');
    const isForced = force !== undefined && flagOf('force', force);
    if (isForced) gateway.enforce(request, 'volume_extension:snapshot_admin_actions:force_delete');
    await snapshots.remove(gateway.context(request), request.params.id, { force: isForced });
    return reply.code(202).send();
  });
  addActions(app, gateway, '/v3/snapshots/:id/action', {
    'os-reset_status': action(schemas.resetStatusBody, ({ status }, { context, id }) =>
      snapshots.resetStatus(context, id, status.toLowerCase()),
    ),
    'os-force_delete': action(schemas.nothing, (_argument, { context, id }) =>
      snapshots.remove(context, id, { force: true }),
    ),
    'os-update_snapshot_status': action(schemas.snapshotOutcomeBody, ({ status }, { context, id }) =>
      snapshots.setOutcome(context, id, status),
    ),
    'os-unmanage': action(schemas.nothing, async (_argument, { request, context, id }) => {
      snapshots.show(context, await gateway.readState(request), id);
      throw new ShoalError('NOT_IMPLEMENTED', 'This version of Shoal does not let a snapshot go and keep its bytes.');
    }),
  });
  addMetadata(app, gateway, {
    path: '/v3/snapshots',
    name: 'Snapshot',
    show: (context, reader, id) => snapshots.show(context, reader, id).metadata,
    set: (context, id, metadata, options) => snapshots.setMetadata(context, id, metadata, options),
    remove: (context, id, key) => snapshots.removeMetadata(context, id, key),
  });
}

function draftOf(request: FastifyRequest): Parameters<VolumeService['snapshots']['create']>[1] {
  const { snapshot } = parse(schemas.newSnapshotBody, request.body);
  const force = snapshot.force == null ? false : flagOf('force', snapshot.force);
  return {
    volumeId: snapshot.volume_id ?? 'None',
    ...clientTokenOf(request),
    ...setField('name', snapshot.name ?? snapshot.display_name),
    ...setField('description', snapshot.description ?? snapshot.display_description),
    ...setField('metadata', snapshot.metadata),
    force: force || microversionOf(request) >= forceIsGivenFrom,
  };
}

function snapshotFilters(listing: Listing): Filters<Snapshot> {
  const { reader, allows } = listing;
  return {
    ...textFilters<Snapshot>(listing, {
      name: ({ name }) => name,
      display_name: ({ name }) => name,
      description: ({ description }) => description,
      status: ({ status }) => status,
      volume_id: ({ volumeId }) => volumeId,
      // A snapshot is where its volume is.
      availability_zone: ({ volumeId }) => {
        const volume = volumeTable.find(reader, volumeId)?.record;
        return volume === undefined ? '' : zoneOfVolume(reader, volume);
      },
    }),
    id: anyOf(
      (value) =>
        ({ id }) =>
          id === value,
    ),
    project_id: allows('volume_extension:volume_host_attribute')
      ? anyOf(
          (value) =>
            ({ projectId }) =>
              projectId === value,
        )
      : () => undefined,
    metadata: mapFilter(({ metadata }) => metadata),
    ...timeFilters<Snapshot>(listing, {
      created_at: ({ createdMs }) => createdMs,
      updated_at: ({ updatedMs }) => updatedMs,
    }),
  };
}
