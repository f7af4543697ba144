import { shownStatus } from '../../node/services/compute/machine/vm-state.ts';
import type { RequestContext } from '../../node/services/kit/context.ts';
import { isAllowed } from '../../node/services/kit/permissions.ts';
import { serverTable } from '../../node/state/tables/index.ts';
import { shoal } from '../../proto/messages.ts';
import type { Watched } from './kit/record-watch.ts';

/** A server as its owner may see it: which host it is on and what went wrong inside has a rule of its own. */
export function serverView(context: RequestContext, server: shoal.v1.Server): shoal.v1.Server {
  const status = shownStatus(server);
  // Whatever is in it (passwords, tokens of other services) was for the guest.
  if (isAllowed(context, 'os_compute_api:os-extended-server-attributes'))
    return new shoal.v1.Server({ ...server, status, userData: new Uint8Array(0) });
  const fault = server.fault === null ? null : new shoal.v1.ServerFault({ ...server.fault, details: '' });
  const hidden = { userData: new Uint8Array(0), fault, hostId: '', previousHostId: '' };
  return new shoal.v1.Server({ ...server, status, ...hidden });
}

/** What is told of each change of a server. */
export const watchedServers: Watched<shoal.v1.Server, shoal.v1.WatchServersResponse> = {
  table: serverTable,
  ruleOfAll: 'os_compute_api:servers:index:get_all_tenants',
  event: (context, revision, serverId, server) =>
    new shoal.v1.WatchServersResponse({
      revision,
      serverId,
      ...(server === undefined ? {} : { server: serverView(context, server) }),
    }),
};
