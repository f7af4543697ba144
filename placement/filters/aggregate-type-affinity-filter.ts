import type { ProfileFilter } from './filter.ts';

/** Where the host's aggregates list flavors in `instance_type` (commas between names), this flavor is listed. */
export const aggregateTypeAffinityFilter: ProfileFilter = {
  name: 'AggregateTypeAffinityFilter',
  purpose: "the flavor is one that the host's aggregates list",
  scope: 'profile',
  onRebuild: false,
  compile(request) {
    const { flavorName } = request;
    return {
      passes(profile) {
        const lists = profile.metadata.get('instance_type');
        if (lists === undefined) return true;
        for (const list of lists) if (list.split(',').some((name) => name.trim() === flavorName)) return true;
        return false;
      },
      reason: () => `the host's aggregates do not list flavor ${flavorName}`,
    };
  },
};
