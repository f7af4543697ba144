/**
 * Members of the Raft group over peer RPC (node/mesh): one pipelined stream a peer for the core's messages, one to a leader
 * for what callers here want of it, a stream of chunks for a snapshot.
 */
import { shoal } from '../../../proto/messages.ts';
import { parseAddress } from '../../base/address.ts';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId, RaftId } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { instanceHeader } from '../../mesh/peers/instance.ts';
import type { PeerClients } from '../../mesh/peers/peer-client.ts';
import type { PeerHandlers } from '../../mesh/peers/peer-server.ts';
import { askPort } from '../../mesh/peers/port-probe.ts';
import { RaftStream } from '../../mesh/peers/raft-stream.ts';
import { type Command, commandFromMessage, outcomeFromMessage, outcomeToMessage } from '../../state/command.ts';
import type { TransactionOutcome } from '../../state/types.ts';
import {
  messageFromWire,
  messageToWire,
  snapshotPartFromWire,
  snapshotPartToWire,
  snapshotRequestFromWire,
  snapshotRequestToWire,
} from './codec.ts';
import { errorOf, ForwardAnswerer } from './forward-answerer.ts';
import { type ForwardBody, ForwardSender, forwardedMsMax } from './forward-sender.ts';
import {
  isHello,
  type PeerMessage,
  type Presence,
  type RaftHandlers,
  type RaftTransport,
  type SnapshotPart,
  type SnapshotRequest,
} from './transport.ts';

/** Time to connect to the leader, ms. A write without quorum must have failed within a second, all told. */
const connectMsMax = 500;
/** Longest that a forwarded command may take, ms: the loop's own patience is shorter, and aborts by signal. */
const proposeMsMax = forwardedMsMax;
/** How long a peer's port may take to say whether its process has ended, ms. */
const goneMsMax = 500;
/** Longest that a read point may take, ms. */
const readIndexMsMax = 2_000;

/** Which host has which member number: from the records, and before there are any from what the host got when it joined. */
export interface MemberDirectory {
  /** This agent's own number. */
  readonly self: RaftId;
  hostIdOf(raftId: RaftId): HostId | undefined;
  raftIdOf(hostId: HostId): RaftId | undefined;
}

/** What the transport needs from outside. */
interface GrpcRaftTransportDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** For the jitter of reconnecting. */
  readonly random: Prng;
  readonly peers: PeerClients;
  /** Where this agent is reached, `host:port`: told with each greeting. Absent: not told. */
  readonly reachedAt?: string;
  /**
   * A member has said where it is reached; its identity is proved, the address is as good as its word. `instance`: which run
   * of its agent says so (mesh/peers/instance.ts), if it tells.
   */
  readonly learned?: (member: HostId, peerAddress: string, instance: string | undefined) => void;
}

/** The methods of PeerService that consensus answers. */
type RaftPeerHandlers = Pick<PeerHandlers, 'raft' | 'forward' | 'propose' | 'readIndex' | 'fetchSnapshot'>;

/** `RaftTransport` between agents: streams of PeerService over mutual TLS, opened at the first message to a peer. */
export class GrpcRaftTransport implements RaftTransport {
  /** To be put into the peer server's handlers. */
  readonly peerHandlers: RaftPeerHandlers;
  readonly #deps: GrpcRaftTransportDeps;
  readonly #directory: MemberDirectory;
  readonly #streams = new Map<RaftId, RaftStream>();
  readonly #senders = new Map<RaftId, ForwardSender>();
  #handlers: RaftHandlers | undefined;

  constructor(deps: GrpcRaftTransportDeps, directory: MemberDirectory) {
    this.#deps = deps;
    this.#directory = directory;
    this.peerHandlers = this.#makePeerHandlers();
  }

  attach(handlers: RaftHandlers | undefined): void {
    this.#handlers = handlers;
  }

  send(message: PeerMessage): void {
    const peer = message.to;
    let stream = this.#streams.get(peer);
    if (stream === undefined) {
      if (this.#directory.hostIdOf(peer) === undefined) {
        // Later, as everything that comes back: the loop is in the middle of sending.
        queueMicrotask(() => this.#handlers?.onUnreachable(peer));
        return;
      }
      stream = this.#streamTo(peer);
      this.#streams.set(peer, stream);
    }
    const wire = messageToWire(message);
    const { reachedAt } = this.#deps;
    stream.send(isHello(message) && reachedAt !== undefined ? { ...wire, reachedAt } : wire);
  }

  async presence(peer: RaftId, timeoutMs: number): Promise<Presence> {
    const hostId = this.#directory.hostIdOf(peer);
    const address = hostId === undefined ? undefined : this.#deps.peers.addressOf(hostId);
    return address === undefined ? 'unknown' : askPort(this.#deps.clock, address, timeoutMs);
  }

  async forwardPropose(leader: RaftId, command: Uint8Array, signal: AbortSignal): Promise<TransactionOutcome> {
    try {
      const { outcome } = await this.#forward(leader, { command }, proposeMsMax, signal);
      if (outcome == null) throw answeredOtherwise(leader);
      return outcomeFromMessage(outcome);
    } catch (caught) {
      if (!ShoalError.is(caught, 'NOT_IMPLEMENTED')) throw caught;
    }
    // A leader that is one version older.
    const response = await this.#peer(leader).propose(shoal.v1.Command.decode(command), {
      connectTimeoutMs: connectMsMax,
      timeoutMs: proposeMsMax,
      signal,
    });
    return outcomeFromMessage(response);
  }

  async forwardReadIndex(leader: RaftId, signal: AbortSignal): Promise<number> {
    try {
      return await this.#readIndexOf(leader, signal);
    } catch (caught) {
      if (ShoalError.is(caught, 'DEADLINE_EXCEEDED', 'IDENTITY_MISMATCH', 'OUTCOME_UNKNOWN', 'RATE_LIMITED')) {
        throw new ShoalError('UNAVAILABLE', caught.message, { facts: { leader }, cause: caught });
      }
      throw caught;
    }
  }

  async *fetchSnapshot(from: RaftId, request: SnapshotRequest, signal: AbortSignal): AsyncGenerator<SnapshotPart> {
    const chunks = this.#peer(from).calls.fetchSnapshot(snapshotRequestToWire(request), { signal });
    for await (const chunk of chunks) yield snapshotPartFromWire(chunk);
  }

  /** Messages waiting and messages dropped, by peer; for metrics. */
  queues(): readonly { readonly peer: RaftId; readonly queued: number; readonly dropped: number }[] {
    return [...this.#streams].map(([peer, { queued, dropped }]) => ({ peer, queued, dropped }));
  }

  /** Ends all streams. Safe to call twice. */
  async stop(): Promise<void> {
    this.#handlers = undefined;
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    const senders = [...this.#senders.values()];
    this.#senders.clear();
    await Promise.all([...streams, ...senders].map((stream) => stream.stop()));
  }

  async #readIndexOf(leader: RaftId, signal: AbortSignal): Promise<number> {
    try {
      const { readIndex } = await this.#forward(leader, { readIndex: {} }, readIndexMsMax, signal);
      if (readIndex == null) throw answeredOtherwise(leader);
      return readIndex.index;
    } catch (caught) {
      if (!ShoalError.is(caught, 'NOT_IMPLEMENTED')) throw caught;
    }
    const peer = this.#peer(leader);
    return (await peer.call((calls) => calls.readIndex({}, { timeoutMs: readIndexMsMax, signal }))).index;
  }

  /** Asks the leader on the stream to it. Throws the leader's error, or what `ForwardSender.send` throws. */
  async #forward(
    leader: RaftId,
    body: ForwardBody,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<shoal.v1.ForwardAnswer> {
    let sender = this.#senders.get(leader);
    if (sender === undefined) {
      sender = new ForwardSender(this.#deps.clock, () => {
        const peer = this.#peer(leader);
        return {
          connect: () => peer.connect(connectMsMax),
          open: (requests, options) => peer.calls.forward(requests, options),
        };
      });
      this.#senders.set(leader, sender);
    }
    const answer = await sender.send(body, { timeoutMs, signal });
    const error = errorOf(answer);
    if (error !== undefined) throw error;
    return answer;
  }

  #streamTo(peer: RaftId): RaftStream {
    const stream: RaftStream = new RaftStream(
      this.#deps,
      (options) => {
        const hostId = this.#directory.hostIdOf(peer);
        if (hostId === undefined) {
          // Removed from the mesh: nobody to come back to. Should the number turn up again, `send` starts again.
          if (this.#streams.get(peer) === stream) this.#streams.delete(peer);
          stream
            .stop()
            .catch((error: unknown) => this.#deps.logger.error({ error, peer }, 'ending a Raft stream failed'));
          throw new ShoalError('NOT_FOUND', `Member ${peer} is no host of this mesh.`);
        }
        return this.#deps.peers.to(hostId).calls.raft(options);
      },
      (wasUp) => {
        this.#handlers?.onUnreachable(peer);
        if (wasUp) this.#askWhetherGone(peer);
      },
    );
    return stream;
  }

  /** A stream that was up has broken: the process at its end may have, too, and then the port says so at once. */
  #askWhetherGone(peer: RaftId): void {
    this.presence(peer, goneMsMax).then(
      (presence) => {
        if (presence === 'closed') this.#handlers?.onGone(peer);
      },
      (error: unknown) => this.#deps.logger.error({ error, peer }, 'probing a peer failed'),
    );
  }

  #peer(raftId: RaftId): ReturnType<PeerClients['to']> {
    const hostId = this.#directory.hostIdOf(raftId);
    if (hostId === undefined) {
      throw new ShoalError('UNAVAILABLE', `Where member ${raftId} is cannot be told.`, { facts: { raftId } });
    }
    try {
      return this.#deps.peers.to(hostId);
    } catch (caught) {
      if (!ShoalError.is(caught, 'NOT_FOUND')) throw caught;
      throw new ShoalError('UNAVAILABLE', caught.message, { facts: caught.facts, cause: caught });
    }
  }

  #makePeerHandlers(): RaftPeerHandlers {
    return {
      raft: async (messages, call) => {
        const from = this.#memberOf(call.caller);
        for await (const wire of messages) {
          const message = messageFromWire(wire, from);
          if (wire.reachedAt !== '') {
            parseAddress(wire.reachedAt);
            this.#deps.learned?.(call.caller, wire.reachedAt, call.header(instanceHeader));
          }
          // Meant for another, or for the host that had this address before.
          if (message === undefined || message.to !== this.#directory.self) continue;
          this.#handlers?.onMessage(message);
        }
        return {};
      },
      forward: (requests, { caller, signal }) => {
        const from = this.#directory.raftIdOf(caller);
        return new ForwardAnswerer(this.#deps.clock, () => this.#attached(), from, signal).serve(requests);
      },
      propose: async (request, { caller, signal }) => {
        const from = this.#directory.raftIdOf(caller);
        return outcomeToMessage(await this.#attached().propose(commandOf(request), signal, from));
      },
      readIndex: async (_request, { caller, signal }) => {
        return { index: await this.#attached().readIndex(signal, this.#directory.raftIdOf(caller)) };
      },
      fetchSnapshot: (request, call) => this.#snapshot(request, call.caller, call.signal),
    };
  }

  async *#snapshot(
    request: shoal.v1.FetchSnapshotRequest,
    caller: HostId,
    signal: AbortSignal,
  ): AsyncGenerator<shoal.v1.ISnapshotChunk> {
    const parts = this.#attached().snapshot(this.#memberOf(caller), snapshotRequestFromWire(request), signal);
    for await (const part of parts) yield snapshotPartToWire(part);
  }

  #memberOf(caller: HostId): RaftId {
    const raftId = this.#directory.raftIdOf(caller);
    if (raftId === undefined) {
      // It has a certificate, so it is a member; its record has just not come here yet.
      throw new ShoalError('UNAVAILABLE', `Host ${caller} is not yet known here.`, { facts: { hostId: caller } });
    }
    return raftId;
  }

  #attached(): RaftHandlers {
    if (this.#handlers === undefined) throw new ShoalError('UNAVAILABLE', 'This agent is starting or stopping.');
    return this.#handlers;
  }
}

/** The command of a request from outside. Throws `INVALID_ARGUMENT`. */
function commandOf(request: shoal.v1.ProposeRequest): Command {
  if (!request.command) throw new ShoalError('INVALID_ARGUMENT', 'A peer proposed no command.');
  try {
    return commandFromMessage(request.command);
  } catch (caught) {
    throw new ShoalError('INVALID_ARGUMENT', 'A peer proposed a command that this version does not know.', {
      cause: caught,
    });
  }
}

/** The peer did something, and what it was cannot be told. */
function answeredOtherwise(leader: RaftId): ShoalError {
  return new ShoalError('OUTCOME_UNKNOWN', `Member ${leader} answered something else than it was asked.`);
}
