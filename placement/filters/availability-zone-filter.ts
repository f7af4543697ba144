import type { ProfileFilter } from './filter.ts';

/** The host is in the requested availability zone. */
export const availabilityZoneFilter: ProfileFilter = {
  name: 'AvailabilityZoneFilter',
  purpose: 'the host is in the requested availability zone',
  scope: 'profile',
  onRebuild: false,
  compile(request) {
    const { zone } = request;
    if (zone === '') return undefined;
    return {
      passes: (profile) => profile.zone === zone,
      reason: () => `the host is not in availability zone ${zone}`,
    };
  },
};
