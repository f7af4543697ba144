/** A relay between agents in this process: real peer RPC with mutual TLS from one that holds no replica to those that do. */
import type { ApiRelay, ApiRoute, OwnSlice } from '../../../../api-gateway/kit/api-relay.ts';
import { systemClock } from '../../../../node/base/clock.ts';
import type { HostId } from '../../../../node/base/ids.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import type { PeerServer } from '../../../../node/mesh/peers/peer-server.ts';
import type { OperatorProofs } from '../../../../node/mesh/relay/operator-proof.ts';
import { RelayClient, type RelayOutcome } from '../../../../node/mesh/relay/relay-client.ts';
import { RelayHandler } from '../../../../node/mesh/relay/relay-handler.ts';
import type { RelayLimits } from '../../../../node/mesh/relay/relay-limits.ts';
import type { RelayedApi } from '../../../../node/mesh/relay/relayed.ts';
import { ReplicaChoice, type ReplicaPlace } from '../../../../node/mesh/relay/replica-choice.ts';
import { clientsOf, hostOf, serve, testAuthority } from '../peer-fixtures.ts';

/** Of a replica: it answers itself. */
export const answersHere: ApiRelay = {
  route: () => ({ kind: 'here' }),
  client: {
    rest: () => Promise.reject(new Error('a replica relays nothing')),
    grpc: () => Promise.reject(new Error('a replica relays nothing')),
  },
  operators: operatorsOf('0'.repeat(32) as HostId),
};

/** As agents of one mesh make them, with a key that all tests share. */
function operatorsOf(self: HostId, key = 'the key of the mesh'): OperatorProofs {
  const macOf = (member: HostId, path: string): string => `${key} ${member} ${path}`;
  return {
    prove: (path) => macOf(self, path),
    holds: (proof, member, path) => proof === macOf(member, path),
  };
}

interface Teardown {
  teardown(run: () => void | Promise<void>): void;
}

/** One replica of a test relay. */
interface TestReplica {
  readonly hostId: HostId;
  readonly handler: RelayHandler;
  /** Ends its listener and all of its connections. */
  kill(): Promise<void>;
}

export interface TestRelay {
  readonly relay: ApiRelay;
  readonly client: RelayClient;
  /** The host that relays. */
  readonly own: HostId;
  readonly replicas: readonly TestReplica[];
  /** Outcomes of the calls that are over. */
  readonly outcomes: RelayOutcome[];
}

/** An API that answers nothing of one door: for tests of the other. */
export function apiOf(parts: Partial<RelayedApi>): RelayedApi {
  return {
    isOpen: true,
    rest: () => Promise.reject(new Error('no REST here')),
    // biome-ignore lint/correctness/useYield: it only refuses.
    async *grpc() {
      throw new Error('no gRPC here');
    },
    ...parts,
  };
}

/** A slice with nothing in it. */
export const emptySlice: OwnSlice = {
  ageSeconds: 7,
  part: {
    revision: 1,
    bare: { get: () => undefined, range: () => [] },
    covers: () => false,
    coversRange: () => false,
  },
};

/** Starts a listener for each of `apis`, and the client of an agent that has no replica. Ended with the test. */
export async function startRelay(
  t: Teardown,
  apis: readonly (RelayedApi | undefined)[],
  options: {
    readonly limits?: Partial<RelayLimits>;
    /** Members that the replicas refuse. */
    readonly refuses?: (hostId: HostId) => boolean;
    readonly slice?: OwnSlice;
  } = {},
): Promise<TestRelay> {
  const authority = testAuthority();
  const own = hostOf(authority);
  const addresses = new Map<HostId, string>();
  const replicas: TestReplica[] = [];
  for (const api of apis) {
    const host = hostOf(authority);
    const handler = new RelayHandler(systemClock, () => api, options.limits);
    let server: PeerServer | undefined;
    const address = await serve(t, host, {
      handlers: { relay: handler.handle },
      admits: (hostId) => options.refuses?.(hostId) !== true,
      started: (started) => {
        server = started;
      },
    });
    addresses.set(host.hostId, address);
    replicas.push({ hostId: host.hostId, handler, kill: async () => server?.stop(0) });
  }
  const outcomes: RelayOutcome[] = [];
  const client = new RelayClient(
    {
      clock: systemClock,
      logger: silentLogger,
      peers: clientsOf(t, own, addresses),
      choice: new ReplicaChoice(systemClock, { zone: '', failureDomain: '' }),
      observer: { relayed: ({ outcome }) => outcomes.push(outcome) },
    },
    options.limits,
  );
  // In their order: the first is where the others are not.
  const places = replicas.map(
    ({ hostId }, at): ReplicaPlace => ({ hostId, isLeader: at > 0, zone: '', failureDomain: '' }),
  );
  const route = (): ApiRoute => ({ kind: 'elsewhere', replicas: places, slice: options.slice ?? emptySlice });
  return { relay: { route, client, operators: operatorsOf(own.hostId) }, client, own: own.hostId, replicas, outcomes };
}
