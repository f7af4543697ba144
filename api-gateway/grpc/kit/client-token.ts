import { ShoalError } from '../../../node/base/errors.ts';

const clientTokenPattern = /^[\x21-\x7e]{1,128}$/;

/** The caller's token, where one is given. Throws `INVALID_ARGUMENT`. */
export function tokenOf(clientToken: string): { readonly clientToken?: string } {
  if (clientToken === '') return {};
  if (clientTokenPattern.test(clientToken)) return { clientToken };
  throw new ShoalError('INVALID_ARGUMENT', 'client_token: 1 to 128 printable ASCII characters.');
}
