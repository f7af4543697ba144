/** Neutron's default security group rules, which administrators edit: the rules that new groups begin with. */
import { shoal } from '../../../proto/messages.ts';
import { defaultGroupRulesTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { badRequest, refuse } from '../kit/network-refusals.ts';
import { type Attempt, transact } from '../kit/transact.ts';
import { parentGroup, type Template, templatesId, templatesOf } from './kit/group-templates.ts';
import { meansSame, ruleOf, type SecurityGroupRuleDraft } from './security-groups.ts';

/** Most templates: each new group has a rule of each. */
const templatesMax = 100;

/** What an administrator may say of a new template. `remoteGroupId`: `PARENT`, the group that is made. */
interface TemplateDraft extends Omit<SecurityGroupRuleDraft, 'securityGroupId' | 'remoteAddressGroupId'> {
  /** Default false. */
  readonly inDefault?: boolean;
  /** Default true. */
  readonly inOthers?: boolean;
}

/**
 * The templates are the cloud's own. Groups that are there stay as they are. Until the first change they are Neutron's own four,
 * which nobody has to write.
 */
export class DefaultGroupRules {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  list(reader: StateReader): readonly Template[] {
    return templatesOf(reader);
  }

  show(reader: StateReader, id: string): Template {
    const found = templatesOf(reader).find(({ rule }) => rule.id === id);
    if (found === undefined) throw unknown(id);
    return found;
  }

  /** 409 `DefaultSecurityGroupRuleExists` where another says the same for the same groups. */
  async create(context: RequestContext, draft: TemplateDraft): Promise<Template> {
    const { inDefault = false, inOthers = true, ...fields } = draft;
    if ((fields.remoteGroupId ?? '') !== '' && fields.remoteGroupId !== parentGroup) {
      throw badRequest(`Default rules name no group but ${parentGroup}: a group that goes would leave them open.`);
    }
    const rule = ruleOf({ ...fields, securityGroupId: '' }, this.#deps.newId(), this.#deps.clock.nowMs());
    const made: Template = { rule, inDefault, inOthers };
    return transact(this.#deps, context, (attempt) => {
      const now = templatesOf(attempt.reader);
      const same = now.find(
        (other) => meansSame(other.rule, rule) && ((other.inDefault && inDefault) || (other.inOthers && inOthers)),
      );
      if (same !== undefined) {
        const message = `Default Security group rule already exists. Rule id is ${same.rule.id}.`;
        throw refuse('CONFLICT', 'DefaultSecurityGroupRuleExists', message);
      }
      if (now.length >= templatesMax) throw badRequest(`There may be ${templatesMax} default rules at most.`);
      write(attempt, [...now, made]);
      return made;
    });
  }

  async delete(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const now = templatesOf(attempt.reader);
      const left = now.filter(({ rule }) => rule.id !== id);
      if (left.length === now.length) throw unknown(id);
      write(attempt, left);
    });
  }
}

function write({ reader, change }: Attempt, templates: readonly Template[]): void {
  const rules = templates.map((each) => new shoal.v1.DefaultGroupRule(each));
  const next = new shoal.v1.DefaultGroupRules({ id: templatesId, rules });
  const row = defaultGroupRulesTable.get(reader, templatesId);
  if (row === undefined) defaultGroupRulesTable.insert(change, next);
  else defaultGroupRulesTable.update(change, row, next);
}

function unknown(id: string): Error {
  const message = `Default Security Group rule ${id} does not exist.`;
  return refuse('NOT_FOUND', 'DefaultSecurityGroupRuleNotFound', message, { id });
}
