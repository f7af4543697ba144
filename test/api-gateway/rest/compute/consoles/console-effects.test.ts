import { proveEffects } from '../../effects/effects.ts';
import { liftQuotas } from '../lift-quotas.ts';
import { consoleEffects, consoleRoutes } from './console-effects.ts';

proveEffects('compute', consoleEffects, { routes: consoleRoutes, prepare: liftQuotas });
