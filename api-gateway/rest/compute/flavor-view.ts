/** A flavor as Nova answers it. */
import type { shoal } from '../../../proto/messages.ts';
import { linksOf, type View } from './kit/common.ts';
import type { Microversion } from './kit/microversion.ts';

/** `GET /flavors`. @param root `{base}/compute`. */
export function briefFlavorView(root: string, flavor: shoal.v1.Flavor, microversion: Microversion): View {
  return {
    id: flavor.id,
    name: flavor.name,
    links: linksOf(root, `flavors/${flavor.id}`),
    ...(microversion >= 55 ? { description: describe(flavor) } : {}),
  };
}

/** `GET /flavors/{id}` and the members of `/flavors/detail`. */
export function flavorView(root: string, flavor: shoal.v1.Flavor, microversion: Microversion): View {
  return {
    ...briefFlavorView(root, flavor, microversion),
    ram: flavor.memoryMib,
    disk: flavor.diskGib,
    vcpus: flavor.vcpus,
    // An empty text was "none" until 2.75.
    swap: flavor.swapMib === 0 && microversion < 75 ? '' : flavor.swapMib,
    'OS-FLV-EXT-DATA:ephemeral': flavor.ephemeralGib,
    'os-flavor-access:is_public': flavor.isPublic,
    ...(microversion < 102 ? { 'OS-FLV-DISABLED:disabled': flavor.disabled, rxtx_factor: flavor.rxtxFactor } : {}),
    ...(microversion >= 61 ? { extra_specs: flavor.extraSpecs } : {}),
  };
}

/** Within a server, from 2.47: as it was when the server was made, without an id. */
export function embeddedFlavorView(flavor: shoal.v1.Flavor): View {
  return {
    original_name: flavor.name,
    vcpus: flavor.vcpus,
    ram: flavor.memoryMib,
    disk: flavor.diskGib,
    ephemeral: flavor.ephemeralGib,
    swap: flavor.swapMib,
    extra_specs: flavor.extraSpecs,
  };
}

function describe(flavor: shoal.v1.Flavor): string | null {
  return flavor.description === '' ? null : flavor.description;
}
