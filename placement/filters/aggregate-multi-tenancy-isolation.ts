import { projectsIn } from '../columns/host-profile.ts';
import type { ProfileFilter } from './filter.ts';

/** Hosts in an aggregate with `filter_tenant_id` (any suffix, commas between projects) take those projects alone. */
export const aggregateMultiTenancyIsolation: ProfileFilter = {
  name: 'AggregateMultiTenancyIsolation',
  purpose: 'the host is not reserved for other projects',
  scope: 'profile',
  onRebuild: false,
  compile: (request) => ({
    passes(profile) {
      const projects = projectsIn(profile);
      return projects.size === 0 || projects.has(request.projectId);
    },
    reason: () => 'the host is reserved for other projects',
  }),
};
