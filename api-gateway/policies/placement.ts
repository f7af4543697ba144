/** Who may ask placement, by REST and by `shoal.v1.PlacementService`. */
import { cloudAdmin, type PolicyRule, projectReader, rule } from './rule.ts';

/**
 * The rules of Shoal's own questions to placement, all named `shoal:placement:...`: OpenStack's Placement API has no
 * such questions.
 */
export const placementPolicies: readonly PolicyRule[] = [
  rule('shoal:placement:explain', projectReader, ['POST /shoal/v1/explain', 'rpc shoal.v1.PlacementService/Explain']),
  rule('shoal:placement:what_if', projectReader, ['POST /shoal/v1/what-if', 'rpc shoal.v1.PlacementService/WhatIf']),
  // Reasons per host show the mesh's hosts: for its operators. Asked by the handlers.
  rule('shoal:placement:explain:per_host', cloudAdmin, []),
];
