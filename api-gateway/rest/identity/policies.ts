import { baseRules, Policy } from '../../policy.ts';

/** Who may do what with identity's records. Administrators write; people see themselves and their project. */
export const identityPolicy = new Policy({
  ...baseRules,
  list_domains: 'rule:admin',
  get_domain: 'rule:admin or domain_id:%(domain_id)s or project_domain_id:%(domain_id)s',
  write_domain: 'rule:admin',
  list_projects: 'rule:admin',
  get_project: 'rule:admin or project_id:%(project_id)s',
  write_project: 'rule:admin',
  list_users: 'rule:admin',
  get_user: 'rule:admin_or_self',
  list_user_projects: 'rule:admin_or_self',
  change_password: 'user_id:%(user_id)s',
  write_user: 'rule:admin',
  list_roles: 'rule:admin',
  get_role: 'rule:admin',
  write_role: 'rule:admin',
  list_grants: 'rule:admin',
  write_grants: 'rule:admin',
  list_role_assignments: 'rule:admin',
  /** Services, endpoints and regions: every token shows them in its catalog anyway. */
  list_catalog: '@',
  validate_token: 'rule:admin_or_self',
  revoke_token: 'rule:admin_or_self',
});
