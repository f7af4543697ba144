import type { FastifyReply, FastifyRequest } from 'fastify';
import { assert } from '../../../node/base/assert.ts';
import type { Timer } from '../../../node/base/clock.ts';
import type { Principal } from '../../../node/services/identity/principal.ts';
import type { PartialAnswer } from '../../kit/api-relay.ts';

/** What the gateway keeps of a request while it runs. */
interface RequestState {
  /** Of the client, as far as trusted proxies say. */
  readonly clientAddress: string;
  readonly reply: FastifyReply;
  readonly abort: AbortController;
  readonly startedMs: number;
  principal: Principal | undefined;
  /** Name of the rule that let the caller in, once one has. */
  rule: string | undefined;
  stale: boolean;
  /** Set where it is answered from a slice of the state. */
  partial: PartialAnswer | undefined;
  timer: Timer | undefined;
}

// Not a property of the request: nothing that handlers pass about should carry a token's claims by accident.
const states = new WeakMap<FastifyRequest, RequestState>();

/** Begins to keep a request. */
export function openRequest(request: FastifyRequest, state: RequestState): void {
  states.set(request, state);
}

/** What is kept, if the request got as far as being opened. */
export function findRequest(request: FastifyRequest): RequestState | undefined {
  return states.get(request);
}

/** As `findRequest`, where hooks have run for certain. */
export function requestState(request: FastifyRequest): RequestState {
  const state = states.get(request);
  assert(state !== undefined, 'a request is used that the gateway has not opened');
  return state;
}
