import type { shoal } from '../../../../../proto/messages.ts';
import type { StepDefinition } from '../../../engine/step.ts';
import type { VolumeSnapshotStep } from '../../../plan/volume-snapshot-plan.ts';
import type { VolumeSnapshotTools } from '../kit/tools.ts';

/** One step of a snapshot, by its name. */
export type VolumeSnapshotStepDefinition<Name extends VolumeSnapshotStep['kind']> = StepDefinition<
  Extract<VolumeSnapshotStep, { readonly kind: Name }>,
  shoal.v1.VolumeSnapshot,
  VolumeSnapshotTools
>;
