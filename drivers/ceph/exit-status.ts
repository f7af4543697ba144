/** What Ceph's programs mean by their exit status: the error number of the call that failed. */
import { ShoalError } from '../../node/base/errors.ts';

/** Those that are decided by. All others are failures whose text goes to people. */
export const exitStatus = {
  ok: 0,
  /** ENOENT: the cluster was asked, and there is none. The only status that means "absent". */
  notFound: 2,
  /** EBUSY: open, or locked. */
  busy: 16,
  /** EEXIST. */
  exists: 17,
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
const unansweredWords = /timed out|error connecting to the cluster|couldn't connect|connection refused/i;

/** A failed command as the failure it is: fenced, unreachable, or simply failed. */
export function cephFailure(caught: unknown): ShoalError {
  const error = ShoalError.from(caught, 'DRIVER_FAILED');
  if (error.code === 'COMMAND_FAILED' && error.facts['status'] === exitStatus.blocked) {
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
