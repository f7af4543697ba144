import type { Clock, Timer } from '../../base/clock.ts';
import type { HostId } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import type { GossipPeer } from './gossip.ts';

/** How links are kept. */
export interface LinkPolicy {
  /**
   * Links wanted. A random graph of that degree stays connected when a third of the hosts fall; gossipsub's own mesh
   * (8 links a topic) fits in.
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
   * Time between dials of a random host beyond those wanted, ms: two groups that each have links enough, as after a network
   * partition, would otherwise never find each other again.
   */
  readonly exploreMs: number;
  /** Silence after which a link is tested, ms. A host that is thought dead loses its links before (`Gossip.drop`). */
  readonly pingMs: number;
  /** How often it is looked whether anything is to be done, ms. */
  readonly tickMs: number;
}

/** What an agent runs with; the reasons are in `LinkPolicy`. */
export const linkPolicy: LinkPolicy = {
  linksWanted: 12,
  linksMax: 20,
  dialsMax: 4,
  backoffMsMin: 250,
  backoffMsMax: 10_000,
  exploreMs: 15_000,
  pingMs: 30_000,
  tickMs: 250,
};

/** What the keeper works on. */
interface Links {
  /** Connects to a host; rejects when that fails. */
  dial(peer: GossipPeer, signal: AbortSignal): Promise<void>;
  /** Hosts connected now, no matter which side dialled. */
  connected(): readonly HostId[];
  /** Closes the link with a host. */
  drop(hostId: HostId): void;
}

interface Attempt {
  readonly failures: number;
  readonly dueMs: number;
}

/** Keeps a host linked with enough others, whichever of them are up and in whatever order they come back. */
export class LinkKeeper {
  readonly #deps: { readonly clock: Clock; readonly logger: Logger; readonly random: Prng };
  readonly #links: Links;
  readonly #policy: LinkPolicy;
  readonly #attempts = new Map<HostId, Attempt>();
  readonly #dialling = new Set<HostId>();
  readonly #stopping = new AbortController();
  #peers: readonly GossipPeer[] = [];
  #exploreDueMs: number;
  #timer: Timer | undefined;

  constructor(
    deps: { readonly clock: Clock; readonly logger: Logger; readonly random: Prng },
    links: Links,
    policy: LinkPolicy = linkPolicy,
  ) {
    this.#deps = deps;
    this.#links = links;
    this.#policy = policy;
    this.#exploreDueMs = deps.clock.monotonicMs() + policy.exploreMs;
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
    this.#peers = peers;
    const known = new Set(peers.map((peer) => peer.hostId));
    for (const hostId of this.#attempts.keys()) if (!known.has(hostId)) this.#attempts.delete(hostId);
  }

  #tick(): void {
    if (this.#stopping.signal.aborted) return;
    const nowMs = this.#deps.clock.monotonicMs();
    const connected = new Set(this.#links.connected());
    const candidates = this.#peers.filter(
      ({ hostId }) =>
        !connected.has(hostId) && !this.#dialling.has(hostId) && (this.#attempts.get(hostId)?.dueMs ?? 0) <= nowMs,
    );
    // One a tick: what is closing may still be counted.
    if (connected.size > this.#policy.linksMax) {
      this.#links.drop(this.#deps.random.pick([...connected]));
      return;
    }
    let wanted = this.#policy.linksWanted - connected.size - this.#dialling.size;
    if (wanted <= 0 && nowMs >= this.#exploreDueMs) wanted = 1;
    if (nowMs >= this.#exploreDueMs) this.#exploreDueMs = nowMs + this.#policy.exploreMs;
    for (let n = Math.min(wanted, this.#policy.dialsMax - this.#dialling.size); n > 0 && candidates.length > 0; n--) {
      const at = this.#deps.random.below(candidates.length);
      for (const peer of candidates.splice(at, 1)) this.#dial(peer);
    }
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
