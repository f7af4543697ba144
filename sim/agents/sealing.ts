/** Secrets of a simulated mesh: each is made of its name, and nothing seals it, for nobody but the run reads the state. */
import { createHash } from 'node:crypto';
import type { Sealing } from '../../node/services/kit/sealing.ts';

/** All hosts of a run have the same. */
export const plainSealing: Sealing = {
  draw: (_attempt, { kind, id }, bytes) => ({
    sealed: createHash('sha256').update(`${kind}/${id}`).digest().subarray(0, bytes),
    keyEpoch: 0,
  }),
  seal: (_attempt, _name, secret) => ({ sealed: secret, keyEpoch: 0 }),
  open: (_reader, _name, { sealed }) => sealed,
};
