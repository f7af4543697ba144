/** Sealing for tests: what is sealed shows under which name, opens under no other, and is the same each time. */
import { createHash } from 'node:crypto';
import { ShoalError } from '../../../node/base/errors.ts';
import { type Sealing, sealLabel } from '../../../node/services/kit/sealing.ts';

/** See above. */
export const testSealing: Sealing = {
  draw: (attempt, name, bytes) => {
    const drawn = createHash('sha512').update(sealLabel(name)).digest().subarray(0, bytes);
    return testSealing.seal(attempt, name, drawn);
  },
  seal: (_attempt, name, secret) => ({
    sealed: Buffer.from(`${sealLabel(name)}=${Buffer.from(secret).toString('hex')}`),
    keyEpoch: 0,
  }),
  open: (_reader, name, { sealed }) => {
    const [label, hex = ''] = Buffer.from(sealed).toString().split('=');
    if (label !== sealLabel(name)) {
      throw new ShoalError('IDENTITY_MISMATCH', `${label} does not open as ${sealLabel(name)}`);
    }
    return Buffer.from(hex, 'hex');
  },
};
