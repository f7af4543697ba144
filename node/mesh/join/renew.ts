/**
 * A member whose certificate no peer takes any more (it was switched off for longer than a certificate lasts, and the mesh has
 * another authority since) gets a new one by its host key, which its record names. Neither side can verify the other's
 * certificate then, so both sign: the host what it asks, the member what it answers, each with the key that the other's records
 * name. Nothing secret is sent.
 */
import { randomBytes } from 'node:crypto';
import { ChannelCredentials } from '@grpc/grpc-js';
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { GrpcClient } from '../../rpc/client.ts';
import { verifyHost } from '../identity/authority.ts';
import type { HostIdentity, TlsKey } from '../identity/identity.ts';
import { verifySignature } from '../identity/signature.ts';
import { peerClientLimits } from '../peers/peer-limits.ts';
import { hostRemoved } from '../peers/peer-server.ts';
import { renewContent, renewedContent, renewedPurpose, renewNonceBytes, renewPurpose } from './renew-proof.ts';

/** Members asked at a time: one of them alone must not choose whom this host believes. */
const askedMax = 5;
/** Time for an answer, ms. */
const answerMsMax = 2_000;

/** What a host goes on with. */
export interface Renewed {
  readonly certificatePem: string;
  readonly authorityPem: string;
  readonly formerAuthorities: readonly string[];
}

/** A member that may be asked, as this host's records have it. */
interface Member {
  readonly hostId: string;
  readonly peerAddress: string;
  /** Raw Ed25519: by this its answer is known. */
  readonly publicKey: Uint8Array;
}

interface RenewOptions {
  readonly meshId: string;
  readonly identity: HostIdentity;
  readonly tlsKey: TlsKey;
  readonly members: readonly Member[];
  readonly signal: AbortSignal;
}

/**
 * Asks some members at once; what most of those who answer say counts. Throws `IDENTITY_MISMATCH` when that is that this host was
 * removed, `UNAVAILABLE` when nobody gives a certificate.
 */
export async function renewByHostKey(logger: Logger, options: RenewOptions): Promise<Renewed> {
  const asked = options.members.slice(0, askedMax);
  const answers = await Promise.allSettled(asked.map((member) => ask(member, options)));
  const byAuthority = new Map<string, Renewed[]>();
  const removals: ShoalError[] = [];
  for (const [at, answer] of answers.entries()) {
    if (answer.status === 'rejected') {
      const why: unknown = answer.reason;
      if (ShoalError.is(why, 'IDENTITY_MISMATCH') && why.facts['reason'] === hostRemoved) removals.push(why);
      logger.debug({ error: why, hostId: asked[at]?.hostId }, 'this member renewed no certificate');
      continue;
    }
    byAuthority.set(answer.value.authorityPem, [...(byAuthority.get(answer.value.authorityPem) ?? []), answer.value]);
  }
  const [most] = [...byAuthority.values()].sort((a, b) => b.length - a.length);
  const [removal] = removals;
  if (removal !== undefined && removals.length > (most?.length ?? 0)) throw removal;
  const [renewed] = most ?? [];
  if (renewed === undefined) throw new ShoalError('UNAVAILABLE', 'No member gives this host another certificate.');
  return renewed;
}

async function ask(member: Member, { meshId, identity, tlsKey, signal }: RenewOptions): Promise<Renewed> {
  const nonce = randomBytes(renewNonceBytes);
  const client = new GrpcClient(
    `dns:${member.peerAddress}`,
    // Whose certificate it is cannot be told here: the answer is signed, and nothing secret is asked.
    ChannelCredentials.createSsl(null, null, null, { rejectUnauthorized: false, checkServerIdentity: () => undefined }),
    peerClientLimits,
    meshId,
  );
  try {
    const tlsPublicKey = tlsKey.publicKeySpki;
    const { hostId } = identity;
    const answer = await client.calls(shoal.v1.JoinService).renew(
      {
        meshId,
        hostId,
        tlsPublicKey,
        nonce,
        proof: identity.sign(renewPurpose, renewContent({ meshId, hostId, tlsPublicKey, nonce })),
      },
      { timeoutMs: answerMsMax, signal },
    );
    const content = renewedContent({ ...answer, nonce });
    if (
      !verifySignature(member.publicKey, renewedPurpose, content, answer.proof) ||
      verifyHost(answer.certificatePem, answer.authorityCertificatePem, meshId) !== hostId
    ) {
      throw new ShoalError('IDENTITY_MISMATCH', `Another than member ${member.hostId} has answered at its address.`);
    }
    return {
      certificatePem: answer.certificatePem,
      authorityPem: answer.authorityCertificatePem,
      formerAuthorities: answer.formerAuthorityCertificates,
    };
  } finally {
    client.close();
  }
}
