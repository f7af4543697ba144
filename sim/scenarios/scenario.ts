/** Written scenarios: a story, and what of a run's options it fixes. */
import { readdirSync } from 'node:fs';
import { parse } from 'yaml';
import { ShoalError } from '../../node/base/errors.ts';
import { drawOptions } from '../settings/draw-options.ts';
import { faultNames } from '../settings/fault-names.ts';
import type { SimOptions, SimOverrides } from '../settings/options.ts';
import { calmNetwork } from '../world/network.ts';

interface Scenario {
  /** What happens and what ought to, for people. */
  readonly story: string;
  readonly seed: number;
  readonly overrides: SimOverrides;
}

const folder = new URL('.', import.meta.url);

/** Names of the shipped ones. */
export function scenarioNames(): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort();
}

/**
 * Reads a shipped scenario by name, or a file: `story`, `seed`, and any options of a run. `faults: all` takes every kind; a
 * `network` that names some of its conditions is calm in the others. Throws `CONFIG_INVALID` that names each mistake.
 */
export function readScenario(name: string, read: (path: string | URL) => string): Scenario {
  const path = scenarioNames().includes(name) ? new URL(`${name}.yaml`, folder) : name;
  let content: unknown;
  try {
    content = parse(read(path));
  } catch (caught) {
    throw ShoalError.from(caught, 'CONFIG_INVALID', `scenario ${name}`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new ShoalError('CONFIG_INVALID', `scenario ${name}: a map is wanted`);
  const { story, seed, ...rest } = content as Record<string, unknown>;
  const sample: SimOptions = drawOptions(0);
  const mistakes: string[] = [];
  if (typeof story !== 'string' || story === '') mistakes.push('it has no story');
  if (typeof seed !== 'number' || !Number.isInteger(seed)) mistakes.push('it has no seed');
  for (const [key, value] of Object.entries(rest)) {
    const known: unknown = Reflect.get(sample, key);
    if (known === undefined) mistakes.push(`there is no option ${key}`);
    else if (key === 'faults' && value === 'all') continue;
    else if (typeof known !== typeof value || Array.isArray(known) !== Array.isArray(value))
      mistakes.push(`${key} is to be a ${kindOf(known)}`);
  }
  const { network } = rest;
  if (typeof network === 'object' && network !== null) {
    for (const [key, value] of Object.entries(network)) {
      if (!Object.hasOwn(calmNetwork, key)) mistakes.push(`there is no option network.${key}`);
      else if (typeof value !== 'number') mistakes.push(`network.${key} is to be a number`);
    }
  }
  if (mistakes.length > 0)
    throw new ShoalError('CONFIG_INVALID', `scenario ${name}: ${mistakes.join('; ')}`, { facts: { mistakes } });
  const overrides = {
    ...rest,
    ...(rest['faults'] === 'all' ? { faults: faultNames } : {}),
    ...(rest['network'] === undefined ? {} : { network: { ...calmNetwork, ...(rest['network'] as object) } }),
  } as SimOverrides;
  // Bounds and names of faults.
  drawOptions(Number(seed), overrides);
  return { story: String(story), seed: Number(seed), overrides };
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return typeof value === 'object' ? 'map' : typeof value === 'string' ? 'word' : typeof value;
}
