/** Sealing for tests: what is sealed shows under which name and by which mesh, opens under no other, and is the same each time. */
import { createHash } from 'node:crypto';
import { ShoalError } from '../../../node/base/errors.ts';
import { type Sealing, type SecretName, sealLabel } from '../../../node/services/kit/sealing.ts';

/** That of a mesh: another's secrets do not open here. */
export function sealingOf(mesh: string): Sealing {
  const head = (name: SecretName): string => `${mesh}/${sealLabel(name)}`;
  const sealing: Sealing = {
    draw: (attempt, name, bytes) =>
      sealing.seal(attempt, name, createHash('sha512').update(head(name)).digest().subarray(0, bytes)),
    seal: (_attempt, name, secret) => ({
      sealed: Buffer.from(`${head(name)}=${Buffer.from(secret).toString('hex')}`),
      keyEpoch: 0,
    }),
    open: (_reader, name, { sealed }) => {
      const [label, hex = ''] = Buffer.from(sealed).toString().split('=');
      if (label !== head(name)) throw new ShoalError('IDENTITY_MISMATCH', `${label} does not open as ${head(name)}`);
      return Buffer.from(hex, 'hex');
    },
  };
  return sealing;
}

/** That of the only mesh of a test. */
export const testSealing = sealingOf('mesh');
