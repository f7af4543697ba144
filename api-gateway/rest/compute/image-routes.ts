/**
 * Nova's own view of images, which it served up to 2.35 (their metadata up to 2.38) from the image service, as this does.
 * Images are made by the image API; here they are deleted and their properties changed.
 */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { ownValue } from '../../../node/base/own-value.ts';
import { type ImageService, statusName } from '../../../node/services/image/image.ts';
import type { shoal } from '../../../proto/messages.ts';
import { shown } from '../../kit/input.ts';
import { type Filter, type Filters, once } from '../kit/lists/filter.ts';
import { readInstant } from '../kit/lists/instant.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/compute.ts';
import { linksOf, rootOf, timeText, type View, viewingOf } from './kit/common.ts';
import { addNovaList, type NovaList } from './kit/lists.ts';
import { requireMicroversion } from './kit/microversion.ts';
import { lastPart } from './server-listing.ts';

type ById = { Params: { id: string } };
type ByKey = { Params: { id: string; key: string } };

const path = '/v2.1/images';
const lastOfImages = { to: 35 };
const lastOfMetadata = { to: 38 };

/** Nova's words for Glance's, and how far along Nova said an image in that state is, per cent. */
const states: Readonly<Record<string, { readonly status: string; readonly progress: number }>> = {
  queued: { status: 'SAVING', progress: 25 },
  saving: { status: 'SAVING', progress: 50 },
  active: { status: 'ACTIVE', progress: 100 },
  killed: { status: 'ERROR', progress: 0 },
};
const otherState = { status: 'UNKNOWN', progress: 0 };

/**
 * Adds the list, one image, its deletion (all up to 2.35) and its metadata (up to 2.38). Later microversions
 * get 404, as from Nova.
 */
export function addImages(app: FastifyInstance, gateway: Gateway, images: ImageService): void {
  const list: Omit<NovaList<shoal.v1.Image>, 'path' | 'view'> = {
    key: 'images',
    microversions: lastOfImages,
    paging: 'marker without links',
    // In the order of Glance's lists: newest first.
    items: ({ context, reader }) =>
      images
        .list(reader, context, { community: false, memberStatus: 'accepted' })
        .filter((image) => !image.hidden)
        .toSorted((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? 1 : -1)),
    filters: () => imageFilters,
    idOf: (image) => image.id,
  };
  const imageOf = async (request: FastifyRequest<ById>): Promise<shoal.v1.Image> => {
    const { context, reader } = await viewingOf(gateway, request);
    return images.show(reader, context, request.params.id);
  };
  addNovaList(app, gateway, { ...list, path, view: (image, { request }) => briefView(gateway, request, image) });
  addNovaList(app, gateway, {
    ...list,
    path: `${path}/detail`,
    view: (image, { request }) => fullView(gateway, request, image),
  });
  app.get<ById>(`${path}/:id`, async (request) => {
    requireMicroversion(request, lastOfImages);
    return { image: fullView(gateway, request, await imageOf(request)) };
  });
  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    requireMicroversion(request, lastOfImages);
    await images.delete(gateway.context(request), request.params.id);
    return reply.code(204).send();
  });
  app.get<ById>(`${path}/:id/metadata`, async (request) => {
    requireMicroversion(request, lastOfMetadata);
    return { metadata: (await imageOf(request)).properties };
  });
  app.get<ByKey>(`${path}/:id/metadata/:key`, async (request) => {
    requireMicroversion(request, lastOfMetadata);
    const { key } = request.params;
    const value = ownValue((await imageOf(request)).properties, key);
    if (value === undefined) throw new ShoalError('NOT_FOUND', 'Metadata item was not found');
    return { meta: { [key]: value } };
  });
  addMetadataChanges(app, gateway, images);
}

/** The metadata that Nova's bodies change are the image's properties. */
function addMetadataChanges(app: FastifyInstance, gateway: Gateway, images: ImageService): void {
  type Properties = Readonly<Record<string, string>>;
  const change = async (
    request: FastifyRequest<ById>,
    edit: (properties: Properties) => Properties,
  ): Promise<Properties> => {
    requireMicroversion(request, lastOfMetadata);
    const { id } = request.params;
    const { properties } = await images.update(gateway.context(request), id, (draft) => ({
      ...draft,
      properties: edit(draft.properties),
    }));
    return properties;
  };
  app.post<ById>(`${path}/:id/metadata`, { config: { body: schemas.metadataBody } }, async (request) => {
    const { metadata } = parse(schemas.metadataBody, request.body);
    return { metadata: await change(request, (properties) => ({ ...properties, ...metadata })) };
  });
  app.put<ById>(`${path}/:id/metadata`, { config: { body: schemas.metadataBody } }, async (request) => {
    const { metadata } = parse(schemas.metadataBody, request.body);
    return { metadata: await change(request, () => metadata) };
  });
  app.put<ByKey>(`${path}/:id/metadata/:key`, { config: { body: schemas.metaBody } }, async (request) => {
    const { meta } = parse(schemas.metaBody, request.body);
    if (!Object.hasOwn(meta, request.params.key)) {
      throw new ShoalError('INVALID_ARGUMENT', 'Request body and URI mismatch');
    }
    await change(request, (properties) => ({ ...properties, ...meta }));
    return { meta };
  });
  app.delete<ByKey>(`${path}/:id/metadata/:key`, async (request, reply) => {
    const { key } = request.params;
    await change(request, (properties) => {
      const { [key]: value, ...others } = properties;
      if (value === undefined) throw new ShoalError('NOT_FOUND', 'Invalid metadata key');
      return others;
    });
    return reply.code(204).send();
  });
}

function stateOf(image: shoal.v1.Image): { readonly status: string; readonly progress: number } {
  return ownValue(states, statusName(image)) ?? otherState;
}

function briefView(gateway: Gateway, request: FastifyRequest, image: shoal.v1.Image): View {
  const alternate = {
    rel: 'alternate',
    type: 'application/vnd.openstack.image',
    href: `${gateway.baseUrl(request)}/image/images/${image.id}`,
  };
  return {
    id: image.id,
    name: image.name,
    links: [...linksOf(rootOf(gateway, request), `images/${image.id}`), alternate],
  };
}

function fullView(gateway: Gateway, request: FastifyRequest, image: shoal.v1.Image): View {
  return {
    ...briefView(gateway, request, image),
    minRam: image.minMemoryMib,
    minDisk: image.minDiskGib,
    metadata: image.properties,
    created: timeText(image.createdMs),
    updated: timeText(image.updatedMs),
    ...stateOf(image),
    'OS-EXT-IMG-SIZE:size': image.sizeBytes,
  };
}

const caseless = (of: (image: shoal.v1.Image) => string | number): Filter<shoal.v1.Image> =>
  once((text) => (image) => String(of(image)).toLowerCase() === text.toLowerCase());
/** A property that says what the image was made of, and as what. */
const property = (name: string, read = (text: string) => text): Filter<shoal.v1.Image> =>
  once((text) => (image) => ownValue(image.properties, name) === read(text));
const updatedSince: Filter<shoal.v1.Image> = once((text, key) => {
  const ms = readInstant(text);
  if (ms === undefined) throw new ShoalError('INVALID_ARGUMENT', `Invalid ${key} value: ${shown(text)}`);
  return (image) => image.updatedMs >= ms;
});
const imageFilters: Filters<shoal.v1.Image> = {
  // An id, or a link that ends with it.
  server: property('instance_uuid', lastPart),
  type: property('image_type'),
  'changes-since': updatedSince,
  name: once((text) => (image) => image.name === text),
  status: caseless((image) => stateOf(image).status),
  minDisk: caseless((image) => image.minDiskGib),
  minRam: caseless((image) => image.minMemoryMib),
};
