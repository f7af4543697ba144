import type { NetworkDriver, NetworkFound } from '../../../../drivers/types.ts';
import type { HostNetworkView } from '../../../services/kit/host-network-view.ts';
import type { EnsuredKind } from '../../engine/ensured-kinds.ts';
import { networksOf } from './network.ts';

/** Where the other hosts' ports of a network are. Goes with its network. */
export function forwardingKind(driver: NetworkDriver): EnsuredKind<HostNetworkView, NetworkFound> {
  return {
    name: 'forwarding',
    wanted: ({ forwarding }) =>
      forwarding.map((spec) => ({ id: spec.networkId, spec, ensure: (signal) => driver.setForwarding(spec, signal) })),
    missing: ({ forwarding }, found) => {
      const networks = networksOf(found);
      return forwarding.map(({ networkId }) => networkId).filter((id) => !networks.has(id));
    },
  };
}
