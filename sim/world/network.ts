/**
 * The network between agents: each direction of each pair has its own delay and its own fate.
 *
 * Fault model: messages are delayed, lost, repeated and overtaken (two streams to one peer after a reconnect do that);
 * a direction may be cut (what is sent disappears) or clogged (what is sent arrives when the clog ends). Calls that want
 * an answer travel as two messages; what the caller is told when one of them disappears is what gRPC tells: `UNAVAILABLE`
 * when the call was certainly not made, `OUTCOME_UNKNOWN` when it may have been.
 */
import { ShoalError } from '../../node/base/errors.ts';
import type { RaftId } from '../../node/base/ids.ts';
import type { Prng } from '../../node/base/prng.ts';
import {
  isDigestMessage,
  isHello,
  type PeerMessage,
  type Presence,
  type RaftHandlers,
  type RaftTransport,
  type SnapshotPart,
} from '../../node/consensus/transport/transport.ts';
import { decodeCommand } from '../../node/state/command.ts';
import { digestText } from '../../node/state/digest.ts';
import type { Trace } from '../trace/trace.ts';
import type { Life, Schedule } from './schedule.ts';

/** How a quiet network behaves, and how a troubled one. */
export interface NetworkConditions {
  /** Least time on the way. Unit: ms. */
  readonly delayMs: number;
  /** Added at random, exponentially; this is the mean. Unit: ms. */
  readonly jitterMs: number;
  /** Chances, each message. */
  readonly loss: number;
  readonly repeat: number;
  readonly overtake: number;
}

export const calmNetwork: NetworkConditions = { delayMs: 0.3, jitterMs: 0.2, loss: 0, repeat: 0, overtake: 0 };

/** Hears every message when it is sent, whatever becomes of it. */
type SendObserver = (message: PeerMessage) => void;

/** Longest that a call waits for an answer that never comes. Unit: ms. */
const callMsMax = 10_000;
/** Until a peer that cannot be reached is given up. Unit: ms. */
const connectMsMax = 500;
/** When a connection that got no answer is tried once more, as a part of the time for it (node/mesh/peers/port-probe.ts). */
const secondTryAfter = 0.4;
/** An answer awaited for so much longer than was meant shows that the asker stood still itself. Unit: ms. */
const ownDelayMsMax = 100;
/** How much later a message may come again. Unit: ms. */
const replayMsMax = 20_000;
/** Longest time on the way, clogs apart. Unit: ms. */
const delayMsMax = 5_000;

interface Link {
  isCut: boolean;
  /** Nothing arrives before. */
  cloggedUntilMs: number;
  /** When the last message in order arrives. */
  lastArrivalMs: number;
  /** Multiplies delays. */
  slowness: number;
  /** Messages larger than this disappear. Unit: bytes. */
  bytesMax: number;
  /** What is sent back over it is lost, though the sender hears of no fault. */
  isHalfOpen: boolean;
  /** Chance that a message comes again, seconds later. */
  replay: number;
  /** Nothing is lost or cut before. */
  safeUntilMs: number;
  /** When it was last faulty, faults apart that last. */
  faultyUntilMs: number;
}

interface Endpoint {
  readonly life: Life;
  handlers: RaftHandlers | undefined;
  /** Calls that wait for its answer: each is called when the process ends, and its connections break. */
  readonly waiting: Set<() => void>;
  /** Calls that it waits for: each is called when the process ends, and lets go of the call. */
  readonly asking: Set<() => void>;
}

export class SimNetwork {
  sent = 0;
  dropped = 0;
  readonly #schedule: Schedule;
  readonly #random: Prng;
  readonly #trace: Trace;
  readonly #onSend: SendObserver;
  #conditions: NetworkConditions = calmNetwork;
  /** When messages were last lost everywhere, or late; Infinity: they are now. */
  #troubledUntilMs = 0;
  /** Times that it was healed. */
  #heals = 0;
  /** By sender and receiver (`linkKey`). */
  readonly #links = new Map<number, Link>();
  readonly #endpoints = new Map<RaftId, Endpoint>();

  constructor(deps: { schedule: Schedule; random: Prng; trace: Trace; onSend: SendObserver }) {
    this.#schedule = deps.schedule;
    this.#random = deps.random;
    this.#trace = deps.trace;
    this.#onSend = deps.onSend;
  }

  /** The process of a node that now answers at its address. */
  bind(node: RaftId, life: Life): void {
    const endpoint: Endpoint = { life, handlers: undefined, waiting: new Set(), asking: new Set() };
    this.#endpoints.set(node, endpoint);
    void life.died.then(() => {
      for (const letGo of endpoint.asking) letGo();
      for (const onBroken of endpoint.waiting) onBroken();
    });
  }

  /** What one life of a node sends and hears through. */
  transport(self: RaftId, life: Life): RaftTransport {
    return {
      attach: (handlers) => {
        const endpoint = this.#endpoints.get(self);
        if (endpoint?.life === life) endpoint.handlers = handlers;
      },
      send: (message) => {
        if (life.isAlive) this.#send(self, message);
      },
      presence: (peer, timeoutMs) => this.presence(self, peer, life, timeoutMs),
      forwardPropose: (leader, command, signal) =>
        this.call({ from: self, to: leader, life, signal, mayHaveHappened: true }, (remote, remoteSignal) =>
          attached(remote).propose(decodeCommand(command), remoteSignal, self),
        ),
      forwardReadIndex: (leader, signal) =>
        this.call({ from: self, to: leader, life, signal, mayHaveHappened: false }, (remote, remoteSignal) =>
          attached(remote).readIndex(remoteSignal, self),
        ),
      fetchSnapshot: (from, request, signal) => this.#snapshot(self, from, life, request, signal),
    };
  }

  get conditions(): NetworkConditions {
    return this.#conditions;
  }

  set conditions(next: NetworkConditions) {
    if (isTroubled(this.#conditions) && !isTroubled(next)) this.#troubledUntilMs = this.#schedule.nowMs;
    this.#conditions = next;
  }

  /** Whether nothing was lost or held up between two nodes, either way, from `sinceMs` until now. */
  isSoundSince(a: RaftId, b: RaftId, sinceMs: number): boolean {
    if (isTroubled(this.#conditions) || this.#troubledUntilMs > sinceMs) return false;
    return [this.#link(a, b), this.#link(b, a)].every((link) => !isFaulty(link) && link.faultyUntilMs <= sinceMs);
  }

  // --- Faults --------------------------------------------------------------------------------------------------------

  cut(from: RaftId, to: RaftId): void {
    this.#link(from, to).isCut = true;
  }

  /** Nothing from `from` arrives at `to` for so long; then all of it does. */
  clog(from: RaftId, to: RaftId, forMs: number): void {
    const link = this.#link(from, to);
    link.cloggedUntilMs = Math.max(link.cloggedUntilMs, this.#schedule.nowMs + forMs);
    link.faultyUntilMs = Math.max(link.faultyUntilMs, link.cloggedUntilMs);
  }

  slow(from: RaftId, to: RaftId, factor: number): void {
    this.#link(from, to).slowness = factor;
  }

  isCut(from: RaftId, to: RaftId): boolean {
    return this.#link(from, to).isCut;
  }

  restore(from: RaftId, to: RaftId): void {
    const link = this.#link(from, to);
    if (isFaulty(link)) link.faultyUntilMs = Math.max(link.faultyUntilMs, this.#schedule.nowMs);
    link.isCut = false;
    link.slowness = 1;
    link.bytesMax = Number.POSITIVE_INFINITY;
    link.isHalfOpen = false;
    link.replay = 0;
  }

  /** Large messages disappear on the way, small ones arrive: a router that drops what it should cut up. */
  swallowLarge(from: RaftId, to: RaftId, bytesMax: number): void {
    this.#link(from, to).bytesMax = bytesMax;
  }

  /** `to` takes what `from` sends, and nothing that it answers on that connection comes back. */
  halfOpen(from: RaftId, to: RaftId): void {
    this.#link(from, to).isHalfOpen = true;
  }

  /** Messages come again, each with this chance, up to `replayMsMax` later. */
  replay(from: RaftId, to: RaftId, chance: number): void {
    this.#link(from, to).replay = chance;
  }

  /** Nothing is lost between the two for so long, whatever other faults there are. */
  protect(a: RaftId, b: RaftId, forMs: number): void {
    for (const link of [this.#link(a, b), this.#link(b, a)]) {
      link.safeUntilMs = this.#schedule.nowMs + forMs;
      link.cloggedUntilMs = 0;
    }
  }

  /** Ends every fault. What was clogged arrives when its time comes. */
  heal(): void {
    for (const link of this.#links.values()) {
      if (isFaulty(link)) link.faultyUntilMs = Math.max(link.faultyUntilMs, this.#schedule.nowMs);
      link.isCut = false;
      link.slowness = 1;
      link.bytesMax = Number.POSITIVE_INFINITY;
      link.isHalfOpen = false;
      link.replay = 0;
      // New connections: what is still on its way in the old ones may be overtaken.
      link.cloggedUntilMs = 0;
      link.lastArrivalMs = 0;
    }
    this.#heals += 1;
    this.conditions = calmNetwork;
  }

  // --- Traffic -------------------------------------------------------------------------------------------------------

  /** Calls what `work` does at node `to`, with an answer. Never settles once the caller has died. */
  call<T>(
    route: {
      readonly from: RaftId;
      readonly to: RaftId;
      readonly life: Life;
      readonly signal: AbortSignal;
      readonly mayHaveHappened: boolean;
    },
    work: (remote: RaftHandlers | undefined, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { from, to, life, signal } = route;
    // Nobody hears the dead.
    if (!life.isAlive) return new Promise(() => {});
    if (from === to) return work(this.#endpoints.get(to)?.handlers, signal);
    return new Promise((resolve, reject) => {
      const remoteStop = new AbortController();
      let isDelivered = false;
      let asked: Endpoint | undefined;
      const caller = this.#endpoints.get(from);
      /** Node keeps a signal that is made of others, and the whole world behind it, for as long as somebody listens. */
      const letGo = (): void => {
        timeout.isCancelled = true;
        asked?.waiting.delete(onBroken);
        caller?.asking.delete(letGo);
        signal.removeEventListener('abort', onAbort);
      };
      const settle = (how: () => void): void => {
        letGo();
        if (life.isAlive) how();
      };
      const lost = (): ShoalError =>
        isDelivered && route.mayHaveHappened
          ? new ShoalError('OUTCOME_UNKNOWN', 'The peer did not answer.')
          : new ShoalError('UNAVAILABLE', `Member ${to} cannot be reached.`);
      /** The connection breaks with the process behind it, and the caller is told. */
      const onBroken = (): void => {
        this.#schedule.after(this.#delayMs(this.#link(to, from)), () => settle(() => reject(lost())), life);
      };
      const onAbort = (): void => {
        this.#schedule.after(this.#delayMs(this.#link(from, to)), () => remoteStop.abort(signal.reason));
        settle(() => reject(new ShoalError('CANCELLED', 'The caller gave up.', { cause: signal.reason })));
      };
      const isRefused = this.#link(from, to).isCut && this.#random.chance(0.5);
      const timeout = this.#schedule.after(
        isRefused ? connectMsMax : callMsMax,
        () => settle(() => reject(lost())),
        life,
      );
      if (signal.aborted) {
        onAbort();
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      if (caller?.life === life) caller.asking.add(letGo);
      this.#carry(from, to, () => {
        const remote = this.#endpoints.get(to);
        if (remote === undefined || !remote.life.isAlive) {
          this.#carry(to, from, () => settle(() => reject(lost())), life);
          return;
        }
        isDelivered = true;
        asked = remote;
        // A caller that has given up meanwhile hears nothing more.
        if (!timeout.isCancelled) remote.waiting.add(onBroken);
        const answer = (how: () => void): void => {
          if (remote.life.isAlive && !this.#link(from, to).isHalfOpen) this.#carry(to, from, () => settle(how), life);
        };
        const doWork = async (): Promise<T> => work(remote.handlers, remoteStop.signal);
        doWork().then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(ShoalError.from(error, 'UNAVAILABLE'))),
        );
      });
    });
  }

  /**
   * What `peer`'s port answers. Its host's kernel does, also for a process that is paused; the answer waits for an asker that
   * is. Packets of a connection get lost as messages do, and each try has two.
   */
  presence(self: RaftId, peer: RaftId, life: Life, timeoutMs: number): Promise<Presence> {
    const { promise, resolve } = Promise.withResolvers<Presence>();
    const startedMs = this.#schedule.nowMs;
    const settle = (presence: Presence): void => {
      timeout.isCancelled = true;
      if (life.isAlive) resolve(presence);
    };
    const timeout = this.#schedule.after(
      timeoutMs,
      () => settle(this.#schedule.nowMs - startedMs > timeoutMs + ownDelayMsMax ? 'unknown' : 'silent'),
      life,
    );
    const tryOnce = (): void => {
      const outMs = this.#packetMs(self, peer);
      if (outMs === undefined) return;
      this.#schedule.after(outMs, () => {
        const endpoint = this.#endpoints.get(peer);
        const presence = endpoint?.life.isAlive === true && endpoint.handlers !== undefined ? 'listening' : 'closed';
        const backMs = this.#packetMs(peer, self);
        if (backMs !== undefined) this.#schedule.after(backMs, () => settle(presence), life);
      });
    };
    tryOnce();
    this.#schedule.after(
      timeoutMs * secondTryAfter,
      () => {
        if (!timeout.isCancelled) tryOnce();
      },
      life,
    );
    return promise;
  }

  /** How long one packet that belongs to no stream is on its way now; undefined: it is lost. Unit: ms. */
  #packetMs(from: RaftId, to: RaftId): number | undefined {
    const link = this.#link(from, to);
    const isSafe = link.safeUntilMs > this.#schedule.nowMs;
    if (!isSafe && (link.isCut || this.#random.chance(this.conditions.loss))) return undefined;
    return Math.max(this.#delayMs(link), link.cloggedUntilMs - this.#schedule.nowMs);
  }

  /** Does `run` at `to` some time later, if nothing is lost and a process runs there: gossip, sent to one peer. */
  post(from: RaftId, to: RaftId, run: () => void): void {
    if (this.#random.chance(this.conditions.loss)) return;
    this.#carry(from, to, () => {
      if (this.#endpoints.get(to)?.life.isAlive) run();
    });
  }

  #send(from: RaftId, message: PeerMessage): void {
    this.sent += 1;
    this.#onSend(message);
    const { to } = message;
    const { loss, repeat } = this.conditions;
    const link = this.#link(from, to);
    const isSafe = link.safeUntilMs > this.#schedule.nowMs;
    if ((!isSafe && this.#random.chance(loss)) || bytesOf(message) > link.bytesMax) {
      this.dropped += 1;
      return;
    }
    const deliver = (): void => {
      const endpoint = this.#endpoints.get(to);
      if (endpoint?.life.isAlive !== true || endpoint.handlers === undefined) {
        this.#unreachable(from, to);
        return;
      }
      if (!isBeat(message)) this.#trace.add(`n${to}`, `hears ${messageText(message)}`);
      endpoint.handlers.onMessage(message);
    };
    this.#carry(from, to, deliver);
    if (this.#random.chance(repeat)) this.#carry(from, to, deliver);
    if (link.replay > 0 && this.#random.chance(link.replay)) {
      // A healed network has forgotten what it would have said again: a leader's old messages, repeated for longer than a
      // follower has patience, would keep it from looking for another.
      const heals = this.#heals;
      this.#schedule.after(this.#random.below(replayMsMax), () => {
        if (this.#heals === heals && !this.#link(from, to).isCut) deliver();
      });
    }
  }

  /** A broken connection is noticed now and then. */
  #unreachable(from: RaftId, to: RaftId): void {
    if (!this.#random.chance(0.2)) return;
    this.#carry(to, from, () => {
      const sender = this.#endpoints.get(from);
      if (!sender?.life.isAlive) return;
      sender.handlers?.onUnreachable(to);
      // The host says that nobody listens; now and then something on the way says so of a process that lives.
      if (this.#endpoints.get(to)?.life.isAlive !== true || this.#random.chance(0.05)) sender.handlers?.onGone(to);
    });
  }

  /** Does `run` at `to` when what was sent now arrives there; never when it is lost. */
  #carry(from: RaftId, to: RaftId, run: () => void, life?: Life): void {
    const link = this.#link(from, to);
    if (link.isCut && link.safeUntilMs <= this.#schedule.nowMs) {
      this.dropped += 1;
      return;
    }
    const now = this.#schedule.nowMs;
    let atMs = Math.max(now + this.#delayMs(link), link.cloggedUntilMs);
    if (!this.#random.chance(this.conditions.overtake)) {
      atMs = Math.max(atMs, link.lastArrivalMs);
      link.lastArrivalMs = atMs;
    }
    const arrive = (): void => {
      const receiver = life ?? this.#endpoints.get(to)?.life;
      if (receiver !== undefined && receiver.pausedUntilMs > this.#schedule.nowMs) {
        // It waits in a buffer until the process looks, and is gone with it.
        this.#schedule.after(receiver.pausedUntilMs - this.#schedule.nowMs, arrive, receiver);
        return;
      }
      this.#schedule.running = receiver;
      if (life?.isAlive !== false) run();
    };
    this.#schedule.after(atMs - now, arrive);
  }

  #delayMs({ slowness }: Link): number {
    const { delayMs, jitterMs } = this.conditions;
    const jitter = -Math.log(1 - this.#random.float()) * jitterMs;
    return Math.min(delayMsMax, (delayMs + jitter) * slowness);
  }

  async *#snapshot(
    self: RaftId,
    from: RaftId,
    life: Life,
    request: Parameters<RaftTransport['fetchSnapshot']>[1],
    signal: AbortSignal,
  ): AsyncGenerator<SnapshotPart> {
    const route = { from: self, to: from, life, signal, mayHaveHappened: false };
    // The stream ends at the far side too when this one gives up or dies: its connection breaks.
    const stop = new AbortController();
    const parts = await this.call(route, async (remote) =>
      attached(remote).snapshot(self, request, stop.signal)[Symbol.asyncIterator](),
    );
    const end = async (): Promise<void> => {
      stop.abort(new ShoalError('CANCELLED', 'The stream has ended.'));
      await parts.return?.();
    };
    void life.died.then(end);
    try {
      for (;;) {
        const next = await this.call(route, () => parts.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await end();
    }
  }

  #link(from: RaftId, to: RaftId): Link {
    const key = linkKey(from, to);
    let link = this.#links.get(key);
    if (link === undefined) {
      link = {
        isCut: false,
        cloggedUntilMs: 0,
        lastArrivalMs: 0,
        slowness: 1,
        bytesMax: Number.POSITIVE_INFINITY,
        isHalfOpen: false,
        replay: 0,
        safeUntilMs: 0,
        faultyUntilMs: 0,
      };
      this.#links.set(key, link);
    }
    return link;
  }
}

function isFaulty(link: Link): boolean {
  const { isCut, slowness, bytesMax, isHalfOpen, replay } = link;
  return isCut || slowness !== 1 || bytesMax !== Number.POSITIVE_INFINITY || isHalfOpen || replay > 0;
}

/** Whether messages are lost, or take longer than an agent waits for an answer before it asks whether a peer lives. */
function isTroubled({ loss, delayMs, jitterMs }: NetworkConditions): boolean {
  return loss > 0 || delayMs + 10 * jitterMs > 100;
}

/** Members are fewer than 2^16 (`options.ts`). */
function linkKey(from: RaftId, to: RaftId): number {
  return from * 65_536 + to;
}

/** About what it takes on the wire. */
function bytesOf(message: PeerMessage): number {
  const headBytes = 100;
  if (isHello(message) || isDigestMessage(message)) return headBytes;
  let bytes = headBytes;
  for (const { data } of message.entries) bytes += data.length + 20;
  return bytes;
}

function attached(handlers: RaftHandlers | undefined): RaftHandlers {
  if (handlers === undefined) throw new ShoalError('UNAVAILABLE', 'This agent is starting or stopping.');
  return handlers;
}

/** What is said all the time, and means that nothing is new: most of a trace would be that. */
function isBeat({ type }: PeerMessage): boolean {
  return type === 'MsgHeartbeat' || type === 'MsgHeartbeatResp';
}

function messageText(message: PeerMessage): string {
  if (isHello(message)) {
    return `${message.type} from n${message.from} term ${message.term} start ${message.starts}`;
  }
  if (isDigestMessage(message)) {
    const digest = message.digest === undefined ? 'none' : digestText(message.digest);
    return `${message.type} from n${message.from} term ${message.term} revision ${message.revision} digest ${digest}`;
  }
  const { type, from, term, index, logTerm, commit, reject, entries } = message;
  const carried = entries.length === 0 ? '' : ` entries ${entries.length}`;
  return `${type} from n${from} term ${term} at ${index}/${logTerm} commit ${commit}${reject ? ' reject' : ''}${carried}`;
}
