/** A rule of a security group in a sentence. Pure. */
import { texts } from '../../kit/texts.ts';

/** As Neutron has it. */
export interface Rule {
  readonly id: string;
  readonly direction: string;
  readonly ethertype: string;
  readonly protocol: string | null;
  readonly port_range_min: number | null;
  readonly port_range_max: number | null;
  readonly remote_ip_prefix: string | null;
  readonly remote_group_id: string | null;
}

const services: ReadonlyMap<number, string> = new Map([
  [22, 'SSH'],
  [53, 'DNS'],
  [80, 'HTTP'],
  [443, 'HTTPS'],
  [3306, 'MySQL'],
  [3389, 'RDP'],
  [5432, 'PostgreSQL'],
]);

/** "TCP 22 (SSH) from anywhere over IPv4". */
export function ruleInWords(rule: Rule): string {
  const words = texts.securityGroups;
  const what = `${protocolOf(rule)}${portsOf(rule)}`;
  const where =
    rule.remote_group_id !== null
      ? words.members
      : rule.remote_ip_prefix === null || /^(?:0\.0\.0\.0|::)\/0$/u.test(rule.remote_ip_prefix)
        ? words.anywhere(rule.ethertype)
        : rule.remote_ip_prefix;
  return rule.direction === 'ingress' ? words.ingress(what, where) : words.egress(what, where);
}

function protocolOf({ protocol }: Rule): string {
  return protocol === null || protocol === 'any' ? texts.securityGroups.everything : protocol.toUpperCase();
}

function portsOf({ protocol, port_range_min: min, port_range_max: max }: Rule): string {
  if (min === null && max === null) return '';
  if (/icmp/iu.test(protocol ?? '')) return texts.securityGroups.icmp(min, max);
  if (min === max) return ` ${min}${services.has(min ?? 0) ? ` (${services.get(min ?? 0)})` : ''}`;
  return ` ${min ?? 1}–${max ?? 65_535}`;
}
