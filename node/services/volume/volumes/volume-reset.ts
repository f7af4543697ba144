/** What an administrator may say of a volume against its record (`os-reset_status`). */
import type { shoal } from '../../../../proto/messages.ts';
import { invalidInput } from '../kit/refusals.ts';

/** Statuses that can be set, as Cinder has them. */
const statuses: readonly string[] = [
  'creating',
  'available',
  'deleting',
  'error',
  'error_deleting',
  'error_managing',
  'managing',
  'attaching',
  'detaching',
  'in-use',
  'maintenance',
  'error_extending',
  'error_restoring',
  'error_backing-up',
  'reserved',
  'awaiting-transfer',
];
const attachStatuses: readonly string[] = ['detached', 'attached'];
const migrationStatuses: readonly string[] = ['migrating', 'error', 'success', 'completing', 'none', 'starting'];

/** Absent: as it is. */
export interface VolumeReset {
  readonly status?: string;
  readonly attachStatus?: string;
  readonly migrationStatus?: string;
}

/**
 * The fields as they are to be. What servers have attached stays so whatever is said: only their hosts let go of a disk; so
 * `detached` ends no more than attachments without a server.
 */
export function resetFields(volume: shoal.v1.Volume, reset: VolumeReset): Partial<shoal.v1.Volume.$Properties> {
  const { status, attachStatus, migrationStatus } = reset;
  check('status', status, statuses);
  check('attach_status', attachStatus, attachStatuses);
  check('migration_status', migrationStatus, migrationStatuses);
  if (status === undefined && attachStatus === undefined && migrationStatus === undefined) {
    throw invalidInput("Must specify 'status', 'attach_status' or 'migration_status' to update.");
  }
  const isHeld = volume.attachments.some(({ serverId }) => serverId !== '');
  if (isHeld && (attachStatus === 'detached' || status === 'available')) {
    throw invalidInput(`Volume ${volume.id} is attached to a server: detach it there, or delete the server.`);
  }
  return {
    ...(status === undefined ? {} : { status }),
    ...(migrationStatus === undefined ? {} : { migrationStatus: migrationStatus === 'none' ? '' : migrationStatus }),
    ...(attachStatus === 'detached' ? { attachments: [] } : {}),
  };
}

function check(name: string, value: string | undefined, known: readonly string[]): void {
  if (value === undefined || known.includes(value)) return;
  throw invalidInput(`Must specify a valid ${name}: one of ${known.join(', ')}.`);
}
