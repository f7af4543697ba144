import { randomBytes } from 'node:crypto';
import { ShoalError } from '../../base/errors.ts';
import type { MeshKeyRing } from '../../mesh/identity/mesh-key-ring.ts';
import { seal, unseal } from '../../mesh/identity/seal.ts';
import type { StateClient } from '../../state/types.ts';
import type { SealedSecret } from '../volume/kit/dependencies.ts';

/** Draws keys (of volumes, of backups) and seals them with the mesh key: the bare bytes leave this function no other way. */
export function meshSealedKeys(
  keys: MeshKeyRing,
  state: Pick<StateClient, 'local'>,
): (label: string, bytes: number) => SealedSecret {
  return (label, bytes) => {
    if (!keys.hasCurrent(state.local)) {
      throw new ShoalError('UNAVAILABLE', 'This host has no copy of the present mesh key yet; ask another one.');
    }
    const { epoch, key } = keys.current(state.local);
    return { sealed: seal(key, label, randomBytes(bytes)), keyEpoch: epoch };
  };
}

/**
 * Opens what `meshSealedKeys` has sealed, on the host that needs it. Throws `UNAVAILABLE` when this host has no copy of the mesh key
 * of that time, `IDENTITY_MISMATCH` for another label or bytes that were changed.
 */
export function meshOpenedKeys(
  keys: MeshKeyRing,
  state: Pick<StateClient, 'local'>,
): (label: string, secret: SealedSecret) => Uint8Array {
  return (label, { sealed, keyEpoch }) => {
    const key = keys.opening(state.local, keyEpoch);
    if (key === undefined) {
      throw new ShoalError(
        'UNAVAILABLE',
        `This host has no copy of the mesh key ${keyEpoch}, which seals the ${label}.`,
      );
    }
    return unseal(key, label, sealed);
  };
}
