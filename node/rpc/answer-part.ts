/** Headers, metadata or trailers: names in lower case, and values; in their order, and a name as often as it came. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** How a gRPC call ended. */
export interface GrpcStatus {
  /** gRPC's number; 0: well. */
  readonly code: number;
  readonly details: string;
  readonly trailers: HeaderList;
}

/** The answer to a gRPC call as bytes: whole messages, then how it ended, always last. */
export type GrpcAnswerPart =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly status: GrpcStatus };
