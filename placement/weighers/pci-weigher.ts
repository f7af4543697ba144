import type { HostWeigher } from './weigher.ts';

/**
 * 1 less a hundredth for each free PCI device, 0 from a hundred on. A guest without devices so goes where there are none;
 * a guest that wants some goes to the host with the fewest that will do. Both keep whole device hosts free.
 */
export const pciWeigher: HostWeigher = {
  name: 'PCIWeigher',
  purpose: 'PCI devices stay free for guests that want them',
  scope: 'host',
  multiplierKey: 'pci_weight_multiplier',
  multipliers: { spread: 1, pack: 1 },
  compile: () => (columns, slot) => 1 - Math.min(devicesMax, Math.max(0, columns.pciFree[slot] ?? 0)) / devicesMax,
};

/** More free devices than this are all the same. Nova's number. */
const devicesMax = 100;
