import type { FastifyRequest } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import { shown } from '../../../kit/input.ts';
import { targetOf } from '../request-target.ts';
import { wholeNumber } from '../whole-number.ts';

/** The query of a request as it stands in the URL, decoded. How many values it may have, `request-line.ts` has checked. */
export class Query {
  readonly #values = new Map<string, string[]>();

  constructor(text: string) {
    for (const [key, value] of new URLSearchParams(text)) {
      const values = this.#values.get(key);
      if (values === undefined) this.#values.set(key, [value]);
      else values.push(value);
    }
  }

  /** A request's own. */
  static of(request: FastifyRequest): Query {
    return new Query(targetOf(request.url).query);
  }

  /** In the order in which they first stand. */
  get keys(): readonly string[] {
    return [...this.#values.keys()];
  }

  /** All values of a key, in their order; none where it does not stand. */
  all(key: string): readonly string[] {
    return this.#values.get(key) ?? [];
  }

  /** The value of a key that can have one. Throws `INVALID_ARGUMENT` when it stands several times: which one is meant? */
  one(key: string): string | undefined {
    const values = this.all(key);
    if (values.length <= 1) return values[0];
    throw new ShoalError('INVALID_ARGUMENT', `Invalid query: ${shown(key)} is given more than once.`);
  }

  /** The whole number that a key gives, from 0 on; undefined without it. Throws `INVALID_ARGUMENT`. */
  number(key: string): number | undefined {
    const text = this.one(key);
    return text === undefined ? undefined : wholeNumber(key, text);
  }
}
