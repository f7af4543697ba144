/** What Keystone has and this identity API does not. */
import type { UnservedPart } from '../kit/unserved.ts';

/** Paths of Keystone that answer 501 and say what is missing. */
export const unservedIdentity: readonly UnservedPart[] = [
  {
    what: 'groups of users',
    paths: ['/v3/groups', '/v3/domains/:id/groups', '/v3/projects/:id/groups', '/v3/system/groups'],
  },
  {
    what: 'application credentials and access rules',
    paths: ['/v3/users/:id/application_credentials', '/v3/users/:id/access_rules'],
  },
  { what: 'credentials of other services (EC2, TOTP)', paths: ['/v3/credentials', '/v3/users/:id/credentials'] },
  { what: 'EC2 and S3 tokens', paths: ['/v3/ec2tokens', '/v3/s3tokens', '/v2.0'] },
  { what: 'policies as resources', paths: ['/v3/policies'] },
  { what: 'trusts', paths: ['/v3/OS-TRUST'] },
  { what: 'federation', paths: ['/v3/OS-FEDERATION', '/v3/auth/OS-FEDERATION'] },
  { what: 'OAuth', paths: ['/v3/OS-OAUTH1', '/v3/OS-OAUTH2'] },
  { what: 'inherited roles', paths: ['/v3/OS-INHERIT'] },
  { what: 'implied roles', paths: ['/v3/roles/:id/implies', '/v3/role_inferences'] },
  { what: 'unified limits (each service keeps its own quotas)', paths: ['/v3/limits', '/v3/registered_limits'] },
  { what: 'filters of endpoints by project', paths: ['/v3/OS-EP-FILTER'] },
  { what: 'policies of endpoints', paths: ['/v3/OS-ENDPOINT-POLICY'] },
  {
    what: 'certificates and revocation lists',
    paths: ['/v3/OS-SIMPLE-CERT', '/v3/OS-REVOKE', '/v3/auth/tokens/OS-PKI'],
  },
  { what: 'configuration of domains', paths: ['/v3/domains/:id/config', '/v3/domains/config'] },
  { what: 'tags of other things than projects', paths: ['/v3/domains/:id/tags'] },
];
