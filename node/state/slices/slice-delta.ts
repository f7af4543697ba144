import type { KeyValue } from '../types.ts';

/** A piece of what a replica tells a subscriber: of its slice as it is, not of how it came to be so. */
export interface SliceDelta {
  /** The revision of the state that the rows were read at. */
  readonly revision: number;
  /** Rows that are new or have changed. */
  readonly puts: readonly KeyValue[];
  /** Keys that are covered and have no row. */
  readonly deletes: readonly string[];
  /** All rows of these buckets are gone but for those put in this piece or a later one: of a repair. */
  readonly cleared?: { readonly buckets: number; readonly numbers: ReadonlySet<number> };
  /** With this piece the slice is what it is at `revision`. Until then pieces are kept apart. */
  readonly isWhole: boolean;
  /** The change of terms up to which the slice is whole, by the subscriber's own count. */
  readonly termsNumber: number;
}
