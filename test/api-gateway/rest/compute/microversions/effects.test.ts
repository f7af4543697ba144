import { proveEffects } from '../../effects/effects.ts';
import { liftQuotas } from '../lift-quotas.ts';
import { microversionEffects, microversionRoutes } from './microversion-effects.ts';

proveEffects('compute', microversionEffects, { routes: microversionRoutes, prepare: liftQuotas });
