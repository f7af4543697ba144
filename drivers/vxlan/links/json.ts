/** Narrowing of what `ip -json`, `bridge -json` and `nft -j` print. They are other people's formats: nothing is assumed. */
import { ShoalError } from '../../../node/base/errors.ts';

/** An object of unknown members. */
type JsonRecord = Readonly<Record<string, unknown>>;

/** Parses a command's output. Empty output is an empty list, as `ip` prints it. Throws `CANNOT_TELL`. */
export function readJson(text: string, what: string): unknown {
  if (text.trim() === '') return [];
  try {
    return JSON.parse(text);
  } catch (caught) {
    throw new ShoalError('CANNOT_TELL', `${what} printed something that is not JSON`, { cause: caught });
  }
}

/** The object's members; none when it is not an object. */
export function record(value: unknown): JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** The array's elements; none when it is not an array. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The string; undefined when it is not one. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The number; undefined when it is not one. */
export function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
