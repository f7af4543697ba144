/** What all of Neutron's collections have in common: five verbs and tags. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import { ShoalError } from '../../../node/base/errors.ts';
import type { RequestContext } from '../../../node/services/context.ts';
import { checkTags } from '../../../node/services/network/text.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { Gateway } from '../module.ts';
import { parse } from '../validation.ts';
import { listAnswer, type Query, queryOf, showAnswer, type View } from './listing.ts';
import { bulk, tagsBody, wrapped } from './schemas.ts';

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
  const oneNew = wrapped(key, collection.newSchema);
  const manyNew = bulk(keys, collection.newSchema);
  const onePatch = wrapped(key, collection.patchSchema);
  // What was just committed is in the local replica by now.
  const written = async (request: FastifyRequest): Promise<Viewing> => viewingOf(gateway, request);

  app.get(path, async (request) => {
    const viewing = await viewingOf(gateway, request);
    const records = await collection.list(viewing, queryOf(request));
    const views = records.map((record) => collection.view(viewing, record));
    return listAnswer(gateway, request, keys, views);
  });

  app.get<ById>(`${path}/:id`, async (request) => {
    const viewing = await viewingOf(gateway, request);
    return showAnswer(request, key, collection.view(viewing, collection.show(viewing, request.params.id)));
  });

  app.post(path, async (request, reply) => {
    const context = gateway.context(request);
    const isBulk = typeof request.body === 'object' && request.body !== null && Object.hasOwn(request.body, keys);
    const bodies = isBulk
      ? (Object.values(parse(manyNew, request.body))[0] as readonly unknown[])
      : Object.values(parse(oneNew, request.body));
    const records = await collection.create(context, bodies);
    const viewing = await written(request);
    const views = records.map((record) => collection.view(viewing, record));
    return reply.code(201).send(isBulk ? { [keys]: views } : { [key]: views[0] });
  });

  app.put<ById>(`${path}/:id`, async (request) => {
    const context = gateway.context(request);
    const [body] = Object.values(parse(onePatch, request.body));
    const record = await collection.update(context, request.params.id, body);
    return { [key]: collection.view(await written(request), record) };
  });

  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    await collection.delete(gateway.context(request), request.params.id);
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
  app.put<ById>(path, async (request) => ({ tags: await retag(request, parse(tagsBody, request.body).tags) }));
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

function requireTag(tags: readonly string[], tag: string): void {
  if (tags.includes(tag)) return;
  throw new ShoalError('NOT_FOUND', `Tag ${tag} could not be found.`, { facts: { type: 'TagNotFound' } });
}
