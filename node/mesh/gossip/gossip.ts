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

/** A host that gossip may talk to. */
export interface GossipPeer {
  readonly hostId: HostId;
  /** Ed25519, raw 32 bytes. */
  readonly publicKey: Uint8Array;
  /** libp2p multiaddr without the peer id. */
  readonly address: string;
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
  /** Hosts connected now. */
  readonly connected: readonly HostId[];
}

/** Topics of one cell of a mesh. The mesh's id keeps two meshes on one network apart, the cell's keeps cells apart. */
export function gossipTopic(
  kind: 'adverts' | 'rumours',
  mesh: { readonly meshId: string; readonly cell: string },
): string {
  return `shoal/${mesh.meshId}/${mesh.cell === '' ? firstCell : mesh.cell}/${kind}/1`;
}

/** The refusal of a message over `gossipBytesMax`. */
export function tooLarge(bytes: number): ShoalError {
  return new ShoalError('TOO_LARGE', `A gossip message of ${bytes} bytes is over ${gossipBytesMax}.`, {
    facts: { bytes, bytesMax: gossipBytesMax },
  });
}
