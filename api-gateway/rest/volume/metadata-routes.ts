/** The metadata of volumes and of snapshots: whole, and key by key. */
import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { ownValue } from '../../../node/base/own-value.ts';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import { metadataBody, metadatumBody } from '../schemas/volume.ts';
import { type ById, type ByKey, viewingOf } from './kit/common.ts';

type Metadata = Readonly<Record<string, string>>;

/** Whose metadata it is. */
interface Bearer {
  /** `/v3/volumes`. */
  readonly path: string;
  /** In refusals. */
  readonly name: 'Volume' | 'Snapshot';
  show(context: RequestContext, reader: StateReader, id: string): Metadata;
  /** Returns all of it. */
  set(
    context: RequestContext,
    id: string,
    metadata: Metadata,
    options: { readonly replace: boolean },
  ): Promise<Metadata>;
  remove(context: RequestContext, id: string, key: string): Promise<void>;
}

/** Adds `PATH/:id/metadata` and `PATH/:id/metadata/:key`. */
export function addMetadata(app: FastifyInstance, gateway: Gateway, bearer: Bearer): void {
  const path = `${bearer.path}/:id/metadata`;
  app.get<ById>(path, async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    return { metadata: bearer.show(context, reader, request.params.id) };
  });
  for (const method of ['POST', 'PUT'] as const) {
    app.route<ById>({
      method,
      url: path,
      config: { body: metadataBody },
      handler: async (request) => {
        const { metadata } = parse(metadataBody, request.body);
        const options = { replace: method === 'PUT' };
        return { metadata: await bearer.set(gateway.context(request), request.params.id, metadata, options) };
      },
    });
  }
  app.get<ByKey>(`${path}/:key`, async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const { id, key } = request.params;
    const value = ownValue(bearer.show(context, reader, id), key);
    if (value === undefined) {
      throw new ShoalError('NOT_FOUND', `${bearer.name} ${id} has no metadata with key ${key.slice(0, 255)}.`);
    }
    return { meta: { [key]: value } };
  });
  app.put<ByKey>(`${path}/:key`, { config: { body: metadatumBody } }, async (request) => {
    const { id, key } = request.params;
    const { meta } = parse(metadatumBody, request.body);
    const value = ownValue(meta, key);
    if (value === undefined) throw new ShoalError('INVALID_ARGUMENT', 'Request body and URI mismatch');
    if (Object.keys(meta).length > 1) throw new ShoalError('INVALID_ARGUMENT', 'Request body contains too many items');
    await bearer.set(gateway.context(request), id, { [key]: value }, { replace: false });
    return { meta: { [key]: value } };
  });
  app.delete<ByKey>(`${path}/:key`, async (request, reply) => {
    await bearer.remove(gateway.context(request), request.params.id, request.params.key);
    return reply.code(200).send();
  });
}
