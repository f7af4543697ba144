/**
 * Sharing by policies (Neutron's RBAC): who may see and use a thing beside its own project. A policy names a thing, what may be
 * done with it, and a project, or `*` for all. What comes to lean on one says so in its own transaction (`leanOnPolicy`), so that
 * the policy's removal, which looks for what leans on it, and the leaning cannot both commit from views without each other.
 */
import type { shoal } from '../../../proto/messages.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { rbacPolicyTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import { pointAt } from './pointed-at.ts';
import type { Change } from './transact.ts';

/** What can be shared, by Neutron's names. */
export const sharedKinds = ['network', 'subnetpool', 'security_group', 'address_group'] as const;
/** One of them. */
export type SharedKind = (typeof sharedKinds)[number];

/** What a policy lets a project do: use the thing, or use a network as an external one. */
export type SharedAction = 'access_as_shared' | 'access_as_external';

/** In place of a project: all of them. */
export const everyProject = '*';

/** A thing that may be shared. */
export interface Shareable {
  readonly id: string;
  readonly projectId: string;
}

/** The policy by which `projectId` (empty: of a token without a project) may use the thing; its own before that for all. */
export function policyFor(
  reader: StateReader,
  kind: SharedKind,
  id: string,
  projectId: string,
  action: SharedAction = 'access_as_shared',
): Row<shoal.v1.RbacPolicy> | undefined {
  const find = (target: string): Row<shoal.v1.RbacPolicy> | undefined =>
    rbacPolicyTable.one(reader, 'grant', indexKey(kind, id, action, target));
  return (projectId === '' ? undefined : find(projectId)) ?? find(everyProject);
}

/** The policies of one thing. */
export function policiesOf(
  reader: StateReader,
  kind: SharedKind,
  id: string,
  action?: SharedAction,
): readonly Row<shoal.v1.RbacPolicy>[] {
  return rbacPolicyTable
    .by(reader, 'object', indexKey(kind, id))
    .filter(({ record }) => action === undefined || record.action === action);
}

/**
 * Something of `projectId` comes to hang on the thing. Where a policy is what lets it, the policy is still there when this
 * commits, and its removal looks again.
 */
export function leanOnPolicy(
  change: Change,
  reader: StateReader,
  kind: SharedKind,
  thing: Shareable,
  projectId: string,
  action: SharedAction = 'access_as_shared',
): void {
  if (projectId === thing.projectId) return;
  const policy = policyFor(reader, kind, thing.id, projectId, action);
  if (policy !== undefined) pointAt(change, rbacPolicyTable.key(policy.record.id));
}
