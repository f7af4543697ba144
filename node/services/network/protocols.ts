/** Protocol names that Neutron knows, and their numbers (IANA "Assigned Internet Protocol Numbers"). */
import { ownValue } from '../../base/own-value.ts';

const numbers: Readonly<Record<string, number>> = {
  ah: 51,
  dccp: 33,
  egp: 8,
  esp: 50,
  gre: 47,
  icmp: 1,
  icmpv6: 58,
  'ipv6-icmp': 58,
  igmp: 2,
  ipip: 4,
  'ipv6-encap': 41,
  'ipv6-frag': 44,
  'ipv6-nonxt': 59,
  'ipv6-opts': 60,
  'ipv6-route': 43,
  ospf: 89,
  pgm: 113,
  rsvp: 46,
  sctp: 132,
  tcp: 6,
  udp: 17,
  udplite: 136,
  vrrp: 112,
};

/** The number of a protocol given by name or by number in [0, 255]. Undefined: there is none such. */
export function protocolNumber(protocol: string): number | undefined {
  if (/^[0-9]{1,3}$/.test(protocol)) {
    const number = Number(protocol);
    return number <= 255 ? number : undefined;
  }
  return ownValue(numbers, protocol.toLowerCase());
}
