/** Volumes that lie on the own storage of another host: its guests here have them over the network. */
import { exportName } from '../../../../../drivers/nbd/exports/export-command.ts';
import type { DiskSource } from '../../../../../drivers/types.ts';
import type { shoal } from '../../../../../proto/messages.ts';
import { ShoalError } from '../../../../base/errors.ts';
import { disksOf, isOwnDisk } from '../../../../services/volume/kit/disks-of-server.ts';
import { hostTable, volumeTable } from '../../../../state/tables/index.ts';
import { servedKey } from '../../volume/kit/served-key.ts';
import type { ServerTools } from './tools.ts';

/** The tools that this takes. */
type Tools = Pick<ServerTools, 'hostId' | 'storage' | 'reader' | 'openKey'>;

/** The volume of a disk that this host has over the network only; undefined: it opens the disk itself. */
export function volumeElsewhere(disk: shoal.v1.ServerDisk, tools: Tools): shoal.v1.Volume | undefined {
  if (isOwnDisk(disk)) return undefined;
  const volume = volumeTable.get(tools.reader, disk.volumeId)?.record;
  if (volume === undefined || volume.hostId === '' || volume.hostId === tools.hostId) return undefined;
  return tools.storage.get(disk.pool)?.capabilities.shared === true ? undefined : volume;
}

/** What keeps one of a server's disks from being opened here, for people; undefined: nothing that others have to do first. */
export function whyNotThere(server: shoal.v1.Server, tools: Tools): string | undefined {
  for (const disk of disksOf(server)) {
    const why = disk.detaching ? undefined : whyDiskIsNotThere(disk, tools);
    if (why !== undefined) return why;
  }
  return undefined;
}

/** The same of one disk. */
export function whyDiskIsNotThere(disk: shoal.v1.ServerDisk, tools: Tools): string | undefined {
  const volume = volumeElsewhere(disk, tools);
  if (volume === undefined) {
    const own = isOwnDisk(disk) ? undefined : volumeTable.get(tools.reader, disk.volumeId)?.record;
    return own === undefined || own.served === null
      ? undefined
      : `volume ${own.id} is still served to the host that its server was on before`;
  }
  const { served } = volume;
  const isThere = served !== null && !served.ending && served.generation === disk.generation && (served.port ?? 0) > 0;
  if (isThere) return undefined;
  const name = hostTable.get(tools.reader, volume.hostId)?.record.name ?? volume.hostId;
  return `volume ${volume.id} is on the own storage of host ${name}, which does not serve it yet`;
}

/** How the volume is opened here. Throws `UNAVAILABLE` while it is not served. */
export function servedSource(volume: shoal.v1.Volume, disk: shoal.v1.ServerDisk, tools: Tools): DiskSource {
  const why = whyDiskIsNotThere(disk, tools);
  const { served } = volume;
  if (why !== undefined || served === null) {
    throw new ShoalError('UNAVAILABLE', why ?? `volume ${volume.id} is not served`, { facts: { volumeId: volume.id } });
  }
  const { address, port } = served;
  return {
    kind: 'nbd',
    host: address ?? '',
    port: port ?? 0,
    exportName,
    key: servedKey(volume.id, served, tools),
  };
}
