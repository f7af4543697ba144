import type { GuestHolds } from '../../volume/kit/guest-holds.ts';
import type { VolumeTools } from '../../volume/kit/tools.ts';

/** What the steps of snapshots work with. */
export interface VolumeSnapshotTools extends VolumeTools {
  readonly guestHolds: GuestHolds;
}
