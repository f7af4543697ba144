/** Bounds of one listening socket. */
export interface ListenerLimits {
  /** Connections held at once, those of members (`ListenerOptions.isMember`) not counted. */
  readonly connectionsMax: number;
  /** Of these, connections from one address. */
  readonly connectionsPerAddressMax: number;
  /** Time to the first byte: after the connection is made, and again after the TLS handshake. Milliseconds. */
  readonly firstByteMsMax: number;
  /** Time to the end of the TLS handshake, milliseconds. */
  readonly handshakeMsMax: number;
}
