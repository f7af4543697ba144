/** Snapshots of all volumes of a group at one instant. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { VolumeService } from '../../../../node/services/volume/index.ts';
import type { shoal } from '../../../../proto/messages.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import * as schemas from '../../schemas/volume.ts';
import { action, addActions } from '../kit/actions.ts';
import { type ById, known, timeText, type View, viewingOf } from '../kit/common.ts';
import { addBothLists, scopeOf, textFilters } from '../kit/lists.ts';
import { microversionOf, requireMicroversion } from '../kit/microversion.ts';
import { setField } from '../kit/set-fields.ts';

type GroupSnapshot = shoal.v1.VolumeGroupSnapshot;

/** The first microversion with them, and that in which an administrator may say how one stands. */
const from = 14;
const resetFrom = 19;

/** Adds `/group_snapshots`. */
export function addGroupSnapshots(app: FastifyInstance, gateway: Gateway, { groupSnapshots }: VolumeService): void {
  const path = '/v3/group_snapshots';
  addBothLists<GroupSnapshot>(app, gateway, {
    path,
    key: 'group_snapshots',
    from,
    items: (listing) => groupSnapshots.list(listing.context, listing.reader, scopeOf(listing)),
    filters: (listing) =>
      textFilters<GroupSnapshot>(listing, {
        name: ({ name }) => name,
        status: ({ status }) => status,
        group_id: ({ groupId }) => groupId,
      }),
    sortValues: {
      id: ({ id }) => id,
      name: ({ name }) => name,
      status: ({ status }) => status,
      group_id: ({ groupId }) => groupId,
      created_at: ({ createdMs }) => createdMs,
    },
    idOf: ({ id }) => id,
    brief: briefView,
    whole: wholeView,
  });
  app.post(path, { config: { body: schemas.newGroupSnapshotBody } }, async (request, reply) => {
    requireMicroversion(request, { from });
    const { group_snapshot: body } = parse(schemas.newGroupSnapshotBody, request.body);
    const made = await groupSnapshots.create(gateway.context(request), {
      groupId: body.group_id,
      ...setField('name', body.name),
      ...setField('description', body.description),
    });
    return reply.code(202).send({ group_snapshot: { ...briefView(made), group_type_id: made.groupTypeId } });
  });
  app.get<ById>(`${path}/:id`, async (request) => {
    requireMicroversion(request, { from });
    const { context, reader } = await viewingOf(gateway, request);
    return { group_snapshot: wholeView(groupSnapshots.show(context, reader, request.params.id), { request }) };
  });
  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    requireMicroversion(request, { from });
    await groupSnapshots.remove(gateway.context(request), request.params.id);
    return reply.code(202).send();
  });
  addActions(app, gateway, `${path}/:id/action`, {
    reset_status: action(schemas.resetStatusBody, ({ status }, { request, context, id }) => {
      requireMicroversion(request, { from: resetFrom });
      return groupSnapshots.resetStatus(context, id, status);
    }),
  });
}

function briefView({ id, name }: GroupSnapshot): View {
  return { id, name };
}

function wholeView(snapshot: GroupSnapshot, { request }: { readonly request: FastifyRequest }): View {
  return {
    ...briefView(snapshot),
    description: known(snapshot.description),
    group_id: snapshot.groupId,
    group_type_id: snapshot.groupTypeId,
    status: snapshot.status,
    created_at: timeText(snapshot.createdMs),
    ...(microversionOf(request) >= 58 ? { project_id: snapshot.projectId } : {}),
  };
}
