/** Between a flavor and what a server takes of its host, as claims carry it. */
import {
  extraAmountsOf,
  extraResourceOf,
  extraResources,
  type ResourceNeeds,
  resourceClasses,
} from '../../placement/index.ts';
import type { shoal } from '../../proto/messages.ts';

/**
 * What a server takes from its host.
 * @param server.hasRootVolume it boots from a volume, and no root disk of the flavor's size is made.
 * @param isApart whether disks in a pool take nothing of the host's own disk (`isApart` of node/services/kit). Undefined: not
 *   known, which is no pool of this host.
 */
export function needsOf(
  server: Pick<shoal.v1.Server, 'flavor' | 'storage'> & { readonly hasRootVolume?: boolean },
  isApart: (storage: string) => boolean | undefined,
): ResourceNeeds {
  const { flavor } = server;
  const rootGib = server.hasRootVolume === true ? 0 : (flavor?.diskGib ?? 0);
  const disk = rootGib + (flavor?.ephemeralGib ?? 0) + Math.ceil((flavor?.swapMib ?? 0) / 1024);
  return {
    ...extraAmountsOf(flavor?.extraSpecs ?? {}),
    vcpus: flavor?.vcpus ?? 0,
    memoryMib: flavor?.memoryMib ?? 0,
    diskGib: isApart(server.storage) === false ? disk : 0,
    pci: [],
  };
}

/** The amounts of a claim, for the wire. */
export function claimAmounts(needs: ResourceNeeds): shoal.v1.IResourceAmounts {
  const extra: Record<string, number> = {};
  for (const name of extraResources) {
    const amount = needs[name] ?? 0;
    if (amount > 0) extra[resourceClasses[name].placementName] = amount;
  }
  const { vcpus, memoryMib, diskGib } = needs;
  return { vcpus, memoryMib, diskGib, extra };
}

/** The needs that a claim from the wire names; a text: the resource class that this host does not know. */
export function claimedNeeds(claimed: shoal.v1.IResourceAmounts): ResourceNeeds | string {
  const amounts: Partial<Record<(typeof extraResources)[number], number>> = {};
  for (const [placementName, amount] of Object.entries(claimed.extra ?? {})) {
    const name = extraResourceOf(placementName);
    if (name === undefined) return placementName;
    amounts[name] = amount;
  }
  const { vcpus, memoryMib, diskGib } = claimed;
  return { ...amounts, vcpus: vcpus ?? 0, memoryMib: memoryMib ?? 0, diskGib: diskGib ?? 0, pci: [] };
}
