import { ShoalError } from '../../../node/base/errors.ts';
import { shown } from '../../kit/input.ts';

/** By what a list is ordered, the first key first. */
interface SortKey {
  readonly key: string;
  readonly isDescending: boolean;
}

/** Most keys of one order: more cannot make a difference, and each costs a comparison. */
const keysMax = 16;

/**
 * The order that repeated `sort_key` and `sort_dir` ask for, in pairs as they stand; a key without a direction has `fallback`.
 * Throws `INVALID_ARGUMENT` for a direction that is none, more directions than keys, and a key that is not known.
 */
export function sortOrder(
  keys: readonly string[],
  directions: readonly string[],
  options: { readonly fallback: 'asc' | 'desc'; readonly isKnown: (key: string) => boolean },
): readonly SortKey[] {
  const wrong = directions.find((direction) => direction !== 'asc' && direction !== 'desc');
  if (wrong !== undefined) {
    throw new ShoalError('INVALID_ARGUMENT', `Invalid sort_dir '${shown(wrong)}': it is 'asc' or 'desc'.`);
  }
  if (directions.length > keys.length && keys.length > 0) {
    throw new ShoalError('INVALID_ARGUMENT', 'There are more sort_dir than sort_key.');
  }
  if (keys.length > keysMax) throw new ShoalError('INVALID_ARGUMENT', `There are more than ${keysMax} sort_key.`);
  return keys.map((key, at) => {
    if (!options.isKnown(key)) {
      throw new ShoalError('INVALID_ARGUMENT', `'${shown(key)}' is an invalid attribute for sort_key.`);
    }
    return { key, isDescending: (directions[at] ?? options.fallback) === 'desc' };
  });
}
