import type { ResourceNeeds } from '../../placement/index.ts';
import type { shoal } from '../../proto/messages.ts';

/** What a server takes from its host. Disks on shared storage take nothing of the host's own. */
export function needsOf(server: Pick<shoal.v1.Server, 'flavor' | 'storage'>): ResourceNeeds {
  const { flavor } = server;
  const disk = (flavor?.diskGib ?? 0) + (flavor?.ephemeralGib ?? 0) + Math.ceil((flavor?.swapMib ?? 0) / 1024);
  return {
    vcpus: flavor?.vcpus ?? 0,
    memoryMib: flavor?.memoryMib ?? 0,
    diskGib: server.storage === 'local' ? disk : 0,
    pci: [],
  };
}
