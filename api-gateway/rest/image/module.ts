import type { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ImageService } from '../../../node/services/image/image.ts';
import type { QuotaService } from '../../../node/services/kit/quota.ts';
import { imagePolicies } from '../../policies/image.ts';
import { glanceFaults } from '../kit/faults.ts';
import { acceptJson } from '../kit/json-body.ts';
import type { Gateway, RestModule } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import { imageVersions } from '../kit/versions.ts';
import { imageId, newImageBody, patchSchema } from '../schemas/image.ts';
import { draftFields } from './draft-fields.ts';
import { applyPatch, newerPatchType, olderPatchType, parsePatch } from './json-patch.ts';
import { addImageList } from './list-query.ts';
import { addMemberRoutes } from './member-routes.ts';
import { addQuotaRoutes } from './quota-routes.ts';
import { schemaDocuments } from './schema-documents.ts';
import { addTaskRoutes } from './task-routes.ts';
import { unservedImage } from './unserved.ts';
import { uploadBody } from './upload-body.ts';
import { imageView } from './views.ts';

type ById = { Params: { id: string } };
type ByTag = { Params: { id: string; tag: string } };

/** Glance v2 below `/image`. */
export function imageModule(deps: {
  readonly images: ImageService;
  readonly quotas: QuotaService;
  readonly storage: string;
}): RestModule {
  return {
    name: 'image',
    prefixes: ['/image'],
    faults: glanceFaults,
    policies: imagePolicies,
    requestIdHeaders: ['x-openstack-request-id'],
    unserved: unservedImage,
    register(app, gateway) {
      for (const path of ['/', '/versions', '/v2'] as const) {
        app.get(path, { config: { public: true } }, (request, reply) =>
          reply.code(300).send(imageVersions(`${gateway.baseUrl(request)}/image`)),
        );
      }
      addRecordRoutes(app, gateway, deps.images);
      addContentRoutes(app, gateway, deps.images);
      addTaskRoutes(app, gateway, deps.images);
      addMemberRoutes(app, gateway, deps.images.members);
      addQuotaRoutes(app, gateway, deps.quotas);
      addDocumentRoutes(app, deps.storage);
    },
  };
}

type App = Parameters<RestModule['register']>[0];

function addRecordRoutes(app: App, gateway: Gateway, images: ImageService): void {
  addImageList(app, gateway, images);

  app.post('/v2/images', { config: { body: newImageBody } }, async (request, reply) => {
    const { id, ...fields } = parse(newImageBody, request.body);
    const wantedId = id === undefined ? undefined : parse(imageId, id, 'id');
    const image = await images.create(gateway.context(request), draftFields(fields), wantedId);
    return reply
      .code(201)
      .header('location', `${gateway.baseUrl(request)}/image/v2/images/${image.id}`)
      .send(imageView(image));
  });

  app.get<ById>('/v2/images/:id', async (request) => {
    const reader = await gateway.readState(request);
    return imageView(images.show(reader, gateway.context(request), request.params.id));
  });

  // Changes come in their own media type and in no other, hence in a scope of their own.
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    acceptJson(scope, [newerPatchType, olderPatchType]);
    scope.patch<ById>(
      '/v2/images/:id',
      { config: { body: patchSchema, mediaTypes: [newerPatchType, olderPatchType] } },
      async (request) => {
        const changes = parsePatch(request.body, request.headers['content-type'] ?? '');
        const image = await images.update(gateway.context(request), request.params.id, (draft) =>
          applyPatch(draft, changes),
        );
        return imageView(image);
      },
    );
    done();
  });

  app.delete<ById>('/v2/images/:id', async (request, reply) => {
    await images.delete(gateway.context(request), request.params.id);
    return reply.code(204).send();
  });

  app.put<ByTag>('/v2/images/:id/tags/:tag', async (request, reply) => {
    const { id, tag } = request.params;
    await images.update(gateway.context(request), id, (draft) => ({
      ...draft,
      tags: [...new Set([...draft.tags, tag])],
    }));
    return reply.code(204).send();
  });

  app.delete<ByTag>('/v2/images/:id/tags/:tag', async (request, reply) => {
    const { id, tag } = request.params;
    await images.update(gateway.context(request), id, (draft) => {
      if (!draft.tags.includes(tag)) throw new ShoalError('NOT_FOUND', `Image ${id} has no tag ${tag}.`);
      return { ...draft, tags: draft.tags.filter((other) => other !== tag) };
    });
    return reply.code(204).send();
  });

  for (const action of ['deactivate', 'reactivate'] as const) {
    app.post<ById>(`/v2/images/:id/actions/${action}`, async (request, reply) => {
      await images.setActive(gateway.context(request), request.params.id, action === 'reactivate');
      return reply.code(204).send();
    });
  }
}

function addContentRoutes(app: App, gateway: Gateway, images: ImageService): void {
  const { imageBytesMax, uploadsAtOnceMax } = gateway.limits;

  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    // Not read here: the handler streams it.
    scope.addContentTypeParser('application/octet-stream', (_request, _payload, parsed) => parsed(null, undefined));
    scope.put<ById>('/v2/images/:id/file', { config: { timeoutMs: 0 } }, async (request, reply) => {
      const declaredBytes = Number(request.headers['content-length'] ?? 0);
      if (declaredBytes > imageBytesMax) throw new ShoalError('TOO_LARGE', `An image may have ${imageBytesMax} bytes.`);
      if (images.uploadCount >= uploadsAtOnceMax) {
        throw new ShoalError('UNAVAILABLE', 'This agent takes as many uploads as it can; try again, or elsewhere.');
      }
      await images.upload(gateway.context(request), request.params.id, uploadBody(request.raw), imageBytesMax);
      return reply.code(204).send();
    });
    done();
  });

  app.get<ById>('/v2/images/:id/file', { exposeHeadRoute: false, config: { timeoutMs: 0 } }, async (request, reply) => {
    const reader = await gateway.readState(request);
    const download = await images.download(reader, gateway.context(request), request.params.id);
    return download === undefined ? reply.code(204).send() : sendContent(reply, download);
  });
}

function sendContent(
  reply: FastifyReply,
  { image, body }: { readonly image: { sizeBytes: number; md5: string }; readonly body: Readable },
): FastifyReply {
  return reply
    .header('content-type', 'application/octet-stream')
    .header('content-length', String(image.sizeBytes))
    .header('content-md5', image.md5)
    .send(body);
}

function addDocumentRoutes(app: App, storage: string): void {
  app.get<{ Params: { name: string } }>('/v2/schemas/:name', async (request) => {
    const { name } = request.params;
    const document = Object.hasOwn(schemaDocuments, name) ? schemaDocuments[name] : undefined;
    if (document === undefined) throw new ShoalError('NOT_FOUND', `There is no schema ${name}.`);
    return document;
  });
  // Content is taken by PUT and in no other way.
  app.get('/v2/info/import', async () => ({
    'import-methods': { description: 'Import methods available.', type: 'array', value: [] },
  }));
  app.get('/v2/info/stores', async () => ({ stores: [{ id: storage, default: 'true' }] }));
}
