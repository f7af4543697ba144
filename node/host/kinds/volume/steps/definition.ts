import type { shoal } from '../../../../../proto/messages.ts';
import type { StepDefinition } from '../../../engine/step.ts';
import type { VolumeStep } from '../../../plan/volume-plan.ts';
import type { VolumeTools } from '../kit/tools.ts';

/** One step of a volume, by its name. */
export type VolumeStepDefinition<Name extends VolumeStep['kind']> = StepDefinition<
  Extract<VolumeStep, { readonly kind: Name }>,
  shoal.v1.Volume,
  VolumeTools
>;
