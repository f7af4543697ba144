/** What all of Neutron's collections have in common: five verbs and tags. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import { ShoalError } from '../../../node/base/errors.ts';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import { badRequest } from '../../../node/services/kit/network-refusals.ts';
import { checkTags } from '../../../node/services/network/kit/text.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { Query } from '../kit/lists/query.ts';
import type { Gateway } from '../kit/module.ts';
import { tagsBody } from '../schemas/network.ts';
import { readResource, readResources } from './attributes.ts';
import type { ListKeys } from './filters.ts';
import { conditioned } from './if-match.ts';
import { addNetworkList, showAnswer, type View } from './listing.ts';
import { resourceBody } from './resource-body.ts';

/** A view is made for somebody, from a reader that has the thing. */
export interface Viewing {
  readonly reader: StateReader;
  readonly context: RequestContext;
  /** No quorum confirmed the reader: nothing can be written now. */
  readonly isStale: boolean;
}

/** One collection: records of type T, drafts and patches as bodies give them. */
export interface Collection<T extends { readonly id: string; readonly tags: readonly string[] }> {
  /** "networks". */
  readonly plural: string;
  /** Key of one thing: "network". */
  readonly key: string;
  /** Key of several, where it is not the path: "security_groups". */
  readonly keys?: string;
  readonly newSchema: TSchema;
  readonly patchSchema: TSchema;
  readonly listKeys: ListKeys;
  /** Shown, or said once, and not to be said now. */
  readonly readOnly: readonly string[];
  /** Revision of a thing's row: what `revision_number` says and `If-Match` asks for. Undefined: it is not there. */
  revision(reader: StateReader, id: string): number | undefined;
  list(viewing: Viewing, query: Query): readonly T[] | Promise<readonly T[]>;
  show(viewing: Viewing, id: string): T;
  /** Bodies have passed `newSchema`. */
  create(context: RequestContext, bodies: readonly unknown[]): Promise<readonly T[]>;
  /** The body has passed `patchSchema`, or is `{ tags }` alone. */
  update(context: RequestContext, id: string, body: unknown): Promise<T>;
  retag(context: RequestContext, id: string, tags: readonly string[]): Promise<T>;
  delete(context: RequestContext, id: string): Promise<void>;
  view(viewing: Viewing, record: T): View;
}

type ById = { Params: { id: string } };
type ByTag = { Params: { id: string; tag: string } };

/** These are made one by one: many at once would have to be one transaction. */
export function onlyOne<T>(all: readonly T[], what: string): T {
  const [only] = all;
  if (only === undefined || all.length !== 1) throw badRequest(`Bulk creation of ${what} is not supported.`);
  return only;
}

/** Who asks, and the view that the answer is made from. */
export async function viewingOf(gateway: Gateway, request: FastifyRequest): Promise<Viewing> {
  const reader = await gateway.readState(request);
  return { context: gateway.context(request), reader, isStale: gateway.isStale(request) };
}

/** Adds `GET`, `POST`, `PUT`, `DELETE` and the tags of one collection. */
export function addCollection<T extends { readonly id: string; readonly tags: readonly string[] }>(
  app: FastifyInstance,
  gateway: Gateway,
  collection: Collection<T>,
): void {
  const { plural, key } = collection;
  const keys = collection.keys ?? plural;
  const path = `/v2.0/${plural}`;
  const revisionOf = (reader: StateReader, id: string): number | undefined => collection.revision(reader, id);
  const viewOf = (viewing: Viewing, record: T): View => ({
    ...collection.view(viewing, record),
    revision_number: revisionOf(viewing.reader, record.id) ?? 0,
  });
  // What was just committed is in the local replica by now.
  const written = async (request: FastifyRequest): Promise<Viewing> => viewingOf(gateway, request);

  addNetworkList(app, gateway, {
    path,
    key: keys,
    known: collection.listKeys,
    views: async ({ context, reader, query, request }) => {
      const viewing = { context, reader, isStale: gateway.isStale(request) };
      const records = await collection.list(viewing, query);
      return records.map((record) => viewOf(viewing, record));
    },
  });

  app.get<ById>(`${path}/:id`, async (request) => {
    const viewing = await viewingOf(gateway, request);
    return showAnswer(request, key, viewOf(viewing, collection.show(viewing, request.params.id)));
  });

  app.post(path, { config: { body: resourceBody(key, collection.newSchema, keys) } }, async (request, reply) => {
    const context = gateway.context(request);
    const { isBulk, items } = readResources(request.body, {
      key,
      keys,
      schema: collection.newSchema,
      verb: 'POST',
      readOnly: collection.readOnly,
    });
    const records = await collection.create(context, items);
    const viewing = await written(request);
    const views = records.map((record) => viewOf(viewing, record));
    return reply.code(201).send(isBulk ? { [keys]: views } : { [key]: views[0] });
  });

  app.put<ById>(`${path}/:id`, { config: { body: resourceBody(key, collection.patchSchema) } }, async (request) => {
    const { id } = request.params;
    const context = conditioned(request, gateway.context(request), (reader) => revisionOf(reader, id));
    const { items } = readResources(request.body, {
      key,
      schema: collection.patchSchema,
      verb: 'PUT',
      readOnly: collection.readOnly,
    });
    const record = await collection.update(context, id, items[0]);
    return { [key]: viewOf(await written(request), record) };
  });

  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    const { id } = request.params;
    await collection.delete(
      conditioned(request, gateway.context(request), (reader) => revisionOf(reader, id)),
      id,
    );
    return reply.code(204).send();
  });

  addTags(app, gateway, collection);
}

function addTags<T extends { readonly id: string; readonly tags: readonly string[] }>(
  app: FastifyInstance,
  gateway: Gateway,
  collection: Collection<T>,
): void {
  const path = `/v2.0/${collection.plural}/:id/tags`;
  const tagsOf = async (request: FastifyRequest<ById>): Promise<readonly string[]> =>
    collection.show(await viewingOf(gateway, request), request.params.id).tags;
  const retag = async (request: FastifyRequest<ById>, tags: readonly string[]): Promise<readonly string[]> => {
    checkTags(tags);
    const record = await collection.retag(gateway.context(request), request.params.id, [...new Set(tags)]);
    return record.tags;
  };

  app.get<ById>(path, async (request) => ({ tags: await tagsOf(request) }));
  app.put<ById>(path, { config: { body: tagsBody } }, async (request) => ({
    tags: await retag(request, tagsOfBody(request.body)),
  }));
  app.delete<ById>(path, async (request, reply) => {
    await retag(request, []);
    return reply.code(204).send();
  });
  app.get<ByTag>(`${path}/:tag`, async (request, reply) => {
    requireTag(await tagsOf(request), request.params.tag);
    return reply.code(204).send();
  });
  app.put<ByTag>(`${path}/:tag`, async (request, reply) => {
    await retag(request, [...(await tagsOf(request)), request.params.tag]);
    return reply.code(201).send();
  });
  app.delete<ByTag>(`${path}/:tag`, async (request, reply) => {
    const tags = await tagsOf(request);
    requireTag(tags, request.params.tag);
    await retag(
      request,
      tags.filter((tag) => tag !== request.params.tag),
    );
    return reply.code(204).send();
  });
}

function tagsOfBody(body: unknown): readonly string[] {
  return readResource(body, { key: 'tags', schema: tagsBody, verb: 'PUT', readOnly: [] }).tags;
}

function requireTag(tags: readonly string[], tag: string): void {
  if (tags.includes(tag)) return;
  throw new ShoalError('NOT_FOUND', `Tag ${tag} could not be found.`, { facts: { type: 'TagNotFound' } });
}
