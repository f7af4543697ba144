/** What port forwardings hang on, and their end with the port that they lead to. */
import { shoal } from '../../../../proto/messages.ts';
import { indexKey } from '../../../state/table.ts';
import { floatingIpTable, portTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { Change } from '../../kit/transact.ts';
import { use } from './uses.ts';

/** A change and the view that it is made from. */
interface Changing {
  readonly reader: StateReader;
  readonly change: Change;
}

/** Counts a forwarding at its router: for the gateway, for source NAT, and for the interface that it needs. */
export function useOfForwarding(
  { reader, change }: Changing,
  { routerId }: Pick<shoal.v1.FloatingIp, 'routerId'>,
  forwarding: shoal.v1.IPortForwarding,
  delta: number,
): void {
  const port = portTable.get(reader, forwarding.portId ?? '')?.record;
  const subnetId = port?.fixedIps.find(({ ip }) => ip === forwarding.fixedIp)?.subnetId ?? '';
  use(change, 'router-gateway', routerId, delta);
  use(change, 'router-forwarding', routerId, delta);
  use(change, 'router-interface', `${routerId}/${subnetId}`, delta);
}

/** Ends the forwardings to a port, or to those of its addresses that it does not keep. As in Neutron nobody is asked. */
export function endForwardings(
  changing: Changing,
  port: shoal.v1.Port,
  nowMs: number,
  keep: readonly string[] = [],
): void {
  const { reader, change } = changing;
  for (const row of floatingIpTable.by(reader, 'forwarded-port', indexKey(port.id))) {
    const isGone = (each: shoal.v1.IPortForwarding): boolean =>
      each.portId === port.id && !keep.includes(each.fixedIp ?? '');
    const left = row.record.portForwardings.filter((each) => !isGone(each));
    if (left.length === row.record.portForwardings.length) continue;
    for (const gone of row.record.portForwardings.filter(isGone)) useOfForwarding(changing, row.record, gone, -1);
    const next = new shoal.v1.FloatingIp({ ...row.record, updatedMs: nowMs });
    next.portForwardings = left;
    if (left.length === 0) next.routerId = '';
    floatingIpTable.update(change, row, next);
  }
}
