/** What a key of a list's query demands of an item. */
import { ShoalError } from '../../../../node/base/errors.ts';
import { shown } from '../../../kit/input.ts';

/** Whether an item is in the list. */
type Demand<T> = (item: T) => boolean;

/**
 * Reads all values of one key, at least one. Throws `INVALID_ARGUMENT` for a value that it cannot have; undefined: the values
 * choose nothing, so that all items are in.
 */
export type Filter<T> = (values: readonly string[], key: string) => Demand<T> | undefined;

/** A list's filters, by their keys in the query. */
export type Filters<T> = Readonly<Record<string, Filter<T>>>;

/** What one value demands. */
type One<T> = (value: string, key: string) => Demand<T> | undefined;

/** A key that is given once. Throws `INVALID_ARGUMENT` otherwise: which of the two is meant, nobody knows. */
export function once<T>(of: One<T>): Filter<T> {
  return ([value = '', ...more], key) => {
    if (more.length === 0) return of(value, key);
    throw new ShoalError('INVALID_ARGUMENT', `Invalid query: ${shown(key)} is given more than once.`);
  };
}

/** A key of whose values one has to fit. */
export function anyOf<T>(of: One<T>): Filter<T> {
  return (values, key) => {
    const demands = [...new Set(values)].flatMap((value) => of(value, key) ?? []);
    return demands.length === 0 ? undefined : (item) => demands.some((holds) => holds(item));
  };
}

/** A key of whose values each has to fit. */
export function allOf<T>(of: One<T>): Filter<T> {
  return (values, key) => {
    const demands = values.flatMap((value) => of(value, key) ?? []);
    return (item) => demands.every((holds) => holds(item));
  };
}
