/** What is done with the NICs of one guest that runs, over its monitor. The tap is its caller's (nic-work.ts). */
import { ShoalError } from '../../../node/base/errors.ts';
import type { PortId } from '../../../node/base/ids.ts';
import type { NicSpec } from '../../types.ts';
import type { QemuGuest } from '../guest/guest.ts';
import { addDevice, deviceIds, ignoringAbsent, unplugDevice } from '../guest/hot-plug.ts';
import { freeSlot } from '../hardware/free-slot.ts';
import { isExpressNic, netdevIdOf, nicDevice, nicIdOf, nicNetdev, portOfNicId } from './nic-device.ts';

/** Which NICs the guest has. */
export async function pluggedNics(guest: QemuGuest, signal?: AbortSignal): Promise<readonly PortId[]> {
  return nicsAmong(await deviceIds(guest, signal));
}

/** The ports whose NICs are among these devices, in order. */
export function nicsAmong(deviceNames: Iterable<string>): readonly PortId[] {
  return [...deviceNames].flatMap((id) => portOfNicId(id) ?? []).sort();
}

/** Adds back end and device. What an earlier try left is replaced. */
export async function plugNic(guest: QemuGuest, nic: NicSpec, signal: AbortSignal): Promise<void> {
  const has = async (): Promise<boolean> => (await pluggedNics(guest, signal)).includes(nic.portId);
  if (await has()) return;
  await dropNetdev(guest, nic.portId, signal);
  await guest.execute('netdev_add', nicNetdev(nic), signal);
  try {
    const slot = await freeSlot(guest, signal);
    if (!isExpressNic(nic) && slot['bus'] !== undefined) {
      throw new ShoalError('CONFLICT', `a q35 takes no NIC of model ${nic.model} while it runs`);
    }
    await addDevice(guest, { ...nicDevice(nic), ...slot }, 'NIC', signal);
  } catch (caught) {
    if (!(await has())) await dropNetdev(guest, nic.portId);
    throw caught;
  }
}

/**
 * Asks the guest to let go of the NIC, waits until it has, and closes the tap. `UNAVAILABLE` when it does not in time: the request
 * stands.
 */
export async function unplugNic(guest: QemuGuest, portId: PortId, signal: AbortSignal): Promise<void> {
  if ((await pluggedNics(guest, signal)).includes(portId)) {
    await unplugDevice(guest, nicIdOf(portId), `NIC ${portId}`, signal);
  }
  await dropNetdev(guest, portId, signal);
}

async function dropNetdev(guest: QemuGuest, portId: PortId, signal?: AbortSignal): Promise<void> {
  await ignoringAbsent(guest.execute('netdev_del', { id: netdevIdOf(portId) }, signal));
}
