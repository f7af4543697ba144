/** What operators and their monitors ask of an agent: is it well, and what are its figures. Not OpenStack's. */
import type { FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { ShoalError } from '../../../node/base/errors.ts';
import { isIn, type Network } from '../../../node/config/networks.ts';
import type { ClusterStatus } from '../../../node/state/types.ts';
import { keystoneFaults } from './faults.ts';
import type { RestModule } from './module.ts';

/** What it tells. */
interface OperationsDependencies {
  readonly registry: Registry;
  /** Who may read the figures, besides this host itself: they tell of all tenants. */
  readonly metricsReaders: readonly Network[];
  readonly status: () => ClusterStatus;
  /** What this agent must not go on with, by name (a damaged log, a state that differs); empty when there is none. */
  readonly troubles: () => Readonly<Record<string, string>>;
  /**
   * Parts (loops, drivers) that failed last, with their failures, while the rest of the agent works. They are told as troubles
   * and do not make it unwell: with Ceph away every agent has one, and all of them still serve.
   */
  readonly degraded: () => Readonly<Record<string, string>>;
  /**
   * What works and yet needs somebody to look at it, by name. It does not make the agent unwell: a load balancer that took
   * agents out for it would take out all of them.
   */
  readonly warnings: () => Readonly<Record<string, string>>;
  /** What people call a member of the Raft group: its host's name. */
  readonly nameOf: (raftId: number) => string;
  readonly version: string;
}

/**
 * `/healthz`: 200 while the agent does its work, also without quorum, since it still serves reads and its guests' owners;
 * 503 when its log or state is. Parts that fail meanwhile make it `degraded`, with their last failures. `/readyz`: 200 while
 * writes can be committed, be it slowly; it names the voters that are missing and the parts that fail. `/metrics`: Prometheus,
 * for the host itself and for `metricsReaders`; 403 for all others.
 */
export function operationsModule(deps: OperationsDependencies): RestModule {
  return {
    name: 'operations',
    prefixes: [''],
    faults: keystoneFaults,
    // All of it is for monitors, which have no token.
    policies: [],
    requestIdHeaders: ['x-openstack-request-id'],
    register(app, gateway) {
      app.get('/healthz', { config: { public: true, local: true } }, (_request, reply) => {
        const broken = deps.troubles();
        const troubles = { ...deps.degraded(), ...broken };
        const { hasQuorum, leaderRaftId, appliedIndex } = deps.status();
        const isBroken = Object.keys(broken).length > 0;
        const isDegraded = Object.keys(troubles).length > 0;
        return reply.code(isBroken ? 503 : 200).send({
          status: isBroken ? 'broken' : isDegraded ? 'degraded' : 'ok',
          troubles,
          warnings: deps.warnings(),
          hasQuorum,
          leader: leaderRaftId === 0 ? null : deps.nameOf(leaderRaftId),
          leaderRaftId,
          appliedIndex,
          version: deps.version,
        });
      });
      app.get('/readyz', { config: { public: true, local: true } }, (_request, reply) => {
        const { hasQuorum, quorum, missingVoters } = deps.status();
        // Voters that are slow make writes slow, not impossible: a balancer that took every agent away would make it worse.
        const names = missingVoters.map(deps.nameOf).sort();
        return reply
          .code(quorum === 'lost' ? 503 : 200)
          .send({ hasQuorum, quorum, missingVoters: names, degraded: deps.degraded() });
      });
      app.get('/metrics', { config: { public: true, local: true } }, async (request, reply) => {
        if (!mayReadMetrics(request, gateway.clientAddress(request), deps.metricsReaders)) {
          throw new ShoalError(
            'FORBIDDEN',
            'The metrics of this agent are served to its own host and to the addresses in api.metricsReaders. A proxy on this host must be listed in api.trustedProxies.',
          );
        }
        return reply.type(deps.registry.contentType).send(await deps.registry.metrics());
      });
    },
  };
}

/**
 * @param client address of the client, as far as proxies that are trusted tell it. One that comes from the very address that
 *   it asks at is this host. A proxy that is not trusted speaks for anybody, so its own address does not count.
 */
function mayReadMetrics({ headers, raw }: FastifyRequest, client: string, readers: readonly Network[]): boolean {
  const { localAddress, remoteAddress } = raw.socket;
  const isForwarded = headers.forwarded !== undefined || headers['x-forwarded-for'] !== undefined;
  const isSpeaker = client === plainAddress(remoteAddress);
  if (isForwarded && isSpeaker) return false;
  return isIn(readers, client) || (isSpeaker && client === plainAddress(localAddress));
}

/** `::ffff:a.b.c.d` is the IPv4 address. */
function plainAddress(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/i, '');
}
