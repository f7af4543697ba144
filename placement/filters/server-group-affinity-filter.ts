import type { RequestFilter } from './filter.ts';

/** Policy `affinity`: where the group's members are; anywhere for the first. */
export const serverGroupAffinityFilter: RequestFilter = {
  name: 'ServerGroupAffinityFilter',
  purpose: "the host runs the group's members",
  scope: 'request',
  onRebuild: false,
  compile(request) {
    const { group } = request;
    if (group?.policy !== 'affinity' || group.memberHosts.length === 0) return undefined;
    return { only: new Set(group.memberHosts), reason: "the host does not run the server group's members (affinity)" };
  },
};
