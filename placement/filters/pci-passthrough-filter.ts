import { fitPci } from '../devices/pci.ts';
import type { ColumnsFilter } from './filter.ts';

/** The host has the requested PCI devices free, all at once. */
export const pciPassthroughFilter: ColumnsFilter = {
  name: 'PciPassthroughFilter',
  purpose: 'the host has the requested PCI devices free',
  scope: 'columns',
  onRebuild: false,
  compile(request) {
    const { pci } = request.needs;
    if (pci.length === 0) return undefined;
    let count = 0;
    for (const request of pci) count += request.count;
    return {
      passes: (columns, slot) =>
        (columns.pciFree[slot] ?? 0) >= count &&
        fitPci(columns.pciPools[slot] ?? [], columns.pciTaken(slot), pci) !== undefined,
      reason: () => 'the host has not the requested PCI devices free',
    };
  },
};
