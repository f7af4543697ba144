/** Policies as rows: what leans on one, the flag that says `*` on the thing itself, and their end with it. */
import { shoal } from '../../../../proto/messages.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import {
  addressGroupTable,
  networkTable,
  portTable,
  rbacPolicyTable,
  routerTable,
  securityGroupTable,
  subnetPoolTable,
  subnetTable,
} from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { refuse } from '../../kit/network-refusals.ts';
import { endPointing, pointAt } from '../../kit/pointed-at.ts';
import { chargeQuota, countUnasked, refundQuota } from '../../kit/quota.ts';
import { everyProject, policiesOf, type Shareable, type SharedAction, type SharedKind } from '../../kit/sharing.ts';
import type { Attempt, Change } from '../../kit/transact.ts';
import { editWhileRoom } from '../../kit/transact-in-pieces.ts';

/** What a policy says. */
export interface Grant {
  readonly kind: SharedKind;
  readonly thing: Shareable;
  readonly action: SharedAction;
  /** A project, or `*`. */
  readonly target: string;
}

/** Key of the thing's row, which a policy needs as long as it is. */
const keyOf: Readonly<Record<SharedKind, (id: string) => string>> = {
  network: (id) => networkTable.key(id),
  subnetpool: (id) => subnetPoolTable.key(id),
  security_group: (id) => securityGroupTable.key(id),
  address_group: (id) => addressGroupTable.key(id),
};

/** Projects that use the thing in the way that `action` lets them, as Neutron counts them. */
function projectsBound(reader: StateReader, kind: SharedKind, id: string, action: SharedAction): ReadonlySet<string> {
  const key = indexKey(id);
  const rows: Readonly<Record<SharedKind, () => readonly Row<{ readonly projectId: string }>[]>> = {
    network: () =>
      action === 'access_as_external'
        ? routerTable.by(reader, 'external-network', key)
        : portTable.by(reader, 'network', key),
    subnetpool: () => subnetTable.by(reader, 'pool', key),
    security_group: () => portTable.by(reader, 'security-group', key),
    address_group: () => securityGroupTable.by(reader, 'address-group', key),
  };
  return new Set(
    rows[kind]()
      .map(({ record }) => record.projectId)
      .filter((projectId) => projectId !== ''),
  );
}

/**
 * Whether others than the thing's own project use it by this grant alone: no other policy lets them.
 * @param instead what the policy is to say from now on; absent: it goes.
 */
export function isLeanedOn(reader: StateReader, grant: Grant, instead?: string): boolean {
  const { kind, thing, action, target } = grant;
  const left = new Set(policiesOf(reader, kind, thing.id, action).map(({ record }) => record.targetProject));
  left.delete(target);
  if (instead !== undefined) left.add(instead);
  if (left.has(everyProject)) return false;
  const bound = projectsBound(reader, kind, thing.id, action);
  return [...bound].some(
    (projectId) =>
      projectId !== thing.projectId && !left.has(projectId) && (target === everyProject || target === projectId),
  );
}

/** What the service knows of a new policy beside what it says. */
interface PolicyMaking {
  readonly id: string;
  readonly projectId: string;
  readonly nowMs: number;
}

/** A new policy about a thing that is there. The thing's removal, which takes its policies along, will not miss it. */
export function insertPolicy({ reader, change }: Attempt, grant: Grant, making: PolicyMaking): shoal.v1.RbacPolicy {
  pointAt(change, keyOf[grant.kind](grant.thing.id));
  chargeQuota(change, reader, making.projectId, { rbac_policy: 1 });
  return putPolicy(change, grant, making);
}

/** The policy that `shared` or `router:external` of a new thing comes to. Not refused for the quota, and counted all the same. */
export function insertPolicyWithThing(change: Change, grant: Grant, making: PolicyMaking): void {
  countUnasked(change, making.projectId, { rbac_policy: 1 });
  putPolicy(change, grant, making);
}

function putPolicy(change: Change, grant: Grant, { id, projectId, nowMs }: PolicyMaking): shoal.v1.RbacPolicy {
  const policy = new shoal.v1.RbacPolicy({
    ...{ id, projectId, objectType: grant.kind, objectId: grant.thing.id, action: grant.action },
    targetProject: grant.target,
    createdMs: nowMs,
  });
  rbacPolicyTable.insert(change, policy);
  return policy;
}

/** Takes a policy's row away. Whether anything leans on it is the caller's to ask. */
export function removePolicyRow({ reader, change }: Attempt, row: Row<shoal.v1.RbacPolicy>): void {
  refundQuota(change, row.record.projectId, { rbac_policy: 1 });
  endPointing(change, reader, rbacPolicyTable.key(row.record.id));
  rbacPolicyTable.remove(change, row);
}

/** The thing's policies go with it, in pieces where they are very many. False: some are left. */
export function dropPoliciesOf(attempt: Attempt, kind: SharedKind, id: string): boolean {
  const { reader, change } = attempt;
  const isDone = editWhileRoom(attempt, policiesOf(reader, kind, id), (row) => removePolicyRow(attempt, row));
  if (!isDone || !change.hasRoom) return false;
  endPointing(change, reader, keyOf[kind](id));
  return true;
}

/**
 * The thing's own `shared` says yes or no from now on: the policy for all comes or goes, and the caller writes the flag. Throws
 * 409 `InvalidSharedSetting` where others use a network that would be theirs no more.
 */
export function planSharedFlag(attempt: Attempt, thing: Shareable, isShared: boolean, making: PolicyMaking): void {
  const grant: Grant = { kind: 'network', thing, action: 'access_as_shared', target: everyProject };
  const found = policiesOf(attempt.reader, 'network', thing.id, 'access_as_shared').find(
    ({ record }) => record.targetProject === everyProject,
  );
  if (isShared) {
    if (found !== undefined) return;
    pointAt(attempt.change, keyOf.network(thing.id));
    insertPolicyWithThing(attempt.change, grant, making);
    return;
  }
  if (isLeanedOn(attempt.reader, grant)) {
    throw refuse(
      'CONFLICT',
      'InvalidSharedSetting',
      `Unable to reconfigure sharing settings for network ${thing.id}. Multiple tenants are using it.`,
    );
  }
  if (found !== undefined) removePolicyRow(attempt, found);
}
