/** Rules that all services share, by the names that Nova, Neutron and Glance each give them. No operation is guarded by one. */
import { type PolicyRule, rule } from './rule.ts';

/**
 * Asked by services for what OpenStack has no finer rule for: the lock of a server, flavors that are private, the default
 * security group; and for whose a thing is that a request names beside the one that it is about.
 */
export const commonPolicies: readonly PolicyRule[] = [
  rule('context_is_admin', { check: 'role:admin', needs: 'the role admin' }, []),
  rule(
    'admin_or_owner',
    {
      check: 'rule:context_is_admin or project_id:%(project_id)s',
      needs: "the thing's own project, or the role admin",
    },
    [],
  ),
];
