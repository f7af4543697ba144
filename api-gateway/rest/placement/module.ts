/**
 * Shoal's own questions to placement, beside where OpenStack's Placement API lies. That API itself is not here: a host's
 * room is the host's to give (claims), not a table's, so there is nothing for clients to allocate.
 */
import type { FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { PlacementPreview } from '../../../node/services/compute/placement-preview.ts';
import type { RequestSpec } from '../../../node/services/compute/server-draft.ts';
import type { HostExplanation } from '../../../placement/index.ts';
import { placementPolicies } from '../../policies/placement.ts';
import { placementFaults } from '../kit/faults.ts';
import type { RestModule } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import { placementVersions } from '../kit/versions.ts';
import { explainBody, whatIfBody } from '../schemas/placement.ts';
import { unservedPlacement } from './unserved.ts';

/** Counted to where the caller names no bound. */
const countMaxDefault = 10_000;

/** `POST /placement/shoal/v1/explain` and `/what-if`. */
export function placementModule(preview: PlacementPreview): RestModule {
  return {
    name: 'placement',
    prefixes: ['/placement'],
    faults: placementFaults,
    policies: placementPolicies,
    requestIdHeaders: ['x-openstack-request-id'],
    unserved: unservedPlacement,
    register(app, gateway) {
      app.get('/', { config: { public: true } }, (request) =>
        placementVersions(`${gateway.baseUrl(request)}/placement`),
      );
      app.post('/shoal/v1/explain', { config: { body: explainBody } }, async (request: FastifyRequest) => {
        const body = parse(explainBody, request.body);
        const reader = await gateway.readState(request);
        const { explanation, hosts } = preview.explain(gateway.context(request), reader, specOf(body));
        const isOperator = gateway.allows(request, 'shoal:placement:explain:per_host');
        return {
          hosts: explanation.hosts,
          passed: explanation.passed,
          summary: explanation.summary,
          filters: explanation.filters.map((filter) => ({
            name: filter.name,
            purpose: filter.purpose,
            considered: filter.considered,
            removed: filter.removed,
            removed_alone: filter.removedAlone,
            reasons: filter.reasons.map(({ text, hosts: count }) => ({ reason: text, hosts: count })),
          })),
          ...(isOperator ? { per_host: hosts.map(hostView) } : {}),
        };
      });
      app.post('/shoal/v1/what-if', { config: { body: whatIfBody } }, async (request: FastifyRequest) => {
        const { count_max: countMax = countMaxDefault, ...body } = parse(whatIfBody, request.body);
        const reader = await gateway.readState(request);
        const count = preview.whatIf(gateway.context(request), reader, specOf(body), countMax);
        return { count, is_at_least: count === countMax };
      });
    },
  };
}

function specOf(body: Static<typeof explainBody>): RequestSpec {
  return {
    flavorId: body.flavor_id,
    imageId: body.image_id ?? '',
    ...(body.availability_zone === undefined ? {} : { zone: body.availability_zone }),
    ...(body.host === undefined ? {} : { hostName: body.host }),
    ...(body.scheduler_hints === undefined ? {} : { schedulerHints: body.scheduler_hints }),
  };
}

function hostView(host: HostExplanation): object {
  return {
    host_id: host.hostId,
    host: host.hostName,
    passes: host.passes,
    refusals: host.refusals,
    ...(host.score === undefined ? {} : { score: host.score, weights: host.weights }),
  };
}
