/** Security groups and their rules. Each project gets a group called "default" when one is first needed. */

import { shoal } from '../../../proto/messages.ts';
import { isUnrecorded, ShoalError } from '../../base/errors.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { addressGroupTable, securityGroupTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { badAttribute, badRequest, notFound, refuse } from '../kit/network-refusals.ts';
import {
  canSeeSecurityGroup,
  ownSecurityGroup,
  projectFor,
  projectRows,
  seeAddressGroup,
  seeSecurityGroup,
} from '../kit/ownership.ts';
import { isAdministrator, mayActOn } from '../kit/permissions.ts';
import { pointAt } from '../kit/pointed-at.ts';
import { chargeQuota, countUnasked, refundQuota } from '../kit/quota.ts';
import { leanOnPolicy } from '../kit/sharing.ts';
import { type Attempt, transact } from '../kit/transact.ts';
import { editWhileRoom, transactInPieces, unfinished } from '../kit/transact-in-pieces.ts';
import { canonicalPrefix, normalPrefix } from './kit/address.ts';
import { rulesOfNewGroup } from './kit/group-templates.ts';
import { checkText } from './kit/text.ts';
import { requireUnused } from './kit/uses.ts';
import { protocolNumber } from './protocols.ts';
import { dropPoliciesOf } from './sharing/policy-rows.ts';

/** Most rules of one group: they all become one chain of a host's filter, and one record. */
const rulesMax = 1000;
const defaultGroupName = 'default';
/** "Any" in the records' port fields. */
const anyPort = -1;

/** What a caller may say of a new group. It starts with the default rules: two that let everything out, unless an administrator has changed them. */
export interface SecurityGroupDraft {
  readonly name: string;
  readonly projectId?: string;
  readonly description?: string;
  readonly stateful?: boolean;
}

/**
 * A rule as Neutron's API has it. Ports are in [1, 65535] for TCP and its like; for ICMP `portMin` is the type and
 * `portMax` the code, each in [0, 255]. Of `remotePrefix`, `remoteGroupId` and `remoteAddressGroupId` at most one; none: any peer.
 */
export interface SecurityGroupRuleDraft {
  readonly securityGroupId: string;
  readonly direction: string;
  readonly ethertype?: string;
  /** Name or number; absent: any. */
  readonly protocol?: string;
  readonly portMin?: number;
  readonly portMax?: number;
  readonly remotePrefix?: string;
  readonly remoteGroupId?: string;
  readonly remoteAddressGroupId?: string;
  readonly description?: string;
}

/** A rule with the group it belongs to. */
export interface RuleView {
  readonly rule: shoal.v1.SecurityGroupRule;
  readonly group: shoal.v1.SecurityGroup;
}

/**
 * Neutron's security groups. One of another project is `NOT_FOUND` but for administrators. Rules are part of their
 * group's record, at most 1000 in each; `createRules` refuses a rule that says the same as another with 409.
 */
export class SecurityGroups {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  list(context: RequestContext, reader: StateReader): readonly shoal.v1.SecurityGroup[] {
    return securityGroupTable
      .list(reader)
      .map((row) => row.record)
      .filter((group) => canSeeSecurityGroup(context, reader, group));
  }

  show(context: RequestContext, reader: StateReader, id: string): shoal.v1.SecurityGroup {
    return seeSecurityGroup(context, reader, id).record;
  }

  /** Makes the caller's project's default group unless it is there. Nothing is written when it is. */
  async ensureDefault(context: RequestContext): Promise<void> {
    const isThere =
      securityGroupTable.one(this.#deps.state.local, 'default', indexKey(context.projectId)) !== undefined;
    if (context.projectId === '' || isThere) return;
    const nowMs = this.#deps.clock.nowMs();
    await transact(this.#deps, context, (attempt) => {
      planDefaultGroup(attempt, context.projectId, { nowMs, newId: this.#deps.newId });
    });
  }

  /**
   * As `ensureDefault`, for callers that only look: what cannot be written now is made when it can. Returns what stood
   * in the way.
   */
  async offerDefault(context: RequestContext): Promise<ShoalError | undefined> {
    try {
      await this.ensureDefault(context);
      return undefined;
    } catch (caught) {
      if (ShoalError.of(caught, isUnrecorded)) return caught;
      throw caught;
    }
  }

  async create(context: RequestContext, draft: SecurityGroupDraft): Promise<shoal.v1.SecurityGroup> {
    checkText('name', draft.name);
    checkText('description', draft.description);
    const projectId = projectFor(context, draft.projectId);
    const id = this.#deps.newId();
    const nowMs = this.#deps.clock.nowMs();
    return transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      if (draft.name.toLowerCase() === defaultGroupName) {
        throw refuse('CONFLICT', 'SecurityGroupDefaultAlreadyExists', 'Default security group already exists.');
      }
      planDefaultGroup(attempt, projectId, { nowMs, newId: this.#deps.newId });
      const group = new shoal.v1.SecurityGroup({
        id,
        name: draft.name,
        projectId,
        description: draft.description ?? '',
        rules: rulesOfNewGroup(reader, 'other', { id, nowMs, newId: this.#deps.newId }),
        createdMs: nowMs,
        updatedMs: nowMs,
        stateful: draft.stateful ?? true,
      });
      chargeQuota(change, reader, projectId, { security_group: 1, security_group_rule: group.rules.length });
      securityGroupTable.insert(change, group);
      return group;
    });
  }

  async update(
    context: RequestContext,
    id: string,
    patch: {
      readonly name?: string;
      readonly description?: string;
      /** 409 `SecurityGroupInUse` for another value while ports have the group. */
      readonly stateful?: boolean;
      readonly tags?: readonly string[];
    },
  ): Promise<shoal.v1.SecurityGroup> {
    checkText('name', patch.name);
    checkText('description', patch.description);
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = ownSecurityGroup(context, reader, id);
      const name = patch.name ?? row.record.name;
      if (
        name !== row.record.name &&
        (row.record.name === defaultGroupName || name.toLowerCase() === defaultGroupName)
      ) {
        throw refuse('CONFLICT', 'SecurityGroupCannotUpdateDefault', 'Updating default security group not allowed.');
      }
      const stateful = patch.stateful ?? row.record.stateful;
      if (stateful !== row.record.stateful) {
        requireUnused(change, reader, 'security-group', id, () =>
          refuse('CONFLICT', 'SecurityGroupInUse', `Security Group ${id} in use.`),
        );
      }
      const next = new shoal.v1.SecurityGroup({
        ...row.record,
        stateful,
        name,
        description: patch.description ?? row.record.description,
        tags: [...(patch.tags ?? row.record.tags)],
        updatedMs: this.#deps.clock.nowMs(),
      });
      securityGroupTable.update(change, row, next);
      return next;
    });
  }

  /**
   * 409 while a port has it, and for the default group unless the caller is an administrator. Rules of other groups that
   * speak of it go first, in pieces where they are very many: they let nobody in, as nobody is in it.
   */
  async delete(context: RequestContext, id: string): Promise<void> {
    await transactInPieces(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = ownSecurityGroup(context, reader, id);
      const group = row.record;
      if (group.name === defaultGroupName && !isAdministrator(context)) {
        throw refuse(
          'CONFLICT',
          'SecurityGroupCannotRemoveDefault',
          'Insufficient rights for removing default security group.',
        );
      }
      requireUnused(change, reader, 'security-group', id, () =>
        refuse('CONFLICT', 'SecurityGroupInUse', `Security Group ${id} in use.`),
      );
      if (!this.#dropRulesAbout(attempt, row) || !dropPoliciesOf(attempt, 'security_group', id)) return unfinished;
      refundQuota(change, group.projectId, { security_group: 1, security_group_rule: group.rules.length });
      securityGroupTable.remove(change, row);
      return undefined;
    });
  }

  listRules(context: RequestContext, reader: StateReader): readonly RuleView[] {
    return projectRows(context, reader, securityGroupTable)
      .map((row) => row.record)
      .flatMap((group) => group.rules.map((rule) => ({ rule, group })));
  }

  showRule(context: RequestContext, reader: StateReader, id: string): RuleView {
    const { rule, row } = ruleRow(context, reader, id);
    return { rule, group: row.record };
  }

  /** All of them, or none. */
  async createRules(context: RequestContext, drafts: readonly SecurityGroupRuleDraft[]): Promise<readonly RuleView[]> {
    const rules = drafts.map((draft) => ruleOf(draft, this.#deps.newId(), this.#deps.clock.nowMs()));
    return transact(this.#deps, context, ({ reader, change }) => {
      const views: RuleView[] = [];
      for (const groupId of new Set(drafts.map((draft) => draft.securityGroupId))) {
        const row = ownSecurityGroup(context, reader, groupId);
        const added = rules.filter((_, index) => drafts[index]?.securityGroupId === groupId);
        const all = [...row.record.rules];
        for (const rule of added) {
          if (rule.remoteGroupId !== '') {
            const remote = seeSecurityGroup(context, reader, rule.remoteGroupId).record;
            leanOnPolicy(change, reader, 'security_group', remote, row.record.projectId);
            pointAt(change, securityGroupTable.key(rule.remoteGroupId));
          }
          if (rule.remoteAddressGroupId !== '') {
            const remote = seeAddressGroup(context, reader, rule.remoteAddressGroupId).record;
            leanOnPolicy(change, reader, 'address_group', remote, row.record.projectId);
            pointAt(change, addressGroupTable.key(remote.id));
          }
          const same = all.find((other) => meansSame(other, rule));
          if (same !== undefined) {
            throw refuse(
              'CONFLICT',
              'SecurityGroupRuleExists',
              `Security group rule already exists. Rule id is ${same.id}.`,
            );
          }
          all.push(rule);
        }
        if (all.length > rulesMax) throw badRequest(`A security group may have ${rulesMax} rules at most.`);
        chargeQuota(change, reader, row.record.projectId, { security_group_rule: added.length });
        const group = new shoal.v1.SecurityGroup({
          ...row.record,
          rules: all,
          updatedMs: this.#deps.clock.nowMs(),
        });
        securityGroupTable.update(change, row, group);
        views.push(...added.map((rule) => ({ rule, group })));
      }
      return rules.flatMap((rule) => views.filter((view) => view.rule.id === rule.id));
    });
  }

  async deleteRule(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const { row } = ruleRow(context, reader, id);
      refundQuota(change, row.record.projectId, { security_group_rule: 1 });
      securityGroupTable.update(
        change,
        row,
        new shoal.v1.SecurityGroup({
          ...row.record,
          rules: row.record.rules.filter((rule) => rule.id !== id),
          updatedMs: this.#deps.clock.nowMs(),
        }),
      );
    });
  }

  /**
   * Rules of other groups that speak of the deleted one go with it, those of other projects (administrators make such) as
   * well. False: some are left.
   */
  #dropRulesAbout({ reader, change }: Pick<Attempt, 'reader' | 'change'>, gone: Row<shoal.v1.SecurityGroup>): boolean {
    const { id } = gone.record;
    const speaks = securityGroupTable
      .list(reader)
      .filter(({ record }) => record.id !== id && record.rules.some((rule) => rule.remoteGroupId === id));
    const isDone = editWhileRoom({ change }, speaks, (row) => {
      const rules = row.record.rules.filter((rule) => rule.remoteGroupId !== id);
      refundQuota(change, row.record.projectId, { security_group_rule: row.record.rules.length - rules.length });
      securityGroupTable.update(change, row, new shoal.v1.SecurityGroup({ ...row.record, rules }));
    });
    return isDone && change.hasRoom;
  }
}

/** The project's default group; written into the change when there is none yet. */
export function planDefaultGroup(
  attempt: Attempt,
  projectId: string,
  making: { readonly nowMs: number; readonly newId: () => string },
): shoal.v1.SecurityGroup {
  const found = securityGroupTable.one(attempt.reader, 'default', indexKey(projectId));
  if (found !== undefined) return found.record;
  return attempt.change.once(`default-group/${projectId}`, () => {
    const id = making.newId();
    const group = new shoal.v1.SecurityGroup({
      id,
      name: defaultGroupName,
      projectId,
      description: 'Default security group',
      rules: rulesOfNewGroup(attempt.reader, 'default', { id, nowMs: making.nowMs, newId: making.newId }),
      createdMs: making.nowMs,
      updatedMs: making.nowMs,
      stateful: true,
    });
    // Not refused for the quota: every project has this group. It is counted all the same.
    countUnasked(attempt.change, projectId, { security_group: 1, security_group_rule: group.rules.length });
    securityGroupTable.insert(attempt.change, group);
    return group;
  });
}

function ruleRow(
  context: RequestContext,
  reader: StateReader,
  id: string,
): { readonly row: Row<shoal.v1.SecurityGroup>; readonly rule: shoal.v1.SecurityGroupRule } {
  const row = securityGroupTable.one(reader, 'rule', indexKey(id));
  const rule = row?.record.rules.find((candidate) => candidate.id === id);
  if (row === undefined || rule === undefined || !mayActOn(context, row.record))
    throw notFound('security_group_rule', id);
  return { row, rule };
}

function newRule(fields: shoal.v1.SecurityGroupRule.$Properties): shoal.v1.SecurityGroupRule {
  return new shoal.v1.SecurityGroupRule({ portMin: anyPort, portMax: anyPort, ...fields });
}

/** Checks a draft as Neutron does and makes the rule. */
export function ruleOf(draft: SecurityGroupRuleDraft, id: string, createdMs: number): shoal.v1.SecurityGroupRule {
  checkText('description', draft.description);
  const { direction } = draft;
  if (direction !== 'ingress' && direction !== 'egress') {
    throw badAttribute('direction', `'${direction}' is not in ['ingress', 'egress']`);
  }
  const ethertype = ethertypes.find((known) => known.toLowerCase() === (draft.ethertype ?? 'IPv4').toLowerCase());
  if (ethertype === undefined) {
    throw badRequest(
      `Security group rule for ethertype '${draft.ethertype}' not supported. Allowed values are ['IPv4', 'IPv6'].`,
      'SecurityGroupRuleInvalidEtherType',
    );
  }
  const protocol = protocolOf(draft.protocol, ethertype);
  const ports = portsOf(protocol, draft);
  const remotePrefix = remotePrefixOf(draft.remotePrefix, ethertype);
  const remotes = [remotePrefix, draft.remoteGroupId ?? '', draft.remoteAddressGroupId ?? ''];
  if (remotes.filter((remote) => remote !== '').length > 1) {
    throw badRequest(
      'Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.',
      'SecurityGroupMultipleRemoteEntites',
    );
  }
  return newRule({
    id,
    direction,
    ethertype,
    protocol,
    ...ports,
    remotePrefix,
    remoteGroupId: draft.remoteGroupId ?? '',
    remoteAddressGroupId: draft.remoteAddressGroupId ?? '',
    description: draft.description ?? '',
    createdMs,
  });
}

const ethertypes = ['IPv4', 'IPv6'] as const;
/** Protocols of IPv6 alone: IPv6 in IPv6, its headers, and its ICMP. */
const ipv6Protocols = new Set([41, 43, 44, 58, 59, 60]);
/** TCP, UDP, DCCP, SCTP, UDP-Lite: those that have ports. */
const portedProtocols = new Set([6, 17, 33, 132, 136]);
const icmpProtocols = new Set([1, 58]);

/** The protocol as it is kept: a name or a number as it came, in lower case; empty for any. */
function protocolOf(text: string | undefined, ethertype: 'IPv4' | 'IPv6'): string {
  if (text === undefined || text === 'any') return '';
  const number = protocolNumber(text);
  if (number === undefined) {
    throw badRequest(
      `Security group rule protocol ${text} not supported. Only protocol names and integer representations [0 to 255] are supported.`,
      'SecurityGroupRuleInvalidProtocol',
    );
  }
  // In IPv6 all of ICMP's names mean ICMPv6.
  if (ethertype === 'IPv6' && icmpProtocols.has(number)) return 'ipv6-icmp';
  if (ethertype === 'IPv4' && ipv6Protocols.has(number)) {
    throw badRequest(
      `Invalid ethertype ${ethertype} for protocol ${text}.`,
      'SecurityGroupEthertypeConflictWithProtocol',
    );
  }
  return text.toLowerCase();
}

/** Ports of TCP and its like, or type and code of ICMP. All ports (1 to 65535) are no ports: the rule is for any. */
function portsOf(
  protocol: string,
  { portMin, portMax }: SecurityGroupRuleDraft,
): { readonly portMin: number; readonly portMax: number } {
  for (const port of [portMin, portMax]) {
    if (port !== undefined && (!Number.isInteger(port) || port < 0 || port > 65_535)) {
      throw badRequest(`Invalid value for port ${port}`, 'SecurityGroupInvalidPortValue');
    }
  }
  const all = { portMin: anyPort, portMax: anyPort };
  if ((portMin === undefined && portMax === undefined) || (portMin === 1 && portMax === 65_535)) return all;
  if (protocol === '') {
    throw badRequest('Must also specify protocol if port range is given.', 'SecurityGroupProtocolRequiredWithPorts');
  }
  const number = protocolNumber(protocol) ?? -1;
  if (icmpProtocols.has(number)) return icmpOf(portMin, portMax);
  if (!portedProtocols.has(number)) {
    throw badRequest(
      `Ports cannot be specified for protocol ${protocol}. Ports are only supported for DCCP, SCTP, TCP, UDP, UDPLITE.`,
      'SecurityGroupInvalidProtocolForPort',
    );
  }
  if (portMin === 0 || portMax === 0) throw badRequest('Invalid value for port 0', 'SecurityGroupInvalidPortValue');
  if (portMin === undefined || portMax === undefined || portMin > portMax) {
    throw badRequest(
      'For TCP/UDP protocols, port_range_min must be <= port_range_max',
      'SecurityGroupInvalidPortRange',
    );
  }
  return { portMin, portMax };
}

function icmpOf(
  type: number | undefined,
  code: number | undefined,
): { readonly portMin: number; readonly portMax: number } {
  for (const [value, field, attribute] of [
    [type, 'type', 'port_range_min'],
    [code, 'code', 'port_range_max'],
  ] as const) {
    if (value !== undefined && value > 255) {
      throw badRequest(
        `Invalid value for ICMP ${field} (${attribute}) ${value}. It must be 0 to 255.`,
        'SecurityGroupInvalidIcmpValue',
      );
    }
  }
  if (type === undefined && code !== undefined) {
    throw badRequest(
      `ICMP code (port-range-max) ${code} is provided but ICMP type (port-range-min) is missing.`,
      'SecurityGroupMissingIcmpType',
    );
  }
  return { portMin: type ?? anyPort, portMax: code ?? anyPort };
}

/** The prefix as it came, with its length. Hosts match it without the bits beyond. */
function remotePrefixOf(text: string | undefined, ethertype: 'IPv4' | 'IPv6'): string {
  if (text === undefined || text === '') return '';
  const isIpv6 = text.includes(':');
  const prefix = text.includes('/') ? text : `${text}/${isIpv6 ? 128 : 32}`;
  if (canonicalPrefix(prefix) === undefined) {
    throw badRequest(`Invalid CIDR ${text} given as IP prefix.`, 'InvalidCIDR');
  }
  if (isIpv6 !== (ethertype === 'IPv6')) {
    throw badRequest(`Conflicting value ethertype ${ethertype} for CIDR ${text}`, 'SecurityGroupRuleParameterConflict');
  }
  return prefix;
}

/** Whether two rules of one group would say the same. */
export function meansSame(a: shoal.v1.SecurityGroupRule, b: shoal.v1.SecurityGroupRule): boolean {
  const facts = (rule: shoal.v1.SecurityGroupRule): string =>
    JSON.stringify([
      rule.direction,
      rule.ethertype,
      protocolNumber(rule.protocol) ?? rule.protocol,
      rule.portMin,
      rule.portMax,
      normalPrefix(rule.remotePrefix),
      rule.remoteGroupId,
      rule.remoteAddressGroupId,
    ]);
  return facts(a) === facts(b);
}
