/**
 * Why the core did not do what it was asked. Refusals are expected and are returned, never thrown: the caller retries,
 * redirects or drops. A broken invariant is an `AssertionError` instead (node/base/assert.ts).
 */
export type Refusal =
  /** No leader known, forwarding forbidden, a transfer under way, this leader removed, or too much uncommitted. */
  | 'proposal-dropped'
  /** No leader known, or too many reads wait already. */
  | 'read-dropped'
  /** A response from somebody who is not a member (any more). */
  | 'peer-not-found'
  /** A message that only this node may send to itself came from outside. */
  | 'local-message'
  /** Fields that contradict one another or the protocol; see messages/message-fault.ts. */
  | 'malformed-message';
