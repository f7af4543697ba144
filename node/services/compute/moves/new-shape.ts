/** What a resize may make of a server, and what its disks become by it. Pure. */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';

type Flavor = shoal.v1.Flavor;

/**
 * Throws `INVALID_ARGUMENT`, in Nova's words, for a flavor that the server cannot have: its own, or one whose disks are smaller.
 * @param hasRootDisk whether the root disk is the server's own, and no volume.
 */
export function checkNewShape(old: Flavor, wanted: Flavor, hasRootDisk: boolean): void {
  if (old.id === wanted.id) throw refused('When resizing, instances must change flavor!');
  const cannot = (why: string): ShoalError => refused(`Cannot resize disk: ${why}`);
  if (hasRootDisk && wanted.diskGib < old.diskGib) {
    throw cannot(
      wanted.diskGib === 0
        ? 'Resize to zero disk flavor is not allowed.'
        : `Unable to resize disk down: it has ${old.diskGib} GiB, and the flavor ${wanted.diskGib}.`,
    );
  }
  if (wanted.ephemeralGib < old.ephemeralGib) throw cannot('Unable to resize the ephemeral disk down.');
  if (wanted.swapMib < old.swapMib) throw cannot('Unable to resize the swap disk down.');
}

/**
 * The disks of the server's own with the sizes that the new flavor gives, where the old one gave theirs. A disk of which there was
 * none is not made.
 */
export function reshapedDisks(
  disks: readonly shoal.v1.IServerDisk[],
  old: Flavor,
  wanted: Flavor,
): readonly shoal.v1.IServerDisk[] {
  return disks.map((disk) => {
    if (disk.kind === 'ephemeral' && disk.sizeGib === old.ephemeralGib) {
      return new shoal.v1.ServerDisk({ ...disk, sizeGib: wanted.ephemeralGib });
    }
    if (disk.kind === 'swap' && disk.sizeMib === old.swapMib) {
      return new shoal.v1.ServerDisk({ ...disk, sizeMib: wanted.swapMib });
    }
    return disk;
  });
}

function refused(message: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', message);
}
