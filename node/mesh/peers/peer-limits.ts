import { mibBytes } from '../../base/units.ts';
import type { ClientLimits } from '../../rpc/client.ts';
import type { GrpcLimits } from '../../rpc/server.ts';

/**
 * Bounds of peer RPC. A command is 4 MiB at most (node/state/command.ts); a Raft message holds one such entry, or many
 * small ones, and a little around them.
 */
export const peerMessageBytesMax = 8 * mibBytes;

/**
 * A dead connection on which a stream waits is noticed by the caller after `keepaliveMs + keepaliveTimeoutMs` of silence: 6 s,
 * where 10 s are promised. Pinging more often would cost a wake-up a second and peer for nothing: elections do not wait for it,
 * they have their own clock. One without a call is not pinged at all: pings of every pair of hosts, from both ends, were most of
 * what a host sent at rest, and grew with the number of hosts. There a probe without an answer has the connection made again.
 */
const keepaliveMs = 3000;
const keepaliveTimeoutMs = 3000;
/** The server's own pings only free what a dead peer has left behind. */
const serverKeepaliveMs = 60_000;
/** A connection that nobody has used for so long is closed: hosts talk to few others at rest. Unit: ms. */
const idleMsMax = 60_000;

/** What PeerService and JoinService take from a connection, on the listener for peers. */
export const peerServerLimits: GrpcLimits = {
  messageBytesMax: peerMessageBytesMax,
  // The slowest answers are a console log from a busy disk and a proposal during an election.
  unaryMsMax: 30_000,
  // A live peer that takes nothing for so long would hold a snapshot or an image open for ever.
  stalledMsMax: 60_000,
  // One Raft stream, a few watches and transfers, and as many forwarded requests as an agent has at a time.
  callsPerConnectionMax: 1024,
  keepaliveMs: serverKeepaliveMs,
  keepaliveTimeoutMs,
  // Members are not counted. Strangers have nothing here but to show a ticket: a rack that joins at once fits.
  listener: { connectionsMax: 512, connectionsPerAddressMax: 32, firstByteMsMax: 5_000, handshakeMsMax: 10_000 },
};

/** How an agent calls its peers. Between attempts to connect it waits 0.1 s at first, then longer, 2 s at most. */
export const peerClientLimits: ClientLimits = {
  messageBytesMax: peerMessageBytesMax,
  keepaliveMs,
  keepaliveTimeoutMs,
  idleMsMax,
  // A restarted agent is back within a second or two, and a mesh that lost power must find itself again quickly.
  reconnectMsMin: 100,
  reconnectMsMax: 2000,
};
