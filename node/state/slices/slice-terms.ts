/**
 * What a slice is made of. A slice is part of the state: all rows that its terms cover. A term is a key, or a prefix of keys
 * that ends with a slash; so slices are chosen by keys that were written with the rows, in the same transaction, and never by
 * looking into values.
 *
 * | term | covers |
 * |---|---|
 * | `t/network/ID` | one row |
 * | `t/mesh/` | a whole table |
 * | `x/port/network/ID/` | an index's entries of one key, and the rows that they name |
 * | `u/host/name/NAME` | a unique index entry, and the row that it names |
 *
 * Evidence for keys and against predicates: OVN's conditional monitoring, whose filters had to be switched off at scale.
 */
import { encodePart } from '../table.ts';

/** A key, or a prefix that ends with a slash. */
export type SliceTerm = string;

/** Longest term, characters: as long as a key. */
export const termCharactersMax = 512;
/** Terms of one slice, at most: far more than a host with a thousand ports needs. */
export const termsMax = 65_536;

/** Whether a term covers all keys that begin with it. */
export function isPrefix(term: SliceTerm): boolean {
  return term.endsWith('/');
}

/**
 * The row that an entry covered by `term` names (table.ts has the layout); undefined: none. A unique entry names its row in
 * its value, and only for a term that is its key; under a prefix, unique entries name nothing.
 * @param value of the entry; undefined where it is gone: what a unique entry has named is not known then.
 */
export function namedBy(term: SliceTerm, key: string, value: Uint8Array | undefined): string | undefined {
  if (key.startsWith('x/')) {
    const table = key.indexOf('/', 2);
    const id = key.lastIndexOf('/');
    return table < 0 || id <= table ? undefined : `t/${key.slice(2, table)}/${key.slice(id + 1)}`;
  }
  if (!key.startsWith('u/') || value === undefined || isPrefix(term)) return undefined;
  const table = key.indexOf('/', 2);
  return table < 0 ? undefined : `t/${key.slice(2, table)}/${encodePart(new TextDecoder().decode(value))}`;
}

/** The prefixes of a key that may be terms, shortest first: all that end with a slash. */
export function* prefixesOf(key: string): Generator<SliceTerm, void, undefined> {
  for (let slash = key.indexOf('/'); slash >= 0 && slash < key.length; slash = key.indexOf('/', slash + 1))
    yield key.slice(0, slash + 1);
}
