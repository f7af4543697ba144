import { assert } from '../../../node/base/assert.ts';
import { definedOf } from '../../../node/base/defined-of.ts';
import type { Handlers } from '../../../node/rpc/server.ts';
import type { NetworkService } from '../../../node/services/network/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import * as bodies from '../../rest/network/bodies.ts';
import * as schemas from '../../rest/schemas/network.ts';
import { type Caller, type Callers, mustHaveProject } from '../kit/caller.ts';
import { isOr } from '../kit/page.ts';
import { changedAttributes, listed, newAttributes, tagsOf, viewingOf } from './viewing.ts';
import { ruleView, securityGroupView } from './views.ts';

type Served = Handlers<shoal.v1.NetworkService, Caller>;

/** Security groups and their rules, as `/v2.0/security-groups` and `/v2.0/security-group-rules` have them. */
export function securityGroupHandlers(
  callers: Callers,
  { securityGroups }: NetworkService,
): Pick<
  Served,
  | 'listSecurityGroups'
  | 'getSecurityGroup'
  | 'createSecurityGroup'
  | 'updateSecurityGroup'
  | 'deleteSecurityGroup'
  | 'listSecurityGroupRules'
  | 'getSecurityGroupRule'
  | 'createSecurityGroupRule'
  | 'deleteSecurityGroupRule'
> {
  const creation = {
    key: 'security_group',
    schema: schemas.securityGroupNew,
    readOnly: schemas.readOnly.security_group,
  };
  const ruleCreation = {
    key: 'security_group_rule',
    schema: schemas.securityGroupRuleNew,
    readOnly: schemas.readOnly.security_group_rule,
  };
  const change = {
    key: 'security_group',
    schema: schemas.securityGroupPatch,
    readOnly: schemas.readOnly.security_group,
  };
  return {
    listSecurityGroups: (request, call) =>
      callers.serve(call, async (served) => {
        // As in Neutron, a list makes the default group. What cannot be written now is made by a later one.
        if (!(await served.read()).stale) await securityGroups.offerDefault(served.context);
        const { page, paging } = await listed(served, request, ({ context, reader }) =>
          securityGroups.list(context, reader).filter((each) => isOr(request.name, each.name)),
        );
        return { securityGroups: page.map((each) => securityGroupView(each)), ...paging };
      }),
    getSecurityGroup: ({ securityGroupId }, call) =>
      callers.serve(call, async (served) => {
        const viewing = await viewingOf(served);
        const found = securityGroups.show(viewing.context, viewing.reader, securityGroupId);
        return { securityGroup: securityGroupView(found), stale: viewing.stale };
      }),
    createSecurityGroup: (request, call) =>
      callers.serve(call, async (served) => {
        const { context } = served;
        mustHaveProject(context, request.projectId);
        const attributes = newAttributes(request, creation);
        const made = await securityGroups.create(context, bodies.securityGroupDraft(attributes));
        return { securityGroup: securityGroupView(made) };
      }),
    updateSecurityGroup: (request, call) =>
      callers.serve(call, async (served) => {
        const { securityGroupId, tags } = request;
        const attributes = changedAttributes(request, change, { omitted: ['securityGroupId'] });
        const patch = {
          ...definedOf({ name: attributes.name, description: attributes.description }),
          ...tagsOf(served, 'security_group', tags),
        };
        const changed = await securityGroups.update(served.context, securityGroupId, patch);
        return { securityGroup: securityGroupView(changed) };
      }),
    deleteSecurityGroup: ({ securityGroupId }, call) =>
      callers.serve(call, async ({ context }) => {
        await securityGroups.delete(context, securityGroupId);
        return {};
      }),
    listSecurityGroupRules: (request, call) =>
      callers.serve(call, async (served) => {
        const { page, paging } = await listed(served, request, ({ context, reader }) =>
          securityGroups
            .listRules(context, reader)
            .map((each) => ({ id: each.rule.id, ...each }))
            .filter(({ group }) => isOr(request.securityGroupId, group.id)),
        );
        return { securityGroupRules: page.map(ruleView), ...paging };
      }),
    getSecurityGroupRule: ({ securityGroupRuleId }, call) =>
      callers.serve(call, async (served) => {
        const { context, reader, stale } = await viewingOf(served);
        return { securityGroupRule: ruleView(securityGroups.showRule(context, reader, securityGroupRuleId)), stale };
      }),
    createSecurityGroupRule: (request, call) =>
      callers.serve(call, async ({ context }) => {
        const attributes = newAttributes(request, ruleCreation, {
          emptyIsNone: ['protocol', 'remoteIpPrefix', 'remoteGroupId'],
        });
        const [made] = await securityGroups.createRules(context, [bodies.securityGroupRuleDraft(attributes)]);
        assert(made !== undefined, 'one rule of one draft');
        return { securityGroupRule: ruleView(made) };
      }),
    deleteSecurityGroupRule: ({ securityGroupRuleId }, call) =>
      callers.serve(call, async ({ context }) => {
        await securityGroups.deleteRule(context, securityGroupRuleId);
        return {};
      }),
  };
}
