import { proveEffects } from '../effects/effects.ts';
import { attributeEffects, identityRoutes } from './attribute-effects.ts';
import { listEffects } from './list-effects.ts';

proveEffects('identity', { ...attributeEffects, ...listEffects }, { routes: identityRoutes });
