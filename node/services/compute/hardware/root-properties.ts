/** What the content that a server boots from says of the hardware that it is to have. */
import type { shoal } from '../../../../proto/messages.ts';
import { volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { CheckedDisks } from '../../volume/servers/block-devices.ts';
import { badRequest } from '../kit/refusals.ts';
import { ownDiskBus } from './guest-hardware.ts';

/**
 * The properties of the image that it boots from; of a server that boots from a volume those of the image that the volume was made of.
 * Throws `INVALID_ARGUMENT` for a volume whose image asks for a bus that no volume can be plugged into.
 */
export function rootProperties(
  reader: StateReader,
  image: shoal.v1.Image | undefined,
  { disks, isRootVolume }: CheckedDisks,
): Readonly<Record<string, string>> {
  if (!isRootVolume) return image?.properties ?? {};
  const root = disks.find(({ bootIndex }) => bootIndex === 0);
  const existing = root?.volumeId === undefined ? undefined : volumeTable.get(reader, root.volumeId)?.record;
  const properties = existing?.imageMetadata ?? root?.newVolume?.imageMetadata ?? {};
  const bus = ownDiskBus(properties);
  if (bus === 'sata' || bus === 'ide') {
    throw badRequest(
      `The root volume's image asks for hw_disk_bus = ${bus}, which cannot be honoured: volumes are plugged into virtio or scsi. Change the volume's image metadata.`,
    );
  }
  return properties;
}
