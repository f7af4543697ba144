import type { shoal } from '../../../proto/messages.ts';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { PeerCall, PeerHandlers } from '../peers/peer-server.ts';
import { endToEnd, fields, type RelayedHead, relayedHeadOf } from './heads.ts';
import { bodyOf, messagesOf, piecesOf } from './pieces.ts';
import { type RelayLimits, relayLimits } from './relay-limits.ts';
import type { RelayedApi } from './relayed.ts';

type Piece = shoal.v1.IRelayPiece;

/**
 * Answers calls that other members relay: the answering side of `PeerService.Relay`. The certificate lets a member relay; it
 * says nothing of who the client is, which the token in the call's own headers does.
 */
export class RelayHandler {
  readonly #clock: Clock;
  readonly #api: () => RelayedApi | undefined;
  readonly #limits: RelayLimits;
  readonly #calls = new Map<HostId, number>();
  #total = 0;

  /** @param api undefined: this agent does not answer yet. */
  constructor(clock: Clock, api: () => RelayedApi | undefined, limits: Partial<RelayLimits> = {}) {
    this.#clock = clock;
    this.#api = api;
    this.#limits = { ...relayLimits, ...limits };
  }

  /** Calls that are being answered. */
  get calls(): number {
    return this.#total;
  }

  readonly handle: PeerHandlers['relay'] = (requests, call) => this.#answer(requests, call);

  async *#answer(requests: AsyncIterable<Piece>, call: PeerCall): AsyncGenerator<Piece, void, undefined> {
    const api = this.#api();
    if (api?.isOpen !== true) {
      throw new ShoalError('NOT_IN_SLICE', 'This agent cannot answer for the whole state; ask another one.');
    }
    this.#enter(call.caller);
    const ended = new AbortController();
    const end = (): void => ended.abort(call.signal.reason);
    call.signal.addEventListener('abort', end, { once: true });
    const pieces = this.#patient(requests[Symbol.asyncIterator](), ended);
    try {
      const { value } = await pieces.next();
      const relayed = relayedHeadOf(value?.request);
      yield { accepted: {} };
      // Nothing runs before the caller has shown that it knows: else it may have gone to another replica meanwhile.
      const body = following(await pieces.next(), pieces);
      const { signal } = ended;
      if (relayed.kind === 'rest') yield* rest(api, relayed, body, signal);
      else yield* grpc(api, relayed, { member: call.caller, pieces: body, signal });
    } finally {
      call.signal.removeEventListener('abort', end);
      ended.abort(new ShoalError('CANCELLED', 'The relayed call is over.'));
      this.#leave(call.caller);
    }
  }

  #enter(member: HostId): void {
    const ofMember = this.#calls.get(member) ?? 0;
    if (ofMember >= this.#limits.callsPerMemberMax || this.#total >= this.#limits.callsServedMax) {
      throw new ShoalError('RATE_LIMITED', 'This agent answers as many relayed calls as it can; ask another one.');
    }
    this.#calls.set(member, ofMember + 1);
    this.#total += 1;
  }

  #leave(member: HostId): void {
    const left = (this.#calls.get(member) ?? 1) - 1;
    if (left > 0) this.#calls.set(member, left);
    else this.#calls.delete(member);
    this.#total -= 1;
  }

  /** The pieces, each of which must come in time: a member that goes silent in a body must not hold the call. */
  #patient(pieces: AsyncIterator<Piece>, ended: AbortController): AsyncIterator<Piece> {
    return {
      next: async () => {
        const timer = this.#clock.setTimeout(() => {
          ended.abort(new ShoalError('DEADLINE_EXCEEDED', 'The relaying agent has gone silent.'));
        }, this.#limits.silenceMsMax);
        try {
          return await orAborted(pieces.next(), ended.signal);
        } finally {
          timer.cancel();
        }
      },
    };
  }
}

async function* rest(
  api: RelayedApi,
  { head, origin }: RelayedHead & { readonly kind: 'rest' },
  pieces: AsyncIterator<Piece>,
  signal: AbortSignal,
): AsyncGenerator<Piece, void, undefined> {
  const answer = await api.rest(head, origin, bodyOf(pieces), signal);
  const { status, headers, bodyBytes } = answer;
  yield {
    answer: { status, headers: fields(endToEnd(headers)), ...(bodyBytes === undefined ? {} : { bodyBytes }) },
  };
  for await (const bytes of answer.body) yield* piecesOf(bytes);
  yield { end: {} };
}

async function* grpc(
  api: RelayedApi,
  { head, origin }: RelayedHead & { readonly kind: 'grpc' },
  {
    member,
    pieces,
    signal,
  }: { readonly member: HostId; readonly pieces: AsyncIterator<Piece>; readonly signal: AbortSignal },
): AsyncGenerator<Piece, void, undefined> {
  for await (const part of api.grpc(head, { ...origin, member }, messagesOf(pieces), signal)) {
    if (part.kind === 'message') yield* piecesOf(part.bytes);
    else {
      const { code, details, trailers } = part.status;
      yield { end: { grpcStatus: code, grpcMessage: details, trailers: fields(endToEnd(trailers)) } };
      return;
    }
  }
}

/** The pieces from one that was read already. Throws `CANCELLED` when there was none. */
function following(first: IteratorResult<Piece>, rest: AsyncIterator<Piece>): AsyncIterator<Piece> {
  if (first.done === true) throw new ShoalError('CANCELLED', 'The relaying agent went elsewhere.');
  let isFirst = true;
  return {
    next: () => {
      if (!isFirst) return rest.next();
      isFirst = false;
      return Promise.resolve(first);
    },
  };
}

/** As `promise`, or the abort's reason if that comes first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
