/** What the bench places, and on what. */
import type { HostSize } from './messages.ts';

export const benchImageId = 'bench-image';

/** Sizes asked for, each as often as the others: 3.75 vCPUs and 7.5 GiB on average. */
export const benchFlavors = [1, 2, 4, 8].map((vcpus) => ({
  id: `bench-${vcpus}`,
  name: `bench.${vcpus}`,
  vcpus,
  memoryMib: vcpus * 2048,
  diskGib: 4 * vcpus,
  rxtxFactor: 1,
  isPublic: true,
}));

const averageVcpus = benchFlavors.reduce((sum, flavor) => sum + flavor.vcpus, 0) / benchFlavors.length;

/** Hosts that are full to `fill` (0..1) once all servers are placed, in every resource alike. */
export function hostSizeFor(hosts: number, servers: number, fill: number): HostSize {
  const vcpus = Math.ceil((servers * averageVcpus) / hosts / fill);
  return { vcpus, memoryMib: vcpus * 2048, diskGib: vcpus * 4 };
}
