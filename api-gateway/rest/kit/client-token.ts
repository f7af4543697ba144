import type { FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';

/** Repeats of a create with the same value give the same thing. Shoal's own: OpenStack has nothing like it. */
const header = 'x-shoal-client-token';

/** The client's token of a request that makes something, as a field of its draft. Throws `INVALID_ARGUMENT`. */
export function clientTokenOf({ headers }: FastifyRequest): { readonly clientToken?: string } {
  const token = headers[header];
  if (token === undefined) return {};
  if (typeof token === 'string' && /^[\x21-\x7e]{1,128}$/.test(token)) return { clientToken: token };
  throw new ShoalError('INVALID_ARGUMENT', `${header} is 1 to 128 printable ASCII characters.`);
}
