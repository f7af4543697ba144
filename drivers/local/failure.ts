/** What this host's file system refused: full, read-only, or gone. */
import { ShoalError } from '../../node/base/errors.ts';
import { errnoOf } from '../../node/base/system-error.ts';
import { storageRefusal } from '../storage-refusal.ts';

const reasons = { ENOSPC: 'full', EDQUOT: 'full', EROFS: 'read-only' } as const;
/** As the C library says it: programs print nothing else. */
const words = [
  [/no space left on device|disk quota exceeded/i, 'full'],
  [/read-only file system/i, 'read-only'],
] as const;
const said = {
  full: 'the folder of local disks has no room left; remove something or make it larger',
  'read-only': 'the folder of local disks takes no writes: its file system is read-only',
} as const;

/** The failure with its reason, where it has one; else as it is. */
export function localFailure(caught: unknown): unknown {
  const reason = reasonOf(caught);
  if (reason === undefined) return caught;
  const facts = caught instanceof ShoalError ? caught.facts : {};
  return storageRefusal(reason, said[reason], { facts, cause: caught });
}

function reasonOf(caught: unknown): 'full' | 'read-only' | undefined {
  for (let error: unknown = caught, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth += 1) {
    if (error instanceof ShoalError && error.facts['reason'] !== undefined) return undefined;
    const errno = errnoOf(error);
    if (errno === 'ENOSPC' || errno === 'EDQUOT' || errno === 'EROFS') return reasons[errno];
    const stderr = error instanceof ShoalError ? error.facts['stderr'] : undefined;
    if (typeof stderr !== 'string') continue;
    for (const [pattern, reason] of words) if (pattern.test(stderr)) return reason;
  }
  return undefined;
}
