import { liftQuotas } from '../compute/lift-quotas.ts';
import { proveEffects } from '../effects/effects.ts';
import { listEffects } from './list-effects.ts';

proveEffects('network', listEffects, { prepare: liftQuotas });
