/** NICs in a server's record: which it has, which its guest is to get, and which it is to let go of. Pure. */
import { shoal } from '../../../../proto/messages.ts';

type Server = shoal.v1.Server;
type NicFields = Pick<Server, 'portIds' | 'leavingPortIds' | 'nics'>;

/** What there is to say of the NIC beside its port; undefined: nothing. */
export function nicOf({ nics }: Pick<Server, 'nics'>, portId: string): shoal.v1.IServerNic | undefined {
  return nics.find((nic) => nic.portId === portId);
}

/** The tag of the NIC; empty: none. */
export function nicTag(server: Pick<Server, 'nics'>, portId: string): string {
  return nicOf(server, portId)?.tag ?? '';
}

/** Ports of NICs that its host is to plug in, in their order. */
export function arrivingPortIds({ nics, leavingPortIds }: Server): readonly string[] {
  return nics.flatMap(({ portId = '', arriving }) =>
    arriving === true && !leavingPortIds.includes(portId ?? '') ? [portId ?? ''] : [],
  );
}

/** Ports of the NICs that a guest of it starts with, in their order. */
export function portIdsOfStart({ portIds, leavingPortIds }: Server): readonly string[] {
  return portIds.filter((portId) => !leavingPortIds.includes(portId));
}

/** The server with one more NIC, for its host to plug in. @param asked.requestId the request that asks for it. */
export function withArrivingNic(
  { portIds, leavingPortIds, nics }: Server,
  portId: string,
  asked: { readonly tag: string; readonly requestId: string },
): NicFields {
  const nic = new shoal.v1.ServerNic({ portId, ...asked, arriving: true });
  return { portIds: [...portIds, portId], leavingPortIds, nics: [...nics, nic] };
}

/** The server with a NIC that its guest is to let go of. */
export function withLeavingNic(server: Server, portId: string, requestId: string): NicFields {
  const { portIds, leavingPortIds } = server;
  const before = nicOf(server, portId);
  const nic = new shoal.v1.ServerNic({ ...before, portId, requestId });
  return {
    portIds,
    leavingPortIds: leavingPortIds.includes(portId) ? leavingPortIds : [...leavingPortIds, portId],
    nics: [...server.nics.filter((one) => one !== before), nic],
  };
}

/** The server with a NIC that is plugged in, and is to stay. */
export function withPluggedNic(server: Server, portId: string): NicFields {
  const { portIds, leavingPortIds } = server;
  const before = nicOf(server, portId);
  const others = server.nics.filter((one) => one !== before);
  const nic = new shoal.v1.ServerNic({ portId, tag: before?.tag ?? '' });
  return {
    portIds,
    leavingPortIds: leavingPortIds.filter((id) => id !== portId),
    nics: nic.tag === '' ? others : [...others, nic],
  };
}

/** The server without the NIC. */
export function withoutNic({ portIds, leavingPortIds, nics }: Server, portId: string): NicFields {
  return {
    portIds: portIds.filter((id) => id !== portId),
    leavingPortIds: leavingPortIds.filter((id) => id !== portId),
    nics: nics.filter((nic) => nic.portId !== portId),
  };
}
