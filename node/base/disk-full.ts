import { errnoOf } from './system-error.ts';

/** Causes looked through, so that a ring of them ends. */
const causesMax = 8;

/**
 * Whether a failure, or what caused it, is that a file system has no room left: as the system says it, or as a store's own
 * error does in `facts.isDiskFull`.
 */
export function isDiskFull(caught: unknown): boolean {
  let error = caught;
  for (let depth = 0; depth < causesMax && error instanceof Error; depth++) {
    if (['ENOSPC', 'EDQUOT'].includes(errnoOf(error) ?? '')) return true;
    if ('facts' in error && Object(error.facts).isDiskFull === true) return true;
    error = error.cause;
  }
  return false;
}
