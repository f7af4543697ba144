/** What all seeds of one command have in common, as plain data: it goes to workers, and back into a command. */

import { mutants } from '../mutants/index.ts';
import type { SimOverrides } from '../settings/options.ts';
import { flagsOf, misuse } from './flags.ts';
import type { SimSettings } from './simulator.ts';

export interface RunSpec {
  /** Name of a shipped scenario or path of one; its overrides are in `overrides` too. */
  readonly scenario?: string;
  /** Name of a planted bug. */
  readonly mutant?: string;
  /** What the command line fixes beyond these. */
  readonly flags: SimOverrides;
  /** Everything that is fixed. */
  readonly overrides: SimOverrides;
}

/** Throws `CONFIG_INVALID` for a planted bug that does not exist. */
export function runSpec(parts: {
  readonly scenario?: string | undefined;
  readonly scenarioOverrides?: SimOverrides | undefined;
  readonly mutant?: string | undefined;
  readonly flags: SimOverrides;
}): RunSpec {
  const { scenario, mutant, flags } = parts;
  if (mutant !== undefined && !Object.hasOwn(mutants, mutant))
    throw misuse(`--mutant ${mutant}: there is no such mutant`);
  const planted = mutant === undefined ? undefined : mutants[mutant];
  return {
    ...(scenario === undefined ? {} : { scenario }),
    ...(mutant === undefined ? {} : { mutant }),
    flags,
    overrides: { ...parts.scenarioOverrides, ...planted?.overrides, ...flags },
  };
}

/** The same with other flags on top. */
export function withFlags(spec: RunSpec, flags: SimOverrides): RunSpec {
  return { ...spec, flags: { ...spec.flags, ...flags }, overrides: { ...spec.overrides, ...flags } };
}

/** For `simulate`. */
export function settingsOf(spec: RunSpec): Pick<SimSettings, 'overrides' | 'mutant'> {
  const mutant = spec.mutant === undefined ? undefined : mutants[spec.mutant];
  return { overrides: spec.overrides, ...(mutant === undefined ? {} : { mutant }) };
}

/** The one command that runs `seed` again. */
export function replayCommand(seed: number, spec: RunSpec): string {
  return [
    'npm run sim --',
    `--seed ${seed}`,
    ...(spec.scenario === undefined ? [] : [`--scenario ${spec.scenario}`]),
    ...(spec.mutant === undefined ? [] : [`--mutant ${spec.mutant}`]),
    ...flagsOf(spec.flags),
  ].join(' ');
}
