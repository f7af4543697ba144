/** What else than vCPUs, memory and disk a host gives to guests, as the settings say. */
import {
  advertBounds,
  type ExtraResource,
  extraResourceOf,
  extraResources,
  type HostCapacity,
  resourceClasses,
} from '../../placement/index.ts';
import { listOf } from './list-of.ts';
import type { Config } from './options.ts';

/** Of settings that have no mistakes. */
export function extraCapacity(config: Config): Pick<HostCapacity, ExtraResource> {
  return read(config, []);
}

/** What is wrong with `capacity.resources`, for people; empty when nothing is. */
export function resourceMistakes(config: Config): readonly string[] {
  const mistakes: string[] = [];
  read(config, mistakes);
  return mistakes;
}

/** `NET_BW_EGR_KILOBIT_PER_SEC=10000000`: a class by Placement's name, and how much of it there is. */
function read({ capacity }: Config, mistakes: string[]): Pick<HostCapacity, ExtraResource> {
  const pools: Partial<Record<ExtraResource, { total: number; reserved: number; allocationRatio: number }>> = {};
  for (const word of listOf(capacity.resources)) {
    const [placementName = '', text = '', ...rest] = word.split('=');
    const name = extraResourceOf(placementName);
    const total = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (name === undefined) {
      const known = extraResources.map((one) => resourceClasses[one].placementName).join(', ');
      mistakes.push(
        `capacity.resources: there is no ${JSON.stringify(placementName.slice(0, 64))}; there are ${known}`,
      );
    } else if (rest.length > 0 || !(total <= advertBounds.amountMax)) {
      mistakes.push(`capacity.resources: ${JSON.stringify(word.slice(0, 64))} is not CLASS=AMOUNT`);
    } else pools[name] = { total, reserved: 0, allocationRatio: 1 };
  }
  return pools;
}
