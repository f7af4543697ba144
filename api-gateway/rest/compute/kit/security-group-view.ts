/** Security groups and their rules as Nova answers them. */
import { securityGroupTable } from '../../../../node/state/tables/index.ts';
import type { StateReader } from '../../../../node/state/types.ts';
import type { shoal } from '../../../../proto/messages.ts';
import type { View } from './common.ts';

/** A group as Nova answers it: rules that let traffic in, and no others. */
export function securityGroupView(reader: StateReader, group: shoal.v1.SecurityGroup): View {
  return {
    id: group.id,
    name: group.name,
    description: group.description,
    tenant_id: group.projectId,
    rules: group.rules.filter((rule) => rule.direction === 'ingress').map((rule) => ruleView(reader, group, rule)),
  };
}

/** A rule as Nova answers it. What matches all ports of TCP and UDP is 1 to 65535, all types of others -1 to -1. */
export function ruleView(reader: StateReader, group: shoal.v1.SecurityGroup, rule: shoal.v1.ISecurityGroupRule): View {
  const { remoteGroupId = '', remotePrefix = '', protocol = '', portMin = -1, portMax = -1 } = rule;
  const remote = securityGroupTable.find(reader, remoteGroupId ?? '')?.record;
  const any = rule.ethertype === 'IPv6' ? '::/0' : '0.0.0.0/0';
  const isWhole = protocol !== '' && portMin < 0 && portMax < 0;
  const [allFrom, allTo] = protocol === 'tcp' || protocol === 'udp' ? [1, 65_535] : [-1, -1];
  return {
    id: rule.id,
    parent_group_id: group.id,
    ip_protocol: protocol === '' ? null : protocol,
    from_port: isWhole ? allFrom : portMin < 0 ? null : portMin,
    to_port: isWhole ? allTo : portMax < 0 ? null : portMax,
    group: remote === undefined ? {} : { name: remote.name, tenant_id: remote.projectId },
    ip_range: remote === undefined ? { cidr: remotePrefix === '' ? any : remotePrefix } : {},
  };
}
