/** Neutron's RBAC policies: who may see and use a thing beside its own project. */
import { shoal } from '../../../../proto/messages.ts';
import {
  addressGroupTable,
  networkTable,
  rbacPolicyTable,
  securityGroupTable,
  subnetPoolTable,
} from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import type { ServiceDependencies } from '../../kit/dependencies.ts';
import { badAttribute, badRequest, forbidden, refuse } from '../../kit/network-refusals.ts';
import {
  ownRbacPolicy,
  projectFor,
  projectRows,
  seeAddressGroup,
  seeNetwork,
  seeSecurityGroup,
  seeSubnetPool,
} from '../../kit/ownership.ts';
import { isAllowed, isOwner } from '../../kit/permissions.ts';
import { endPointing } from '../../kit/pointed-at.ts';
import {
  everyProject,
  policiesOf,
  type Shareable,
  type SharedAction,
  type SharedKind,
  sharedKinds,
} from '../../kit/sharing.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import { type Grant, insertPolicy, isLeanedOn, removePolicyRow } from './policy-rows.ts';

/** Longest id of a project, characters: Neutron's column. */
const projectCharactersMax = 255;

/** What a caller may say of a new policy. */
interface RbacPolicyDraft {
  readonly projectId?: string;
  /** One of `sharedKinds`; case does not count. */
  readonly objectType: string;
  readonly objectId: string;
  /** `access_as_shared`; of networks `access_as_external` too. */
  readonly action: string;
  /** A project's id, which need not be known here, or `*`. */
  readonly targetProject: string;
}

/**
 * Policies are their makers'. One of another project is `NOT_FOUND` but for administrators; the thing itself has to be the caller's
 * own, and `*` is for administrators (`create_rbac_policy:target_tenant`).
 */
export class RbacPolicies {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  list(context: RequestContext, reader: StateReader): readonly shoal.v1.RbacPolicy[] {
    return projectRows(context, reader, rbacPolicyTable).map((row) => row.record);
  }

  show(context: RequestContext, reader: StateReader, id: string): shoal.v1.RbacPolicy {
    return ownRbacPolicy(context, reader, id).record;
  }

  /** 409 `DuplicateRbacPolicy` where another says the same. */
  async create(context: RequestContext, draft: RbacPolicyDraft): Promise<shoal.v1.RbacPolicy> {
    const kind = kindOf(draft.objectType);
    const action = actionOf(kind, draft.action);
    checkTarget(context, 'create_rbac_policy:target_tenant', draft.targetProject);
    const projectId = projectFor(context, draft.projectId);
    const making = { id: this.#deps.newId(), projectId, nowMs: this.#deps.clock.nowMs() };
    return transact(this.#deps, context, (attempt) => {
      const thing = sharedThing(context, attempt.reader, kind, draft.objectId);
      if (action === 'access_as_external' && !networkTable.must(attempt.reader, thing.id).record.external) {
        throw badRequest(
          'Invalid input for operation: This version cannot turn a tenant network into an external one.',
          'InvalidInput',
        );
      }
      const grant: Grant = { kind, thing, action, target: draft.targetProject };
      checkNew(attempt.reader, grant);
      if (draft.targetProject === everyProject) markForAll(attempt, grant, true);
      return insertPolicy(attempt, grant, making);
    });
  }

  /** Only whom it is for can change. 409 `RbacPolicyInUse` while the project that it was for uses the thing. */
  async update(
    context: RequestContext,
    id: string,
    patch: { readonly targetProject?: string },
  ): Promise<shoal.v1.RbacPolicy> {
    const target = patch.targetProject;
    if (target !== undefined) checkTarget(context, 'update_rbac_policy:target_tenant', target);
    return transact(this.#deps, context, (attempt) => {
      const row = ownRbacPolicy(context, attempt.reader, id);
      if (target === undefined || target === row.record.targetProject) return row.record;
      const grant = grantOf(attempt.reader, row.record);
      checkNew(attempt.reader, { ...grant, target });
      checkFree(attempt.reader, grant, target);
      const isForAll = [grant.target, target].indexOf(everyProject);
      if (isForAll !== -1) markForAll(attempt, grant, isForAll === 1);
      // Who leans on it from now on leans on what it says then.
      endPointing(attempt.change, attempt.reader, rbacPolicyTable.key(id));
      const next = new shoal.v1.RbacPolicy({ ...row.record, targetProject: target });
      rbacPolicyTable.update(attempt.change, row, next);
      return next;
    });
  }

  /** 409 `RbacPolicyInUse` while the project that it is for uses the thing by no other policy. */
  async delete(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const row = ownRbacPolicy(context, attempt.reader, id);
      const grant = grantOf(attempt.reader, row.record);
      checkFree(attempt.reader, grant);
      if (grant.target === everyProject) markForAll(attempt, grant, false);
      removePolicyRow(attempt, row);
    });
  }
}

function kindOf(text: string): SharedKind {
  const kind = sharedKinds.find((known) => known === text.trim().toLowerCase());
  if (kind !== undefined) return kind;
  throw badRequest(`Invalid input for operation: '${text}' is not a valid RBAC object type.`, 'InvalidInput');
}

function actionOf(kind: SharedKind, text: string): SharedAction {
  const valid: readonly SharedAction[] =
    kind === 'network' ? ['access_as_shared', 'access_as_external'] : ['access_as_shared'];
  const action = valid.find((known) => known === text);
  if (action !== undefined) return action;
  throw badRequest(
    `Invalid input for operation: Invalid action '${text}' for object type '${kind}'. Valid actions: ${valid.join(', ')}.`,
    'InvalidInput',
  );
}

function checkTarget(context: RequestContext, rule: string, target: string): void {
  if (target === '' || target.length > projectCharactersMax) {
    throw badAttribute('target_tenant', `a project's id has 1 to ${projectCharactersMax} characters`);
  }
  if (target === everyProject && !isAllowed(context, rule)) throw forbidden(rule);
}

/** Throws what an id that nobody has is refused with where the caller may not see the thing, and 400 where it is seen and another's. */
function sharedThing(context: RequestContext, reader: StateReader, kind: SharedKind, id: string): Shareable {
  const see: Readonly<Record<SharedKind, () => { readonly record: Shareable }>> = {
    network: () => seeNetwork(context, reader, id),
    subnetpool: () => seeSubnetPool(context, reader, id),
    security_group: () => seeSecurityGroup(context, reader, id),
    address_group: () => seeAddressGroup(context, reader, id),
  };
  const thing = see[kind]().record;
  if (isOwner(context, thing)) return thing;
  throw badRequest(
    `Invalid input for operation: Only admins can manipulate policies on ${kind === 'network' ? 'networks' : 'objects'} they do not own.`,
    'InvalidInput',
  );
}

/** What a policy says, of a thing that is there as long as it is. */
function grantOf(reader: StateReader, policy: shoal.v1.RbacPolicy): Grant {
  const tables = {
    network: networkTable,
    subnetpool: subnetPoolTable,
    security_group: securityGroupTable,
    address_group: addressGroupTable,
  } as const;
  const kind = kindOf(policy.objectType);
  const thing = tables[kind].must(reader, policy.objectId).record;
  return { kind, thing, action: actionOf(kind, policy.action), target: policy.targetProject };
}

function checkNew(reader: StateReader, { kind, thing, action, target }: Grant): void {
  const isThere = policiesOf(reader, kind, thing.id, action).some(({ record }) => record.targetProject === target);
  if (isThere) {
    throw refuse('CONFLICT', 'DuplicateRbacPolicy', 'An RBAC policy already exists with those values.');
  }
}

function checkFree(reader: StateReader, grant: Grant, instead?: string): void {
  if (!isLeanedOn(reader, grant, instead)) return;
  const details =
    grant.action === 'access_as_external'
      ? 'There are routers attached to this network that depend on this policy for access.'
      : `Projects use ${grant.kind} ${grant.thing.id} by this policy.`;
  throw refuse(
    'CONFLICT',
    'RbacPolicyInUse',
    `RBAC policy on object ${grant.thing.id} cannot be removed because other objects depend on it.\nDetails: ${details}`,
  );
}

/** The thing's own flag says what the policy for all says. */
function markForAll({ reader, change }: Attempt, { kind, thing, action }: Grant, isForAll: boolean): void {
  if (kind === 'network') {
    const row = networkTable.must(reader, thing.id);
    const flags = action === 'access_as_external' ? { externalByPolicy: !isForAll } : { shared: isForAll };
    networkTable.update(change, row, new shoal.v1.Network({ ...row.record, ...flags }));
  } else if (kind === 'subnetpool') {
    const row = subnetPoolTable.must(reader, thing.id);
    subnetPoolTable.update(change, row, new shoal.v1.SubnetPool({ ...row.record, shared: isForAll }));
  }
}
