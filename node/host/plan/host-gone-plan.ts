/**
 * Whether a host is gone, by all witnesses at once: the other hosts (the detector's verdict, which several of them share), its own
 * kernel (what its address answers), and the storage that it shares with others (whether it still says there that it is there). Pure.
 *
 * A host that is only cut off, or whose agent alone has ended, still has its guests: they are not touched. What no witness can
 * tell is not known, which is never taken for gone. Nor does "gone" end a guest: its fence is proved afterwards, whatever was thought.
 */

/** What a pool that several hosts share has heard of the host. */
export interface PoolWord {
  readonly pool: string;
  /**
   * `says-so`: it has told the pool since it is watched that it is there. `silent`: it has told nothing for long enough. `never`: it
   * never told this pool anything. `unknown`: the pool does not answer, or has not been watched for long enough.
   */
  readonly word: 'says-so' | 'silent' | 'never' | 'unknown';
  /** Of `unknown`: why. */
  readonly reason?: string;
}

/** What all witnesses say. */
export interface HostSeen {
  /** By the detector of this agent, which has heard the others. */
  readonly condition: 'alive' | 'suspect' | 'dead' | 'unknown';
  /** An operator says that it is gone. */
  readonly forcedDown: boolean;
  /** What the kernel at its address answers; undefined: it was not asked yet. */
  readonly port: 'listening' | 'closed' | 'silent' | 'unknown' | undefined;
  readonly pools: readonly PoolWord[];
}

/** The verdict, with the reason for people. */
export type HostVerdict =
  | { readonly kind: 'gone' }
  /** It is there, whatever else is wrong with it. */
  | { readonly kind: 'there'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** See above. */
export function judgeHost({ condition, forcedDown, port, pools }: HostSeen): HostVerdict {
  if (condition === 'alive') return { kind: 'there', reason: 'it answers' };
  if (condition === 'suspect') return { kind: 'there', reason: 'it is suspected, and not down' };
  // The operator stands for its kernel and for its guests. Its fence is still to be proved.
  if (forcedDown) return { kind: 'gone' };
  if (condition === 'unknown') return { kind: 'unknown', reason: 'nothing has been heard of it here' };
  if (port === 'listening') return { kind: 'there', reason: 'its agent stands still, and its machine answers' };
  if (port === 'closed') {
    return {
      kind: 'unknown',
      reason:
        'its machine answers and its agent does not, so that its guests may run: start the agent, or force the host down',
    };
  }
  if (port !== 'silent') return { kind: 'unknown', reason: 'whether its machine answers is not known yet' };
  return byStorage(pools);
}

function byStorage(pools: readonly PoolWord[]): HostVerdict {
  const saying = pools.find(({ word }) => word === 'says-so');
  if (saying !== undefined) {
    return {
      kind: 'there',
      reason: `it is cut off from the other hosts, and still reaches the storage ${saying.pool}`,
    };
  }
  const unknown = pools.find(({ word }) => word === 'unknown');
  if (unknown !== undefined) {
    return {
      kind: 'unknown',
      reason: `the storage ${unknown.pool} does not tell: ${unknown.reason ?? 'no reason given'}`,
    };
  }
  if (pools.some(({ word }) => word === 'silent')) return { kind: 'gone' };
  return { kind: 'unknown', reason: 'it never told any shared storage that it is there' };
}
