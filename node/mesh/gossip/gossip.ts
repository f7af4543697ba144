/**
 * The face of gossip: what the rest of the agent knows of it. libp2p's gossipsub is one implementation
 * (libp2p-gossip.ts), a hub in memory another (memory-gossip.ts); both pass test/compliance/gossip.ts.
 *
 * What comes by gossip is a hint. It may come late, twice, in any order, or never.
 */
import { ShoalError } from '../../base/errors.ts';
import { firstCell, type HostId } from '../../base/ids.ts';
import type { Service } from '../../base/lifecycle.ts';

/**
 * Largest message, bytes. An advert takes about half a kilobyte, one with a few hundred traits and aggregates under eight;
 * each is sent on by every host to several others.
 */
export const gossipBytesMax = 64 * 1024;

/**
 * What a validator says of a message before it is passed on: "accept" it; "ignore" it, which is nobody's fault (it is old,
 * or its author is not known here yet); or "reject" it, which counts against the peer that sent it (nobody honest would).
 */
export type Verdict = 'accept' | 'ignore' | 'reject';

/** How a topic's messages are judged and taken. Both are called synchronously, once a message, and must not throw. */
export interface TopicHandler {
  validate(data: Uint8Array): Verdict;
  handle(data: Uint8Array): void;
}

/**
 * Answers a linked peer's question with messages of its own, each of `gossipBytesMax` at most. Throws a ShoalError for what
 * nobody honest asks; the peer is told only that there is no answer.
 */
export type Answerer = (from: HostId, question: Uint8Array) => Iterable<Uint8Array>;

/** A host that gossip may talk to. */
export interface GossipPeer {
  readonly hostId: HostId;
  /** Ed25519, raw 32 bytes. */
  readonly publicKey: Uint8Array;
  /** libp2p multiaddr without the peer id. */
  readonly address: string;
}

/** Messages and bytes since the start. Each message is heard once, whatever number of peers sent it. */
export interface GossipCounts {
  readonly published: number;
  readonly publishedBytes: number;
  /** By verdict. */
  readonly accepted: number;
  readonly ignored: number;
  readonly rejected: number;
  /** Of all that peers sent by gossip: messages as often as they came, and what gossip says to itself. */
  readonly receivedBytes: number;
  /** Hosts that were cut off, as often as they were. */
  readonly cutOffs: number;
}

/** Best-effort broadcast between members. A handler is given what the topic's validator accepted, and nothing else. */
export interface Gossip extends Service {
  /**
   * Sends to all members that listen to the topic, this host excepted. Resolves once the message is on its way to those
   * connected; with nobody connected it is lost, and that is no error. The same bytes again within some minutes are not
   * sent. Throws `TOO_LARGE`, and `CANCELLED` when stopped.
   */
  publish(topic: string, data: Uint8Array): Promise<void>;
  /** Listens to a topic; one handler a topic. Returns how to stop listening. */
  subscribe(topic: string, handler: TopicHandler): () => void;
  /** Whom to keep in touch with: all members but this host. Called again whenever they change. */
  setPeers(peers: readonly GossipPeer[]): void;
  /**
   * Asks one linked host, over the link that is there, and yields its answers as they come. Ends when all have come; throws
   * `UNAVAILABLE` when there is no link, it breaks, or the peer answers no questions (an earlier version), `TOO_LARGE`,
   * `DEADLINE_EXCEEDED` when the next answer takes too long, and `CANCELLED`.
   */
  ask(hostId: HostId, question: Uint8Array, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** How questions are answered; one answerer at a time. Returns how to answer no more. */
  answer(answerer: Answerer): () => void;
  /** Hears of each host that a link was made with. Returns how to hear no more. */
  onLink(listener: (hostId: HostId) => void): () => void;
  /** Closes the link with a host, if there is one: it is thought dead, and silence would be noticed later. */
  drop(hostId: HostId): void;
  /** Closes the link with a host that did what nobody honest does, and lets it make none for a minute. */
  cutOff(hostId: HostId): void;
  /** What has been said and heard since the start. */
  readonly counts: GossipCounts;
  /** Hosts connected now. */
  readonly connected: readonly HostId[];
}

/**
 * Topics of one cell of a mesh. The mesh's id keeps two meshes on one network apart, the cell's keeps cells apart. The name
 * goes with every message: that of updates, which are many and small, is short.
 */
export function gossipTopic(
  kind: 'updates' | 'adverts' | 'rumours',
  mesh: { readonly meshId: string; readonly cell: string },
): string {
  const cell = mesh.cell === '' ? firstCell : mesh.cell;
  return kind === 'updates' ? `u/${mesh.meshId.slice(0, 8)}/${cell}` : `shoal/${mesh.meshId}/${cell}/${kind}/1`;
}

/** The refusal of a message over `gossipBytesMax`. */
export function tooLarge(bytes: number): ShoalError {
  return new ShoalError('TOO_LARGE', `A gossip message of ${bytes} bytes is over ${gossipBytesMax}.`, {
    facts: { bytes, bytesMax: gossipBytesMax },
  });
}
