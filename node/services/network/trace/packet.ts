/** A packet whose way is asked, and what lets it pass. Pure. */
import type { LocalPortSpec, SecurityRuleSpec } from '../../../../drivers/types.ts';
import { contains, type IpAddress, parsePrefix } from '../kit/address.ts';

/** What travels. An `icmp` packet is an echo request. */
export interface Packet {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: 'icmp' | 'tcp' | 'udp';
  /** Of TCP and UDP; 0 for ICMP. */
  readonly destinationPort: number;
}

/** IP protocol numbers, by family for ICMP (IANA). */
const numbers = { icmp: { 4: 1, 6: 58 }, tcp: { 4: 6, 6: 6 }, udp: { 4: 17, 6: 17 } } as const;
const echoRequest = { 4: 8, 6: 128 } as const;

/** The first rule of a port that lets the packet pass in that direction; undefined: none does. */
export function ruleFor(
  port: Pick<LocalPortSpec, 'rules'>,
  direction: SecurityRuleSpec['direction'],
  packet: Packet,
): SecurityRuleSpec | undefined {
  const peer = direction === 'ingress' ? packet.source : packet.destination;
  return port.rules.find((rule) => rule.direction === direction && isOfKind(rule, packet) && isFromPeer(rule, peer));
}

/** A rule in words: `IPv4 tcp 22-22 from 10.0.0.0/24`. */
export function ruleText({
  direction,
  ethertype = 'IPv4',
  protocol,
  portMin,
  portMax,
  remotePrefixes,
}: SecurityRuleSpec): string {
  const ports = portMin === undefined && portMax === undefined ? '' : ` ${portMin ?? 0}-${portMax ?? portMin ?? 0}`;
  const shown = remotePrefixes?.slice(0, 3).join(', ');
  const more = (remotePrefixes?.length ?? 0) > 3 ? ` and ${(remotePrefixes?.length ?? 0) - 3} more` : '';
  const peer = shown === undefined ? 'any' : `${shown}${more}`;
  return `${ethertype} ${protocol ?? 'of any protocol'}${ports} ${direction === 'ingress' ? 'from' : 'to'} ${peer}`;
}

function isOfKind(rule: SecurityRuleSpec, { protocol, destination, destinationPort }: Packet): boolean {
  if ((rule.ethertype === 'IPv6') !== (destination.family === 6)) return false;
  if (rule.protocol === undefined) return true;
  const number = typeof rule.protocol === 'number' ? rule.protocol : numbers[rule.protocol][destination.family];
  if (number !== numbers[protocol][destination.family]) return false;
  const { portMin, portMax } = rule;
  if (protocol === 'icmp') {
    return (
      (portMin === undefined || portMin === echoRequest[destination.family]) && (portMax === undefined || portMax === 0)
    );
  }
  return (portMin === undefined || destinationPort >= portMin) && (portMax === undefined || destinationPort <= portMax);
}

function isFromPeer({ remotePrefixes }: SecurityRuleSpec, peer: IpAddress): boolean {
  return (
    remotePrefixes === undefined ||
    remotePrefixes.some((text) => {
      const prefix = parsePrefix(text);
      return prefix !== undefined && contains(prefix, peer);
    })
  );
}
