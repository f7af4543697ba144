import type { FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { lineMistake, nameMistake, shown, textMistake } from '../../kit/input.ts';
import { targetOf } from './request-target.ts';

/** Values of one query, all keys together: more than any client sends, and little enough to look through. */
const queryValuesMax = 1000;

/**
 * Throws `INVALID_ARGUMENT` for a path or a query that no handler is to see: percent-encoding that is none or no UTF-8, text
 * that `input.ts` refuses; `NOT_FOUND` for a part of the path that is empty where an id belongs.
 */
export function checkRequestLine(request: FastifyRequest): void {
  const params = typeof request.params === 'object' && request.params !== null ? Object.entries(request.params) : [];
  for (const [name, value] of params) {
    if (value === '') throw new ShoalError('NOT_FOUND', 'The resource could not be found.');
    const mistake = typeof value === 'string' ? lineMistake(value) : undefined;
    if (mistake !== undefined) throw new ShoalError('INVALID_ARGUMENT', `Invalid path: its part ${name} ${mistake}.`);
  }
  checkQuery(targetOf(request.url).query);
}

/** As `checkRequestLine`, for the query alone, without its `?`. */
export function checkQuery(text: string): void {
  try {
    decodeURIComponent(text);
  } catch (cause) {
    throw new ShoalError('INVALID_ARGUMENT', 'Invalid query: it is not valid percent-encoding of UTF-8.', { cause });
  }
  let count = 0;
  for (const [key, value] of new URLSearchParams(text)) {
    count += 1;
    if (count > queryValuesMax) {
      throw new ShoalError('INVALID_ARGUMENT', `Invalid query: it has more than ${queryValuesMax} values.`);
    }
    const mistake = nameMistake(key);
    if (mistake !== undefined) throw new ShoalError('INVALID_ARGUMENT', `Invalid query: key ${shown(key)} ${mistake}.`);
    const wrong = textMistake(value);
    if (wrong !== undefined) throw new ShoalError('INVALID_ARGUMENT', `Invalid query: ${shown(key)} ${wrong}.`);
  }
}
