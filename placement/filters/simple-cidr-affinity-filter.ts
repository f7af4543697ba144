import { networkTest } from '../matching/ip-network.ts';
import type { ColumnsFilter } from './filter.ts';

/** Hints `build_near_host_ip` and `cidr`: the host's address is in that network. A malformed address passes nothing. */
export const simpleCidrAffinityFilter: ColumnsFilter = {
  name: 'SimpleCIDRAffinityFilter',
  purpose: "the host's address is in the network given by the build_near_host_ip and cidr hints",
  scope: 'columns',
  onRebuild: false,
  compile(request) {
    const near = request.hints.nearAddress;
    if (near === undefined) return undefined;
    const contains = networkTest(near.address, near.prefixLength);
    return {
      passes: (columns, slot) => contains(columns.addresses[slot] ?? ''),
      reason: () => `the host's address is not in ${near.address}/${near.prefixLength}`,
    };
  },
};
