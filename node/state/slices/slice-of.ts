/** The rows of a slice by definition: what feeding and repairing have to arrive at. */
import { prefixEnd } from '../table.ts';
import type { KeyValue, StateReader } from '../types.ts';
import { isPrefix, namedBy, type SliceTerm } from './slice-terms.ts';

/** All rows of `reader`'s state that `terms` cover, by key. Costs as much as the slice is large. */
export function sliceOf(reader: StateReader, terms: Iterable<SliceTerm>): ReadonlyMap<string, KeyValue> {
  const rows = new Map<string, KeyValue>();
  for (const row of rowsOf(reader, terms)) rows.set(row.key, row);
  return rows;
}

function* rowsOf(reader: StateReader, terms: Iterable<SliceTerm>): Generator<KeyValue, void, undefined> {
  for (const term of terms) {
    for (const row of coveredBy(reader, term)) {
      yield row;
      const named = namedBy(term, row.key, row.value);
      const found = named === undefined ? undefined : reader.get(named);
      if (found !== undefined) yield found;
    }
  }
}

/** The rows whose keys a term covers, without those that index entries name. */
export function coveredBy(reader: StateReader, term: SliceTerm): readonly KeyValue[] {
  if (isPrefix(term)) return reader.range(term, prefixEnd(term));
  const row = reader.get(term);
  return row === undefined ? [] : [row];
}
