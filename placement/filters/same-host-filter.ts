import type { RequestFilter } from './filter.ts';

/** Hint `same_host`: where one of the named servers is. Nowhere when none of them is anywhere. */
export const sameHostFilter: RequestFilter = {
  name: 'SameHostFilter',
  purpose: 'the host runs one of the servers named by the same_host hint',
  scope: 'request',
  onRebuild: false,
  compile(request) {
    const hosts = request.hints.sameHosts;
    if (hosts === undefined) return undefined;
    return { only: new Set(hosts), reason: 'the host runs no server that the same_host hint names' };
  },
};
