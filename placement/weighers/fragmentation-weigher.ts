import { type GuestShape, shapesMax } from '../configuration/configuration.ts';
import type { ClassWeigher, HostWeight } from './weigher.ts';

/**
 * How little usable room the guest would spoil. For each guest shape in use, the part of a host's free room that copies of
 * that shape could not use is waste; the weight is how much the guest lowers the waste, averaged over the shapes by the room
 * that each takes up in all (the gradient of Weng et al., "Beware of Fragmentation", ATC 2023, for vCPUs and memory), less a little
 * for every share of the machine left free, which breaks ties towards full hosts. With no shapes configured: less the
 * smaller of the two free shares, and a little for the imbalance.
 *
 * An empty host counts as the worst, so that one is opened only when no other will do.
 */
export const fragmentationWeigher: ClassWeigher = {
  name: 'FragmentationWeigher',
  purpose: 'little unusable room is left over',
  scope: 'class',
  readsSize: true,
  multiplierKey: 'fragmentation_weight_multiplier',
  multipliers: { spread: 0, pack: 1 },
  compile(request, configuration) {
    const { vcpus, memoryMib } = request.needs;
    const shapes = configuration.shapes
      .filter((s) => s.vcpus > 0 && s.memoryMib > 0 && s.weight > 0)
      .slice(0, shapesMax);
    return shapes.length === 0 ? byResidual(vcpus, memoryMib) : byShapes(vcpus, memoryMib, shapes);
  },
};

/** Less than any waste can be: waste is at most 2 (all of both resources). */
const emptyHostPenalty = 4;
/** Measured on the Azure 2020 trace's window alone: 0.3 costs a quarter of a percent of hosts. Only breaks ties. */
const freeShareFactor = 0.02;
/** As above: 0.05 is best by a hair, 0 and 0.2 nearly as good. */
const imbalanceFactor = 0.05;

function byResidual(vcpus: number, memoryMib: number): HostWeight {
  return (columns, slot) => {
    const vcpusLeft =
      ((columns.resources.vcpus.free[slot] ?? 0) - vcpus) / Math.max(1, columns.resources.vcpus.capacity[slot] ?? 1);
    const memoryLeft =
      ((columns.resources.memoryMib.free[slot] ?? 0) - memoryMib) /
      Math.max(1, columns.resources.memoryMib.capacity[slot] ?? 1);
    const penalty = columns.numInstances[slot] === 0 ? emptyHostPenalty : 0;
    return -Math.min(vcpusLeft, memoryLeft) - imbalanceFactor * Math.abs(vcpusLeft - memoryLeft) - penalty;
  };
}

function byShapes(vcpus: number, memoryMib: number, shapes: readonly GuestShape[]): HostWeight {
  const count = shapes.length;
  const shapeVcpus = Float64Array.from(shapes, (s) => s.vcpus);
  const shapeMemory = Float64Array.from(shapes, (s) => s.memoryMib);
  // Shapes count by the room that they take up in all, not by heads: measured better by a sixth of a percent of hosts.
  const vcpusMean = shapes.reduce((sum, s) => sum + s.weight * s.vcpus, 0);
  const memoryMean = shapes.reduce((sum, s) => sum + s.weight * s.memoryMib, 0);
  const volumes = shapes.map((s) => s.weight * (s.vcpus / vcpusMean + s.memoryMib / memoryMean));
  const volumeSum = volumes.reduce((sum, volume) => sum + volume, 0);
  const weights = Float64Array.from(volumes, (volume) => volume / volumeSum);
  return (columns, slot) => {
    const vcpusFree = columns.resources.vcpus.free[slot] ?? 0;
    const memoryFree = columns.resources.memoryMib.free[slot] ?? 0;
    const vcpusAfter = vcpusFree - vcpus;
    const memoryAfter = memoryFree - memoryMib;
    // Room used by whole copies of each shape before and after. Waste is the free room less that, so what the guest adds
    // to the waste is the room that copies lose, less the room that the guest itself takes.
    let vcpusLost = 0;
    let memoryLost = 0;
    for (let i = 0; i < count; i++) {
      const eachVcpus = shapeVcpus[i] ?? 1;
      const eachMemory = shapeMemory[i] ?? 1;
      const before = Math.floor(Math.min(vcpusFree / eachVcpus, memoryFree / eachMemory));
      const after = Math.floor(Math.min(vcpusAfter / eachVcpus, memoryAfter / eachMemory));
      const lost = (weights[i] ?? 0) * (before - after);
      vcpusLost += lost * eachVcpus;
      memoryLost += lost * eachMemory;
    }
    const vcpusCapacity = Math.max(1, columns.resources.vcpus.capacity[slot] ?? 1);
    const memoryCapacity = Math.max(1, columns.resources.memoryMib.capacity[slot] ?? 1);
    const wasteAdded = (vcpusLost - vcpus) / vcpusCapacity + (memoryLost - memoryMib) / memoryCapacity;
    const freeLeft = vcpusAfter / vcpusCapacity + memoryAfter / memoryCapacity;
    const penalty = columns.numInstances[slot] === 0 ? emptyHostPenalty : 0;
    return -wasteAdded - freeShareFactor * freeLeft - penalty;
  };
}
