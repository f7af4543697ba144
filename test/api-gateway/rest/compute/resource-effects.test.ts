import { proveEffects } from '../effects/effects.ts';
import { liftQuotas } from './lift-quotas.ts';
import { listEffects } from './list-effects.ts';
import { operatorEffects, operatorRoutes } from './operators/operator-effects.ts';
import { quotaEffects } from './quota-effects.ts';
import { resourceEffects, resourceRoutes } from './resource-effects.ts';

proveEffects('compute', { ...resourceEffects, ...quotaEffects }, { routes: resourceRoutes, prepare: liftQuotas });
proveEffects('compute', operatorEffects, { routes: operatorRoutes, prepare: liftQuotas });
proveEffects('compute', listEffects, { prepare: liftQuotas });
