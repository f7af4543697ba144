/** What operators and their monitors ask of an agent: is it well, and what are its figures. Not OpenStack's. */
import type { Registry } from 'prom-client';
import type { StateStanding } from '../../node/state/types.ts';
import { keystoneFaults } from './faults.ts';
import type { RestModule } from './module.ts';

/** What it tells. */
export interface OperationsDependencies {
  readonly registry: Registry;
  readonly standing: () => StateStanding;
  /** Parts that do not work as they should, by name; empty when all is well. */
  readonly troubles: () => Readonly<Record<string, string>>;
  /**
   * What works and yet needs somebody to look at it, by name. It does not make the agent unwell: a load balancer that took
   * agents out for it would take out all of them.
   */
  readonly warnings: () => Readonly<Record<string, string>>;
  readonly version: string;
}

/**
 * `/healthz`: 200 while the agent does its work, also without quorum, since it still serves reads and its guests' owners;
 * 503 when a part of it is broken. `/readyz`: 200 while writes can be committed, be it slowly. `/metrics`: Prometheus.
 */
export function operationsModule(deps: OperationsDependencies): RestModule {
  return {
    name: 'operations',
    prefixes: [''],
    faults: keystoneFaults,
    // All of it is for monitors, which have no token.
    policies: [],
    requestIdHeaders: ['x-openstack-request-id'],
    register(app) {
      app.get('/healthz', { config: { public: true } }, (_request, reply) => {
        const troubles = deps.troubles();
        const { hasQuorum, leaderRaftId, appliedIndex } = deps.standing();
        const isWell = Object.keys(troubles).length === 0;
        return reply.code(isWell ? 200 : 503).send({
          status: isWell ? 'ok' : 'broken',
          troubles,
          warnings: deps.warnings(),
          hasQuorum,
          leaderRaftId,
          appliedIndex,
          version: deps.version,
        });
      });
      app.get('/readyz', { config: { public: true } }, (_request, reply) => {
        const { hasQuorum, quorum, missingVoters } = deps.standing();
        // Voters that are slow make writes slow, not impossible: a balancer that took every agent away would make it worse.
        return reply.code(quorum === 'lost' ? 503 : 200).send({ hasQuorum, quorum, missingVoters });
      });
      app.get('/metrics', { config: { public: true } }, async (_request, reply) =>
        reply.type(deps.registry.contentType).send(await deps.registry.metrics()),
      );
    },
  };
}
