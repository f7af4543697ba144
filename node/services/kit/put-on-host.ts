/**
 * What is put on a host (servers, routers' source NAT, a place in an aggregate): it would be on no host for ever, were it
 * committed together with the host's removal.
 */
import { hostTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import { endPointing, pointAt } from './pointed-at.ts';
import type { Change } from './transact.ts';

/** The change puts something on the host. It loses its race when the host is gone by then. */
export function putOnHost(change: Change, hostId: string): void {
  pointAt(change, hostTable.key(hostId));
}

/** The change takes the host away. It loses its race when anything was put on the host after this view. */
export function endPutsOnHost(change: Change, reader: StateReader, hostId: string): void {
  endPointing(change, reader, hostTable.key(hostId));
}
