import { proveEffects } from '../effects/effects.ts';
import { attributeEffects, imageRoutes } from './attribute-effects.ts';
import { listEffects } from './list-effects.ts';

proveEffects('image', { ...attributeEffects, ...listEffects }, { routes: imageRoutes });
