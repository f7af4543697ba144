/** Where an agent answers the API: from its own replica, by one that another agent has, or from the slice that it holds. */
import { isTransient, ShoalError } from '../../node/base/errors.ts';
import type { OperatorProofs } from '../../node/mesh/relay/operator-proof.ts';
import type { RelayClient } from '../../node/mesh/relay/relay-client.ts';
import type { ReplicaPlace } from '../../node/mesh/relay/replica-choice.ts';
import { PartialReader, type PartOfState, wholeReader } from '../../node/state/slices/partial-reader.ts';
import type { StateReader } from '../../node/state/types.ts';
import { errorMappings } from './errors.ts';

/** What this agent holds of the state when it is no replica. */
export interface OwnSlice {
  readonly part: PartOfState;
  /** Seconds since a replica last confirmed it; undefined: not since this agent has started. */
  readonly ageSeconds: number | undefined;
}

/** Where the API is answered now. */
export type ApiRoute =
  /** This agent is a replica: here. */
  | { readonly kind: 'here' }
  /** By one of these; from the slice when none of them can be reached. */
  | { readonly kind: 'elsewhere'; readonly replicas: readonly ReplicaPlace[]; readonly slice: OwnSlice }
  /** No replica can be reached: from the slice, marked. */
  | { readonly kind: 'nowhere'; readonly slice: OwnSlice };

/** The way to the replicas. */
export interface ApiRelay {
  /** Asked for each call. Must not wait. */
  route(): ApiRoute;
  readonly client: Pick<RelayClient, 'rest' | 'grpc'>;
  /** Vouches for calls at the agents' own sockets. */
  readonly operators: OperatorProofs;
}

/** How one call is answered from a slice. */
export class PartialAnswer {
  readonly slice: OwnSlice;
  #reader: PartialReader | undefined;

  constructor(slice: OwnSlice) {
    this.slice = slice;
  }

  /** As `X-Shoal-Stale` says it. */
  get stale(): number | 'true' {
    return this.slice.ageSeconds ?? 'true';
  }

  /**
   * A view to answer from.
   * @param mayMiss true: what is not there is left out. False: asking for it throws `NOT_IN_SLICE`; for all that decides.
   */
  read(mayMiss: boolean): StateReader {
    if (!mayMiss) return wholeReader(this.slice.part);
    this.#reader ??= new PartialReader(this.slice.part);
    return this.#reader;
  }

  /**
   * What is told of a failure: "there is none" and the like are no answers when part of the records could not be looked at.
   */
  explain(caught: unknown): unknown {
    if (!(caught instanceof ShoalError) || this.#reader?.hasMissed !== true) return caught;
    if (isTransient(caught.code) || errorMappings[caught.code].http === 500) return caught;
    return new ShoalError('NOT_IN_SLICE', `It could not be found out: ${caught.message}`, { cause: caught });
  }
}
