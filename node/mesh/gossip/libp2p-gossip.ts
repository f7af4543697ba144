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
 * - Scores only fall: the defaults score no topic, so that a peer could send what is rejected for ever, and reward those
 *   that are long in a mesh or first with a message, which a patient attacker is. Quiet peers are not punished: hosts are.
 * - Links are tested by the link keeper, and only those that are silent: the library pings each twice over, from both ends.
 * - Addresses are never taken from peers (`doPX`, `acceptPXThreshold`): the records have them.
 * - A peer that says more than any mesh has to say (`linkBudget`) is cut off for a time: the library decodes whatever comes.
 */
import { hash } from 'node:crypto';
import {
  type GossipSub,
  type GossipSubComponents,
  gossipsub,
  StrictNoSign,
  TopicValidatorResult,
} from '@libp2p/gossipsub';
import { createTopicScoreParams } from '@libp2p/gossipsub/score';
import { identify } from '@libp2p/identify';
import type { Connection, PeerId, Stream } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { type Ping, type PingComponents, ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { tls } from '@libp2p/tls';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2p } from 'libp2p';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { mibBytes } from '../../base/units.ts';
import type { HostIdentity } from '../identity/identity.ts';
import { hostIdOfPeer, libp2pPrivateKey, peerIdOf } from '../identity/libp2p-keys.ts';
import { FrameCounter, LinkBudget, type LinkBudgetLimits } from '../link-budget.ts';
import { MeteredRegistrar } from '../metered-registrar.ts';
import {
  type Answerer,
  type Gossip,
  type GossipCounts,
  type GossipPeer,
  gossipBytesMax,
  type TopicHandler,
  tooLarge,
  type Verdict,
} from './gossip.ts';
import { gossipsubParameters } from './gossipsub-parameters.ts';
import { LinkKeeper, type LinkPolicy, linkPolicy } from './link-keeper.ts';
import { LinkQuestions, questionProtocol, questionsOpenMax } from './link-questions.ts';

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
/** How long the answer to a test of a connection may take, ms. */
const pingTimeoutMsMax = 4_000;

/** Of 1,000 hosts each tells of one change a second at most (advert-publisher.ts), and each peer passes on all: several times that. */
const linkBudget: LinkBudgetLimits = {
  bytesPerSecond: 8 * mibBytes,
  bytesAtOnce: 64 * mibBytes,
  framesPerSecond: 5_000,
  framesAtOnce: 50_000,
};
/** How long a peer that said more is not let in, ms. */
const cutOffMs = 60_000;
/**
 * Rejected messages count as squares, times this, and are forgotten by a tenth a second: the fourth in a row takes a peer
 * below -80, from where nothing of it is looked at.
 */
const rejectedWeight = -5;
const rejectedDecay = 0.9;
/** Above what any peer can have: scores only fall. */
const unreachableScore = 1;

/** What libp2p gossip needs from outside. */
interface Libp2pGossipDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** For whom to dial and when. */
  readonly random: Prng;
  readonly identity: HostIdentity;
}

interface Libp2pGossipOptions {
  /** Multiaddr to listen on, e.g. `/ip4/0.0.0.0/tcp/7402`. */
  readonly listen: string;
  /** Topics of this mesh: peers cannot make us keep others. */
  readonly topics: readonly string[];
  /**
   * How many bytes of a message's hash are its id, 16 to 32, by topic; all members must agree. Default: all 32. With 16 a member
   * would still need 2^128 tries for a message of its own with another's id.
   */
  idBytes?(topic: string): number | undefined;
  /** Whether a host is a member, by the records as they are here. One that joined just now is let in when it is known. */
  admits(hostId: HostId): boolean;
  readonly links?: LinkPolicy;
}

type Node = Libp2p<{ pubsub: GossipSub; ping: Ping }>;

/** `Gossip` of a real agent. `start` throws `UNAVAILABLE` when the address cannot be listened on. */
export class Libp2pGossip implements Gossip {
  readonly #deps: Libp2pGossipDeps;
  readonly #options: Libp2pGossipOptions;
  readonly #handlers = new Map<string, TopicHandler>();
  readonly #keeper: LinkKeeper;
  readonly #questions: LinkQuestions;
  readonly #linkListeners = new Set<(hostId: HostId) => void>();
  /** When each linked host was heard last; monotonic, ms. */
  readonly #heardMs = new Map<HostId, number>();
  /** What each member may still say. */
  readonly #budgets = new Map<HostId, LinkBudget>();
  /** Members that said too much, and until when they are not let in; monotonic, ms. */
  readonly #cutOffUntilMs = new Map<HostId, number>();
  readonly #counts = {
    published: 0,
    publishedBytes: 0,
    accepted: 0,
    ignored: 0,
    rejected: 0,
    receivedBytes: 0,
    cutOffs: 0,
  };
  #node: Node | undefined;
  #stopped = false;

  constructor(deps: Libp2pGossipDeps, options: Libp2pGossipOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#questions = new LinkQuestions(deps);
    this.#keeper = new LinkKeeper(
      { ...deps, self: deps.identity.hostId },
      {
        dial: (peer, signal) => this.#dial(peer, signal),
        connected: () => this.connected,
        doubled: () => this.#doubled(),
        silentMs: (hostId) => this.#deps.clock.monotonicMs() - (this.#heardMs.get(hostId) ?? 0),
        test: (hostId, signal) => this.#test(hostId, signal),
        drop: (hostId) => this.drop(hostId),
      },
      options.links ?? linkPolicy,
    );
  }

  /** Where it listens, as multiaddrs without the peer id; empty before `start`. */
  get addresses(): readonly string[] {
    return this.#node?.getMultiaddrs().map((address) => address.toString().replace(/\/p2p\/[^/]+$/, '')) ?? [];
  }

  get counts(): GossipCounts {
    return { ...this.#counts };
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
    await node.handle(questionProtocol, (stream, connection) => this.#questions.serve(stream, connection), {
      maxInboundStreams: questionsOpenMax,
    });
    node.addEventListener('peer:connect', ({ detail }) => {
      const hostId = hostIdOfPeer(detail);
      if (hostId === undefined) return;
      this.#heard(hostId);
      for (const listener of this.#linkListeners) listener(hostId);
    });
    node.addEventListener('peer:disconnect', ({ detail }) => {
      const hostId = hostIdOfPeer(detail);
      if (hostId !== undefined) this.#heardMs.delete(hostId);
    });
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
    this.#counts.published += 1;
    this.#counts.publishedBytes += data.length;
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

  async *ask(hostId: HostId, question: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const connection = this.#require()
      .getConnections()
      .find(({ remotePeer, status }) => status === 'open' && hostIdOfPeer(remotePeer) === hostId);
    if (connection === undefined)
      throw new ShoalError('UNAVAILABLE', `No gossip link to ${hostId}.`, { facts: { hostId } });
    for await (const answer of this.#questions.ask(connection, question, signal)) {
      this.#heard(hostId);
      yield answer;
    }
  }

  answer(answerer: Answerer): () => void {
    this.#questions.answerer = answerer;
    return () => {
      if (this.#questions.answerer === answerer) this.#questions.answerer = undefined;
    };
  }

  onLink(listener: (hostId: HostId) => void): () => void {
    this.#linkListeners.add(listener);
    return () => this.#linkListeners.delete(listener);
  }

  drop(hostId: HostId): void {
    for (const peer of this.#node?.getPeers() ?? []) {
      if (hostIdOfPeer(peer) !== hostId) continue;
      this.#node
        ?.hangUp(peer)
        .catch((error: unknown) => this.#deps.logger.warn({ error, hostId }, 'closing a gossip link failed'));
    }
  }

  cutOff(hostId: HostId): void {
    if (this.#isCutOff(hostId)) return;
    this.#counts.cutOffs += 1;
    this.#cutOffUntilMs.set(hostId, this.#deps.clock.monotonicMs() + cutOffMs);
    this.#budgets.delete(hostId);
    this.#deps.logger.warn(
      { hostId, cutOffMs },
      'a host floods its gossip link or hands on forgeries: it is cut off for a time',
    );
    for (const connection of this.#node?.getConnections() ?? []) {
      if (hostIdOfPeer(connection.remotePeer) !== hostId) continue;
      connection.abort(new ShoalError('RATE_LIMITED', 'cut off'));
    }
    this.drop(hostId);
  }

  setPeers(peers: readonly GossipPeer[]): void {
    this.#keeper.setPeers(peers);
    this.#questions.retain(this.#options.admits);
    for (const hostId of this.#budgets.keys()) if (!this.#options.admits(hostId)) this.#budgets.delete(hostId);
    for (const hostId of this.#cutOffUntilMs.keys()) {
      if (!this.#options.admits(hostId) || !this.#isCutOff(hostId)) this.#cutOffUntilMs.delete(hostId);
    }
    // A host that is no member any more loses its links at once; the gater keeps it out from then on.
    for (const peer of this.#node?.getPeers() ?? []) {
      if (this.#admits(peer)) continue;
      this.#node
        ?.hangUp(peer)
        .catch((error: unknown) =>
          this.#deps.logger.warn({ error }, 'closing the connection of a former member failed'),
        );
    }
  }

  #listenTo(topic: string): void {
    const { topicValidators } = this.#require().services.pubsub;
    topicValidators.set(topic, (_peer, message) => {
      const verdict =
        message.data.length > gossipBytesMax
          ? 'reject'
          : (this.#handlers.get(topic)?.validate(message.data) ?? 'ignore');
      this.#counts[countOf[verdict]] += 1;
      return verdicts[verdict];
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
    return hostId !== undefined && this.#options.admits(hostId) && !this.#isCutOff(hostId);
  }

  #isCutOff(hostId: HostId): boolean {
    return this.#deps.clock.monotonicMs() < (this.#cutOffUntilMs.get(hostId) ?? 0);
  }

  #heard(hostId: HostId): void {
    this.#heardMs.set(hostId, this.#deps.clock.monotonicMs());
  }

  #doubled(): readonly HostId[] {
    const once = new Set<string>();
    const doubled = new Set<HostId>();
    for (const { remotePeer, status } of this.#node?.getConnections() ?? []) {
      if (status !== 'open') continue;
      const text = remotePeer.toString();
      const hostId = once.has(text) ? hostIdOfPeer(remotePeer) : undefined;
      if (hostId !== undefined) doubled.add(hostId);
      once.add(text);
    }
    return [...doubled];
  }

  /** Rejects when the peer does not answer, or is not connected. */
  async #test(hostId: HostId, stopping: AbortSignal): Promise<void> {
    const node = this.#require();
    const peer = node.getPeers().find((one) => hostIdOfPeer(one) === hostId);
    if (peer === undefined) return;
    await node.services.ping.ping(peer, { signal: AbortSignal.any([stopping, AbortSignal.timeout(pingTimeoutMsMax)]) });
    this.#heard(hostId);
  }

  /** Counts what a peer says by a stream of gossip, or by asking for a sign of life. */
  #meter(stream: Stream, connection: Connection): void {
    const hostId = hostIdOfPeer(connection.remotePeer);
    if (hostId === undefined) return;
    this.#heard(hostId);
    const frames = new FrameCounter();
    stream.addEventListener('message', ({ data }) => {
      const nowMs = this.#deps.clock.monotonicMs();
      this.#heardMs.set(hostId, nowMs);
      this.#counts.receivedBytes += data.byteLength;
      const budget = this.#budgets.get(hostId) ?? new LinkBudget(linkBudget, nowMs);
      this.#budgets.set(hostId, budget);
      if (!budget.take(data.byteLength, frames.count(data.subarray()), nowMs)) this.cutOff(hostId);
    });
  }

  #create(): Promise<Node> {
    const refused = (peer: PeerId): boolean => !this.#admits(peer);
    return createLibp2p({
      privateKey: libp2pPrivateKey(this.#deps.identity),
      addresses: { listen: [this.#options.listen] },
      transports: [tcp({ backlog: 512 })],
      connectionEncrypters: [tls(), noise()],
      // Its pings tell nobody when they fail; the link keeper tests links that are silent.
      streamMuxers: [yamux({ enableKeepAlive: false })],
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
      connectionMonitor: { enabled: false }, // Ditto: it pings links on which gossip flows as well, from both ends.
      services: {
        identify: identify(),
        ping: ({ connectionManager, registrar }: PingComponents) =>
          ping()({ connectionManager, registrar: this.#metered(registrar) }),
        pubsub: (components: GossipSubComponents) => this.#pubsub(components),
      },
    });
  }

  #pubsub({ privateKey, peerId, peerStore, registrar, connectionManager, logger }: GossipSubComponents): GossipSub {
    return gossipsub({
      ...gossipsubParameters,
      globalSignaturePolicy: StrictNoSign,
      msgIdFn: ({ topic, data }) => messageId(topic, data, 'buffer').subarray(0, this.#options.idBytes?.(topic)),
      fastMsgIdFn: ({ topic, data }) => messageId(topic, data ?? new Uint8Array(0), 'base64'),
      allowPublishToZeroTopicPeers: true,
      ignoreDuplicatePublishError: true,
      batchPublish: true,
      emitSelf: false,
      fallbackToFloodsub: false,
      doPX: false, // Peers come from the records, not from peers.
      allowedTopics: [...this.#options.topics],
      scoreParams: {
        IPColocationFactorWeight: 0,
        topics: Object.fromEntries(this.#options.topics.map((topic) => [topic, topicScores])),
      },
      scoreThresholds: { acceptPXThreshold: unreachableScore },
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
    })({
      privateKey,
      peerId,
      peerStore,
      connectionManager,
      logger,
      registrar: this.#metered(registrar),
    });
  }

  #metered(registrar: GossipSubComponents['registrar']): MeteredRegistrar {
    return new MeteredRegistrar(registrar, (stream, connection) => this.#meter(stream, connection));
  }
}

const topicScores = createTopicScoreParams({
  topicWeight: 1,
  timeInMeshWeight: 0,
  firstMessageDeliveriesWeight: 0,
  meshMessageDeliveriesWeight: 0,
  meshFailurePenaltyWeight: 0,
  invalidMessageDeliveriesWeight: rejectedWeight,
  invalidMessageDeliveriesDecay: rejectedDecay,
});

const countOf = { accept: 'accepted', ignore: 'ignored', reject: 'rejected' } as const;

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
