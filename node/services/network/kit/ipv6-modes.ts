/** How guests of an IPv6 subnet come to their addresses, and what its routers advertise: Neutron's `ipv6_address_mode` and `ipv6_ra_mode`. */
import type { ShoalError } from '../../../base/errors.ts';
import { badAttribute, badRequest, refuse } from '../../kit/network-refusals.ts';
import type { IpPrefix } from './address.ts';

/** Neutron's names of the modes. */
const modes = ['dhcpv6-stateful', 'dhcpv6-stateless', 'slaac'] as const;

/** What a subnet says of its modes; empty: nothing. */
interface Modes {
  readonly addressMode: string;
  readonly raMode: string;
}

/**
 * Checks the modes of a subnet against each other and the rest of it, in Neutron's words. Throws 400; 501 for what is not served
 * here yet.
 */
export function checkModes({ addressMode, raMode }: Modes, prefix: IpPrefix, dhcp: boolean): void {
  if (addressMode === '' && raMode === '') return;
  if (prefix.family === 4) {
    throw invalid('ipv6_ra_mode or ipv6_address_mode cannot be set when ip_version is not 6.');
  }
  for (const [attribute, mode] of [
    ['ipv6_ra_mode', raMode],
    ['ipv6_address_mode', addressMode],
  ] as const) {
    if (mode !== '' && !modes.some((known) => known === mode)) {
      throw badAttribute(attribute, `'${mode}' is not in [${modes.map((known) => `'${known}'`).join(', ')}]`);
    }
  }
  if (!dhcp) throw invalid('ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False.');
  if (addressMode !== '' && raMode !== '' && addressMode !== raMode) {
    throw invalid(
      `ipv6_ra_mode set to '${raMode}' with ipv6_address_mode set to '${addressMode}' is not valid. If both attributes are set, they must be the same value`,
    );
  }
  if (raMode !== '' || addressMode !== 'dhcpv6-stateful') {
    throw refuse(
      'NOT_IMPLEMENTED',
      'NotImplemented',
      'This version of Shoal has no router advertisements and no SLAAC.',
    );
  }
}

function invalid(reason: string): ShoalError {
  return badRequest(`Invalid input for operation: ${reason}`, 'InvalidInput');
}
