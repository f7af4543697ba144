/** Disks that a guest's QEMU is given: what it would misread, and what it needs for each. */
import { ShoalError } from '../../../node/base/errors.ts';
import { checkLimits } from '../../disk-limits.ts';
import type { GuestDisk } from '../../types.ts';
import { diskNodes } from './disk-nodes.ts';

/** Threads of one librbd client. With room. */
export const threadsOfRbdDisk = 128;

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Refuses a disk that QEMU could misread. `INVALID_ARGUMENT` says what is wrong. */
export function checkGuestDisk(disk: GuestDisk): void {
  const { volumeId, source, limits } = disk;
  const refuse = (what: string): never => {
    throw new ShoalError('INVALID_ARGUMENT', what, { facts: { volumeId } });
  };
  if (!uuidPattern.test(volumeId)) refuse(`volume id '${volumeId}' is not a lower-case UUID`);
  if (source.kind === 'fake') refuse(`volume ${volumeId} is on fake storage, which QEMU cannot open`);
  if (source.kind === 'nbd' && !(Number.isSafeInteger(source.port) && source.port > 0 && source.port < 65_536)) {
    refuse(`volume ${volumeId} is served at port ${source.port}`);
  }
  diskNodes(disk);
  if (limits !== undefined) checkLimits(limits);
}
