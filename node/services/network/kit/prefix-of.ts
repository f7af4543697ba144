import { badAttribute } from '../../kit/network-refusals.ts';
import { type IpPrefix, parsePrefix } from './address.ts';

/** The prefix of a record's or a caller's `cidr`. Throws 400 when it is none. */
export function prefixOf(cidr: string): IpPrefix {
  const prefix = parsePrefix(cidr);
  if (prefix !== undefined) return prefix;
  throw badAttribute('cidr', `'${cidr}' is not a valid IP subnet`);
}
