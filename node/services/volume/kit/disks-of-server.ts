/** The disks of a server, as its record says. Pure. */
import { shoal } from '../../../../proto/messages.ts';

/** Kinds of disks that are the server's own: they are made for it, and go with it. */
const ownKinds: ReadonlySet<string> = new Set(['root', 'ephemeral', 'swap', 'rescue']);

/**
 * All disks of a server, in the order in which its guest sees them. A record of an earlier version, or of a server with nothing
 * but the disk of its image, names that by `root_volume_id`. None: it has not been placed yet.
 */
export function disksOf(server: shoal.v1.Server): readonly shoal.v1.ServerDisk[] {
  const { rootVolumeId, disks } = server;
  if (rootVolumeId === '' || disks.some(({ volumeId }) => volumeId === rootVolumeId)) return disks;
  return [impliedRoot(server), ...disks];
}

/** The disks that its guest is given, in their order: those of the server, and in rescue the one that it boots from. */
export function guestDisksOf(server: shoal.v1.Server): readonly shoal.v1.ServerDisk[] {
  const disks = disksOf(server);
  const disk = rescueDiskOf(server);
  if (disk === undefined || server.rescue?.ending === true) return disks;
  const others = disks.map((one) => {
    const { bootIndex } = one;
    return new shoal.v1.ServerDisk({ ...one, bootIndex: bootIndex < 0 ? bootIndex : bootIndex + 1 });
  });
  return server.rescue?.stable === true ? [...others, disk] : [disk, ...others];
}

/** All that its host may have of it: also disks that others have taken the place of, and the one of a rescue that is over. */
export function heldDisksOf(server: shoal.v1.Server): readonly shoal.v1.ServerDisk[] {
  const replaced = server.replacedDisks.map((disk) => new shoal.v1.ServerDisk(disk));
  return [...disksOf(server), ...replaced, ...[rescueDiskOf(server) ?? []].flat()];
}

/** The disk that a server in rescue boots from; undefined: it is in none. */
export function rescueDiskOf({ rescue }: shoal.v1.Server): shoal.v1.ServerDisk | undefined {
  const disk = rescue?.disk;
  return disk === null || disk === undefined ? undefined : new shoal.v1.ServerDisk(disk);
}

/** Whether its guest is to run from the disk of a rescue. */
export function isInRescue(server: shoal.v1.Server): boolean {
  return rescueDiskOf(server) !== undefined && server.rescue?.ending !== true;
}

/** Whether the disk is the server's own, and no volume. */
export function isOwnDisk({ kind }: shoal.v1.ServerDisk): boolean {
  return ownKinds.has(kind);
}

function impliedRoot({ rootVolumeId, storage, imageId }: shoal.v1.Server): shoal.v1.ServerDisk {
  const root = { volumeId: rootVolumeId, pool: storage, kind: 'root', bootIndex: 0, imageId, attached: true };
  return new shoal.v1.ServerDisk(root);
}
