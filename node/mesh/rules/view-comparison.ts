/**
 * What two hosts whose views differ have to tell each other. Pure: one side tells its rows of the buckets that differ, the
 * other finds what it lacks and what it can give.
 */
import type { HostId } from '../../base/ids.ts';
import { type AdvertOrder, compareAdvertOrder } from './advert-order.ts';
import type { AdvertView, HeldAdvert } from './adverts.ts';
import { bucketOf, differingBuckets } from './view-digest.ts';

/** One row of a view: a host, and which advert of it is held. */
export interface ViewRow extends AdvertOrder {
  readonly hostId: HostId;
}

/** The rows of a view in the buckets in which a peer's digest differs from its own; none: the views are the same. */
export function differingRows(view: AdvertView, theirs: Uint8Array): readonly ViewRow[] {
  const buckets = new Set(differingBuckets(view.digest, theirs));
  if (buckets.size === 0) return [];
  return view
    .all()
    .filter(({ hostId }) => buckets.has(bucketOf(hostId)))
    .map(({ hostId, advert: { epoch, sequence } }) => ({ hostId, epoch, sequence }));
}

/**
 * What to ask a peer for, and what to give it.
 * @param theirDigest the peer's, which says in which buckets `theirs` is everything that it has.
 */
export function compareRows(
  view: AdvertView,
  theirDigest: Uint8Array,
  theirs: readonly ViewRow[],
): { readonly wants: readonly HostId[]; readonly gives: readonly HeldAdvert[] } {
  const buckets = new Set(differingBuckets(view.digest, theirDigest));
  const known = new Map(theirs.map((row) => [row.hostId, row]));
  const gives = view.all().filter(({ hostId, advert }) => {
    const row = known.get(hostId);
    return buckets.has(bucketOf(hostId)) && (row === undefined || compareAdvertOrder(advert, row) > 0);
  });
  const wants = [...known.values()].filter((row) => view.isNewer(row.hostId, row)).map(({ hostId }) => hostId);
  return { wants, gives };
}

/** All that a view holds of hosts whose ids come after `after`, in the order of the ids: where a pull goes on. */
export function advertsAfter(view: AdvertView, after: string): readonly HeldAdvert[] {
  return view
    .all()
    .filter(({ hostId }) => hostId > after)
    .sort((a, b) => (a.hostId < b.hostId ? -1 : 1));
}
