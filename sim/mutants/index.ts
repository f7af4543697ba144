/**
 * Planted bugs. Each is one switch that makes a production part behave as if it had the bug, by standing between it and
 * the rest; a test finds each within a bounded number of seeds (README.md has the table).
 */
import { consensusMutants } from './consensus.ts';
import { damageMutants } from './damage.ts';
import { hostMutants } from './hosts.ts';
import type { Mutant } from './mutant.ts';
import { serverMutants } from './servers.ts';
import { sliceMutants } from './slices.ts';
import { stateMutants } from './state.ts';
import { takeoverMutants } from './takeovers.ts';
import { volumeMutants } from './volumes.ts';

export const mutants: Readonly<Record<string, Mutant>> = {
  ...consensusMutants,
  ...damageMutants,
  ...stateMutants,
  ...hostMutants,
  ...sliceMutants,
  ...volumeMutants,
  ...serverMutants,
  ...takeoverMutants,
};
