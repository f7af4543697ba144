/** Why a storage does not take a write, as a fact that callers decide by and tell the owner. */
import { ShoalError } from '../node/base/errors.ts';

/**
 * `full`: no room is left, or the operator's reserve is reached. `read-only`: it takes no writes of anybody. `no-pool`: the
 * pool, or folder, that holds the disks is not there any more.
 */
type StorageReason = 'full' | 'read-only' | 'no-pool';

/** The error: `DRIVER_FAILED` with the fact `reason`. */
export function storageRefusal(
  reason: StorageReason,
  message: string,
  also: { readonly facts?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {},
): ShoalError {
  return new ShoalError('DRIVER_FAILED', message, {
    facts: { ...also.facts, reason },
    ...(also.cause === undefined ? {} : { cause: also.cause }),
  });
}
