/** What a host is recorded as when it is taken into the mesh. */
import { shoal } from '../../proto/messages.ts';
import { hostIdOf, hostIpOf } from '../world/ids.ts';
import { rackOf } from './host-config.ts';

/**
 * The record of a host that is taken in.
 *
 * @param racks that hosts stand in, host n in rack n modulo this. 0: none.
 */
export function hostRecordOf(raftId: number, racks: number): shoal.v1.Host {
  return new shoal.v1.Host({
    id: hostIdOf(raftId),
    name: `host-${raftId}`,
    raftId,
    vtepIp: hostIpOf(raftId),
    transitIndex: raftId,
    zone: 'nova',
    failureDomain: rackOf(raftId, racks),
    version: '0.1.0',
    joinedMs: 1,
    holdsSlices: true,
  });
}
