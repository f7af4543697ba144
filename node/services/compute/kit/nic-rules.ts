/** What holds for the NICs of a server, made with it or later. */
import { badRequest } from './refusals.ts';

/** NICs of one server: what fits on its PCI bus beside disks, by far. */
export const nicsMax = 16;

/** A name by which a device is found in the guest's metadata: 1 to 60 characters, as Nova's. Throws `INVALID_ARGUMENT`. */
export function checkDeviceTag(tag: string): string {
  if (/^[^,/]{1,60}$/.test(tag)) return tag;
  throw badRequest(`Invalid input for field/attribute tag. Value: ${tag.slice(0, 64)}.`);
}

/** A host's name without its domain: what the network service finds a guest by. */
export function labelOf(hostname: string): string {
  return hostname.split('.')[0] ?? '';
}
