/**
 * A record that others point at, and its removal, which looks for them first. The two must not both commit, each from a
 * view without the other. What comes to point compares that the record is there, and counts itself; the removal demands
 * that the count is what it was when it looked. The count is of those that came, not of those that are there now
 * (`network/kit/uses.ts` has that): what stops pointing says nothing here, and what pointed before this count need not be in it.
 */
import type { StateReader } from '../../state/types.ts';
import type { Change } from './transact.ts';

/** The change makes something point at the record with `key`. It loses its race when the record is gone by then. */
export function pointAt(change: Change, key: string): void {
  change.once(`pointed-at/${key}`, () => {
    change.compare({ key, exists: true });
    change.add(countKey(key), 1, { min: 0, max: Number.MAX_SAFE_INTEGER });
    return key;
  });
}

/**
 * The change removes the record with `key`, at which nothing points in this view. It loses its race when something has come
 * to point at it since. The count ends with it.
 */
export function endPointing(change: Change, reader: StateReader, key: string): void {
  const count = reader.counter(countKey(key));
  change.addTo(countKey(key), count, -count);
}

function countKey(key: string): string {
  return `c/pointed-at/${key}`;
}
