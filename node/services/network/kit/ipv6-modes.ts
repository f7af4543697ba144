/** How guests of an IPv6 subnet come to their addresses, and what its routers advertise: Neutron's `ipv6_address_mode` and `ipv6_ra_mode`. */
import { interfaceIdOf } from '../../../../drivers/vxlan/model/link-local.ts';
import type { shoal } from '../../../../proto/messages.ts';
import type { ShoalError } from '../../../base/errors.ts';
import { badAttribute, badRequest, refuse } from '../../kit/network-refusals.ts';
import { formatIp, formatPrefix, type IpPrefix } from './address.ts';

/** Neutron's names of the modes. */
const modes = ['dhcpv6-stateful', 'dhcpv6-stateless', 'slaac'] as const;

/** What a subnet says of its modes; empty: nothing. */
interface Modes {
  readonly addressMode: string;
  readonly raMode: string;
}

/** Bits of the prefix that an interface makes addresses in (RFC 4862, with RFC 4291's interface ids). */
const autoPrefixLength = 64;

/** Whether each port of the subnet's network has an address of it that is made of its MAC: SLAAC, with or without DHCPv6. */
export function isAutoAddressed({
  ipv6AddressMode,
  ipv6RaMode,
}: Pick<shoal.v1.Subnet, 'ipv6AddressMode' | 'ipv6RaMode'>): boolean {
  return [ipv6AddressMode, ipv6RaMode].some((mode) => mode === 'slaac' || mode === 'dhcpv6-stateless');
}

/** The address that an interface with this MAC makes itself in a prefix of 64 bits. */
export function autoAddressOf(prefix: IpPrefix, mac: string): string {
  return formatIp({ family: 6, value: prefix.first | interfaceIdOf(mac) });
}

/**
 * Checks the modes of a subnet against each other and the rest of it, in Neutron's words. Throws 400; 501 on external networks, where
 * routers and floating IPs are given their addresses.
 */
export function checkModes(
  { addressMode, raMode }: Modes,
  prefix: IpPrefix,
  { dhcp, external }: { readonly dhcp: boolean; readonly external: boolean },
): void {
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
  if (
    isAutoAddressed({ ipv6AddressMode: addressMode, ipv6RaMode: raMode }) &&
    prefix.prefixLength !== autoPrefixLength
  ) {
    throw invalid(
      `Invalid CIDR ${formatPrefix(prefix)} for IPv6 address mode. OpenStack uses the EUI-64 address format, which requires the prefix to be /64`,
    );
  }
  if (external) {
    throw refuse('NOT_IMPLEMENTED', 'NotImplemented', 'This version of Shoal has no IPv6 modes on external networks.');
  }
}

function invalid(reason: string): ShoalError {
  return badRequest(`Invalid input for operation: ${reason}`, 'InvalidInput');
}
