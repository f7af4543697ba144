import type { ProfileFilter } from './filter.ts';

/** Passes every host. For configurations that must name at least one filter. */
export const allHostsFilter: ProfileFilter = {
  name: 'AllHostsFilter',
  purpose: 'every host passes',
  scope: 'profile',
  onRebuild: false,
  compile: () => undefined,
};
