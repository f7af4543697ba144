/** What a volume is to be like, as storage is told. */
import type { DiskEncryption, DiskSpec } from '../../../../../drivers/types.ts';
import type { shoal } from '../../../../../proto/messages.ts';
import { ShoalError } from '../../../../base/errors.ts';
import type { VolumeId } from '../../../../base/ids.ts';
import { gibBytes } from '../../../../base/units.ts';
import type { SealedSecret, SecretName } from '../../../../services/kit/sealing.ts';
import { volumeKeyName } from '../../../../services/volume/volumes/volume-plan.ts';

/**
 * Opens a key that the records hold sealed with the mesh key. Throws `UNAVAILABLE` where that has not arrived yet,
 * `IDENTITY_MISMATCH` for another name.
 */
export type OpenKey = (name: SecretName, secret: SealedSecret) => Uint8Array;

/** What is needed to read the keys of encrypted volumes. */
export interface VolumeKeyTools {
  /** Absent: this host can open none. */
  readonly openKey?: OpenKey | undefined;
}

/** The volume at the size that its owner asked for. Without what lies at its bottom, which its storage knows. */
export function volumeSpec(volume: shoal.v1.Volume, tools: VolumeKeyTools): DiskSpec {
  const encryption = diskEncryption(volume, tools);
  return {
    volumeId: volume.id as VolumeId,
    sizeBytes: volume.sizeGib * gibBytes,
    generation: volume.generation,
    ...(encryption === undefined ? {} : { encryption }),
    ...(volume.multiattach ? { shared: true } : {}),
  };
}

/** How the content is encrypted, with its key; undefined: it is not. */
export function diskEncryption(
  { id, encryption }: Pick<shoal.v1.Volume, 'id' | 'encryption'>,
  { openKey }: VolumeKeyTools,
): DiskEncryption | undefined {
  if (encryption === null) return undefined;
  const { format, cipher, keyBits } = encryption;
  if (format !== 'luks') {
    throw new ShoalError('DRIVER_FAILED', `volume ${id} is encrypted as "${format}", which this version cannot open`);
  }
  if (openKey === undefined) {
    throw new ShoalError('DRIVER_FAILED', `volume ${id} is encrypted, and this host opens no keys of volumes`);
  }
  const { keyId, sealedKey, keyEpoch } = encryption;
  const key = openKey(volumeKeyName(keyId), { sealed: sealedKey, keyEpoch });
  return { format, cipher, keyBits, passphrase: Buffer.from(key).toString('hex') };
}
