/**
 * Where a guest's devices are on its buses. QEMU chooses at the start and when something is plugged in; a guest whose memory was
 * saved finds each where it left it, so it is asked before and said afterwards.
 */
import { ShoalError } from '../../../node/base/errors.ts';
import { isRecord } from '../../../node/base/json-value.ts';
import type { QemuGuest } from '../guest/guest.ts';
import { busOf } from '../hardware/free-slot.ts';
import { type DevicePlace, type DevicePlaces, diskDeviceId } from './disk-nodes.ts';
import { devicesByDisk } from './guest-disks.ts';

const peripherals = '/machine/peripheral';
/** PCI devices with names of their own that do not end in `-pci`. */
const otherPciDevices = new Set(['e1000', 'e1000e', 'ne2k_pci', 'pcnet', 'rtl8139', 'vmxnet3']);
const scsiProperties = ['channel', 'scsi-id', 'lun'] as const;

/** Asks the guest's QEMU for the places of all devices that have ids. */
export async function placesOf(guest: QemuGuest, signal: AbortSignal): Promise<DevicePlaces> {
  const listed = await guest.execute('qom-list', { path: peripherals }, signal);
  const places = new Map<string, DevicePlace>();
  // A guest that went over to another disk has it in the device of the first.
  const names = new Map(
    [...(await devicesByDisk(guest, signal))].map(([volumeId, id]) => [id, diskDeviceId(volumeId)]),
  );
  for (const entry of Array.isArray(listed) ? listed : []) {
    if (!isRecord(entry)) continue;
    const { name, type } = entry;
    const driver = typeof type === 'string' ? /^child<(.+)>$/.exec(type)?.[1] : undefined;
    if (typeof name !== 'string' || driver === undefined) continue;
    const number = async (property: string): Promise<number> => {
      const value = await guest.execute('qom-get', { path: `${peripherals}/${name}`, property }, signal);
      if (typeof value === 'number') return value;
      throw new ShoalError('DRIVER_FAILED', `QEMU does not tell the ${property} of device ${name}`);
    };
    if (driver.endsWith('-pci') || otherPciDevices.has(driver)) {
      const place = await number('addr');
      const bus = await busOf(guest, name, signal);
      const addr = `${(place >> 3).toString(16)}.${place & 7}`;
      // Where all are on one bus, that goes without saying, as it did in earlier versions.
      places.set(names.get(name) ?? name, { ...(bus === undefined || bus === 'pci.0' ? {} : { bus }), addr });
    } else if (driver === 'scsi-hd') {
      const place: [string, number][] = [];
      for (const property of scsiProperties) place.push([property, await number(property)]);
      places.set(names.get(name) ?? name, Object.fromEntries(place));
    }
  }
  return places;
}

/** What was written of them; undefined for anything else. */
export function placesFromJson(value: unknown): DevicePlaces | undefined {
  if (!isRecord(value)) return undefined;
  const places = new Map<string, DevicePlace>();
  for (const [id, properties] of Object.entries(value)) {
    if (!isRecord(properties)) return undefined;
    const place: [string, string | number][] = [];
    for (const [name, at] of Object.entries(properties)) {
      if (typeof at !== 'string' && typeof at !== 'number') return undefined;
      place.push([name, at]);
    }
    places.set(id, Object.fromEntries(place));
  }
  return places;
}
