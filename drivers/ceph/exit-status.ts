/** What Ceph's programs mean by their exit status: the error number of the call that failed. */
import { ShoalError } from '../../node/base/errors.ts';
import { storageRefusal } from '../storage-refusal.ts';

/** Those that are decided by. All others are failures whose text goes to people. */
export const exitStatus = {
  ok: 0,
  /** ENOENT: the cluster was asked, and there is none. The only status that means "absent". */
  notFound: 2,
  /** EBUSY: open, or locked. */
  busy: 16,
  /** EEXIST. */
  exists: 17,
  /** EINVAL. */
  invalid: 22,
  /** ENOTEMPTY: snapshots or clones hang on it. */
  notEmpty: 39,
  /** ESHUTDOWN: the cluster has fenced this client (blocklist). */
  blocked: 108,
} as const;

/**
 * ENETUNREACH, ENOTCONN, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH: monitors or OSDs do not answer now. It may pass by itself.
 */
const unanswered: readonly number[] = [101, 107, 110, 111, 113];
/** `ceph` and `rados` end with 1 whatever it was, and say it in words. */
const blockedWords = /\(108\)|blocklisted/i;
const unansweredWords = /timed out|error connecting to the cluster|couldn't connect|connection refused/i;

/** ENOSPC, EDQUOT: no room in the pool, or in its quota. EROFS: a cluster or image that takes no writes. */
const refusals = new Map([
  [28, { reason: 'full', message: 'the pool in Ceph has no room left' }],
  [122, { reason: 'full', message: 'the quota of the pool in Ceph is used up' }],
  [30, { reason: 'read-only', message: 'Ceph takes no writes of this disk' }],
] as const);
/** ENOENT is said of an image and of its pool alike; only the words tell which. */
const noPoolWords = /error opening (default )?pool|error opening pool/i;

/** What a program said, and how it ended. */
interface Said {
  readonly status: number;
  readonly stderr: string;
}

/** Throws when what was not found is the pool: that says nothing of the disks that were in it. */
export function refuseNoPool(said: Said): void {
  const gone = noPool(said);
  if (gone !== undefined) throw gone;
}

function noPool({ status, stderr }: Said): ShoalError | undefined {
  if (status !== exitStatus.notFound || !noPoolWords.test(stderr)) return undefined;
  return storageRefusal('no-pool', `Ceph has not got the pool any more: ${stderr.trim().slice(-300)}`);
}

/** A failed command as the failure it is: fenced, full, unreachable, or simply failed. */
export function cephFailure(caught: unknown): ShoalError {
  const error = ShoalError.from(caught, 'DRIVER_FAILED');
  const gone =
    error.code === 'COMMAND_FAILED'
      ? noPool({ status: Number(error.facts['status']), stderr: String(error.facts['stderr'] ?? '') })
      : undefined;
  if (gone !== undefined) return gone;
  const refusal = error.code === 'COMMAND_FAILED' ? refusals.get(Number(error.facts['status']) as 28) : undefined;
  if (refusal !== undefined) {
    return storageRefusal(refusal.reason, `${refusal.message}: ${error.message}`, { facts: error.facts, cause: error });
  }
  if (error.code === 'COMMAND_FAILED' && isBlocked(error)) {
    return new ShoalError('FENCE_UNPROVEN', 'Ceph refuses this host: it was fenced, and is not unfenced yet', {
      facts: error.facts,
      cause: error,
    });
  }
  const { status, stderr } = error.facts;
  const isUnanswered =
    error.code === 'COMMAND_FAILED' &&
    ((typeof status === 'number' && unanswered.includes(status)) ||
      (typeof stderr === 'string' && unansweredWords.test(stderr)));
  if (error.code === 'DEADLINE_EXCEEDED' || isUnanswered) {
    return new ShoalError('CANNOT_TELL', `Ceph does not answer: ${error.message}`, {
      facts: error.facts,
      cause: error,
    });
  }
  return error;
}

function isBlocked({ facts: { status, stderr } }: ShoalError): boolean {
  return status === exitStatus.blocked || (status === 1 && typeof stderr === 'string' && blockedWords.test(stderr));
}
