import type { Clock } from '../../node/base/clock.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { Handlers } from '../../node/rpc/server.ts';
import { type ImageDraft, visibilities } from '../../node/services/image/draft.ts';
import type { ImageService } from '../../node/services/image/image.ts';
import { shoal } from '../../proto/messages.ts';
import { shown } from '../kit/input.ts';
import type { GatewayLimits } from '../kit/limits.ts';
import { draftFields, isField, mustBeWritable } from '../rest/image/draft-fields.ts';
import { beginUpload, pieces } from './image-content.ts';
import { attributesOf } from './kit/attributes.ts';
import { type Caller, type Callers, mustHaveProject } from './kit/caller.ts';
import { imageFieldNames } from './kit/field-names.ts';
import { isOr, pageById } from './kit/page.ts';

/** What the image service is made with. */
interface ImageHandlerDependencies {
  readonly images: ImageService;
  readonly clock: Clock;
  readonly limits: GatewayLimits;
}

/** `shoal.v1.ImageService`: the same images as the image API's, natively. */
export function imageHandlers(
  callers: Callers,
  { images, clock, limits }: ImageHandlerDependencies,
): Handlers<shoal.v1.ImageService, Caller> {
  return {
    listImages: (request, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { name, visibility, hidden } = request;
        if (visibility !== '' && !visibilities.some((known) => known === visibility)) {
          throw new ShoalError('INVALID_ARGUMENT', `visibility must be one of ${visibilities.join(', ')}, or empty.`);
        }
        const { reader, stale } = await read();
        const seen = images
          .list(reader, context, { community: visibility === 'community', memberStatus: 'accepted' })
          .filter((image) => image.hidden === hidden && isOr(name, image.name) && isOr(visibility, image.visibility));
        const { page, nextPageToken } = pageById(seen, request);
        return { images: page.map(imageView), nextPageToken, stale, revision: reader.revision };
      }),
    getImage: ({ imageId }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader, stale } = await read();
        return { image: imageView(images.show(reader, context, imageId)), stale };
      }),
    createImage: (request, call) =>
      callers.serve(call, async ({ context }) => {
        mustHaveProject(context, request.projectId);
        const image = await images.create(context, draftOf(request, request.properties, []));
        return { image: imageView(image) };
      }),
    updateImage: (request, call) =>
      callers.serve(call, async ({ context }) => {
        const { imageId, setProperties, removeProperties } = request;
        const omitted = ['imageId', 'setProperties', 'removeProperties'];
        const { properties: added = {}, ...fields } = draftOf(request, setProperties, omitted);
        const image = await images.update(context, imageId, (draft) => ({
          ...draft,
          ...fields,
          properties: { ...without(draft.properties, removeProperties), ...added },
        }));
        return { image: imageView(image) };
      }),
    deleteImage: ({ imageId }, call) =>
      callers.serve(call, async ({ context }) => {
        await images.delete(context, imageId);
        return {};
      }),
    uploadImage: (requests, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { imageId, body } = await beginUpload(requests, { clock, idleMs: limits.idleTimeoutMs });
        try {
          if (images.uploadCount >= limits.uploadsAtOnceMax) {
            throw new ShoalError('UNAVAILABLE', 'This agent takes as many uploads as it can; try again, or elsewhere.');
          }
          await images.upload(context, imageId, body, limits.imageBytesMax);
        } finally {
          body.destroy();
        }
        const { reader } = await read();
        return { image: imageView(images.show(reader, context, imageId)) };
      }),
    async *downloadImage({ imageId }, call) {
      const { context, read } = callers.open(call);
      const { reader } = await read();
      const download = await images.download(reader, context, imageId);
      if (download === undefined) throw new ShoalError('CONFLICT', `Image ${imageId} has no content yet.`);
      const { image, body } = download;
      try {
        yield { sizeBytes: image.sizeBytes, sha256: image.sha256 };
        for await (const data of pieces(body)) yield { data };
      } finally {
        body.destroy();
      }
    },
  };
}

/** The fields of a request that are set, and its properties, checked as REST checks them. */
function draftOf(
  request: object,
  properties: Readonly<Record<string, string>>,
  omitted: readonly string[],
): Partial<ImageDraft> {
  for (const name of Object.keys(properties)) {
    if (isField(name)) {
      throw new ShoalError('INVALID_ARGUMENT', `${shown(name)} is a field of an image and cannot be a property.`);
    }
    mustBeWritable(name);
  }
  const attributes = attributesOf(request, { names: imageFieldNames, omitted: [...omitted, 'properties'] });
  return draftFields({ ...properties, ...attributes }, 'request');
}

function without(
  properties: Readonly<Record<string, string>>,
  names: readonly string[],
): Readonly<Record<string, string>> {
  const missing = names.find((name) => !Object.hasOwn(properties, name));
  if (missing !== undefined) throw new ShoalError('CONFLICT', `Property ${shown(missing)} does not exist.`);
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name)));
}

/** An image as users see it: which hosts hold it and whom it is shared with is not theirs to know. */
function imageView(image: shoal.v1.Image): shoal.v1.ImageView {
  return new shoal.v1.ImageView({
    id: image.id,
    name: image.name,
    projectId: image.projectId,
    visibility: image.visibility,
    status: image.status,
    diskFormat: image.diskFormat,
    containerFormat: image.containerFormat,
    sizeBytes: image.sizeBytes,
    virtualSizeBytes: image.inert ? 0 : image.virtualSizeBytes,
    sha256: image.sha256,
    sha512: image.sha512,
    md5: image.md5,
    minDiskGib: image.minDiskGib,
    minRamMib: image.minMemoryMib,
    properties: image.properties,
    tags: image.tags,
    protected: image.protected,
    hidden: image.hidden,
    createdMs: image.createdMs,
    updatedMs: image.updatedMs,
  });
}
