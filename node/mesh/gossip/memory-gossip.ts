import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import {
  type Answerer,
  type Gossip,
  type GossipCounts,
  type GossipPeer,
  gossipBytesMax,
  type TopicHandler,
  tooLarge,
} from './gossip.ts';

/** How long a host that was cut off makes no link, ms. */
const cutOffMs = 60_000;
/** Messages a hub remembers in order not to deliver them twice. A test sends far fewer. */
const seenMax = 100_000;

/**
 * Gossip in memory, for tests and the simulator: real behaviour (validators, one delivery a message, nothing for those who
 * are not connected), no network. Faults are switched on the hub: `cut` and `heal` links, `delayMs`, `loses`.
 */
export class MemoryGossipHub {
  /** Time on the way, ms. */
  delayMs = 1;
  /** Whether this message gets lost between these two. Default: none does. */
  loses: (from: HostId, to: HostId, topic: string) => boolean = () => false;
  readonly #clock: Clock;
  readonly #members = new Map<HostId, MemoryGossip>();
  readonly #cuts = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A host's gossip. */
  join(hostId: HostId): MemoryGossip {
    const made = new MemoryGossip(hostId, this);
    this.#members.set(hostId, made);
    return made;
  }

  /** Cuts the link between two hosts, both ways. */
  cut(a: HostId, b: HostId): void {
    this.#cuts.add(linkOf(a, b));
    this.linksMayBeNew();
  }

  heal(a: HostId, b: HostId): void {
    this.#cuts.delete(linkOf(a, b));
    this.linksMayBeNew();
  }

  /** Hosts that `from` reaches directly. For `MemoryGossip`. */
  reachedBy(from: MemoryGossip): readonly MemoryGossip[] {
    return [...this.#members.values()].filter(
      (to) =>
        to !== from &&
        from.isRunning &&
        to.isRunning &&
        from.knows(to.hostId) &&
        to.knows(from.hostId) &&
        !this.#cuts.has(linkOf(from.hostId, to.hostId)),
    );
  }

  /** A running, linked host. For `MemoryGossip`. */
  linked(from: MemoryGossip, to: HostId): MemoryGossip | undefined {
    return this.reachedBy(from).find(({ hostId }) => hostId === to);
  }

  /** Tells those that are linked now of links that are new. For `MemoryGossip`, and after `heal`. */
  linksMayBeNew(): void {
    for (const member of this.#members.values()) member.tellNewLinks();
  }

  /** Calls back when a host that was cut off may link again. For `MemoryGossip`. */
  afterCutOff(run: () => void): void {
    this.#clock.setTimeout(run, cutOffMs);
  }

  /** Time on the way. For `MemoryGossip`. */
  async travel(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#clock.setTimeout(resolve, this.delayMs);
    });
  }

  /** Passes a message on from one host to those that it reaches. For `MemoryGossip`. */
  spread(from: MemoryGossip, topic: string, data: Uint8Array): void {
    for (const to of this.reachedBy(from)) {
      if (this.loses(from.hostId, to.hostId, topic)) continue;
      this.#clock.setTimeout(() => {
        if (this.reachedBy(from).includes(to)) to.receive(topic, data);
      }, this.delayMs);
    }
  }
}

/** One host's gossip in memory. */
export class MemoryGossip implements Gossip {
  readonly hostId: HostId;
  readonly #hub: MemoryGossipHub;
  readonly #handlers = new Map<string, TopicHandler>();
  readonly #seen = new Set<string>();
  readonly #linkListeners = new Set<(hostId: HostId) => void>();
  #answerer: Answerer | undefined;
  readonly #counts = {
    published: 0,
    publishedBytes: 0,
    accepted: 0,
    ignored: 0,
    rejected: 0,
    receivedBytes: 0,
    cutOffs: 0,
  };
  readonly #cutOff = new Set<HostId>();
  #peers = new Set<HostId>();
  #linked: ReadonlySet<HostId> = new Set();
  #running = false;
  #stopped = false;

  constructor(hostId: HostId, hub: MemoryGossipHub) {
    this.hostId = hostId;
    this.#hub = hub;
  }

  get counts(): GossipCounts {
    return { ...this.#counts };
  }

  get isRunning(): boolean {
    return this.#running;
  }

  get connected(): readonly HostId[] {
    return this.#hub.reachedBy(this).map((peer) => peer.hostId);
  }

  async start(): Promise<void> {
    this.#running = !this.#stopped;
    this.#hub.linksMayBeNew();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#stopped = true;
    this.#handlers.clear();
    this.#hub.linksMayBeNew();
  }

  knows(hostId: HostId): boolean {
    return this.#peers.has(hostId) && !this.#cutOff.has(hostId);
  }

  setPeers(peers: readonly GossipPeer[]): void {
    this.#peers = new Set(peers.map((peer) => peer.hostId));
    this.#hub.linksMayBeNew();
  }

  async *ask(hostId: HostId, question: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (question.length > gossipBytesMax) throw tooLarge(question.length);
    const copy = Uint8Array.from(question);
    if (!signal.aborted) await this.#hub.travel();
    if (signal.aborted) throw new ShoalError('CANCELLED', 'The one who asked has gone.');
    const answers = this.#hub.linked(this, hostId)?.answers(this.hostId, copy);
    if (answers === undefined)
      throw new ShoalError('UNAVAILABLE', `No gossip link to ${hostId}, or it answers nothing.`);
    for (const answer of answers) {
      await this.#hub.travel();
      if (signal.aborted) throw new ShoalError('CANCELLED', 'The one who asked has gone.');
      if (this.#hub.linked(this, hostId) === undefined) throw new ShoalError('UNAVAILABLE', 'The gossip link broke.');
      if (answer.length > gossipBytesMax) throw tooLarge(answer.length);
      yield Uint8Array.from(answer);
    }
  }

  answer(answerer: Answerer): () => void {
    this.#answerer = answerer;
    return () => {
      if (this.#answerer === answerer) this.#answerer = undefined;
    };
  }

  /** What this host answers; undefined: nothing. For the hub. */
  answers(from: HostId, question: Uint8Array): Iterable<Uint8Array> | undefined {
    try {
      const answers = this.#answerer?.(from, question);
      // What an answerer throws, now or later, ends the answers.
      return answers === undefined ? undefined : [...answers];
    } catch (caught) {
      if (!(caught instanceof ShoalError)) throw caught;
      return undefined;
    }
  }

  onLink(listener: (hostId: HostId) => void): () => void {
    this.#linkListeners.add(listener);
    return () => this.#linkListeners.delete(listener);
  }

  cutOff(hostId: HostId): void {
    if (this.#cutOff.has(hostId)) return;
    this.#counts.cutOffs += 1;
    this.#cutOff.add(hostId);
    this.#hub.linksMayBeNew();
    this.#hub.afterCutOff(() => {
      this.#cutOff.delete(hostId);
      this.#hub.linksMayBeNew();
    });
  }

  /** In memory a link is there again at once, as if the keeper had made it. */
  drop(hostId: HostId): void {
    this.#linked = new Set([...this.#linked].filter((linked) => linked !== hostId));
    this.tellNewLinks();
  }

  /** Tells the listeners of links that were not there before. For the hub. */
  tellNewLinks(): void {
    const before = this.#linked;
    this.#linked = new Set(this.connected);
    for (const hostId of this.#linked) {
      if (!before.has(hostId)) for (const listener of this.#linkListeners) listener(hostId);
    }
  }

  async publish(topic: string, data: Uint8Array): Promise<void> {
    if (!this.#running) throw new ShoalError('CANCELLED', 'Gossip has been stopped.');
    if (data.length > gossipBytesMax) throw tooLarge(data.length);
    const copy = Uint8Array.from(data);
    if (!this.#isNew(topic, copy)) return;
    this.#counts.published += 1;
    this.#counts.publishedBytes += copy.length;
    this.#hub.spread(this, topic, copy);
  }

  subscribe(topic: string, handler: TopicHandler): () => void {
    this.#handlers.set(topic, handler);
    return () => {
      if (this.#handlers.get(topic) === handler) this.#handlers.delete(topic);
    };
  }

  /** A message from the hub. Passed on when accepted, as gossip is. */
  receive(topic: string, data: Uint8Array): void {
    const handler = this.#handlers.get(topic);
    this.#counts.receivedBytes += data.length;
    if (handler === undefined || !this.#running || !this.#isNew(topic, data)) return;
    const verdict = handler.validate(data);
    this.#counts[countOf[verdict]] += 1;
    if (verdict !== 'accept') return;
    handler.handle(data);
    this.#hub.spread(this, topic, data);
  }

  #isNew(topic: string, data: Uint8Array): boolean {
    const id = `${topic} ${Buffer.from(data).toString('base64')}`;
    if (this.#seen.has(id)) return false;
    if (this.#seen.size >= seenMax) {
      for (const oldest of this.#seen) {
        this.#seen.delete(oldest);
        break;
      }
    }
    this.#seen.add(id);
    return true;
  }
}

const countOf = { accept: 'accepted', ignore: 'ignored', reject: 'rejected' } as const;

function linkOf(a: HostId, b: HostId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
