/**
 * Where this agent answers the API. One place decides: an agent that holds a slice instead of a replica puts its own `route` here,
 * and gateways and peers follow.
 */
import type { ApiRelay, ApiRoute } from '../../api-gateway/kit/api-relay.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import type { Metrics } from '../base/telemetry/metrics.ts';
import type { Config } from '../config/options.ts';
import type { PeerClients } from '../mesh/peers/peer-client.ts';
import { RelayClient, type RelayObserver } from '../mesh/relay/relay-client.ts';
import { ReplicaChoice } from '../mesh/relay/replica-choice.ts';

/** What it is made from. */
interface ApiRouteParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly peers: PeerClients;
  readonly config: Config;
  readonly metrics: Metrics;
}

/** @param route asked for each call. Default: every agent is a replica. */
export function apiRelay(parts: ApiRouteParts, route: () => ApiRoute = () => ({ kind: 'here' })): ApiRelay {
  const { clock, logger, peers, config, metrics } = parts;
  const { zone, failureDomain } = config;
  const choice = new ReplicaChoice(clock, { zone, failureDomain });
  return {
    route,
    client: new RelayClient({ clock, logger: logger.child({ part: 'relay' }), peers, choice, observer: told(metrics) }),
  };
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
