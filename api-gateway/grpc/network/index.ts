import type { Handlers } from '../../../node/rpc/server.ts';
import type { NetworkService } from '../../../node/services/network/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { Caller, Callers } from '../kit/caller.ts';
import { floatingIpHandlers } from './floating-ips.ts';
import { networkHandlers } from './networks.ts';
import { portHandlers } from './ports.ts';
import { routerHandlers } from './routers.ts';
import { securityGroupHandlers } from './security-groups.ts';
import { subnetHandlers } from './subnets.ts';
import { traceHandlers } from './traces.ts';

/** `shoal.v1.NetworkService`: the same things as the network API's, natively. */
export function networkServiceHandlers(
  callers: Callers,
  network: NetworkService,
): Handlers<shoal.v1.NetworkService, Caller> {
  return {
    ...networkHandlers(callers, network),
    ...subnetHandlers(callers, network),
    ...portHandlers(callers, network),
    ...routerHandlers(callers, network),
    ...floatingIpHandlers(callers, network),
    ...securityGroupHandlers(callers, network),
    ...traceHandlers(callers),
  };
}
