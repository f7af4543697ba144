/** Where this agent answers the API, as it holds a replica of the state or a slice. Gateways and peers follow. */

import type { ApiRelay, ApiRoute } from '../../../api-gateway/kit/api-relay.ts';
import type { Clock } from '../../base/clock.ts';
import type { RaftId } from '../../base/ids.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import type { Metrics } from '../../base/telemetry/metrics.ts';
import type { HostDirectory } from '../../cluster/host-directory.ts';
import type { Config } from '../../config/options.ts';
import type { PeerClients } from '../../mesh/peers/peer-client.ts';
import type { OperatorProofs } from '../../mesh/relay/operator-proof.ts';
import { RelayClient, type RelayObserver } from '../../mesh/relay/relay-client.ts';
import { ReplicaChoice, type ReplicaPlace } from '../../mesh/relay/replica-choice.ts';
import type { SliceReplica } from '../../slices/slice-replica.ts';
import { hostTable } from '../../state/tables/index.ts';
import type { ClusterStatus } from '../../state/types.ts';

/** A slice that no replica has fed for so long is answered from, marked; it takes less to find another replica. Unit: ms. */
const lostMs = 3_000;

/** What is asked of the slice that this host holds. */
type HeldSlice = Pick<SliceReplica, 'feeder' | 'silentMs' | 'part' | 'bare'> & {
  status(): Pick<ClusterStatus, 'voters' | 'learners' | 'leaderRaftId'>;
};

/** What it is made from. */
interface ApiRouteParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly peers: Pick<PeerClients, 'to'>;
  readonly member: { readonly slice: HeldSlice | undefined; readonly raftId: RaftId };
  readonly directory: Pick<HostDirectory, 'hostIdOf'>;
  readonly config: Pick<Config, 'zone' | 'failureDomain'>;
  readonly metrics: Metrics;
  readonly operators: OperatorProofs;
}

/** The way to the replicas, and whether it is taken. */
export function apiRelay(parts: ApiRouteParts): ApiRelay {
  const { clock, logger, peers, config, metrics, operators } = parts;
  const { zone, failureDomain } = config;
  const choice = new ReplicaChoice(clock, { zone, failureDomain });
  return {
    route: () => routeOf(parts),
    operators,
    client: new RelayClient({ clock, logger: logger.child({ part: 'relay' }), peers, choice, observer: told(metrics) }),
  };
}

function routeOf({ member, directory }: Pick<ApiRouteParts, 'member' | 'directory'>): ApiRoute {
  const held = member.slice;
  if (held === undefined) return { kind: 'here' };
  const { silentMs, part } = held;
  const slice = { part, ageSeconds: Number.isFinite(silentMs) ? Math.ceil(silentMs / 1000) : undefined };
  // It tries all replicas by itself meanwhile; each call would wait for each of them in vain.
  if (held.feeder === undefined && silentMs > lostMs) return { kind: 'nowhere', slice };
  const { voters, learners, leaderRaftId } = held.status();
  const replicas = [...voters, ...learners].flatMap((raftId): ReplicaPlace[] => {
    const hostId = directory.hostIdOf(raftId);
    // This host may have been made a learner, and hold no replica yet.
    if (hostId === undefined || raftId === member.raftId) return [];
    const record = hostTable.get(held.bare, hostId)?.record;
    const { zone = '', failureDomain = '' } = record ?? {};
    return [{ hostId, isLeader: raftId === leaderRaftId, zone, failureDomain }];
  });
  return replicas.length === 0 ? { kind: 'nowhere', slice } : { kind: 'elsewhere', replicas, slice };
}

function told(metrics: Metrics): RelayObserver {
  return {
    relayed: ({ api, outcome, seconds, bytesSent, bytesReceived }) => {
      metrics.relayedCalls.inc({ api, outcome });
      metrics.relayedSeconds.observe({ api }, seconds);
      metrics.relayedBytes.inc({ api, direction: 'sent' }, bytesSent);
      metrics.relayedBytes.inc({ api, direction: 'received' }, bytesReceived);
    },
  };
}
