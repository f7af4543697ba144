/** NICs of a server's guest: with what it starts, and those that it gets and loses while it runs. */
import type { GuestFound, NicSpec } from '../../../../../drivers/types.ts';
import type { shoal } from '../../../../../proto/messages.ts';
import { failpoint } from '../../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../../base/errors.ts';
import type { PortId, ServerId } from '../../../../base/ids.ts';
import { nicModelOf } from '../../../../services/compute/hardware/guest-hardware.ts';
import { portIdsOfStart } from '../../../../services/kit/servers/server-nics.ts';
import { portTable } from '../../../../state/tables/index.ts';
import { isGuestUp } from '../../../plan/guest-up.ts';
import type { ServerTools } from './tools.ts';

const failpointNicPlugged = failpoint('attach-nic.plugged', 'a NIC is plugged in, and no record says so');
const failpointNicUnplugged = failpoint('detach-nic.unplugged', 'a guest has let go of a NIC that is still recorded');

/**
 * With what the guest starts. Throws `UNAVAILABLE` for one whose tap is not there yet.
 * @param found the guest as it is: one that is suspended goes on with the NICs that its memory knows.
 */
export function nicsOfStart(
  server: shoal.v1.Server,
  found: GuestFound | undefined,
  tools: ServerTools,
): readonly NicSpec[] {
  const saved = found?.power === 'suspended' ? found.nics : undefined;
  const portIds =
    saved === undefined ? portIdsOfStart(server) : server.portIds.filter((id) => saved.includes(id as PortId));
  return portIds.map((portId) => nicSpec(server, portId, tools));
}

/** Which port of the server keeps it from being started, for people; undefined: all are plugged. */
export function unpluggedPort(server: shoal.v1.Server, tools: ServerTools): string | undefined {
  const portId = portIdsOfStart(server).find((id) => whyNoTap(id, tools) !== undefined);
  return portId === undefined ? undefined : whyNoTap(portId, tools);
}

/** Why a NIC of the port cannot be plugged in yet, for people; undefined: it can. */
export function whyNoTap(portId: string, { tapName }: ServerTools): string | undefined {
  return tapName(portId as PortId) === undefined ? `port ${portId} is not plugged on this host yet` : undefined;
}

/**
 * Plugs the NIC into the guest. One that is off is left alone: it gets the NIC when it starts. Returns whether there is a guest that
 * has it. Throws `UNAVAILABLE` when the guest goes off meanwhile.
 */
export async function plugNicIn(server: shoal.v1.Server, portId: string, tools: ServerTools): Promise<boolean> {
  const { compute, signal } = tools;
  const serverId = server.id as ServerId;
  if (!isGuestUp(await compute.find(serverId, signal))) return false;
  try {
    await compute.attachNic(serverId, nicSpec(server, portId, tools), signal);
  } catch (caught) {
    const isRefusal = ShoalError.is(caught, 'NOT_FOUND', 'CONFLICT');
    if (!isRefusal || isGuestUp(await compute.find(serverId, signal))) throw caught;
    throw new ShoalError('UNAVAILABLE', 'the guest went off while the NIC was plugged in', { cause: caught });
  }
  failpointNicPlugged();
  return true;
}

/** Has the guest let go of the NIC. Done already, or no guest: success. */
export async function pullNicOut(server: shoal.v1.Server, portId: string, tools: ServerTools): Promise<void> {
  await tools.compute.detachNic(server.id as ServerId, portId as PortId, tools.signal);
  failpointNicUnplugged();
}

/** A NIC as the guest has it. Throws `UNAVAILABLE` while its port is not plugged on this host. */
export function nicSpec(server: shoal.v1.Server, portId: string, tools: ServerTools): NicSpec {
  const model = nicModelOf(server.imageProperties);
  const port = portTable.must(tools.reader, portId).record;
  const tapName = tools.tapName(port.id as PortId);
  if (tapName === undefined) {
    throw new ShoalError('UNAVAILABLE', `port ${portId} is not plugged on this host yet`, { facts: { portId } });
  }
  return {
    portId: port.id as PortId,
    mac: port.mac,
    mtu: tools.mtu(port.networkId),
    tapName,
    ...(model === 'virtio' ? {} : { model }),
  };
}
