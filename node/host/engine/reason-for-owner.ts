/** As much of a failure as its owner can use. What else it says is of the operator's machines. */
import type { ShoalError } from '../../base/errors.ts';

/** By the fact `reason` of what a storage refuses. */
const words: ReadonlyMap<unknown, string> = new Map([
  ['full', ': its storage has no room left'],
  ['read-only', ': its storage takes no writes now'],
  ['no-pool', ': the pool of its storage is not there any more'],
]);

/** What comes behind "failed on its host"; empty: nothing that helps its owner. */
export function reasonForOwner({ facts }: ShoalError): string {
  return words.get(facts['reason']) ?? '';
}
