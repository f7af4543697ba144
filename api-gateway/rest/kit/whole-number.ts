import { ShoalError } from '../../../node/base/errors.ts';
import { shown } from '../../kit/input.ts';

/**
 * The number that a query's `key` gives, from 0 on, in decimal digits alone: no sign, no `0x10`, no empty text. One beyond
 * 2^53 - 1 is that. Throws `INVALID_ARGUMENT`.
 */
export function wholeNumber(key: string, text: string): number {
  if (!/^[0-9]+$/.test(text)) {
    throw new ShoalError('INVALID_ARGUMENT', `Invalid ${key} '${shown(text)}': it is a whole number from 0 on.`);
  }
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}
