import type { HostId } from '../../node/base/ids.ts';

/** A host that passed, with its score. */
export interface Candidate {
  readonly hostId: HostId;
  readonly slot: number;
  readonly score: number;
}

/**
 * The answer to a request: where to claim first, and where next when that is refused. `explain` says why there is none.
 */
export type Selection =
  | { readonly outcome: 'selected'; readonly candidate: Candidate; readonly alternates: readonly Candidate[] }
  | { readonly outcome: 'none' };
