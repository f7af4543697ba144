/** How agents of the simulated world are configured: as in production, but for what their machines have not got. */
import { loadConfig } from '../../node/config/load.ts';
import type { Config } from '../../node/config/options.ts';
import { hostIpOf } from '../world/ids.ts';

/** Room as the machine has it: no more is given away, and nothing is kept back. */
const base = loadConfig({
  settings: {
    advertiseAddress: hostIpOf(1),
    'compute.driver': 'fake',
    'network.driver': 'fake',
    'capacity.vcpusRatio': '1',
    'capacity.memoryMibReserved': '0',
    'capacity.diskGibReserved': '0',
    'compute.stopGraceMs': '1000',
  },
});

/**
 * The configuration of one host.
 *
 * @param racks that hosts stand in, host n in rack n modulo this. 0: none.
 */
export function hostConfig(
  raftId: number,
  world: { readonly storage: 'local' | 'rbd'; readonly racks: number },
): Config {
  return {
    ...base,
    name: `host-${raftId}`,
    advertiseAddress: hostIpOf(raftId),
    failureDomain: rackOf(raftId, world.racks),
    storage: world.storage,
  };
}

/** The rack of a host; empty: there are none. */
export function rackOf(raftId: number, racks: number): string {
  return racks === 0 ? '' : `rack-${raftId % racks}`;
}
