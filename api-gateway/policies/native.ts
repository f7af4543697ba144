/** The rules of the native API (`shoal.v1`): the REST gateway's own, so that no right depends on the way it is asked for. */
import { computePolicies } from './compute.ts';
import { meshPolicies } from './mesh.ts';
import { placementPolicies } from './placement.ts';
import type { PolicyRule } from './rule.ts';

export const nativePolicies: readonly PolicyRule[] = [...computePolicies, ...meshPolicies, ...placementPolicies];
