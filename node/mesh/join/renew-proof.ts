/** What both sides sign when a host asks for a new certificate by its host key. See RenewRequest in peer.proto. */
import { createHash } from 'node:crypto';

export const renewPurpose = 'renew/v1';
export const renewedPurpose = 'renewed/v1';
/** Length of the nonce that binds an answer to its question, bytes. */
export const renewNonceBytes = 32;

/** What the host that asks signs. */
export function renewContent(parts: {
  readonly meshId: string;
  readonly hostId: string;
  readonly tlsPublicKey: Uint8Array;
  readonly nonce: Uint8Array;
}): Uint8Array {
  return joined([Buffer.from(parts.meshId), Buffer.from(parts.hostId), parts.tlsPublicKey, parts.nonce]);
}

/** What the member that answers signs. */
export function renewedContent(parts: {
  readonly nonce: Uint8Array;
  readonly certificatePem: string;
  readonly authorityCertificatePem: string;
  readonly formerAuthorityCertificates: readonly string[];
}): Uint8Array {
  const { nonce, certificatePem, authorityCertificatePem, formerAuthorityCertificates } = parts;
  const texts = [certificatePem, authorityCertificatePem, ...formerAuthorityCertificates];
  return joined([nonce, ...texts.map((text) => createHash('sha256').update(text).digest())]);
}

/** Each part after its length in four bytes: no two lists of parts are the same bytes. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}
