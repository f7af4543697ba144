/** The key that the two ends of a volume that is served have in common. */
import type { NbdKey } from '../../../../../drivers/types.ts';
import type { shoal } from '../../../../../proto/messages.ts';
import { ShoalError } from '../../../../base/errors.ts';
import { servedVolumeName } from '../../../../services/volume/records/served-volume.ts';
import type { VolumeKeyTools } from './volume-spec.ts';

/** What the key is for, by TLS's name for it. */
const user = 'shoal';

/** Opens it. Throws `UNAVAILABLE` where the mesh key that seals it has not arrived yet. */
export function servedKey(volumeId: string, served: shoal.v1.IServedVolume, { openKey }: VolumeKeyTools): NbdKey {
  if (openKey === undefined) throw new ShoalError('DRIVER_FAILED', 'this host opens no keys of volumes');
  const { generation, sealedKey, keyEpoch } = served;
  const secret = { sealed: sealedKey ?? new Uint8Array(), keyEpoch: keyEpoch ?? 0 };
  const key = openKey(servedVolumeName(volumeId, generation ?? 0), secret);
  return { user, keyHex: Buffer.from(key).toString('hex') };
}
