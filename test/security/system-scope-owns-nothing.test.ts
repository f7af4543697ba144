/** A token for the system has no project: whatever made something with it would make a thing that nobody owns. */
import t from 'tap';
import { AccessPolicy } from '../../api-gateway/policies/access-policy.ts';
import { computePolicies } from '../../api-gateway/policies/compute.ts';
import { identityPolicies } from '../../api-gateway/policies/identity.ts';
import { imagePolicies } from '../../api-gateway/policies/image.ts';
import { meshPolicies } from '../../api-gateway/policies/mesh.ts';
import { networkPolicies } from '../../api-gateway/policies/network.ts';
import { placementPolicies } from '../../api-gateway/policies/placement.ts';
import type { PolicyCredentials } from '../../api-gateway/policies/policy.ts';
import { volumePolicies } from '../../api-gateway/policies/volume.ts';

const rules = [
  ...computePolicies,
  ...imagePolicies,
  ...volumePolicies,
  ...networkPolicies,
  ...placementPolicies,
  ...meshPolicies,
  ...identityPolicies,
];

/** What belongs to the cloud as a whole, and what is done to a thing that is there and has its owner. */
const ofTheCloud =
  /^(?:POST \/v3\/|POST .*(?:#migrate|#os-migrateLive|migrations\/:key\/action|#evacuate|#shelveOffload|#os-resetState|#injectNetworkInfo|\/actions\/(?:de|re)activate)$|rpc .*(?:CreateTicket|SetHostEnabled|RemoveHost|Rekey|CreateCloudBackup|SetCloudBackups|FinalizeUpgrade)|rpc .*IdentityService\/|rpc .*VolumeService\/Create(?:VolumeType|QosSpecs)|POST \/v2\.0\/default-security-group-rules$|POST \/v2\.1\/(?:flavors|os-aggregates|os-server-external-events)\b)/;

t.test('an administrator of the system makes nothing that belongs to a project', async (t) => {
  const access = new AccessPolicy(rules);
  const who = (userId: string): PolicyCredentials => ({
    roles: ['admin', 'member', 'reader'],
    scope: 'system',
    userId,
    projectId: '',
    domainId: '',
    projectDomainId: '',
  });
  const makers = access.operations.filter((operation) => /^(?:POST|rpc .*\/Create)/.test(operation));
  t.ok(makers.length > 40, `${makers.length} operations`);
  const allowed = makers.filter((operation) => access.allows(access.ruleOf(operation).name, who('ann')));
  t.strictSame(
    allowed.filter((operation) => !ofTheCloud.test(operation)),
    [],
  );
  t.ok(
    allowed.some((operation) => operation.startsWith('POST /v2.1/flavors')),
    'flavors are the whole cloud its own',
  );
});
