/**
 * Images: records in the state, content on hosts. A record goes queued -> saving -> active; an upload that does not get
 * to its end leaves no content and a queued record.
 *
 * Who sees what: public images everybody; community images everybody who names them or asks for them; shared ones the
 * projects they are shared with; private ones their project. Who changes what: the owner's members, and administrators.
 */

import type { Readable } from 'node:stream';
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { Row } from '../../state/table.ts';
import { deletedImageTable, imageTable, jobTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ImageContent, ServiceDependencies, StoredImage } from '../kit/dependencies.ts';
import { imageMembership } from '../kit/ownership.ts';
import { isAdministrator, isAllowed, mayActOn } from '../kit/permissions.ts';
import { chargeQuota, refundQuota } from '../kit/quota.ts';
import { type Attempt, transact } from '../kit/transact.ts';
import { chargesOf, contentRoom, wholeMib } from './charges.ts';
import { checkDraft, checkImageId, draftOf, emptyDraft, type ImageDraft } from './draft.ts';
import { removeImageRow } from './image-record.ts';
import { ImageMembers, type MemberStatus, memberStatusName, visibleImage } from './members.ts';

const { ImageStatus } = shoal.v1;
type Image = shoal.v1.Image;

/** How many rows of one kind an interrupted agent puts right in one go; the next round does the rest. */
const recoveredAtOnceMax = 100;

/** What the service stands on beside the state. */
interface ImageDependencies extends ServiceDependencies {
  readonly content: ImageContent;
  /** The host that takes uploads here. */
  readonly hostId: HostId;
}

/** Where content comes from and what it is. */
interface ImageDownload {
  readonly image: Image;
  readonly body: Readable;
}

/** The use cases around images. */
export class ImageService {
  /** Whom images are shared with. */
  readonly members: ImageMembers;
  readonly #deps: ImageDependencies;
  /** Uploads under way in this process; what the records call saving here and is not in it was interrupted. */
  readonly #uploads = new Set<string>();

  constructor(deps: ImageDependencies) {
    this.#deps = deps;
    this.members = new ImageMembers(deps);
  }

  /** Uploads under way. */
  get uploadCount(): number {
    return this.#uploads.size;
  }

  /**
   * Images of a view that the caller may see in lists, in no order. `community`: also other projects' community images.
   * `memberStatus`: what the caller's project must have made of the images that are shared with it.
   */
  list(
    reader: StateReader,
    context: RequestContext,
    options: { readonly community: boolean; readonly memberStatus: MemberStatus | 'all' },
  ): readonly Image[] {
    return imageTable
      .list(reader)
      .map((row) => row.record)
      .filter((image) => {
        if (image.deleting) return false;
        if (mayActOn(context, image) || image.visibility === 'public') return true;
        if (image.visibility === 'community') return options.community;
        const member = imageMembership(context, image);
        if (member === undefined) return false;
        return options.memberStatus === 'all' || memberStatusName(member) === options.memberStatus;
      });
  }

  /** One image. Throws `NOT_FOUND` for one that the caller may not see, too. */
  show(reader: StateReader, context: RequestContext, id: string): Image {
    return visibleImage(context, reader, id).record;
  }

  /**
   * A queued image. Throws `INVALID_ARGUMENT` when `id` is no lower-case UUID, `CONFLICT` when it is taken or was once, `FORBIDDEN`
   * where the caller may not have it so.
   */
  async create(context: RequestContext, fields: Partial<ImageDraft>, id?: string): Promise<Image> {
    if (id !== undefined) checkImageId(id);
    const draft: ImageDraft = { ...emptyDraft(context.projectId), ...fields };
    checkDraft(draft);
    mayPublish(context, undefined, draft);
    return transact(this.#deps, context, ({ reader, change }) => {
      const imageId = id ?? this.#deps.newId();
      if (imageTable.exists(reader, imageId)) {
        throw new ShoalError('CONFLICT', `An image with identifier ${imageId} already exists.`);
      }
      if (deletedImageTable.exists(reader, imageId)) {
        throw new ShoalError(
          'CONFLICT',
          `An image with identifier ${imageId} was deleted; its id is not given out again.`,
        );
      }
      chargeQuota(change, reader, draft.projectId, { image_count_total: 1 });
      const nowMs = this.#deps.clock.nowMs();
      const image = new shoal.v1.Image({
        ...draft,
        charged: true,
        id: imageId,
        status: ImageStatus.IMAGE_STATUS_QUEUED,
        createdMs: nowMs,
        updatedMs: nowMs,
      });
      imageTable.insert(change, image);
      return image;
    });
  }

  /** Changes fields by `edit`, which gets them as they are and returns them as wanted, and may be called again. */
  update(context: RequestContext, id: string, edit: (draft: ImageDraft, image: Image) => ImageDraft): Promise<Image> {
    return this.#change(context, id, (image, { reader, change }) => {
      const before = draftOf(image);
      const draft = edit(draftOf(image), image);
      checkDraft(draft);
      mayPublish(context, before, draft);
      const isQueued = image.status === ImageStatus.IMAGE_STATUS_QUEUED;
      const reformatted = draft.diskFormat !== before.diskFormat || draft.containerFormat !== before.containerFormat;
      if (reformatted && !isQueued) {
        throw new ShoalError('FORBIDDEN', 'The formats of an image cannot be changed once it has content.');
      }
      if (draft.projectId !== before.projectId) {
        refundQuota(change, before.projectId, chargesOf(image));
        chargeQuota(change, reader, draft.projectId, chargesOf(image));
      }
      return new shoal.v1.Image({ ...image, ...draft });
    });
  }

  /** Puts an active image out of use, or back. Doing it again changes nothing. */
  async setActive(context: RequestContext, id: string, active: boolean): Promise<void> {
    const [from, to] = active
      ? [ImageStatus.IMAGE_STATUS_DEACTIVATED, ImageStatus.IMAGE_STATUS_ACTIVE]
      : [ImageStatus.IMAGE_STATUS_ACTIVE, ImageStatus.IMAGE_STATUS_DEACTIVATED];
    await this.#change(context, id, (image) => {
      if (image.status !== from && image.status !== to) {
        throw new ShoalError('FORBIDDEN', `An image that is ${statusName(image)} cannot be put out of use or back.`);
      }
      return new shoal.v1.Image({ ...image, status: to });
    });
  }

  /** Removes an image's record. Hosts that hold its content take it away once no record names it any more. */
  async delete(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = this.#changeable(reader, context, id);
      if (row.record.protected) {
        throw new ShoalError('FORBIDDEN', `Image ${id} is protected and cannot be deleted.`);
      }
      removeImageRow(change, row, this.#deps.clock.nowMs());
    });
  }

  /**
   * Takes the content of a queued image. Throws `CONFLICT` in any other state, `INVALID_ARGUMENT` while its formats are
   * not set, `QUOTA_EXCEEDED` when the project may not store so much, and what `ImageContent.store` throws; the image is
   * queued again then.
   */
  async upload(context: RequestContext, id: string, body: Readable, bytesMax: number): Promise<void> {
    const image = await this.#beginUpload(context, id);
    const room = contentRoom(this.#deps.state.local, image.projectId);
    this.#uploads.add(id);
    try {
      const declared = { diskFormat: image.diskFormat, bytesMax: Math.min(bytesMax, room.bytes) };
      const stored = await this.#deps.content.store(body, declared, context.signal).catch((caught: unknown) => {
        // Not the bound on every upload: what the project still may.
        throw ShoalError.is(caught, 'TOO_LARGE') && room.bytes < bytesMax ? room.refusal() : caught;
      });
      await this.#finishUpload(context, id, stored);
    } catch (error) {
      await this.#abandonUpload(id, error);
      throw error;
    } finally {
      this.#uploads.delete(id);
    }
  }

  /** Opens an image's content. Undefined: it has none yet. Throws `FORBIDDEN` for one out of use, `UNAVAILABLE`. */
  async download(reader: StateReader, context: RequestContext, id: string): Promise<ImageDownload | undefined> {
    const image = this.show(reader, context, id);
    if (image.status === ImageStatus.IMAGE_STATUS_DEACTIVATED && !isAdministrator(context)) {
      throw new ShoalError('FORBIDDEN', `Image ${id} is deactivated and cannot be downloaded.`);
    }
    if (image.sha256 === '') return undefined;
    const body = await this.#deps.content.open(image.sha256, image.hostIds, context.signal);
    return { image, body };
  }

  /**
   * Puts back to queued what this host was taking when it stopped. Called at start and now and then after it; returns how
   * many there were. Throws what the state throws.
   */
  async recoverInterrupted(signal: AbortSignal): Promise<number> {
    let recovered = 0;
    // An image that is made of a volume or a server is its job's to give up.
    const jobs = jobTable.by(this.#deps.state.local, 'under-way', 'yes');
    for (const { record } of imageTable.list(this.#deps.state.local)) {
      const mine = record.status === ImageStatus.IMAGE_STATUS_SAVING && record.hostIds.includes(this.#deps.hostId);
      if (!mine || this.#uploads.has(record.id) || recovered >= recoveredAtOnceMax) continue;
      if (jobs.some(({ record: job }) => imageOfJob(job) === record.id)) continue;
      await this.#requeue(record.id, signal);
      recovered += 1;
    }
    return recovered;
  }

  async #beginUpload(context: RequestContext, id: string): Promise<Image> {
    return this.#change(context, id, (record, { reader }) => {
      if (record.status !== ImageStatus.IMAGE_STATUS_QUEUED) {
        throw new ShoalError('CONFLICT', `Image ${id} is ${statusName(record)}; content is taken while it is queued.`);
      }
      if (record.diskFormat === '' || record.containerFormat === '') {
        throw new ShoalError(
          'INVALID_ARGUMENT',
          'disk_format and container_format must be set before content is uploaded.',
        );
      }
      const room = contentRoom(reader, record.projectId);
      if (room.bytes <= 0) throw room.refusal();
      // While it is saving, the one host named is the one that takes the upload.
      return new shoal.v1.Image({ ...record, status: ImageStatus.IMAGE_STATUS_SAVING, hostIds: [this.#deps.hostId] });
    });
  }

  async #finishUpload(context: RequestContext, id: string, stored: StoredImage): Promise<void> {
    await this.#change(context, id, (image, { reader, change }) => {
      if (image.status !== ImageStatus.IMAGE_STATUS_SAVING) {
        throw new ShoalError('CONFLICT', `Image ${id} was changed while its content was being uploaded.`);
      }
      const chargedMib = wholeMib(stored.sizeBytes);
      chargeQuota(change, reader, image.projectId, { image_size_total: chargedMib });
      return new shoal.v1.Image({
        ...image,
        ...stored,
        chargedMib,
        status: ImageStatus.IMAGE_STATUS_ACTIVE,
        hostIds: [this.#deps.hostId],
      });
    });
  }

  /** The caller may be gone by now, so its signal does not count any more. */
  async #abandonUpload(id: string, cause: unknown): Promise<void> {
    try {
      await this.#requeue(id, new AbortController().signal);
    } catch (error) {
      // Not lost: `recoverInterrupted` finds it. What went wrong first is what the caller has to hear.
      this.#deps.logger.warn(
        { err: error, cause, imageId: id },
        'an interrupted upload could not be put back to queued',
      );
    }
  }

  async #requeue(id: string, signal: AbortSignal): Promise<void> {
    await transact(this.#deps, { signal }, ({ reader, change }) => {
      const row = imageTable.get(reader, id);
      if (row === undefined || row.record.status !== ImageStatus.IMAGE_STATUS_SAVING) return;
      if (!row.record.hostIds.includes(this.#deps.hostId)) return;
      imageTable.update(
        change,
        row,
        new shoal.v1.Image({ ...row.record, status: ImageStatus.IMAGE_STATUS_QUEUED, hostIds: [] }),
      );
    });
  }

  #change(context: RequestContext, id: string, edit: (image: Image, attempt: Attempt) => Image): Promise<Image> {
    return transact(this.#deps, context, (attempt) => {
      const row = this.#changeable(attempt.reader, context, id);
      const next = edit(row.record, attempt);
      next.updatedMs = this.#deps.clock.nowMs();
      imageTable.update(attempt.change, row, next);
      return next;
    });
  }

  #changeable(reader: StateReader, context: RequestContext, id: string): Row<Image> {
    const row = visibleImage(context, reader, id);
    if (!mayActOn(context, row.record)) {
      throw new ShoalError('FORBIDDEN', 'You are not permitted to modify this image.');
    }
    return row;
  }
}

/** The image that a job makes; undefined: none. */
function imageOfJob({ volumeUpload, serverImage }: shoal.v1.Job): string | undefined {
  return volumeUpload?.imageId ?? serverImage?.imageId ?? undefined;
}

/** Glance's word for an image's state. */
export function statusName(image: Image): string {
  switch (image.status) {
    case ImageStatus.IMAGE_STATUS_QUEUED:
      return 'queued';
    case ImageStatus.IMAGE_STATUS_SAVING:
      return 'saving';
    case ImageStatus.IMAGE_STATUS_ACTIVE:
      return 'active';
    case ImageStatus.IMAGE_STATUS_DEACTIVATED:
      return 'deactivated';
    default:
      return 'killed';
  }
}

/** Public images and other projects' images are by default administrators' business. */
function mayPublish(context: RequestContext, before: ImageDraft | undefined, after: ImageDraft): void {
  if (after.visibility === 'public' && before?.visibility !== 'public' && !isAllowed(context, 'publicize_image')) {
    throw new ShoalError('FORBIDDEN', 'Only administrators make images public.');
  }
  if (after.projectId !== (before?.projectId ?? context.projectId) && !mayActOn(context, after)) {
    throw new ShoalError('FORBIDDEN', 'Only administrators make images for, or give them to, another project.');
  }
}
