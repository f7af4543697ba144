import type { HostId } from '../../node/base/ids.ts';
import type { RequestFilter } from './filter.ts';

/** Policy `anti-affinity`: fewer than `maxServerPerHost` of the group's members are on the host. */
export const serverGroupAntiAffinityFilter: RequestFilter = {
  name: 'ServerGroupAntiAffinityFilter',
  purpose: "the host runs fewer of the group's members than anti-affinity allows",
  scope: 'request',
  onRebuild: false,
  compile(request) {
    const { group } = request;
    if (group?.policy !== 'anti-affinity' || group.memberHosts.length === 0) return undefined;
    const full = new Set<HostId>();
    const most = Math.max(1, group.maxServerPerHost);
    if (most === 1) {
      for (const host of group.memberHosts) full.add(host);
    } else {
      const counts = new Map<HostId, number>();
      for (const host of group.memberHosts) {
        const count = (counts.get(host) ?? 0) + 1;
        counts.set(host, count);
        if (count >= most) full.add(host);
      }
    }
    if (full.size === 0) return undefined;
    return {
      except: full,
      reason: `the host runs ${most === 1 ? 'a member' : `${most} members`} of the server group already (anti-affinity)`,
    };
  },
};
