/** `/address-groups`: prefixes under one name, which rules of security groups speak of. */
import type { FastifyInstance } from 'fastify';
import { definedOf } from '../../../node/base/defined-of.ts';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import { isShared } from '../../../node/services/kit/ownership.ts';
import type { NetworkService } from '../../../node/services/network/index.ts';
import { addressGroupTable } from '../../../node/state/tables/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { Gateway } from '../kit/module.ts';
import * as schemas from '../schemas/network.ts';
import { readResource, readResources } from './attributes.ts';
import { projectOf } from './bodies.ts';
import { onlyOne, type Viewing, viewingOf } from './collection.ts';
import { addressGroupKeys } from './filters.ts';
import { conditioned } from './if-match.ts';
import { addNetworkList, showAnswer, type View } from './listing.ts';
import { resourceBody } from './resource-body.ts';
import { addressGroupView } from './views.ts';

type ById = { Params: { id: string } };
const path = '/v2.0/address-groups';
const key = 'address_group';

/** Adds `/address-groups`, `add_addresses` and `remove_addresses`. As in Neutron they have no tags. */
export function addAddressGroups(app: FastifyInstance, gateway: Gateway, { addressGroups }: NetworkService): void {
  const readOnly = schemas.readOnly.address_group;
  const viewOf = ({ context, reader }: Pick<Viewing, 'context' | 'reader'>, group: shoal.v1.AddressGroup): View => ({
    ...addressGroupView(group, isShared(context, reader, 'address_group', group)),
    revision_number: addressGroupTable.get(reader, group.id)?.revision ?? 0,
  });

  addNetworkList(app, gateway, {
    path,
    key: 'address_groups',
    known: addressGroupKeys,
    views: ({ context, reader }) =>
      addressGroups.list(context, reader).map((group) => viewOf({ context, reader }, group)),
  });
  app.get<ById>(`${path}/:id`, async (request) => {
    const viewing = await viewingOf(gateway, request);
    const group = addressGroups.show(viewing.context, viewing.reader, request.params.id);
    return showAnswer(request, key, viewOf(viewing, group));
  });
  app.post(path, { config: { body: resourceBody(key, schemas.addressGroupNew) } }, async (request, reply) => {
    const { items } = readResources(request.body, { key, schema: schemas.addressGroupNew, verb: 'POST', readOnly: [] });
    const body = onlyOne(items, 'address groups');
    const made = await addressGroups.create(gateway.context(request), {
      ...projectOf(body),
      ...definedOf({ name: body.name, description: body.description }),
      addresses: body.addresses ?? [],
    });
    return reply.code(201).send({ [key]: viewOf(await viewingOf(gateway, request), made) });
  });
  app.put<ById>(`${path}/:id`, { config: { body: resourceBody(key, schemas.addressGroupPatch) } }, async (request) => {
    const { id } = request.params;
    const context = conditioned(
      request,
      gateway.context(request),
      (reader) => addressGroupTable.get(reader, id)?.revision,
    );
    const { items } = readResources(request.body, { key, schema: schemas.addressGroupPatch, verb: 'PUT', readOnly });
    const group = await addressGroups.update(context, id, definedOf({ ...items[0] }));
    return { [key]: viewOf(await viewingOf(gateway, request), group) };
  });
  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    const { id } = request.params;
    await addressGroups.delete(
      conditioned(request, gateway.context(request), (reader) => addressGroupTable.get(reader, id)?.revision),
      id,
    );
    return reply.code(204).send();
  });
  const change = (
    verb: 'add' | 'remove',
    edit: (context: RequestContext, id: string, addresses: readonly string[]) => Promise<shoal.v1.AddressGroup>,
  ): void => {
    const schema = schemas.addressGroupAddresses;
    app.put<ById>(`${path}/:id/${verb}_addresses`, { config: { body: schema } }, async (request) => {
      const { addresses } = readResource(request.body, { key, schema, verb: 'PUT', readOnly: [] });
      const group = await edit(gateway.context(request), request.params.id, addresses);
      return { [key]: viewOf(await viewingOf(gateway, request), group) };
    });
  };
  change('add', (context, id, addresses) => addressGroups.addAddresses(context, id, addresses));
  change('remove', (context, id, addresses) => addressGroups.removeAddresses(context, id, addresses));
}
