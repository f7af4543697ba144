/** Groups of volumes, of which snapshots are made at one instant. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { defaultZone } from '../../../../node/services/kit/zones.ts';
import type { VolumeService } from '../../../../node/services/volume/index.ts';
import type { StateReader } from '../../../../node/state/types.ts';
import type { shoal } from '../../../../proto/messages.ts';
import { Query } from '../../kit/lists/query.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import * as schemas from '../../schemas/volume.ts';
import { action, addActions } from '../kit/actions.ts';
import { type ById, flagOf, known, timeText, type View, viewingOf } from '../kit/common.ts';
import { addBothLists, scopeOf, textFilters } from '../kit/lists.ts';
import { microversionOf, requireMicroversion } from '../kit/microversion.ts';
import { namesOf, setField } from '../kit/set-fields.ts';

type Group = shoal.v1.VolumeGroup;

/** The first microversion with groups, and that with groups made of others. */
const from = 13;
const fromSourceFrom = 14;
const resetFrom = 20;

/** Adds `/groups`. */
export function addGroups(app: FastifyInstance, gateway: Gateway, service: VolumeService): void {
  const { groups } = service;
  const path = '/v3/groups';
  const whole = (
    group: Group,
    { request, reader }: { readonly request: FastifyRequest; readonly reader: StateReader },
  ) => groupView(service, group, { request, reader });
  addBothLists<Group>(app, gateway, {
    path,
    key: 'groups',
    from,
    alsoReads: ['list_volume'],
    items: (listing) => groups.list(listing.context, listing.reader, scopeOf(listing)),
    filters: (listing) =>
      textFilters<Group>(listing, {
        name: ({ name }) => name,
        status: ({ status }) => status,
        availability_zone: ({ zone }) => zone,
        group_type: ({ groupTypeId }) => groupTypeId,
      }),
    sortValues: {
      id: ({ id }) => id,
      name: ({ name }) => name,
      status: ({ status }) => status,
      group_type: ({ groupTypeId }) => groupTypeId,
      created_at: ({ createdMs }) => createdMs,
    },
    idOf: ({ id }) => id,
    brief: briefView,
    whole,
  });
  app.post(path, { config: { body: schemas.newGroupBody } }, async (request, reply) => {
    requireMicroversion(request, { from });
    const { group: body } = parse(schemas.newGroupBody, request.body);
    const made = await groups.create(gateway.context(request), {
      groupType: body.group_type,
      volumeTypes: body.volume_types,
      ...setField('name', body.name),
      ...setField('description', body.description),
      ...setField('zone', body.availability_zone),
    });
    return reply.code(202).send({ group: briefView(made) });
  });
  app.get<ById>(`${path}/:id`, async (request) => {
    requireMicroversion(request, { from });
    const { context, reader } = await viewingOf(gateway, request);
    return { group: whole(groups.show(context, reader, request.params.id), { request, reader }) };
  });
  app.put<ById>(`${path}/:id`, { config: { body: schemas.groupBody } }, async (request, reply) => {
    requireMicroversion(request, { from });
    const { group: body } = parse(schemas.groupBody, request.body);
    await groups.update(gateway.context(request), request.params.id, {
      ...namesOf(body),
      ...setField('addVolumeIds', idsOf(body.add_volumes)),
      ...setField('removeVolumeIds', idsOf(body.remove_volumes)),
    });
    return reply.code(202).send();
  });
  addGroupActions(app, gateway, service);
}

function addGroupActions(app: FastifyInstance, gateway: Gateway, { groups }: VolumeService): void {
  addActions(app, gateway, '/v3/groups/:id/action', {
    delete: action(schemas.deleteGroupBody, ({ 'delete-volumes': flag }, { request, context, id }) => {
      requireMicroversion(request, { from });
      return groups.remove(context, id, { deleteVolumes: flag !== undefined && flagOf('delete-volumes', flag) });
    }),
    reset_status: action(schemas.resetStatusBody, ({ status }, { request, context, id }) => {
      requireMicroversion(request, { from: resetFrom });
      return groups.resetStatus(context, id, status);
    }),
  });
  addActions(app, gateway, '/v3/groups/action', {
    'create-from-src': action(schemas.groupFromSourceBody, async (body, { request, context }) => {
      requireMicroversion(request, { from: fromSourceFrom });
      const made = await groups.createFrom(context, {
        ...setField('groupSnapshotId', body.group_snapshot_id),
        ...setField('sourceGroupId', body.source_group_id),
        ...setField('name', body.name),
        ...setField('description', body.description),
      });
      return { status: 202, body: { group: briefView(made) } };
    }),
  });
}

/** Ids between commas. */
function idsOf(text: string | null | undefined): readonly string[] | undefined {
  if (text === null || text === undefined) return undefined;
  return text
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '');
}

function briefView({ id, name }: Group): View {
  return { id, name };
}

function groupView(
  { groups }: VolumeService,
  group: Group,
  { request, reader }: { readonly request: FastifyRequest; readonly reader: StateReader },
): View {
  const microversion = microversionOf(request);
  const listed = microversion >= 25 ? Query.of(request).one('list_volume') : undefined;
  return {
    ...briefView(group),
    description: known(group.description),
    status: group.status,
    // The default one where none was asked for, as Cinder notes it.
    availability_zone: group.zone === '' ? defaultZone : group.zone,
    created_at: timeText(group.createdMs),
    group_type: group.groupTypeId,
    volume_types: group.typeIds,
    ...(listed !== undefined && flagOf('list_volume', listed)
      ? { volumes: groups.members(reader, group).map(({ id }) => id) }
      : {}),
    ...(microversion >= 14
      ? { group_snapshot_id: known(group.groupSnapshotId), source_group_id: known(group.sourceGroupId) }
      : {}),
    ...(microversion >= 38 ? { replication_status: 'disabled' } : {}),
    ...(microversion >= 58 ? { project_id: group.projectId } : {}),
  };
}
