import type { NetworkDriver, NetworkFound } from '../../../../drivers/types.ts';
import type { PortId } from '../../../base/ids.ts';
import type { HostNetworkView } from '../../../services/kit/host-network-view.ts';
import type { EnsuredKind } from '../../engine/ensured-kinds.ts';
import { networksOf } from './network.ts';

/** A port of a guest of this host: tap, rules, DHCP entry, metadata. @param tapNames is kept up to date. */
export function portKind(
  driver: NetworkDriver,
  tapNames: Map<PortId, string>,
): EnsuredKind<HostNetworkView, NetworkFound> {
  return {
    name: 'port',
    wanted: ({ ports }) =>
      ports.map((spec) => ({
        id: spec.portId,
        spec,
        async ensure(signal) {
          const { tapName } = await driver.ensurePort(spec, signal);
          tapNames.set(spec.portId, tapName);
        },
      })),
    missing: ({ ports }, found) => {
      const there = new Set(found.ports.map(({ portId }) => portId));
      const networks = networksOf(found);
      // What was plugged into a network that has gone is there still, and not plugged into anything.
      return ports
        .filter(({ portId, networkId }) => !there.has(portId) || !networks.has(networkId))
        .map(({ portId }) => portId);
    },
    removal: {
      removable: (found) => found.ports.map(({ portId }) => portId),
      async remove(id, signal) {
        await driver.removePort(id as PortId, signal);
        tapNames.delete(id as PortId);
      },
    },
  };
}
