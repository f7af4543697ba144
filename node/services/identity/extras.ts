import { ShoalError } from '../../base/errors.ts';

/** Extra attributes of one record, and the bytes of UTF-8 of their names and values together. */
const extrasMax = 64;
const extraBytesMax = 16_384;

/** Extra attributes, by name; each value is JSON text. */
export type Extras = Readonly<Record<string, string>>;

/** `extras` with `changes` on top. Throws `INVALID_ARGUMENT` for more than a record may have. */
export function mergedExtras(extras: Extras, changes: Extras | undefined): Record<string, string> {
  const merged = { ...extras, ...changes };
  if (changes === undefined) return merged;
  const entries = Object.entries(merged);
  if (entries.length > extrasMax) {
    throw new ShoalError('INVALID_ARGUMENT', `There may be at most ${extrasMax} extra attributes.`);
  }
  const bytes = entries.reduce((sum, [name, json]) => sum + Buffer.byteLength(name) + Buffer.byteLength(json), 0);
  if (bytes > extraBytesMax) {
    throw new ShoalError('INVALID_ARGUMENT', `Extra attributes may have at most ${extraBytesMax} bytes together.`);
  }
  return merged;
}
