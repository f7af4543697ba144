import { ipVersion } from '../../../node/base/ip-version.ts';

/**
 * Whether a text is an address that VXLAN can have between hosts: IPv4, or IPv6 as the kernel writes it (RFC 5952: `fd00::1`), for what
 * is found on a host is compared with it as text.
 */
export function isUnderlayAddress(text: string): boolean {
  switch (ipVersion(text)) {
    case 4:
      return true;
    case 6:
      // The URL parser writes what the kernel does, but for addresses that hold an IPv4 one: no underlay has such.
      return !text.includes('.') && new URL(`http://[${text}]/`).hostname === `[${text}]`;
    default:
      return false;
  }
}

/** What VXLAN adds to a frame's payload: outer IPv4 20 or IPv6 40, UDP 8, VXLAN 8, inner Ethernet 14. Unit: bytes. */
export function vxlanOverheadBytes(vtepIp: string): number {
  return ipVersion(vtepIp) === 6 ? 70 : 50;
}
