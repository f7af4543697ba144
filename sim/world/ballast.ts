import type { Op } from '../../node/state/types.ts';

/** Rows of the state that nobody reads or writes: what is done to them behind a member's back, only digests can tell. */
export const ballastPrefix = 'ballast/';

/** Writes them. */
export function ballast(): readonly Op[] {
  return Array.from({ length: 16 }, (_, at) => ({
    kind: 'put',
    key: `${ballastPrefix}${at}`,
    value: Uint8Array.from({ length: 8 * at }, (_, byte) => (at * 31 + byte) & 0xff),
  }));
}
