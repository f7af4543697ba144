/**
 * What is put on a host (servers, routers' source NAT, a place in an aggregate) and the host's removal must not both commit, each from a view without
 * the other: the thing would be on no host for ever. What puts compares that the host is there, and counts itself; the
 * removal demands that the count is what it was when it found the host empty. The count is of puts, not of what is
 * there now, so that things leave a host without a word here, and those of before this count need none.
 */
import type { ShoalError } from '../../base/errors.ts';
import { encodePart } from '../../state/table.ts';
import { hostTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { Change } from './transact.ts';

/** The change puts something on the host. It loses its race, and is planned again, when the host is gone by then. */
export function putOnHost(change: Change, hostId: string): void {
  change.once(`put-on-host/${hostId}`, () => {
    change.compare({ key: hostTable.key(hostId), exists: true });
    change.add(putsKey(hostId), 1, { min: 0, max: Number.MAX_SAFE_INTEGER });
    return hostId;
  });
}

/** The change is refused with `refusal` when anything was put on the host after this view. The count ends with it. */
export function endPutsOnHost(change: Change, reader: StateReader, hostId: string, refusal: () => ShoalError): void {
  const puts = reader.counter(putsKey(hostId));
  change.bounded(putsKey(hostId), -puts, { min: 0, max: 0 }, refusal);
}

function putsKey(hostId: string): string {
  return `c/host-puts/${encodePart(hostId)}`;
}
