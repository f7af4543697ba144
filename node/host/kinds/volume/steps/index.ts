/** Every step of a volume. */
import type { shoal } from '../../../../../proto/messages.ts';
import type { Steps } from '../../../engine/step.ts';
import type { VolumeStep } from '../../../plan/volume-plan.ts';
import type { VolumeTools } from '../kit/tools.ts';
import { beginCopy } from './begin-copy.ts';
import { grow } from './grow.ts';
import { make } from './make.ts';
import { remove } from './remove.ts';
import { report } from './report.ts';
import { resizeGuests } from './resize-guests.ts';
import { revert } from './revert.ts';
import { serve } from './serve.ts';
import { unserve } from './unserve.ts';

/** By the name that the plan gives them. */
export const volumeSteps: Steps<VolumeStep, shoal.v1.Volume, VolumeTools> = {
  make,
  'begin-copy': beginCopy,
  grow,
  'resize-guests': resizeGuests,
  revert,
  remove,
  serve,
  unserve,
  report,
};
