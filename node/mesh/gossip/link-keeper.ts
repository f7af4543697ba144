import type { Clock, Timer } from '../../base/clock.ts';
import type { HostId } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import type { GossipPeer } from './gossip.ts';

/** How links are kept. */
export interface LinkPolicy {
  /**
   * Links wanted: each costs bytes and processor time at rest, so there are few, however many hosts there are. A random graph of
   * that degree stays connected when a third of the hosts fall, and gossipsub's own mesh (gossipsub-parameters.ts) fits in.
   */
  readonly linksWanted: number;
  /**
   * Links beyond which one is dropped, drawn at random: those that others wanted and explorers would otherwise add up, and
   * each costs bytes at rest. Above `linksWanted` by enough that two hosts do not drop and make links in turn.
   */
  readonly linksMax: number;
  /** Dials at a time: a rack that comes back must not be dialled by everybody at once. */
  readonly dialsMax: number;
  /** Pause before a host is dialled again, ms: doubling from the first to the last, up to half taken off by chance. */
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
  /**
   * Of two hosts the one with the lower id dials, and the other waits so long for it, ms: else both dial in the moment in which
   * they learn of each other, and two connections are kept where one will do.
   */
  readonly yieldMs: number;
  /**
   * Time between dials of a random host beyond those wanted, ms: two groups that each have links enough, as after a network
   * partition, would otherwise never find each other again, and neither would a host whose links are all held by attackers
   * (test/security/gossip-strangers). The first while a host could not be reached when it was dialled last; the second while
   * there is none, since each such dial costs two hosts a handshake.
   */
  readonly exploreMs: number;
  readonly exploreRestMs: number;
  /**
   * Silence after which a link is tested, ms. The host with the lower id tests it; the other hears that, and tests it itself when
   * nothing has come a quarter of that time later. A host that is thought dead loses its links before (`Gossip.drop`).
   */
  readonly pingMs: number;
  /** How often it is looked whether anything is to be done, ms. */
  readonly tickMs: number;
}

/** What an agent runs with; the reasons are in `LinkPolicy`. */
export const linkPolicy: LinkPolicy = {
  linksWanted: 6,
  linksMax: 10,
  dialsMax: 4,
  backoffMsMin: 250,
  backoffMsMax: 10_000,
  yieldMs: 600,
  exploreMs: 15_000,
  exploreRestMs: 30_000,
  pingMs: 30_000,
  tickMs: 250,
};

/** What the keeper works on. */
interface Links {
  /** Connects to a host; rejects when that fails. */
  dial(peer: GossipPeer, signal: AbortSignal): Promise<void>;
  /** Hosts connected now, no matter which side dialled. */
  connected(): readonly HostId[];
  /** Hosts with which there is more than one connection. */
  doubled(): readonly HostId[];
  /** Since anything was heard from a host that is connected, ms. */
  silentMs(hostId: HostId): number;
  /** Asks a connected host for a sign of life; rejects when none comes in time. */
  test(hostId: HostId, signal: AbortSignal): Promise<void>;
  /** Closes all connections with a host. */
  drop(hostId: HostId): void;
}

/** Two connections with one host have to stand so long before both are given up: one may be closing. Unit: ms. */
const doubledMsMin = 1_000;
/** And so long after that has been done, doubling, since one of an earlier version dials at once, too. Unit: ms. */
const doubledMsMax = 600_000;

interface LinkKeeperDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Prng;
  /** This host. */
  readonly self: HostId;
}

interface Attempt {
  readonly failures: number;
  readonly dueMs: number;
}

/** Keeps a host linked with enough others, whichever of them are up and in whatever order they come back. */
export class LinkKeeper {
  readonly #deps: LinkKeeperDeps;
  readonly #links: Links;
  readonly #policy: LinkPolicy;
  readonly #attempts = new Map<HostId, Attempt>();
  readonly #dialling = new Set<HostId>();
  readonly #testing = new Set<HostId>();
  /** Hosts connected more than once, and since when. */
  readonly #doubledSinceMs = new Map<HostId, number>();
  /** Hosts that were parted with for that, how often, and from when on they may be again. */
  readonly #parted = new Map<HostId, Attempt>();
  readonly #stopping = new AbortController();
  #peers: readonly GossipPeer[] = [];
  #known: ReadonlySet<HostId> = new Set();
  /** As of the tick before. */
  #connected: ReadonlySet<HostId> = new Set();
  #exploredMs: number;
  #timer: Timer | undefined;

  constructor(deps: LinkKeeperDeps, links: Links, policy: LinkPolicy = linkPolicy) {
    this.#deps = deps;
    this.#links = links;
    this.#policy = policy;
    this.#exploredMs = deps.clock.monotonicMs();
  }

  start(): void {
    this.#timer ??= this.#deps.clock.setInterval(() => this.#tick(), this.#policy.tickMs);
  }

  /** Safe to call twice. Waits for no dial: each is aborted. */
  stop(): void {
    this.#stopping.abort();
    this.#timer?.cancel();
  }

  /** All hosts that may be dialled. */
  setPeers(peers: readonly GossipPeer[]): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const before = this.#known;
    this.#peers = peers;
    this.#known = new Set(peers.map((peer) => peer.hostId));
    for (const hostId of this.#attempts.keys()) if (!this.#known.has(hostId)) this.#attempts.delete(hostId);
    for (const hostId of this.#known) if (!before.has(hostId)) this.#yieldTo(hostId, nowMs, 0);
  }

  #tick(): void {
    if (this.#stopping.signal.aborted) return;
    const nowMs = this.#deps.clock.monotonicMs();
    const connected = new Set(this.#links.connected());
    for (const hostId of this.#connected) {
      if (!connected.has(hostId) && this.#known.has(hostId)) this.#yieldTo(hostId, nowMs, this.#policy.backoffMsMin);
    }
    this.#connected = connected;
    for (const hostId of connected) {
      this.#found(hostId);
      this.#testSilent(hostId);
    }
    this.#partDoubled(nowMs);
    // One a tick: what is closing may still be counted.
    if (connected.size > this.#policy.linksMax) {
      this.#links.drop(this.#deps.random.pick([...connected]));
      return;
    }
    const wanted = this.#policy.linksWanted - connected.size - this.#dialling.size;
    if (wanted > 0) {
      this.#dialSome(wanted, this.#candidates(connected, nowMs));
    } else if (nowMs >= this.#exploreDueMs()) {
      this.#exploredMs = nowMs;
      this.#explore(this.#candidates(connected, nowMs));
    }
  }

  /** Hosts that may be dialled now. */
  #candidates(connected: ReadonlySet<HostId>, nowMs: number): GossipPeer[] {
    return this.#peers.filter(
      ({ hostId }) =>
        !connected.has(hostId) && !this.#dialling.has(hostId) && (this.#attempts.get(hostId)?.dueMs ?? 0) <= nowMs,
    );
  }

  /** Dials up to `wanted` of them, drawn at random. */
  #dialSome(wanted: number, candidates: GossipPeer[]): void {
    const most = Math.min(wanted, this.#policy.dialsMax - this.#dialling.size);
    for (let n = most; n > 0 && candidates.length > 0; n--) {
      const at = this.#deps.random.below(candidates.length);
      for (const peer of candidates.splice(at, 1)) this.#dial(peer);
    }
  }

  /** One more than those wanted: every other time one of those that could not be reached, if there are any. */
  #explore(candidates: GossipPeer[]): void {
    const lost = candidates.filter(({ hostId }) => this.#isLost(hostId));
    this.#dialSome(1, lost.length > 0 && this.#deps.random.float() < 0.5 ? lost : candidates);
  }

  #isLost(hostId: HostId): boolean {
    return (this.#attempts.get(hostId)?.failures ?? 0) > 0;
  }

  /** A host is linked, no matter who dialled. */
  #found(hostId: HostId): void {
    if (this.#isLost(hostId)) this.#attempts.delete(hostId);
  }

  /** When the next host beyond those wanted is dialled. */
  #exploreDueMs(): number {
    const isAnyLost = [...this.#attempts.keys()].some((hostId) => this.#isLost(hostId));
    return this.#exploredMs + (isAnyLost ? this.#policy.exploreMs : this.#policy.exploreRestMs);
  }

  /** Whether this host is the one of the two that dials and tests. */
  #leads(hostId: HostId): boolean {
    return this.#deps.self < hostId;
  }

  /** A host is not linked, from now on. This one dials it after `ms` if that is its part, else when the other has had its time. */
  #yieldTo(hostId: HostId, nowMs: number, ms: number): void {
    const waitMs = this.#leads(hostId) ? ms : Math.max(ms, this.#policy.yieldMs);
    const { failures = 0, dueMs = 0 } = this.#attempts.get(hostId) ?? {};
    if (waitMs > 0) this.#attempts.set(hostId, { failures, dueMs: Math.max(dueMs, nowMs + waitMs) });
  }

  /**
   * Of two connections one cannot just be closed: gossip may use either, each direction another. So both go, and one comes.
   * That is for the host with the lower id to do.
   */
  #partDoubled(nowMs: number): void {
    const doubled = new Set(this.#links.doubled());
    for (const hostId of this.#doubledSinceMs.keys()) if (!doubled.has(hostId)) this.#doubledSinceMs.delete(hostId);
    for (const [hostId, { dueMs }] of this.#parted) if (nowMs >= dueMs + doubledMsMax) this.#parted.delete(hostId);
    for (const hostId of doubled) {
      if (!this.#leads(hostId)) continue;
      const sinceMs = this.#doubledSinceMs.get(hostId) ?? nowMs;
      this.#doubledSinceMs.set(hostId, sinceMs);
      const { failures, dueMs } = this.#parted.get(hostId) ?? { failures: 0, dueMs: 0 };
      if (nowMs < Math.max(dueMs, sinceMs + doubledMsMin)) continue;
      const waitMs = Math.min(doubledMsMax, doubledMsMin * 2 ** (failures + 1));
      this.#parted.set(hostId, { failures: failures + 1, dueMs: nowMs + waitMs });
      this.#links.drop(hostId);
    }
  }

  /** A link on which nothing has been heard for long is tested, and dropped when that fails. */
  #testSilent(hostId: HostId): void {
    const { pingMs } = this.#policy;
    const silentMsMax = this.#leads(hostId) ? pingMs : pingMs * 1.25;
    if (this.#links.silentMs(hostId) < silentMsMax || this.#testing.has(hostId)) return;
    this.#testing.add(hostId);
    this.#links
      .test(hostId, this.#stopping.signal)
      .catch((error: unknown) => {
        if (this.#stopping.signal.aborted) return;
        this.#deps.logger.debug({ error, hostId }, 'a gossip link is silent and is given up');
        this.#links.drop(hostId);
      })
      .finally(() => this.#testing.delete(hostId));
  }

  #dial(peer: GossipPeer): void {
    const { clock, logger, random } = this.#deps;
    const { hostId, address } = peer;
    this.#dialling.add(hostId);
    this.#links
      .dial(peer, this.#stopping.signal)
      .then(
        () => {
          // A link that breaks at once must not be made again at once.
          this.#attempts.set(hostId, { failures: 0, dueMs: clock.monotonicMs() + this.#policy.backoffMsMin });
        },
        (error: unknown) => {
          const failures = (this.#attempts.get(hostId)?.failures ?? 0) + 1;
          const fullMs = Math.min(this.#policy.backoffMsMax, this.#policy.backoffMsMin * 2 ** (failures - 1));
          this.#attempts.set(hostId, { failures, dueMs: clock.monotonicMs() + fullMs * (1 - random.float() / 2) });
          if (!this.#stopping.signal.aborted) logger.debug({ error, hostId, address, failures }, 'dialling failed');
        },
      )
      .finally(() => this.#dialling.delete(hostId));
  }
}
