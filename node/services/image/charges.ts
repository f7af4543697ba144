/** What images take of their project's quota, and what room for content there is left. */
import type { shoal } from '../../../proto/messages.ts';
import type { ShoalError } from '../../base/errors.ts';
import { mibBytes } from '../../base/units.ts';
import type { StateReader } from '../../state/types.ts';
import { overQuota, type QuotaResource, quotaLimit, quotaUsage, unlimited } from '../kit/quota.ts';

/** Glance's `image_size_total` is in MiB: each image counts for its size rounded up. */
export function wholeMib(bytes: number): number {
  return Math.ceil(bytes / mibBytes);
}

/** What goes back to the project when the image goes. One that an earlier version made was never counted. */
export function chargesOf(image: shoal.v1.Image): Partial<Record<QuotaResource, number>> {
  return { image_count_total: image.charged ? 1 : 0, image_size_total: image.chargedMib };
}

/** How much content a project may still store. */
interface QuotaRoom {
  /** 0 or less: none. */
  readonly bytes: number;
  readonly refusal: () => ShoalError;
}

/** A hint, so that no upload is read that cannot be kept; the counter decides when it is there. */
export function contentRoom(reader: StateReader, projectId: string): QuotaRoom {
  const limit = quotaLimit(reader, projectId, 'image_size_total');
  const used = quotaUsage(reader, projectId, 'image_size_total');
  return {
    bytes: limit === unlimited ? Number.MAX_SAFE_INTEGER : (limit - used) * mibBytes,
    refusal: () => overQuota('image_size_total', { limit, used, requested: Math.max(limit - used, 0) + 1 }),
  };
}
