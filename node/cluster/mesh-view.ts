/**
 * What this agent knows of the others by gossip: adverts and conditions. Gossip brings both; placement's columns are kept
 * in step with them. Nothing in here is an authority on anything (DESIGN section 2).
 */
import { adverseIn, HostColumns } from '../../placement/index.ts';
import type { shoal } from '../../proto/messages.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { firstCell, type HostId } from '../base/ids.ts';
import type { Service } from '../base/lifecycle.ts';
import type { Prng } from '../base/prng.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import { RepeatedLog } from '../base/telemetry/repeated-log.ts';
import type { Config } from '../config/options.ts';
import { ClockOffsets } from '../mesh/clock-offsets.ts';
import { AdvertExchange } from '../mesh/gossip/advert-exchange.ts';
import { AdvertPublisher } from '../mesh/gossip/advert-publisher.ts';
import { type Gossip, type GossipCounts, gossipTopic } from '../mesh/gossip/gossip.ts';
import { Libp2pGossip } from '../mesh/gossip/libp2p-gossip.ts';
import { UpdateReaders } from '../mesh/gossip/update-readers.ts';
import { ViewExchange } from '../mesh/gossip/view-exchange.ts';
import { DetectorLoop } from '../mesh/health/detector-loop.ts';
import { PeerProbes } from '../mesh/health/peer-probes.ts';
import type { HostIdentity } from '../mesh/identity/identity.ts';
import type { PeerClients } from '../mesh/peers/peer-client.ts';
import type { PeerHandlers } from '../mesh/peers/peer-server.ts';
import type { DetectorCounts } from '../mesh/rules/detector.ts';
import { type Condition, type DetectorUpdate, livenessOf } from '../mesh/rules/health-update.ts';
import type { HostViews } from '../services/kit/dependencies.ts';
import { placementAdvert } from './advert-mapping.ts';
import type { HostDirectory } from './host-directory.ts';
import type { KnownHost } from './membership.ts';

/** From the first link after none to telling everything once more, ms. */
const againMs = 1_000;

/** Within this time every host tells its whole advert once more when an agent of an earlier version has come, ms. */
const wholeAgainMs = 20_000;
/** Bytes of the id of an update: it is told to peers again and again. */
const updateIdBytes = 16;

/** An advert that is older was not told to all just now, but handed on by a peer. Unit: ms. */
const liveMsMax = 1_000;

/** What it needs from outside. */
interface MeshViewDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Prng;
  readonly identity: HostIdentity;
  readonly peers: PeerClients;
  readonly directory: HostDirectory;
}

/** How it is set up. */
interface MeshViewOptions {
  readonly config: Config;
  readonly meshId: string;
  /** This start of the agent (mesh/identity/epoch-file.ts). */
  readonly epoch: number;
  /** This host's advert as of now; who publishes it fills in epoch, sequence and time. */
  readonly ownAdvert: () => shoal.v1.IAdvert;
  /** Hears an advert that another run of this host's agent has signed after this one began. Default: nothing is done. */
  readonly onOwnAdvertOfAnother?: (advert: shoal.v1.Advert) => void;
}

/** See above. */
export class MeshView implements Service, HostViews {
  /** Placement's view of the hosts. */
  readonly columns: HostColumns;
  /** How far the hosts' clocks are apart. */
  readonly clocks: ClockOffsets;
  readonly handlers: Pick<PeerHandlers, 'pullView' | 'probe'>;
  readonly #repeated: RepeatedLog;
  readonly #deps: MeshViewDeps;
  readonly #gossip: Gossip;
  readonly #exchange: AdvertExchange;
  readonly #publisher: AdvertPublisher;
  readonly #viewExchange: ViewExchange;
  readonly #random: Prng;
  readonly #detector: DetectorLoop;
  readonly #probes: PeerProbes;
  readonly #options: MeshViewOptions;
  readonly #updateReaders = new UpdateReaders();
  /** A link was there since the start. */
  #hasLinked = false;
  #again: Timer | undefined;
  /** When each host that is not alive was last so, wall clock, ms. */
  readonly #lastAliveMs = new Map<HostId, number>();

  constructor(deps: MeshViewDeps, options: MeshViewOptions) {
    const { clock, logger, random, identity, peers, directory } = deps;
    const { config, meshId, epoch } = options;
    this.#deps = deps;
    this.#random = random.fork();
    this.#options = options;
    this.clocks = new ClockOffsets(identity.hostId);
    this.#repeated = new RepeatedLog({ clock, logger });
    this.columns = new HostColumns({ seed: random.uint32() });
    const topic = gossipTopic('adverts', { meshId, cell: firstCell });
    const updatesTopic = gossipTopic('updates', { meshId, cell: firstCell });
    // The topic of health updates keeps its first name.
    const healthUpdates = gossipTopic('rumours', { meshId, cell: firstCell });
    const isMember = (hostId: HostId): boolean => directory.find(hostId) !== undefined;
    this.#gossip = new Libp2pGossip(
      { clock, logger, random: random.fork(), identity },
      {
        listen: multiaddrOf(config.gossip.listen),
        topics: [topic, updatesTopic, healthUpdates],
        idBytes: (of) => (of === updatesTopic ? updateIdBytes : undefined),
        admits: isMember,
      },
    );
    this.#exchange = new AdvertExchange(
      { clock, logger, random: random.fork(), gossip: this.#gossip },
      {
        meshId,
        topic,
        updatesTopic,
        isMember,
        onAdvert: (advert, ageMs) => this.#onAdvert(advert, ageMs),
        onMissed: () => this.#viewExchange.missed(),
      },
    );
    this.#viewExchange = new ViewExchange(
      { clock, logger, random: random.fork(), gossip: this.#gossip, adverts: this.#exchange },
      {
        memberCount: () => directory.count,
        pullAsBefore: (hostId, signal) => this.#exchange.pull(peers, [hostId], signal),
      },
    );
    this.#publisher = new AdvertPublisher(
      { clock, logger, gossip: this.#gossip, identity },
      {
        topic,
        epoch,
        compose: options.ownAdvert,
        onAdvert: (signed) => void this.#exchange.accept(signed),
        updates: { topic: updatesTopic, meshId, areUnderstood: () => this.#updateReaders.areAll },
      },
    );
    this.#probes = new PeerProbes(clock, peers);
    this.#detector = new DetectorLoop(
      {
        clock,
        logger,
        random: random.fork(),
        gossip: this.#gossip,
        identity,
        wire: this.#probes,
      },
      {
        meshId,
        topic: healthUpdates,
        epoch,
        isMember,
        onCondition: (hostId, condition) => this.#onCondition(hostId, condition),
      },
    );
    this.handlers = { pullView: async () => this.#exchange.pullView(), ...this.#detector.peerHandlers };
  }

  /** Starts to listen and to speak; a whole view is fetched from the first host that a link is made with. */
  async start(): Promise<void> {
    const { directory } = this.#deps;
    this.#exchange.start();
    this.#gossip.onLink(() => this.#linked());
    await this.#gossip.start();
    await this.#viewExchange.start();
    this.setPeers(directory.hosts());
    await this.#detector.start();
    await this.#publisher.start();
  }

  async stop(): Promise<void> {
    this.#again?.cancel();
    await this.#publisher.stop();
    await this.#detector.stop();
    await this.#viewExchange.stop();
    this.#exchange.stop();
    await this.#gossip.stop();
  }

  /** Whom to keep in touch with; called whenever the records of hosts change. */
  setPeers(hosts: readonly KnownHost[]): void {
    const others = hosts.filter((host) => host.hostId !== this.#deps.identity.hostId);
    this.#gossip.setPeers(
      others.map((host) => ({
        hostId: host.hostId as HostId,
        publicKey: Buffer.from(host.publicKey, 'base64'),
        address: host.gossipAddress,
      })),
    );
    this.#detector.setMembers(hosts.map((host) => host.hostId as HostId));
    const members = new Set(hosts.map((host) => host.hostId));
    for (const { hostId } of this.#exchange.view.all()) if (!members.has(hostId)) this.columns.remove(hostId);
    this.#exchange.retain((hostId) => members.has(hostId));
    this.clocks.retain((hostId) => members.has(hostId));
    this.#updateReaders.retain((hostId) => members.has(hostId));
    for (const hostId of this.#lastAliveMs.keys()) if (!members.has(hostId)) this.#lastAliveMs.delete(hostId);
  }

  /** Something that the own advert tells has changed. */
  changed(): void {
    this.#publisher.changed();
  }

  /** The own advert, signed, as of now. */
  freshOwnAdvert(): shoal.v1.SignedAdvert {
    return this.#publisher.fresh();
  }

  /** The least (epoch, sequence) that an advert of this host made from now on can have. */
  nextOwnAdvert(): { readonly epoch: number; readonly sequence: number } {
    return this.#publisher.next;
  }

  /** Takes in an advert that came with an answer. False: not newer, or not what it claims to be. */
  accept(signed: shoal.v1.ISignedAdvert): boolean {
    return this.#exchange.accept(signed);
  }

  adverts(): readonly shoal.v1.Advert[] {
    return this.#exchange.view.all().map((held) => held.advert);
  }

  /** What a host's clock shows more than most hosts', ms; undefined: not known. */
  clockOffsetMs(hostId: string): number | undefined {
    return this.clocks.of(hostId as HostId);
  }

  /** What gossip has said, heard, refused and exchanged since the start. */
  get gossipCounts(): {
    readonly messages: GossipCounts;
    readonly refused: AdvertExchange['refused'];
    readonly exchanged: ViewExchange['counts'];
  } {
    return {
      messages: this.#gossip.counts,
      refused: this.#exchange.refused,
      exchanged: this.#viewExchange.counts,
    };
  }

  lastSeenMs(hostId: string): number | undefined {
    const condition = this.condition(hostId);
    if (condition === 'alive') return this.#deps.clock.nowMs();
    return condition === 'unknown' ? undefined : this.#lastAliveMs.get(hostId as HostId);
  }

  /** For metrics. */
  get detection(): { readonly localHealth: number; readonly counts: DetectorCounts } {
    return { localHealth: this.#detector.localHealth, counts: this.#detector.counts };
  }

  /** Who accuses a host that is suspect or dead, and what each has seen. */
  accusations(hostId: string): readonly DetectorUpdate[] {
    return this.#detector.accusationsOf(hostId as HostId);
  }

  /** What the kernel at a host's address says of its agent's port. */
  askKernel(hostId: HostId, timeoutMs: number): ReturnType<PeerProbes['port']> {
    return this.#probes.port(hostId, timeoutMs);
  }

  condition(hostId: string): Condition {
    return hostId === this.#deps.identity.hostId ? 'alive' : this.#detector.conditionOf(hostId as HostId);
  }

  #onAdvert(advert: shoal.v1.Advert, ageMs: number): void {
    if (advert.hostId === this.#deps.identity.hostId && advert.epoch > this.#options.epoch) {
      this.#options.onOwnAdvertOfAnother?.(advert);
    }
    if (ageMs < liveMsMax) {
      this.clocks.heard(advert.hostId as HostId, advert.publishedMs, this.#deps.clock.nowMs());
    }
    this.#noteVersion(advert);
    const mapped = placementAdvert(advert);
    const fault = adverseIn(mapped);
    if (fault !== undefined) {
      this.#repeated.warn(
        `useless ${advert.hostId}`,
        { hostId: advert.hostId, fault },
        'an advert cannot be used for placement',
      );
      return;
    }
    const hostId = advert.hostId as HostId;
    this.columns.upsert(mapped);
    this.#onCondition(hostId, this.condition(hostId));
    this.#detector.advertised(hostId, advert.epoch);
  }

  /** What was told while no link was there, nobody has heard. */
  #linked(): void {
    if (this.#hasLinked && this.#gossip.connected.length > 1) return;
    this.#hasLinked = true;
    // Peers tell each other their topics first.
    this.#againAfter(againMs);
  }

  /** Tells everything once more; what is asked for meanwhile is told with it. */
  #againAfter(delayMs: number): void {
    this.#again ??= this.#deps.clock.setTimeout(() => {
      this.#again = undefined;
      this.#publisher.again();
    }, delayMs);
  }

  /** While one agent of an earlier version is there, adverts are told whole; and the last one once more when it comes. */
  #noteVersion(advert: shoal.v1.Advert): void {
    if (!this.#updateReaders.note(advert)) return;
    this.#againAfter(againMs + this.#random.float() * wholeAgainMs);
  }

  #onCondition(hostId: HostId, condition: Condition): void {
    if (condition === 'alive') this.#lastAliveMs.delete(hostId);
    else if (!this.#lastAliveMs.has(hostId)) this.#lastAliveMs.set(hostId, this.#deps.clock.nowMs());
    if (condition === 'dead') this.#gossip.drop(hostId);
    this.columns.setLiveness(hostId, livenessOf(condition));
  }
}

/** `host:port` as libp2p writes it. */
function multiaddrOf(endpoint: string): string {
  const at = endpoint.lastIndexOf(':');
  const host = endpoint.slice(0, at).replace(/^\[|\]$/g, '');
  return `/${host.includes(':') ? 'ip6' : 'ip4'}/${host}/tcp/${endpoint.slice(at + 1)}`;
}
