/**
 * Gossip over libp2p 3: TCP, TLS first and Noise as fallback, Yamux, gossipsub 17.
 *
 * Departures from the library's defaults, each of which bit somebody:
 * - `StrictNoSign`: messages carry our own signature, made and checked with native crypto (libp2p's costs several times as
 *   much), so the message id is a strong hash of topic and content. A weaker id would let a member suppress another's
 *   message by sending something else under its id first.
 * - `fastMsgIdFn`: duplicates, which are most of what arrives, are recognised before anything else is done with them.
 * - `IPColocationFactorWeight: 0`: by default more than ten peers behind one address get a score so bad that they are
 *   shunned; a rack behind NAT, or a test on loopback, is just that.
 * - `inboundConnectionThreshold`: by default five connections a second from one address, then resets; the same rack.
 * - Only members connect: the gater asks before and after the handshake that proves the peer's key.
 */
import { hash } from 'node:crypto';
import { type GossipSub, gossipsub, StrictNoSign, TopicValidatorResult } from '@libp2p/gossipsub';
import { identify } from '@libp2p/identify';
import type { PeerId } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { tls } from '@libp2p/tls';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2p } from 'libp2p';
import type { Clock } from '../base/clock.ts';
import { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Prng } from '../base/prng.ts';
import { mibBytes } from '../base/units.ts';
import { type Gossip, type GossipPeer, gossipBytesMax, type TopicHandler, tooLarge, type Verdict } from './gossip.ts';
import type { HostIdentity } from './identity.ts';
import { hostIdOfPeer, libp2pPrivateKey, peerIdOf } from './libp2p-keys.ts';
import { LinkKeeper, type LinkPolicy, linkPolicy } from './link-keeper.ts';

/** Connections, both directions: the links wanted, as many that others wanted, and the explorers, several times over. */
const connectionsMax = 256;
/** Connections a second from one address: every host of a rack behind one address, coming back at once. */
const inboundConnectionsPerSecondMax = 100;
/** Handshakes at a time, ditto. */
const pendingInboundMax = 64;
/** Time for one dial, handshake included, ms. A TLS handshake takes 12 ms; the rest is for a loaded host. */
const dialMsMax = 5_000;
/** Bytes waiting for a peer that does not read; beyond it messages to it are dropped. */
const outboundBytesMax = 4 * mibBytes;
/** One frame from a peer: it may hold the answer to a request for some thousand missed messages. */
const inboundFrameBytesMax = 8 * mibBytes;
/** Silence after which a connection is tested, and how long the answer may take, ms: a dead link is gone within 10 s. */
const pingMs = 4_000;
const pingTimeoutMsMax = 4_000;

/** What libp2p gossip needs from outside. */
export interface Libp2pGossipDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** For whom to dial and when. */
  readonly random: Prng;
  readonly identity: HostIdentity;
}

export interface Libp2pGossipOptions {
  /** Multiaddr to listen on, e.g. `/ip4/0.0.0.0/tcp/7402`. */
  readonly listen: string;
  /** Topics of this mesh: peers cannot make us keep others. */
  readonly topics: readonly string[];
  /** Whether a host is a member, by the records as they are here. One that joined just now is let in when it is known. */
  admits(hostId: HostId): boolean;
  readonly links?: LinkPolicy;
}

type Node = Libp2p<{ pubsub: GossipSub }>;

export class Libp2pGossip implements Gossip {
  readonly #deps: Libp2pGossipDeps;
  readonly #options: Libp2pGossipOptions;
  readonly #handlers = new Map<string, TopicHandler>();
  readonly #keeper: LinkKeeper;
  #node: Node | undefined;
  #stopped = false;

  constructor(deps: Libp2pGossipDeps, options: Libp2pGossipOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#keeper = new LinkKeeper(
      deps,
      { dial: (peer, signal) => this.#dial(peer, signal), connected: () => this.connected },
      options.links ?? linkPolicy,
    );
  }

  /** Where it listens, as multiaddrs without the peer id; empty before `start`. */
  get addresses(): readonly string[] {
    return this.#node?.getMultiaddrs().map((address) => address.toString().replace(/\/p2p\/[^/]+$/, '')) ?? [];
  }

  get connected(): readonly HostId[] {
    const hostIds: HostId[] = [];
    for (const peer of this.#node?.getPeers() ?? []) {
      const hostId = hostIdOfPeer(peer);
      if (hostId !== undefined) hostIds.push(hostId);
    }
    return hostIds;
  }

  /** Throws `UNAVAILABLE` when it cannot listen. */
  async start(): Promise<void> {
    if (this.#node !== undefined || this.#stopped) return;
    let node: Node;
    try {
      node = await this.#create();
    } catch (caught) {
      throw ShoalError.from(caught, 'UNAVAILABLE', `gossip cannot listen on ${this.#options.listen}`);
    }
    this.#node = node;
    node.services.pubsub.addEventListener('message', ({ detail }) => {
      this.#handlers.get(detail.topic)?.handle(detail.data);
    });
    for (const topic of this.#handlers.keys()) this.#listenTo(topic);
    this.#keeper.start();
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#keeper.stop();
    const node = this.#node;
    this.#node = undefined;
    await node?.stop();
  }

  async publish(topic: string, data: Uint8Array): Promise<void> {
    if (data.length > gossipBytesMax) throw tooLarge(data.length);
    if (this.#node === undefined) throw new ShoalError('CANCELLED', 'Gossip is not running.');
    await this.#node.services.pubsub.publish(topic, data);
  }

  subscribe(topic: string, handler: TopicHandler): () => void {
    this.#handlers.set(topic, handler);
    if (this.#node !== undefined) this.#listenTo(topic);
    return () => {
      if (this.#handlers.get(topic) !== handler) return;
      this.#handlers.delete(topic);
      this.#node?.services.pubsub.unsubscribe(topic);
      this.#node?.services.pubsub.topicValidators.delete(topic);
    };
  }

  setPeers(peers: readonly GossipPeer[]): void {
    this.#keeper.setPeers(peers);
    // A host that is no member any more loses its links at once; the gater keeps it out from then on.
    for (const peer of this.#node?.getPeers() ?? []) {
      if (this.#admits(peer)) continue;
      this.#node
        ?.hangUp(peer)
        .catch((error: unknown) => this.#deps.logger.warn({ error }, 'hanging up on a former member failed'));
    }
  }

  #listenTo(topic: string): void {
    const { topicValidators } = this.#require().services.pubsub;
    topicValidators.set(topic, (_peer, message) => {
      if (message.data.length > gossipBytesMax) return TopicValidatorResult.Reject;
      return verdicts[this.#handlers.get(topic)?.validate(message.data) ?? 'ignore'];
    });
    this.#require().services.pubsub.subscribe(topic);
  }

  #require(): Node {
    if (this.#node === undefined) throw new ShoalError('CANCELLED', 'Gossip is not running.');
    return this.#node;
  }

  async #dial(peer: GossipPeer, signal: AbortSignal): Promise<void> {
    const address = multiaddr(`${peer.address}/p2p/${peerIdOf(peer.publicKey).toString()}`);
    await this.#require().dial(address, { signal: AbortSignal.any([signal, AbortSignal.timeout(dialMsMax)]) });
  }

  #admits(peer: PeerId): boolean {
    const hostId = hostIdOfPeer(peer);
    return hostId !== undefined && this.#options.admits(hostId);
  }

  #create(): Promise<Node> {
    const refused = (peer: PeerId): boolean => !this.#admits(peer);
    return createLibp2p({
      privateKey: libp2pPrivateKey(this.#deps.identity),
      addresses: { listen: [this.#options.listen] },
      transports: [tcp({ backlog: 512 })],
      connectionEncrypters: [tls(), noise()],
      streamMuxers: [yamux()],
      connectionGater: {
        denyDialPeer: refused,
        denyInboundEncryptedConnection: refused,
        denyOutboundEncryptedConnection: refused,
        // The default refuses some private addresses; ours are all private.
        denyDialMultiaddr: () => false,
      },
      connectionManager: {
        maxConnections: connectionsMax,
        maxParallelDials: 16,
        dialTimeout: dialMsMax,
        inboundUpgradeTimeout: dialMsMax,
        inboundConnectionThreshold: inboundConnectionsPerSecondMax,
        maxIncomingPendingConnections: pendingInboundMax,
        reconnectRetries: 0, // The link keeper's work.
      },
      connectionMonitor: { pingInterval: pingMs, pingTimeout: { maxTimeout: pingTimeoutMsMax } },
      services: {
        identify: identify(),
        ping: ping(),
        pubsub: gossipsub({
          globalSignaturePolicy: StrictNoSign,
          msgIdFn: ({ topic, data }) => messageId(topic, data, 'buffer'),
          fastMsgIdFn: ({ topic, data }) => messageId(topic, data ?? new Uint8Array(0), 'base64'),
          allowPublishToZeroTopicPeers: true,
          ignoreDuplicatePublishError: true,
          batchPublish: true,
          emitSelf: false,
          fallbackToFloodsub: false,
          doPX: false, // Peers come from the records, not from peers.
          allowedTopics: [...this.#options.topics],
          scoreParams: { IPColocationFactorWeight: 0 },
          maxInboundDataLength: inboundFrameBytesMax,
          maxOutboundBufferSize: outboundBytesMax,
          // Two topics, and room for those of newer agents; each costs about a kilobyte.
          maxTopicBytesPerPeer: 32 * 1024,
          decodeRpcLimits: {
            maxSubscriptions: 32,
            maxMessages: 1000,
            maxIhaveMessageIDs: 5000,
            maxIwantMessageIDs: 5000,
            maxIdontwantMessageIDs: 512,
            maxControlMessages: 500,
            maxPeerInfos: 16,
          },
        }),
      },
    });
  }
}

const verdicts: Readonly<Record<Verdict, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
};

function messageId(topic: string, data: Uint8Array, encoding: 'buffer'): Uint8Array;
function messageId(topic: string, data: Uint8Array, encoding: 'base64'): string;
function messageId(topic: string, data: Uint8Array, encoding: 'buffer' | 'base64'): Uint8Array | string {
  const content = Buffer.concat([Buffer.from(`${topic}\0`, 'utf8'), data]);
  return encoding === 'buffer' ? hash('sha256', content, 'buffer') : hash('sha256', content, 'base64');
}
