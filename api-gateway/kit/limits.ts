/** Every bound of the gateways, with its reason. Tests shrink some of them. */
import { kibBytes, mibBytes } from '../../node/base/units.ts';
import type { ListenerLimits } from '../../node/rpc/listener/limits.ts';

/** What the gateways accept. */
export interface GatewayLimits {
  /** A JSON body, bytes. User data (64 KiB, base64) with personality and metadata stays far below. */
  readonly jsonBodyBytesMax: number;
  /** Request line and headers, bytes. A token takes about 700; Node's default of 16 KiB stands. */
  readonly headerBytesMax: number;
  /** Path parameter, characters: ids are 36, names at most 255, percent-encoded up to three times that. */
  readonly pathParameterCharactersMax: number;
  /** Connections of one listener. Each idle one costs about 10 KiB (with TLS 40). The longest idle one makes room. */
  readonly connectionsMax: number;
  /** Connections from one address; trusted proxies have no such bound. Browsers open 6, thread pools 10 to 50. */
  readonly connectionsPerAddressMax: number;
  /** Time to the first byte of a connection, and to the first after its TLS handshake, milliseconds. */
  readonly firstByteMs: number;
  /** Time to the end of the TLS handshake, milliseconds. */
  readonly handshakeMs: number;
  /** A whole request from its first byte to its answer, milliseconds, unless a route says otherwise. */
  readonly requestTimeoutMs: number;
  /** Headers must be there by then, milliseconds: a slow sender must not hold a connection. */
  readonly headersTimeoutMs: number;
  /** Silence on a connection in mid-request (uploads above all), milliseconds. Above `requestTimeoutMs`. */
  readonly idleTimeoutMs: number;
  /** An idle connection is kept this long for the next request, milliseconds. Above what load balancers keep (60 s). */
  readonly keepAliveMs: number;
  /**
   * What is still read of a refused request's body, bytes, so that its sender sees the refusal and not a broken
   * connection; beyond it the connection is cut.
   */
  readonly refusedBodyBytesMax: number;
  /** How long a stopping gateway still answers on connections that are open, milliseconds: longer than a call and a pause. */
  readonly lingerMs: number;
  /** How long a stop waits for requests under way, milliseconds. */
  readonly stopGraceMs: number;
  /**
   * How long a read waits for a confirmed view before it answers from the local one, milliseconds. Voters that are starved
   * of CPU for a few seconds, and an election, are waited for; after that an old answer that says so is worth more.
   */
  readonly freshWaitMs: number;
  /** The same while too many voters are known to be lost: enough for one who is just coming back, milliseconds. */
  readonly freshWaitWithoutQuorumMs: number;
  /** Requests a second of one client address, and how many may come at once. */
  readonly requestsPerSecond: number;
  readonly requestsBurst: number;
  /** Requests for tokens a second of one client address, and how many at once; a password costs 15 ms of a core. */
  readonly authAttemptsPerSecond: number;
  readonly authAttemptsBurst: number;
  /** Wrong passwords a second for one user from one address, and how many at once (rest/identity/password-limiter.ts). */
  readonly authFailuresPerSecond: number;
  readonly authFailuresBurst: number;
  /** The same for one user from all addresses together but those that are known to be the user's. */
  readonly authUserFailuresPerSecond: number;
  readonly authUserFailuresBurst: number;
  /** How long an attempt waits its turn, milliseconds, before it is refused. Below what clients wait for an answer (60 s). */
  readonly authWaitMs: number;
  /** Addresses and names remembered by each limiter; the one not seen for longest goes. */
  readonly limiterKeysMax: number;
  /** Elements of a list answer, when the caller names no limit or a larger one. */
  readonly pageItemsMax: number;
  /** An image, bytes. */
  readonly imageBytesMax: number;
  /** Image uploads at once on one agent: each hashes three ways at disk speed. */
  readonly uploadsAtOnceMax: number;
  /** One gRPC message, bytes. */
  readonly grpcMessageBytesMax: number;
  /** Watch streams of one agent. */
  readonly watchStreamsMax: number;
  /** And of one user on one agent: a client or two, each with a handful. */
  readonly watchStreamsPerUserMax: number;
}

/** Bounds of a listener of the gateways. */
export function listenerLimits(limits: GatewayLimits): ListenerLimits {
  return {
    connectionsMax: limits.connectionsMax,
    connectionsPerAddressMax: limits.connectionsPerAddressMax,
    firstByteMsMax: limits.firstByteMs,
    handshakeMsMax: limits.handshakeMs,
  };
}

/**
 * The bounds of an agent that is told nothing else. Each one's unit and reason stand at its field in `GatewayLimits`.
 */
export const defaultLimits: GatewayLimits = {
  jsonBodyBytesMax: mibBytes,
  headerBytesMax: 16 * kibBytes,
  pathParameterCharactersMax: 800,
  connectionsMax: 2000,
  connectionsPerAddressMax: 100,
  firstByteMs: 5_000,
  handshakeMs: 10_000,
  requestTimeoutMs: 60_000,
  headersTimeoutMs: 15_000,
  idleTimeoutMs: 120_000,
  keepAliveMs: 75_000,
  refusedBodyBytesMax: 32 * mibBytes,
  lingerMs: 500,
  stopGraceMs: 5_000,
  freshWaitMs: 5_000,
  freshWaitWithoutQuorumMs: 200,
  requestsPerSecond: 500,
  requestsBurst: 2000,
  authAttemptsPerSecond: 50,
  authAttemptsBurst: 200,
  authFailuresPerSecond: 0.2,
  authFailuresBurst: 20,
  authUserFailuresPerSecond: 1,
  authUserFailuresBurst: 200,
  authWaitMs: 25_000,
  limiterKeysMax: 20_000,
  pageItemsMax: 1000,
  imageBytesMax: 64 * 1024 * mibBytes,
  uploadsAtOnceMax: 16,
  grpcMessageBytesMax: 4 * mibBytes,
  watchStreamsMax: 1000,
  watchStreamsPerUserMax: 16,
};
