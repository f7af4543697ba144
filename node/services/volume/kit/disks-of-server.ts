/** The disks of a server, as its record says. Pure. */
import { shoal } from '../../../../proto/messages.ts';

/** Kinds of disks that are the server's own: they are made for it, and go with it. */
const ownKinds: ReadonlySet<string> = new Set(['root', 'ephemeral', 'swap']);

/**
 * All disks of a server, in the order in which its guest sees them. A record of an earlier version, or of a server with nothing
 * but the disk of its image, names that by `root_volume_id`. None: it has not been placed yet.
 */
export function disksOf(server: shoal.v1.Server): readonly shoal.v1.ServerDisk[] {
  const { rootVolumeId, disks } = server;
  if (rootVolumeId === '' || disks.some(({ volumeId }) => volumeId === rootVolumeId)) return disks;
  return [impliedRoot(server), ...disks];
}

/** Whether the disk is the server's own, and no volume. */
export function isOwnDisk({ kind }: shoal.v1.ServerDisk): boolean {
  return ownKinds.has(kind);
}

function impliedRoot({ rootVolumeId, storage, imageId }: shoal.v1.Server): shoal.v1.ServerDisk {
  const root = { volumeId: rootVolumeId, pool: storage, kind: 'root', bootIndex: 0, imageId, attached: true };
  return new shoal.v1.ServerDisk(root);
}
