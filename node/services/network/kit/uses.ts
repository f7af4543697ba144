/**
 * How many things hang on a thing. A delete compares the record it removes, but cannot compare the absence of things
 * that point at it; so whatever points counts itself, and the delete demands a count of zero.
 */
import type { ShoalError } from '../../../base/errors.ts';
import { encodePart } from '../../../state/table.ts';
import type { StateReader } from '../../../state/types.ts';
import type { Change } from '../../kit/transact.ts';

/** What counts its users: ports of a network, addresses of a subnet, subnets of a pool, ports of a group, floating IPs of a router. */
type Used =
  | 'network'
  | 'subnet'
  | 'subnet-pool'
  | 'security-group'
  | 'router-gateway'
  | 'router-interface'
  | 'router-forwarding';

function usesKey(kind: Used, id: string): string {
  return `c/uses/${kind}/${encodePart(id)}`;
}

/** The count in this view, 0 for a thing that nothing uses. Only `requireUnused` proves it at the commit. */
export function usesOf(reader: StateReader, kind: Used, id: string): number {
  return reader.counter(usesKey(kind, id));
}

/** `delta` users more, or fewer. */
export function use(change: Change, kind: Used, id: string, delta: number): void {
  change.add(usesKey(kind, id), delta, { min: 0, max: Number.MAX_SAFE_INTEGER });
}

/** The change is refused with `refusal` when anything uses the thing. Throws it at once where the view says so. */
export function requireUnused(
  change: Change,
  reader: StateReader,
  kind: Used,
  id: string,
  refusal: () => ShoalError,
): void {
  if (usesOf(reader, kind, id) > 0) throw refusal();
  change.bounded(usesKey(kind, id), 0, { min: 0, max: 0 }, refusal);
}
