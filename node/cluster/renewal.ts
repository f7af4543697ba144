import { ShoalError } from '../base/errors.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import type { HostIdentity, TlsKey } from '../mesh/identity/identity.ts';
import { type Renewed, renewByHostKey } from '../mesh/join/renew.ts';
import type { HostDirectory } from './host-directory.ts';

interface RenewalOptions {
  readonly meshId: string;
  readonly identity: HostIdentity;
  readonly tlsKey: TlsKey;
  /** Whom to ask, and by which key to know their answer. */
  readonly directory: HostDirectory;
  readonly signal: AbortSignal;
}

/** Gets this host another certificate by its host key; `adopt` goes on with it. For `SelfCheck`. */
export async function renewOwn(
  logger: Logger,
  adopt: (renewed: Renewed) => Promise<void>,
  options: RenewalOptions,
): Promise<'renewed' | 'removed' | 'nobody'> {
  const { directory, identity } = options;
  const members = directory
    .hosts()
    .filter(({ hostId }) => hostId !== identity.hostId)
    .map(({ hostId, peerAddress, publicKey }) => ({
      hostId,
      peerAddress,
      publicKey: Buffer.from(publicKey, 'base64'),
    }));
  try {
    await adopt(await renewByHostKey(logger, { ...options, members }));
  } catch (caught) {
    if (ShoalError.is(caught, 'UNAVAILABLE')) return 'nobody';
    if (ShoalError.is(caught, 'IDENTITY_MISMATCH')) return 'removed';
    throw caught;
  }
  logger.warn({}, 'no peer took the certificate of this host; it was given another by its host key');
  return 'renewed';
}
