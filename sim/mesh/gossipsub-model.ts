/**
 * gossipsub 1.1 as far as its messages go, on the simulated network: libp2p's own code waits for sockets and timers and
 * cannot run here. Modelled: the links of a host, its mesh among them (every host keeps between Dlo and Dhi of its links in
 * the mesh and grafts or prunes towards D), flood publishing to all links, forwarding what was accepted along the mesh, and
 * at each heartbeat IHAVE to a few links outside of the mesh, answered by IWANT. Not modelled: scores, fanout, backoff.
 */
import type { Prng } from '../../node/base/prng.ts';
import type { MeshNetwork } from './mesh-network.ts';

/** gossipsub's parameters, by its own names, and sizes on the wire. */
interface GossipsubOptions {
  readonly D: number;
  readonly Dlo: number;
  readonly Dhi: number;
  readonly Dlazy: number;
  /** Share of the links outside of the mesh that get IHAVE, if that is more than Dlazy. */
  readonly gossipFactor: number;
  readonly heartbeatMs: number;
  /** Heartbeats in which a message is announced. */
  readonly historyGossip: number;
  /** Links of a host: as the link keeper has them. */
  readonly links: { readonly wanted: number; readonly max: number };
}

/** Beside content and topic: measured between two real hosts. Tags and lengths, a yamux frame, two TLS records. Unit: bytes. */
const frameBytes = 65;

/** What a message takes on the wire: its content, the name of its topic, its id where it is told of. */
interface MessageSize {
  readonly bytes: number;
  readonly topicBytes: number;
  readonly idBytes: number;
}

/** A message on its way. */
interface GossipMessage<Body> {
  readonly body: Body;
  readonly size: MessageSize;
  /** Hosts that have it. */
  readonly seen: Uint8Array;
}

/** What the hosts do with messages. */
interface Handlers<Body> {
  /** Takes a message in; false: it is of no use here, and not passed on. */
  accept(host: number, body: Body): boolean;
  /** Passes on nothing, and tells nobody of anything: a member that suppresses what others say. */
  isMute(host: number): boolean;
}

export class GossipsubModel<Body> {
  /** By host: those it is linked with. */
  readonly links: readonly (readonly number[])[];
  readonly #network: MeshNetwork;
  readonly #random: Prng;
  readonly #options: GossipsubOptions;
  readonly #handlers: Handlers<Body>;
  readonly #mesh: readonly (readonly number[])[];
  /** By host: what it may announce, the newest heartbeat first. */
  readonly #recent: GossipMessage<Body>[][][];

  constructor(network: MeshNetwork, random: Prng, options: GossipsubOptions, handlers: Handlers<Body>) {
    this.#network = network;
    this.#random = random;
    this.#options = options;
    this.#handlers = handlers;
    this.links = randomLinks(network.hosts, options.links, random);
    this.#mesh = meshOf(this.links, options, random);
    this.#recent = Array.from({ length: network.hosts }, () => [[]]);
    for (let host = 0; host < network.hosts; host += 1) {
      const firstMs = random.float() * options.heartbeatMs;
      network.every(options.heartbeatMs, () => this.#heartbeat(host), { firstMs });
    }
  }

  /** Hosts in the mesh of a host. */
  meshOf(host: number): readonly number[] {
    return this.#mesh[host] ?? [];
  }

  publish(host: number, body: Body, size: MessageSize): void {
    const message = { body, size, seen: new Uint8Array(this.#network.hosts) };
    message.seen[host] = 1;
    this.#recent[host]?.[0]?.push(message);
    for (const to of this.links[host] ?? []) this.#send(host, to, message);
  }

  #send(from: number, to: number, message: GossipMessage<Body>): void {
    const bytes = message.size.bytes + message.size.topicBytes + frameBytes;
    this.#network.send(from, to, bytes, () => this.#receive(to, from, message));
  }

  #receive(host: number, from: number, message: GossipMessage<Body>): void {
    if (message.seen[host] === 1) return;
    message.seen[host] = 1;
    if (!this.#handlers.accept(host, message.body) || this.#handlers.isMute(host)) return;
    this.#recent[host]?.[0]?.push(message);
    for (const to of this.#mesh[host] ?? []) if (to !== from) this.#send(host, to, message);
  }

  #heartbeat(host: number): void {
    const { Dlazy, gossipFactor, historyGossip } = this.#options;
    const recent = this.#recent[host];
    if (recent === undefined || !this.#network.isUp(host)) return;
    const messages = recent.flat();
    if (messages.length > 0) {
      const mesh = new Set(this.#mesh[host]);
      const others = (this.links[host] ?? []).filter((link) => !mesh.has(link));
      const count = Math.min(others.length, Math.max(Dlazy, Math.floor(gossipFactor * others.length)));
      for (const to of shuffled(others, this.#random).slice(0, count)) {
        const bytes = frameBytes + announcedBytes(messages);
        this.#network.send(host, to, bytes, () => this.#announced(to, host, messages));
      }
    }
    recent.unshift([]);
    recent.length = Math.min(recent.length, historyGossip);
  }

  #announced(host: number, by: number, messages: readonly GossipMessage<Body>[]): void {
    const missing = messages.filter(({ seen }) => seen[host] !== 1);
    if (missing.length === 0) return;
    const bytes = frameBytes + announcedBytes(missing);
    this.#network.send(host, by, bytes, () => {
      for (const message of missing) this.#send(by, host, message);
    });
  }
}

/** Ids of messages, after the name of each topic. */
function announcedBytes(messages: readonly GossipMessage<unknown>[]): number {
  const topics = new Set(messages.map(({ size }) => size.topicBytes));
  return (
    messages.reduce((sum, { size }) => sum + size.idBytes + 2, 0) +
    [...topics].reduce((sum, bytes) => sum + bytes + 4, 0)
  );
}

/** Links as the link keepers make them: each host dials random others until it has enough, and none has too many. */
function randomLinks(hosts: number, { wanted, max }: GossipsubOptions['links'], random: Prng): number[][] {
  const links = Array.from({ length: hosts }, () => new Set<number>());
  const enough = Math.min(wanted, hosts - 1);
  for (const [host, own] of links.entries()) {
    for (let tries = 0; own.size < enough && tries < 50 * wanted; tries += 1) {
      const other = random.below(hosts);
      const far = links[other];
      if (other === host || far === undefined || far.size >= max) continue;
      own.add(other);
      far.add(host);
    }
  }
  return links.map((own) => [...own]);
}

/** What the heartbeats of all hosts come to when nothing fails. */
function meshOf(links: readonly (readonly number[])[], options: GossipsubOptions, random: Prng): number[][] {
  const { D, Dlo, Dhi } = options;
  const mesh = links.map(() => new Set<number>());
  for (let round = 0; round < 30; round += 1) {
    for (const [host, own] of mesh.entries()) {
      if (own.size < Dlo) {
        for (const other of shuffled(links[host] ?? [], random)) {
          if (own.size >= D) break;
          // A full host takes no more grafts from those that dialled it.
          if (own.has(other) || (mesh[other]?.size ?? Dhi) >= Dhi) continue;
          own.add(other);
          mesh[other]?.add(host);
        }
      }
      if (own.size > Dhi) {
        for (const other of shuffled([...own], random).slice(0, own.size - D)) {
          own.delete(other);
          mesh[other]?.delete(host);
        }
      }
    }
  }
  return mesh.map((own) => [...own]);
}

function shuffled<T>(items: readonly T[], random: Prng): T[] {
  const copy = [...items];
  for (let at = copy.length - 1; at > 0; at -= 1) {
    const other = random.below(at + 1);
    const held = copy[at] as T;
    copy[at] = copy[other] as T;
    copy[other] = held;
  }
  return copy;
}
