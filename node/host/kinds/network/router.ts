import type { NetworkDriver, NetworkFound } from '../../../../drivers/types.ts';
import type { RouterId } from '../../../base/ids.ts';
import type { HostNetworkView } from '../../../services/kit/host-network-view.ts';
import type { EnsuredKind } from '../../engine/ensured-kinds.ts';
import { networksOf } from './network.ts';

/** This host's part of a router: its namespace, with an interface in each of its networks here. */
export function routerKind(driver: NetworkDriver): EnsuredKind<HostNetworkView, NetworkFound> {
  return {
    name: 'router',
    wanted: ({ routers }) =>
      routers.map((spec) => ({ id: spec.routerId, spec, ensure: (signal) => driver.ensureRouter(spec, signal) })),
    missing: ({ routers }, found) => {
      const there = new Set(found.routers.map(({ routerId }) => routerId));
      const networks = networksOf(found);
      return routers
        .filter(
          (spec) => !there.has(spec.routerId) || spec.interfaces.some(({ networkId }) => !networks.has(networkId)),
        )
        .map(({ routerId }) => routerId);
    },
    removal: {
      removable: (found) => found.routers.map(({ routerId }) => routerId),
      remove: (id, signal) => driver.removeRouter(id as RouterId, signal),
    },
  };
}
