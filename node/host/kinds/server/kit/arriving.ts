/** A guest that comes from another host while it runs: what it is made of here, before and after its disks are this host's. */
import type { DiskSpec, GuestDisk, GuestSpec } from '../../../../../drivers/types.ts';
import type { shoal } from '../../../../../proto/messages.ts';
import type { VolumeId } from '../../../../base/ids.ts';
import { guestDisksOf, heldDisksOf, isOwnDisk } from '../../../../services/volume/kit/disks-of-server.ts';
import { poolOf } from '../../volume/kit/tools.ts';
import { diskGeneration, diskSpec, isReadOnly, volumeLimits } from './disk-specs.ts';
import { specOf } from './guest.ts';
import { nicSpec } from './nics.ts';
import type { ServerTools } from './tools.ts';

/**
 * What the guest is made of, with its disks opened. @param arrival `waiting`: the record names the other host, and each generation is
 * the next; `going-on`: it names this one.
 */
export async function guestSpec(
  server: shoal.v1.Server,
  arrival: NonNullable<DiskSpec['arrival']>,
  tools: ServerTools,
): Promise<GuestSpec> {
  const ahead = arrival === 'waiting' ? 1 : 0;
  const disks: GuestDisk[] = [];
  for (const disk of guestDisksOf(server)) {
    if (disk.detaching) continue;
    const spec = await diskSpec(server, disk, tools);
    const opened = { ...spec, generation: diskGeneration(server, disk) + ahead, arrival };
    const source = await poolOf(disk, tools).openDisk(opened, tools.hostId, tools.signal);
    const limits = isOwnDisk(disk) ? undefined : volumeLimits(disk, tools);
    disks.push({
      volumeId: spec.volumeId,
      source,
      ...(disk.bootIndex >= 0 ? { bootIndex: disk.bootIndex } : {}),
      ...(disk.bus === 'scsi' ? { bus: 'scsi' } : {}),
      ...(isReadOnly(disk, tools) ? { readOnly: true } : {}),
      ...(spec.shared === undefined ? {} : { shared: spec.shared }),
      ...(spec.encryption === undefined ? {} : { encryption: spec.encryption }),
      ...(limits === undefined ? {} : { limits }),
    });
  }
  const nics = server.portIds.map((id) => nicSpec(server, id, tools));
  return specOf(server, server.generation + ahead, { disks, nics });
}

/** Gives back what a guest of that generation, which never ran here, had open. What this host does not hold is no error. */
export async function closeArriving(server: shoal.v1.Server, generation: number, tools: ServerTools): Promise<void> {
  const ahead = generation - server.generation;
  for (const disk of heldDisksOf(server)) {
    const storage = tools.storage.get(disk.pool);
    if (storage === undefined) continue;
    const opened = diskGeneration(server, disk) + ahead;
    await storage.closeDisk(disk.volumeId as VolumeId, tools.hostId, opened, tools.signal);
  }
}
