import type { RequestFilter } from './filter.ts';

/** Hint `different_host`: not where any of the named servers is. */
export const differentHostFilter: RequestFilter = {
  name: 'DifferentHostFilter',
  purpose: 'the host runs none of the servers named by the different_host hint',
  scope: 'request',
  onRebuild: false,
  compile(request) {
    const hosts = request.hints.differentHosts;
    if (hosts === undefined || hosts.length === 0) return undefined;
    return { except: new Set(hosts), reason: 'the host runs a server that the different_host hint names' };
  },
};
