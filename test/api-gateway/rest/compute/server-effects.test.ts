import { proveEffects } from '../effects/effects.ts';
import { liftQuotas } from './lift-quotas.ts';
import { serverEffects, serverRoutes } from './server-effects.ts';
import { serverImageEffects, serverImageRoutes } from './server-image-effects.ts';
import { serverListEffects } from './server-list-effects.ts';

proveEffects('compute', serverEffects, { routes: serverRoutes, prepare: liftQuotas });
proveEffects('compute', serverImageEffects, { routes: serverImageRoutes, prepare: liftQuotas });
proveEffects('compute', serverListEffects, { prepare: liftQuotas });
