/** The MTU of the wire behind external networks. */
import { readFileSync } from 'node:fs';
import { ShoalError } from '../base/errors.ts';
import { isMissing } from '../base/system-error.ts';

/** What plain Ethernet carries, bytes: routers' external legs have no more, whatever the interface could. */
const ethernetMtu = 1500;

/**
 * The largest packet that leaves by the interface, bytes. A host without one (empty name) speaks for the others: plain
 * Ethernet. Throws when the kernel's own file holds no number.
 */
export function externalMtuBytes(interfaceName: string): number {
  if (interfaceName === '') return ethernetMtu;
  try {
    const mtu = Number(readFileSync(`/sys/class/net/${interfaceName}/mtu`, 'utf8'));
    if (!Number.isInteger(mtu) || mtu <= 0) {
      throw new ShoalError('DRIVER_FAILED', `the MTU of ${interfaceName} cannot be read`, { facts: { interfaceName } });
    }
    return Math.min(ethernetMtu, mtu);
  } catch (caught) {
    // The interface comes later, or is in another namespace: the driver says so when it needs it.
    if (isMissing(caught)) return ethernetMtu;
    throw caught;
  }
}
