/**
 * Nova's own view of images, which it served up to 2.35 (their metadata up to 2.38) from the image service, as this does.
 * Images are written by the image API; deleting one is all that is done here.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { ownValue } from '../../../node/base/own-value.ts';
import { type ImageService, statusName } from '../../../node/services/image/image.ts';
import type { shoal } from '../../../proto/messages.ts';
import { shown } from '../../kit/input.ts';
import type { Gateway } from '../kit/module.ts';
import { linksOf, queryNumber, queryValue, rootOf, timeText, type View, viewingOf } from './kit/common.ts';
import { requireMicroversion } from './kit/microversion.ts';

type ById = { Params: { id: string } };

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

/** Filters of Nova's that nothing here keeps a value for. */
const refusedFilters = ['server', 'type', 'changes-since'] as const;

/**
 * Adds the list, one image, its deletion (all up to 2.35) and its metadata to read (up to 2.38). Later microversions
 * get 404, as from Nova.
 */
export function addImages(app: FastifyInstance, gateway: Gateway, images: ImageService): void {
  const list = async (request: FastifyRequest, view: (image: shoal.v1.Image) => View): Promise<View> => {
    requireMicroversion(request, lastOfImages);
    const { context, reader } = await viewingOf(gateway, request);
    const all = images
      .list(reader, context, { community: false, memberStatus: 'accepted' })
      .filter((image) => !image.hidden);
    const found = pageOf(request, selected(request, all), gateway.limits.pageItemsMax);
    return { images: found.map(view) };
  };
  const shown = async (request: FastifyRequest<ById>): Promise<shoal.v1.Image> => {
    const { context, reader } = await viewingOf(gateway, request);
    return images.show(reader, context, request.params.id);
  };
  app.get(path, (request) => list(request, (image) => briefView(gateway, request, image)));
  app.get(`${path}/detail`, (request) => list(request, (image) => fullView(gateway, request, image)));
  app.get<ById>(`${path}/:id`, async (request) => {
    requireMicroversion(request, lastOfImages);
    return { image: fullView(gateway, request, await shown(request)) };
  });
  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    requireMicroversion(request, lastOfImages);
    await images.delete(gateway.context(request), request.params.id);
    return reply.code(204).send();
  });
  app.get<ById>(`${path}/:id/metadata`, async (request) => {
    requireMicroversion(request, lastOfMetadata);
    return { metadata: (await shown(request)).properties };
  });
  app.get<{ Params: { id: string; key: string } }>(`${path}/:id/metadata/:key`, async (request) => {
    requireMicroversion(request, lastOfMetadata);
    const { key } = request.params;
    const value = ownValue((await shown(request)).properties, key);
    if (value === undefined) throw new ShoalError('NOT_FOUND', 'Metadata item was not found');
    return { meta: { [key]: value } };
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

/** In the order of Glance's lists: newest first. */
function selected(request: FastifyRequest, images: readonly shoal.v1.Image[]): readonly shoal.v1.Image[] {
  const refused = refusedFilters.find((key) => queryValue(request, key) !== undefined);
  if (refused !== undefined) {
    throw new ShoalError('INVALID_ARGUMENT', `The filter ${refused} is not served here; ask the image API.`);
  }
  const [name, status, disk, memory] = ['name', 'status', 'minDisk', 'minRam'].map((key) => queryValue(request, key));
  const is = (wanted: string | undefined, found: string | number): boolean =>
    wanted === undefined || wanted.toLowerCase() === String(found).toLowerCase();
  return images
    .filter((image) => name === undefined || image.name === name)
    .filter(
      (image) => is(status, stateOf(image).status) && is(disk, image.minDiskGib) && is(memory, image.minMemoryMib),
    )
    .toSorted((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? 1 : -1));
}

function pageOf(
  request: FastifyRequest,
  images: readonly shoal.v1.Image[],
  itemsMax: number,
): readonly shoal.v1.Image[] {
  const marker = queryValue(request, 'marker');
  const limit = queryNumber(request, 'limit') ?? itemsMax;
  const after = marker === undefined ? 0 : images.findIndex(({ id }) => id === marker) + 1;
  if (marker !== undefined && after === 0)
    throw new ShoalError('INVALID_ARGUMENT', `marker [${shown(marker)}] not found`);
  return images.slice(after, after + Math.min(limit, itemsMax));
}
