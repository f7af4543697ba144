/** A place for a device that is plugged into a guest that runs. */
import { ShoalError } from '../../../node/base/errors.ts';
import type { QemuGuest } from '../guest/guest.ts';
import { absentOf, deviceIds, peripherals } from '../guest/hot-plug.ts';

/** Name of the bus that a device is on; undefined: it is on none, or has gone while it was looked at. */
export async function busOf(guest: QemuGuest, id: string, signal: AbortSignal): Promise<string | undefined> {
  const asked = guest.execute('qom-get', { path: `${peripherals}/${id}`, property: 'parent_bus' }, signal);
  const path = await asked.catch(absentOf);
  return typeof path === 'string' ? path.slice(path.lastIndexOf('/') + 1) : undefined;
}

/**
 * `{ bus }` of a root port that has no device; nothing on a machine without ports, where QEMU finds the place. `CONFLICT` when all
 * are taken.
 */
export async function freeSlot(guest: QemuGuest, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
  const names = await deviceIds(guest, signal);
  const slots = names.filter((name) => /^slot\d+$/.test(name));
  if (slots.length === 0) return {};
  const taken = new Set<string | undefined>();
  for (const name of names) if (!slots.includes(name)) taken.add(await busOf(guest, name, signal));
  const bus = slots.find((name) => !taken.has(name));
  if (bus === undefined) throw new ShoalError('CONFLICT', `guest ${guest.serverId} has no free place for a device`);
  return { bus };
}
