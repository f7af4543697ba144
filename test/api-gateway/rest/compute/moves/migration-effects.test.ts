import { proveEffects } from '../../effects/effects.ts';
import { liftQuotas } from '../lift-quotas.ts';
import { migrationEffects } from './migration-effects.ts';

proveEffects('compute', migrationEffects, { prepare: liftQuotas });
