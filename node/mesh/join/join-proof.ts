/** What a joiner signs with its host key: which mesh, which ticket, which TLS key. See JoinRequest in peer.proto. */
export const joinPurpose = 'join/v1';

/** The signed content. `meshId` and `ticketId` are at most 64 characters long, so one byte holds a length. */
export function joinContent(parts: {
  readonly meshId: string;
  readonly ticketId: string;
  readonly tlsPublicKey: Uint8Array;
}): Uint8Array {
  const [meshId, ticketId] = [Buffer.from(parts.meshId, 'utf8'), Buffer.from(parts.ticketId, 'utf8')];
  return Buffer.concat([
    Uint8Array.of(meshId.length),
    meshId,
    Uint8Array.of(ticketId.length),
    ticketId,
    parts.tlsPublicKey,
  ]);
}
