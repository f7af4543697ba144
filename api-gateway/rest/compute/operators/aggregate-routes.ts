/** `/os-aggregates`: host aggregates, for administrators. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ComputeService } from '../../../../node/services/compute/index.ts';
import { zoneKey } from '../../../../node/services/kit/zones.ts';
import { hostTable } from '../../../../node/state/tables/index.ts';
import type { StateReader } from '../../../../node/state/types.ts';
import type { shoal } from '../../../../proto/messages.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import * as schemas from '../../schemas/compute.ts';
import { plainTimeText, type View, viewingOf } from '../kit/common.ts';
import { addNovaList } from '../kit/lists.ts';
import { type Microversion, microversionOf } from '../kit/microversion.ts';

type ById = { Params: { id: string } };

/**
 * Adds the aggregates and their actions `add_host`, `remove_host` and `set_metadata`. `:id` is the aggregate's number,
 * as in Nova, or its UUID.
 */
export function addAggregates(app: FastifyInstance, gateway: Gateway, { aggregates }: ComputeService): void {
  const answer = async (request: FastifyRequest, aggregate: shoal.v1.HostAggregate): Promise<object> => {
    const { reader } = await viewingOf(gateway, request);
    return { aggregate: aggregateView(reader, aggregate, microversionOf(request)) };
  };

  addNovaList(app, gateway, {
    path: '/v2.1/os-aggregates',
    key: 'aggregates',
    items: ({ reader }) => aggregates.list(reader),
    idOf: (aggregate) => aggregate.id,
    view: (aggregate, { reader, request }) => aggregateView(reader, aggregate, microversionOf(request)),
  });
  app.get<ById>('/v2.1/os-aggregates/:id', async (request) => {
    const { reader } = await viewingOf(gateway, request);
    return answer(request, aggregates.show(reader, request.params.id));
  });
  app.post('/v2.1/os-aggregates', { config: { body: schemas.newAggregateBody } }, async (request) => {
    const context = gateway.context(request);
    const { name, availability_zone: zone } = parse(schemas.newAggregateBody, request.body).aggregate;
    const made = await aggregates.create(context, { name, ...(zone == null ? {} : { zone }) });
    // As in Nova, a new one is answered without what it cannot have yet.
    const { hosts: _, metadata: __, ...brief } = brieflyView(made, microversionOf(request));
    return { aggregate: brief };
  });
  app.put<ById>('/v2.1/os-aggregates/:id', { config: { body: schemas.aggregatePatchBody } }, async (request) => {
    const context = gateway.context(request);
    const { name, availability_zone: zone } = parse(schemas.aggregatePatchBody, request.body).aggregate;
    const patch = { ...(name === undefined ? {} : { name }), ...(zone === undefined ? {} : { zone }) };
    return answer(request, await aggregates.update(context, request.params.id, patch));
  });
  app.delete<ById>('/v2.1/os-aggregates/:id', async (request, reply) => {
    await aggregates.delete(gateway.context(request), request.params.id);
    return reply.code(200).send();
  });
  app.post<ById>(
    '/v2.1/os-aggregates/:id/action',
    { config: { body: schemas.aggregateActionBody } },
    async (request) => {
      const context = gateway.context(request);
      const { id } = request.params;
      const action = parse(schemas.aggregateActionBody, request.body);
      if ('add_host' in action) return answer(request, await aggregates.addHost(context, id, action.add_host.host));
      if ('remove_host' in action) {
        return answer(request, await aggregates.removeHost(context, id, action.remove_host.host));
      }
      return answer(request, await aggregates.setMetadata(context, id, action.set_metadata.metadata));
    },
  );
}

function aggregateView(reader: StateReader, aggregate: shoal.v1.HostAggregate, microversion: Microversion): View {
  return {
    ...brieflyView(aggregate, microversion),
    hosts: aggregate.hostIds.flatMap((id) => hostTable.find(reader, id)?.record.name ?? []),
  };
}

function brieflyView(aggregate: shoal.v1.HostAggregate, microversion: Microversion): View {
  return {
    id: aggregate.number,
    ...(microversion >= 41 ? { uuid: aggregate.id } : {}),
    name: aggregate.name,
    hosts: [],
    metadata: aggregate.metadata,
    availability_zone: aggregate.metadata[zoneKey] ?? null,
    created_at: plainTimeText(aggregate.createdMs),
    updated_at: aggregate.updatedMs === 0 ? null : plainTimeText(aggregate.updatedMs),
    deleted_at: null,
    deleted: false,
  };
}
