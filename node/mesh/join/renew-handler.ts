/** The mesh's side of a renewal by host key: a member whose certificate no peer takes any more gets another one. */
import { shoal } from '../../../proto/messages.ts';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { hostTable, meshTable, removedHostTable } from '../../state/tables/index.ts';
import type { StateClient } from '../../state/types.ts';
import type { HostIdentity } from '../identity/identity.ts';
import type { MeshKeyRing } from '../identity/mesh-key-ring.ts';
import { tlsKeySha256 } from '../identity/peer-trust.ts';
import { openAuthority } from '../identity/rekey.ts';
import { hostIdOf, verifySignature } from '../identity/signature.ts';
import { hostRemoved } from '../peers/peer-server.ts';
import { renewContent, renewedContent, renewedPurpose, renewNonceBytes, renewPurpose } from './renew-proof.ts';

interface RenewHandlerDeps {
  readonly state: Pick<StateClient, 'local'>;
  readonly keys: MeshKeyRing;
  /** This host: it signs what it answers. */
  readonly identity: HostIdentity;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Issues a certificate to a member that shows no good one, but has the host key and the TLS key of its record. Goes by this
 * agent's own replica and changes nothing: what it gives away is public, and good for nobody without the TLS key. Throws
 * `IDENTITY_MISMATCH` for anybody else, and for a host that was removed; `INVALID_ARGUMENT`.
 */
export function renewCertificate(deps: RenewHandlerDeps, request: shoal.v1.RenewRequest): shoal.v1.IRenewResponse {
  const { identity, clock, logger, keys } = deps;
  const reader = deps.state.local;
  const { meshId, hostId, tlsPublicKey, nonce, proof } = request;
  if (nonce.length !== renewNonceBytes) {
    throw new ShoalError('INVALID_ARGUMENT', `The nonce must be ${renewNonceBytes} bytes.`);
  }
  const mesh = meshTable.get(reader, 'mesh')?.record;
  if (mesh === undefined || !keys.hasCurrent(reader)) {
    throw new ShoalError('UNAVAILABLE', 'This agent does not have the authority of the mesh yet.');
  }
  if (removedHostTable.get(reader, hostId) !== undefined) {
    throw new ShoalError('IDENTITY_MISMATCH', 'The host has been removed from this mesh.', {
      facts: { hostId, reason: hostRemoved },
    });
  }
  const host = hostTable.get(reader, hostId)?.record;
  const isItself =
    host !== undefined &&
    meshId === mesh.meshId &&
    tlsKeySha256(tlsPublicKey).equals(host.tlsKeySha256) &&
    verifySignature(host.publicKey, renewPurpose, renewContent({ meshId, hostId, tlsPublicKey, nonce }), proof);
  // The same words for an unknown host and a wrong proof: who asks learns nothing of who is a member.
  if (!isItself) throw new ShoalError('IDENTITY_MISMATCH', 'The host has not proved that it is a member of this mesh.');
  const answer = {
    certificatePem: openAuthority(keys, reader).issueHost(hostIdOf(host.publicKey), tlsPublicKey, clock.nowMs()),
    authorityCertificatePem: mesh.authorityCertificatePem,
    formerAuthorityCertificates: mesh.formerAuthorityCertificates,
  };
  logger.info({ hostId, name: host.name }, 'a member without a good certificate was given another by its host key');
  return new shoal.v1.RenewResponse({
    ...answer,
    proof: identity.sign(renewedPurpose, renewedContent({ nonce, ...answer })),
  });
}
