import type { NetworkDriver, NetworkFound } from '../../../../drivers/types.ts';
import type { NetworkId } from '../../../base/ids.ts';
import type { HostNetworkView } from '../../../services/kit/host-network-view.ts';
import type { EnsuredKind } from '../../engine/ensured-kinds.ts';

/** A network on this host: its bridge and tunnel. Goes when no port of it stays. */
export function networkKind(driver: NetworkDriver): EnsuredKind<HostNetworkView, NetworkFound> {
  return {
    name: 'network',
    wanted: ({ networks }) =>
      networks.map((spec) => ({ id: spec.networkId, spec, ensure: (signal) => driver.ensureNetwork(spec, signal) })),
    missing: ({ networks }, found) => {
      const there = networksOf(found);
      return networks.map(({ networkId }) => networkId).filter((id) => !there.has(id));
    },
    removal: {
      removable: (found, { kept }, inUse) => {
        const stays = ({ portId }: { readonly portId: string }): boolean => inUse.has(portId) || kept.has(portId);
        const busy = new Set(found.ports.filter(stays).map(({ networkId }) => networkId));
        return found.networks.map(({ networkId }) => networkId).filter((id) => !busy.has(id));
      },
      remove: (id, signal) => driver.removeNetwork(id as NetworkId, signal),
    },
  };
}

/** Networks that are on the host. */
export function networksOf({ networks }: NetworkFound): ReadonlySet<NetworkId> {
  return new Set(networks.map(({ networkId }) => networkId));
}
