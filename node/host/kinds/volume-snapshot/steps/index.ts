/** Every step of a snapshot. */
import type { shoal } from '../../../../../proto/messages.ts';
import type { Steps } from '../../../engine/step.ts';
import type { VolumeSnapshotStep } from '../../../plan/volume-snapshot-plan.ts';
import type { VolumeSnapshotTools } from '../kit/tools.ts';
import { make } from './make.ts';
import { remove } from './remove.ts';

/** By the name that the plan gives them. */
export const volumeSnapshotSteps: Steps<VolumeSnapshotStep, shoal.v1.VolumeSnapshot, VolumeSnapshotTools> = {
  make,
  remove,
};
