import { randomBytes } from 'node:crypto';
import { ShoalError } from '../../base/errors.ts';
import type { MeshKeyRing } from '../../mesh/identity/mesh-key-ring.ts';
import { seal, unseal } from '../../mesh/identity/seal.ts';
import { meshKeyEpochTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import { type SealedSecret, type Sealing, type SecretName, sealLabel } from '../kit/sealing.ts';
import type { Attempt } from '../kit/transact.ts';

/** Seals with the mesh keys that this host has. */
export class MeshSealing implements Sealing {
  readonly #keys: MeshKeyRing;

  constructor(keys: MeshKeyRing) {
    this.#keys = keys;
  }

  draw(attempt: Pick<Attempt, 'reader' | 'change'>, name: SecretName, bytes: number): SealedSecret {
    return this.seal(attempt, name, randomBytes(bytes));
  }

  seal({ reader, change }: Pick<Attempt, 'reader' | 'change'>, name: SecretName, secret: Uint8Array): SealedSecret {
    if (!this.#keys.hasCurrent(reader)) {
      throw new ShoalError('UNAVAILABLE', 'This host has no copy of the present mesh key yet; ask another one.');
    }
    const { epoch, key } = this.#keys.current(reader);
    // A key that was drawn meanwhile would go on its way without what is sealed here.
    change.compare({ key: meshKeyEpochTable.key(String(epoch + 1)), exists: false });
    return { sealed: seal(key, sealLabel(name), secret), keyEpoch: epoch };
  }

  open(reader: StateReader, name: SecretName, { sealed, keyEpoch }: SealedSecret): Uint8Array {
    const label = sealLabel(name);
    const key = this.#keys.opening(reader, keyEpoch);
    if (key === undefined) throw noCopy(label, keyEpoch);
    try {
      return unseal(key, label, sealed);
    } catch (caught) {
      // A host that joined after the key of its file was no more the present one takes that for the first.
      if (keyEpoch === 0 && this.#keys.epoch(reader) > 0) throw noCopy(label, keyEpoch, caught);
      throw caught;
    }
  }
}

function noCopy(label: string, keyEpoch: number, cause?: unknown): ShoalError {
  return new ShoalError(
    'UNAVAILABLE',
    `This host has no copy of the mesh key ${keyEpoch}, which seals the ${label} until it is sealed with the present one.`,
    { facts: { keyEpoch }, cause },
  );
}
