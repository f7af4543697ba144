import type { ClassWeigher } from '../weigher.ts';

/** Less the room that would be left over on the host, as the larger of the two shares of the machine. */
export const fragmentationWeigher: ClassWeigher = {
  name: 'FragmentationWeigher',
  purpose: 'little unusable room is left over',
  scope: 'class',
  multiplierKey: 'fragmentation_weight_multiplier',
  multipliers: { spread: 0, pack: 1 },
  compile(request) {
    const { vcpus, memoryMib } = request.needs;
    return (columns, slot) => {
      const cpuLeft = ((columns.vcpusFree[slot] ?? 0) - vcpus) / Math.max(1, columns.vcpusCapacity[slot] ?? 1);
      const memoryLeft =
        ((columns.memoryFreeMib[slot] ?? 0) - memoryMib) / Math.max(1, columns.memoryCapacityMib[slot] ?? 1);
      return -Math.min(cpuLeft, memoryLeft) - 0.001 * Math.max(cpuLeft, memoryLeft);
    };
  },
};
