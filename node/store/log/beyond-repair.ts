import { ShoalError } from '../../base/errors.ts';
import type { LogMark } from './log-mark.ts';

/**
 * The refusal of a damaged log whose owner is the only voter: nobody else has what it has lost, and going on would lose it
 * for good, in silence.
 */
export function beyondRepair(faults: readonly string[], mark: LogMark | undefined): ShoalError {
  const reached = mark === undefined ? '' : ` It had come to ${mark.last}.`;
  return new ShoalError(
    'LOG_CORRUPT',
    `The log is damaged, and this member is the only voter, so nobody can repair it.${reached} ` +
      `Found: ${faults.join(' ')} ` +
      'Nothing was changed. Look at it with: shoal inspect. Then put back a copy of the whole data folder, or go on ' +
      'with what is left and lose the rest: shoal recover --force --yes',
    { facts: { faults, isAlone: true } },
  );
}
