import { proveEffects } from '../../effects/effects.ts';
import { liftQuotas } from '../lift-quotas.ts';
import { liveMigrationEffects, liveMigrationRoutes } from './live-migration-effects.ts';

proveEffects('compute', liveMigrationEffects, { routes: liveMigrationRoutes, prepare: liftQuotas });
