/** The rules of the native API (`shoal.v1`): the REST gateway's own, so that no right depends on the way it is asked for. */
import { commonPolicies } from './common.ts';
import { computePolicies } from './compute.ts';
import { identityPolicies, publicIdentityMethods } from './identity.ts';
import { imagePolicies } from './image.ts';
import { meshPolicies } from './mesh.ts';
import { networkPolicies } from './network.ts';
import { placementPolicies } from './placement.ts';
import type { PolicyRule } from './rule.ts';
import { volumePolicies } from './volume.ts';

/** The rules of all services together, for the gRPC gateway. It looks only at their `rpc ...` operations. */
export const nativePolicies: readonly PolicyRule[] = [
  ...commonPolicies,
  ...identityPolicies,
  ...imagePolicies,
  ...networkPolicies,
  ...computePolicies,
  ...volumePolicies,
  ...meshPolicies,
  ...placementPolicies,
];

/** Operations that anyone may ask for. */
export const publicOperations: ReadonlySet<string> = new Set(publicIdentityMethods);
