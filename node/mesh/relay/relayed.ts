/**
 * A call of the public API on its way from the agent that the client asked to one that can answer it: what both sides of
 * `PeerService.Relay` mean by it, whatever service and method it is of.
 */

import type { HostId } from '../../base/ids.ts';
import type { GrpcAnswerPart, HeaderList } from '../../rpc/answer-part.ts';

/** Where a call comes from. Only a member can say it; tokens alone say who the client is. */
export interface RelayOrigin {
  /** IP address of the client, as the agent that it asked knows it. */
  readonly clientAddress: string;
  /** `http(s)://host:port` (and perhaps a path) under which the client knows the agent that it asked. Empty for gRPC. */
  readonly baseUrl: string;
}

/** The same, as the agent that answers knows it. */
export interface RelayedOrigin extends RelayOrigin {
  /** The member that relays, as TLS has proved it. */
  readonly member: HostId;
}

/** A REST request without its body. */
export interface RestHead {
  /** In upper case. */
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: HeaderList;
  /** `none`, its length in bytes, or `unknown` length. */
  readonly body: 'none' | 'unknown' | number;
}

/** The answer to it. Its body ends by throwing where it broke off. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  /** Length that the answer says its body has, of HEAD: would have; undefined: it says none. */
  readonly bodyBytes: number | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

/** A gRPC call without its messages. */
export interface GrpcHead {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly metadata: HeaderList;
}

/** The API of a replica, for calls that other agents relay. Both methods take a body that throws where it broke off. */
export interface RelayedApi {
  /** False: this agent cannot answer for the whole state either, or does not yet, or no more. */
  readonly isOpen: boolean;
  /** Resolves with the head of the answer. Throws only what `signal` says and `UNAVAILABLE`; failures are answers. */
  rest(head: RestHead, origin: RelayOrigin, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<RestAnswer>;
  /** One message a piece of `requests`. Throws as `rest`, and `UNAUTHENTICATED` for a proof (operator-proof.ts) that is none. */
  grpc(
    head: GrpcHead,
    origin: RelayedOrigin,
    requests: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): AsyncIterable<GrpcAnswerPart>;
}
