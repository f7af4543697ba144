import type { Handlers } from '../../node/rpc/server.ts';
import type { ComputeService } from '../../node/services/compute/index.ts';
import type { ServerInterface } from '../../node/services/compute/interfaces/server-interfaces.ts';
import { shoal } from '../../proto/messages.ts';
import type { Caller, Callers } from './kit/caller.ts';

type InterfaceMethods = 'attachInterface' | 'detachInterface' | 'listInterfaces';

/** The part of `shoal.v1.ComputeService` that is about the NICs of servers. */
export function serverInterfaceHandlers(
  callers: Callers,
  { interfaces }: ComputeService,
): Pick<Handlers<shoal.v1.ComputeService, Caller>, InterfaceMethods> {
  return {
    attachInterface: ({ serverId, portId, networkId, fixedIp, tag }, call) =>
      callers.serve(call, async ({ context }) => {
        const made = await interfaces.attach(context, serverId, {
          ...(portId === '' ? {} : { portId }),
          ...(networkId === '' ? {} : { networkId }),
          ...(fixedIp === '' ? {} : { fixedIp }),
          ...(tag === '' ? {} : { tag }),
        });
        return { interface: interfaceView(made) };
      }),
    detachInterface: ({ serverId, portId }, call) =>
      callers.serve(call, async ({ context }) => {
        await interfaces.detach(context, serverId, portId);
        return {};
      }),
    listInterfaces: ({ serverId }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader, stale } = await read();
        return { interfaces: interfaces.list(context, reader, serverId).map(interfaceView), stale };
      }),
  };
}

function interfaceView({ port, tag }: ServerInterface): shoal.v1.ServerInterface {
  const { id: portId, networkId, mac, status, fixedIps } = port;
  return new shoal.v1.ServerInterface({ portId, networkId, mac, status, fixedIps, tag });
}
