/** The PCI devices of a machine, by /sys/bus/pci, and those of them that guests may be given. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PciPool } from '../../../placement/index.ts';
import { ShoalError } from '../../base/errors.ts';
import { isMissing } from '../../base/system-error.ts';
import type { PassedThrough } from '../../config/pci-passthrough.ts';

/** Where Linux tells of them. */
const devicesRoot = '/sys/bus/pci/devices';

/** One device. */
export interface PciDevice {
  /** `0000:3b:00.0`. */
  readonly address: string;
  /** Four lower-case hex digits, as `productId`. */
  readonly vendorId: string;
  readonly productId: string;
  /** -1: the machine does not tell. */
  readonly numaNode: number;
}

/** All of them, by address. Empty on a machine without a PCI bus. Throws `CANNOT_TELL` when it cannot look. */
export async function readPciDevices(root: string = devicesRoot): Promise<readonly PciDevice[]> {
  let addresses: readonly string[];
  try {
    addresses = (await readdir(root)).sort();
  } catch (caught) {
    if (isMissing(caught)) return [];
    throw ShoalError.from(caught, 'CANNOT_TELL', `looking into ${root}`);
  }
  const devices: PciDevice[] = [];
  for (const address of addresses) {
    const [vendor, product, node] = await Promise.all(
      ['vendor', 'device', 'numa_node'].map((name) => text(join(root, address, name))),
    );
    const vendorId = hexOf(vendor ?? '');
    const productId = hexOf(product ?? '');
    // Gone since it was listed, as a hot-plugged device may be.
    if (vendorId === undefined || productId === undefined) continue;
    devices.push({ address, vendorId, productId, numaNode: /^\d{1,4}$/.test(node ?? '') ? Number(node) : -1 });
  }
  return devices;
}

/** The devices that may be passed through, alike ones on one NUMA node together; all of them free. */
export function pciPoolsOf(devices: readonly PciDevice[], kinds: readonly PassedThrough[]): readonly PciPool[] {
  const pools = new Map<string, PciPool>();
  for (const { vendorId, productId, numaNode } of devices) {
    const kind = kinds.find((one) => one.vendorId === vendorId && one.productId === productId);
    if (kind === undefined) continue;
    const key = `${vendorId}:${productId} ${numaNode}`;
    const total = (pools.get(key)?.total ?? 0) + 1;
    pools.set(key, { ...kind, numaNode, total, free: total });
  }
  return [...pools].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pool]) => pool);
}

async function text(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (caught) {
    if (isMissing(caught)) return '';
    throw ShoalError.from(caught, 'CANNOT_TELL', `reading ${path}`);
  }
}

function hexOf(value: string): string | undefined {
  return /^0x([0-9a-f]{4})$/.exec(value)?.[1];
}
