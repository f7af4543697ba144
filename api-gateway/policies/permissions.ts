import { AccessPolicy } from './access-policy.ts';
import { nativePolicies } from './native.ts';
import type { PolicyCredentials, PolicyTarget } from './policy.ts';

/** What services are given to ask: the policies, with the caller filled in. */
interface CallerPermissions {
  readonly operation: string;
  allows(rule: string, target?: PolicyTarget): boolean;
}

/** @param operation name of the rule that let the caller in; `admin_or_owner` where there was none, as in tests. */
export function permissionsOf(
  access: AccessPolicy,
  credentials: PolicyCredentials,
  operation: string,
): CallerPermissions {
  return { operation, allows: (rule, target) => access.allows(rule, credentials, target) };
}

const defaultAccess = new AccessPolicy(nativePolicies);

/**
 * What a caller may do by the default policies, for those who call services and have no gateway before them: the simulator's
 * tenants, and tests. Each operation is `admin_or_owner`: own things, and everybody's with the role admin.
 */
export function permissionsByDefault(
  caller: Pick<PolicyCredentials, 'roles' | 'userId' | 'projectId'>,
): CallerPermissions {
  const scope = caller.projectId === '' ? 'system' : 'project';
  const credentials = { ...caller, scope, domainId: '', projectDomainId: '' } as const;
  return permissionsOf(defaultAccess, credentials, 'admin_or_owner');
}
