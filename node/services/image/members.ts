/**
 * Sharing of an image with single projects. The owner names them; each of them says for itself what it makes of it. A list
 * shows what its project accepted, unless other statuses are asked for.
 */

import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Row } from '../../state/table.ts';
import { imageTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { findImage, imageMembership } from '../kit/ownership.ts';
import { isAdministrator, isOwner, mayActOn } from '../kit/permissions.ts';
import { transact } from '../kit/transact.ts';

const Status = shoal.v1.ImageMemberStatus;
type Image = shoal.v1.Image;
type Member = shoal.v1.IImageMember;

/** Glance's `image_member_quota`. */
const membersMax = 128;
/** Characters of a project's id: Glance's column. */
const memberIdCharactersMax = 255;

const statuses = {
  pending: Status.IMAGE_MEMBER_STATUS_PENDING,
  accepted: Status.IMAGE_MEMBER_STATUS_ACCEPTED,
  rejected: Status.IMAGE_MEMBER_STATUS_REJECTED,
} as const;
/** What a project can make of an image that is shared with it. */
export type MemberStatus = keyof typeof statuses;
/** All statuses, in the order in which errors name them. */
export const memberStatuses: readonly MemberStatus[] = ['pending', 'accepted', 'rejected'];

/** Glance's word. */
export function memberStatusName(member: Member): MemberStatus {
  return memberStatuses.find((name) => statuses[name] === member.status) ?? 'pending';
}

/** The use cases around members. Each throws `NOT_FOUND` for an image that the caller may not see. */
export class ImageMembers {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  /** All for the owner, the caller's own place for a member. `FORBIDDEN` unless the image is shared. */
  list(reader: StateReader, context: RequestContext, imageId: string): readonly Member[] {
    const image = visibleImage(context, reader, imageId).record;
    mustBeShared(image);
    return image.members.filter((member) => isOwner(context, image) || member === imageMembership(context, image));
  }

  /** One, with the same rights; `NOT_FOUND` for one that the caller may not see. */
  show(reader: StateReader, context: RequestContext, imageId: string, projectId: string): Member {
    return mustHave(this.list(reader, context, imageId), imageId, projectId);
  }

  /** Shares. Throws `FORBIDDEN` unless owner of a shared image, `CONFLICT` for one who is a member, `TOO_LARGE`. */
  add(context: RequestContext, imageId: string, projectId: string): Promise<Member> {
    if (projectId === '' || projectId.length > memberIdCharactersMax) {
      throw new ShoalError('INVALID_ARGUMENT', `member: a project's id has 1 to ${memberIdCharactersMax} characters.`);
    }
    return this.#change(context, imageId, (image, nowMs) => {
      mustOwn(context, image);
      if (image.members.some((member) => member.projectId === projectId)) {
        throw new ShoalError('CONFLICT', `Project ${projectId} is a member of image ${imageId} already.`);
      }
      if (image.members.length >= membersMax) {
        throw new ShoalError('TOO_LARGE', `An image is shared with at most ${membersMax} projects.`);
      }
      const member = new shoal.v1.ImageMember({
        projectId,
        status: statuses.pending,
        createdMs: nowMs,
        updatedMs: nowMs,
      });
      return { members: [...image.members, member], result: member };
    });
  }

  /** Says what a project makes of it: that project's own to say, or an administrator's, and never the owner's. */
  setStatus(context: RequestContext, imageId: string, projectId: string, status: MemberStatus): Promise<Member> {
    return this.#change(context, imageId, (image, nowMs) => {
      const seen = image.members.filter((one) => isOwner(context, image) || one === imageMembership(context, image));
      const member = mustHave(seen, imageId, projectId);
      if (context.projectId !== projectId && !isAdministrator(context)) {
        throw new ShoalError('FORBIDDEN', `Only project ${projectId} says whether it accepts the image.`);
      }
      const next = new shoal.v1.ImageMember({ ...member, status: statuses[status], updatedMs: nowMs });
      return { members: image.members.map((one) => (one === member ? next : one)), result: next };
    });
  }

  /** Ends the sharing with one project. Servers that it has booted keep their disks. */
  async remove(context: RequestContext, imageId: string, projectId: string): Promise<void> {
    await this.#change(context, imageId, (image) => {
      mustOwn(context, image);
      const member = mustHave(image.members, imageId, projectId);
      return { members: image.members.filter((one) => one !== member), result: member };
    });
  }

  #change(
    context: RequestContext,
    imageId: string,
    edit: (image: Image, nowMs: number) => { readonly members: Member[]; readonly result: Member },
  ): Promise<Member> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = visibleImage(context, reader, imageId);
      mustBeShared(row.record);
      const { members, result } = edit(row.record, this.#deps.clock.nowMs());
      imageTable.update(change, row, new shoal.v1.Image({ ...row.record, members }));
      return result;
    });
  }
}

/** Throws `NOT_FOUND`, also for an image that the caller may not see. */
export function visibleImage(context: RequestContext, reader: StateReader, id: string): Row<Image> {
  const row = findImage(context, reader, id);
  if (row === undefined) {
    throw new ShoalError('NOT_FOUND', `No image found with ID ${id}.`, { facts: { table: 'image', id } });
  }
  return row;
}

function mustBeShared(image: Image): void {
  if (image.visibility === 'shared') return;
  throw new ShoalError('FORBIDDEN', `Only shared images have members; image ${image.id} is ${image.visibility}.`);
}

function mustOwn(context: RequestContext, image: Image): void {
  if (mayActOn(context, image)) return;
  throw new ShoalError('FORBIDDEN', 'Only the owner of an image says whom it is shared with.');
}

function mustHave(members: readonly Member[], imageId: string, projectId: string): Member {
  const member = members.find((one) => one.projectId === projectId);
  if (member === undefined) {
    throw new ShoalError('NOT_FOUND', `${projectId.slice(0, 64)} is not a member of image ${imageId}.`);
  }
  return member;
}
