/** What a subscriber and a replica say to each other, whatever carries it. */
import type { RaftId } from '../base/ids.ts';
import type { DigestValue } from '../state/digest.ts';
import type { SliceDelta } from '../state/slices/slice-delta.ts';
import type { SliceTerm } from '../state/slices/slice-terms.ts';
import type { ClusterStatus } from '../state/types.ts';

/** From a subscriber. The first of a stream is `subscribe`. */
export type SliceRequest =
  | {
      readonly kind: 'subscribe';
      /** Terms that its slice is whole in, and those that it asks for beside them. */
      readonly held: readonly SliceTerm[];
      readonly asked: readonly SliceTerm[];
      /** Of its slice; 0: it has none. */
      readonly revision: number;
      readonly termsNumber: number;
    }
  | {
      readonly kind: 'change';
      readonly add: readonly SliceTerm[];
      readonly remove: readonly SliceTerm[];
      readonly termsNumber: number;
    }
  /** The answer to `ask-digests`. */
  | { readonly kind: 'digests'; readonly digests: readonly DigestValue[] }
  /** A piece is wanted as soon as the replica has come to `revision`, be there nothing in it. */
  | { readonly kind: 'reach'; readonly revision: number };

/** From a replica. */
export type SliceReply =
  | { readonly kind: 'piece'; readonly delta: SliceDelta }
  | { readonly kind: 'ask-digests' }
  /** At the beginning, and whenever it is another. */
  | { readonly kind: 'status'; readonly status: ClusterStatus };

/** Carries a subscription to a host that may be a replica. */
export interface SliceChannel {
  /**
   * Throws `UNAVAILABLE` (it is no replica, starts, stops, or cannot be reached), `RATE_LIMITED` (too many came at once),
   * `STALE` (it is behind the subscriber's revision). A `status` may have come before that says who the replicas are.
   */
  subscribe(to: RaftId, requests: AsyncIterable<SliceRequest>, signal: AbortSignal): AsyncIterable<SliceReply>;
}

/** What a host answers to those who subscribe. */
export type SliceHandler = (
  requests: AsyncIterable<SliceRequest>,
  signal: AbortSignal,
) => AsyncGenerator<SliceReply, void, undefined>;
