import type { StateReader } from '../state/types.ts';

/** What a host must hold of the state, found by reading it. */
export interface SliceRoots {
  /**
   * Reads everything that the host must have. What was read before, and is known not to have changed since, may be left out.
   */
  read(reader: StateReader): void;
  /** Rows with these keys have changed, and no others since the last call. */
  heard(keys: readonly string[]): void;
  /** Nothing is known of what was read before: the next reading is of everything. */
  forget(): void;
}
