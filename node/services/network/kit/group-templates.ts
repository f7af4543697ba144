/** Neutron's default security group rules: what the rules of new groups are made from. */
import { shoal } from '../../../../proto/messages.ts';
import { defaultGroupRulesTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';

/** Id of the one row that has them, once an administrator has changed any. */
export const templatesId = 'default';

/** In place of a group's id: the group that is made. */
export const parentGroup = 'PARENT';

/** "Any" in the records' port fields. */
const anyPort = -1;

/** Neutron's own four: everything goes out, and members of a project's default group reach one another. */
const builtIn: readonly shoal.v1.DefaultGroupRule[] = [
  ['00000000-0000-4000-8000-000000000001', 'ingress', 'IPv4', parentGroup] as const,
  ['00000000-0000-4000-8000-000000000002', 'ingress', 'IPv6', parentGroup] as const,
  ['00000000-0000-4000-8000-000000000003', 'egress', 'IPv4', ''] as const,
  ['00000000-0000-4000-8000-000000000004', 'egress', 'IPv6', ''] as const,
].map(([id, direction, ethertype, remoteGroupId]) => {
  const rule = new shoal.v1.SecurityGroupRule({
    id,
    direction,
    ethertype,
    remoteGroupId,
    portMin: anyPort,
    portMax: anyPort,
  });
  return new shoal.v1.DefaultGroupRule({ rule, inDefault: true, inOthers: direction === 'egress' });
});

/** A template, with its rule. */
export interface Template {
  readonly rule: shoal.v1.SecurityGroupRule;
  /** For each project's group `default`; for all other groups. */
  readonly inDefault: boolean;
  readonly inOthers: boolean;
}

/** The templates: those that administrators have made of them, or Neutron's own. */
export function templatesOf(reader: StateReader): readonly Template[] {
  const rules = defaultGroupRulesTable.get(reader, templatesId)?.record.rules ?? builtIn;
  return rules.map(({ rule, inDefault, inOthers }) => ({
    rule: new shoal.v1.SecurityGroupRule(rule ?? {}),
    inDefault: inDefault === true,
    inOthers: inOthers === true,
  }));
}

/** The rules of a new group. @param kind whether it is its project's group `default`. */
export function rulesOfNewGroup(
  reader: StateReader,
  kind: 'default' | 'other',
  group: { readonly id: string; readonly nowMs: number; readonly newId: () => string },
): shoal.v1.SecurityGroupRule[] {
  return templatesOf(reader)
    .filter(({ inDefault, inOthers }) => (kind === 'default' ? inDefault : inOthers))
    .map(
      ({ rule }) =>
        new shoal.v1.SecurityGroupRule({
          ...rule,
          id: group.newId(),
          remoteGroupId: rule.remoteGroupId === parentGroup ? group.id : rule.remoteGroupId,
          createdMs: group.nowMs,
        }),
    );
}
