/**
 * A collection is a list whose things are also shown, made, changed and deleted one by one, each by a declaration. Its five
 * operations are `GET path`, `GET path/:id`, `POST path`, `PATCH` or `PUT path/:id` and `DELETE path/:id`; the gateway does not
 * start while a policy rule is missing for one of them.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static, TSchema } from 'typebox';
import type { RequestContext } from '../../../../node/services/kit/context.ts';
import type { StateReader } from '../../../../node/state/types.ts';
import type { Gateway } from '../module.ts';
import { parse } from '../validation.ts';
import { addList, type List, type Listing, type ListStyle } from './list.ts';

/** One request that changes something. */
interface Asked {
  readonly gateway: Gateway;
  readonly request: FastifyRequest;
  readonly context: RequestContext;
  /** Of the path; empty for what is being made. */
  readonly id: string;
}

/** How a thing is made or changed, by a body of one form. */
interface Change<T> {
  /** The body. What does not fit it is refused before anything is done. */
  readonly schema: TSchema;
  run(asked: Asked): Promise<T>;
}

/** A change whose body has been read by its schema. */
export function change<Schema extends TSchema, T>(
  schema: Schema,
  run: (body: Static<Schema>, asked: Asked) => Promise<T>,
): Change<T> {
  return { schema, run: (asked) => run(parse(schema, asked.request.body), asked) };
}

/** One collection. What it does not declare, it does not serve. */
export interface Collection<T> extends Omit<List<T>, 'view'> {
  readonly path: string;
  /** Key of a single thing, in bodies and answers: `domain`. */
  readonly one: string;
  /** Throws `NOT_FOUND` where there is none that the caller may see. */
  find(reader: StateReader, id: string, context: RequestContext): T;
  view(item: T, shown: Pick<Listing, 'gateway' | 'request'>): object;
  /** Answered with 201. */
  readonly create?: Change<T>;
  readonly update?: Change<T> & { readonly method: 'PATCH' | 'PUT' };
  /** Answered with 204. */
  readonly delete?: (asked: Asked) => Promise<void>;
}

type ById = { Params: { id: string } };

/** Adds the operations that the collection declares. */
export function addCollection<T>(
  app: FastifyInstance,
  gateway: Gateway,
  style: ListStyle,
  collection: Collection<T>,
): void {
  const { path, one, create, update } = collection;
  const answer = (request: FastifyRequest, item: T): object => ({ [one]: collection.view(item, { gateway, request }) });
  const asked = (request: FastifyRequest, id = ''): Asked => ({
    gateway,
    request,
    context: gateway.context(request),
    id,
  });

  addList(app, gateway, style, collection);
  app.get<ById>(`${path}/:id`, async (request) => {
    const reader = await gateway.readState(request);
    return answer(request, collection.find(reader, request.params.id, gateway.context(request)));
  });
  if (create !== undefined) {
    app.post(path, { config: { body: create.schema } }, async (request, reply) =>
      reply.code(201).send(answer(request, await create.run(asked(request)))),
    );
  }
  if (update !== undefined) {
    app.route<ById>({
      method: update.method,
      url: `${path}/:id`,
      config: { body: update.schema },
      handler: async (request) => answer(request, await update.run(asked(request, request.params.id))),
    });
  }
  if (collection.delete !== undefined) {
    app.delete<ById>(`${path}/:id`, async (request, reply) => {
      await collection.delete?.(asked(request, request.params.id));
      return reply.code(204).send();
    });
  }
}
