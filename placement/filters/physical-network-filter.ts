import type { ProfileFilter } from './filter.ts';

/** The host reaches every physical network that the guest's ports are on. */
export const physicalNetworkFilter: ProfileFilter = {
  name: 'PhysicalNetworkFilter',
  purpose: "the host reaches the physical networks of the guest's ports",
  scope: 'profile',
  onRebuild: false,
  compile(request) {
    const { physicalNetworks } = request;
    if (physicalNetworks.length === 0) return undefined;
    return {
      passes: (profile) => physicalNetworks.every((network) => profile.physicalNetworks.has(network)),
      reason: (profile) =>
        `the host does not reach physical network ${physicalNetworks.filter((n) => !profile.physicalNetworks.has(n)).join(', ')}`,
    };
  },
};
