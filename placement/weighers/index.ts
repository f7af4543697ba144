import type { WeigherName } from '../configuration/weigher-names.ts';
import { buildFailureWeigher } from './build-failure-weigher.ts';
import { cpuWeigher } from './cpu-weigher.ts';
import { crossCellWeigher } from './cross-cell-weigher.ts';
import { diskWeigher } from './disk-weigher.ts';
import { fragmentationWeigher } from './fragmentation-weigher.ts';
import { hostStateWeigher } from './host-state-weigher.ts';
import { ioOpsWeigher } from './io-ops-weigher.ts';
import { metricsWeigher } from './metrics-weigher.ts';
import { pciWeigher } from './pci-weigher.ts';
import { ramWeigher } from './ram-weigher.ts';
import { softAffinityWeigher } from './soft-affinity-weigher.ts';
import { softAntiAffinityWeigher } from './soft-anti-affinity-weigher.ts';
import type { Weigher } from './weigher.ts';

/** Every weigher there is, by name. */
export const weighers: Readonly<Record<WeigherName, Weigher>> = {
  RAMWeigher: ramWeigher,
  CPUWeigher: cpuWeigher,
  DiskWeigher: diskWeigher,
  FragmentationWeigher: fragmentationWeigher,
  IoOpsWeigher: ioOpsWeigher,
  PCIWeigher: pciWeigher,
  MetricsWeigher: metricsWeigher,
  BuildFailureWeigher: buildFailureWeigher,
  HostStateWeigher: hostStateWeigher,
  CrossCellWeigher: crossCellWeigher,
  ServerGroupSoftAffinityWeigher: softAffinityWeigher,
  ServerGroupSoftAntiAffinityWeigher: softAntiAffinityWeigher,
};
