/** What a story of volumes happens in: a cloud, and two guests that are on different hosts. */
import type { VolumeCloud, VolumeGuest } from '../volume-cloud.ts';

export interface VolumeStoryWorld {
  readonly cloud: VolumeCloud;
  readonly near: VolumeGuest;
  readonly far: VolumeGuest;
}
