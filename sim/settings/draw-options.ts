/** What a seed decides: the options of a run, drawn from it. */
import { ShoalError } from '../../node/base/errors.ts';
import { Prng } from '../../node/base/prng.ts';
import type { NetworkConditions } from '../world/network.ts';
import { type FaultName, faultNames, haFaultNames, volumeFaultNames } from './fault-names.ts';
import { type NumberOption, optionBounds, type SimOptions, type SimOverrides, serversPerTenant } from './options.ts';
import { productionPoints } from './production-points.ts';
import { drawTheme } from './themes.ts';

const isOfVolumes = (name: FaultName): boolean => (volumeFaultNames as readonly string[]).includes(name);

const isOfHa = (name: FaultName): boolean => (haFaultNames as readonly string[]).includes(name);

/** Draws the options of a seed. Throws `CONFIG_INVALID`. */
export function drawOptions(seed: number, overrides: SimOverrides = {}): SimOptions {
  const random = new Prng(seed ^ 0x5a17);
  const network: NetworkConditions = {
    delayMs: random.pick([0.1, 0.5, 2, 20]),
    jitterMs: random.pick([0.1, 1, 5, 40]),
    loss: random.pick([0, 0, 0.01, 0.05, 0.2]),
    repeat: random.pick([0, 0, 0.01, 0.1]),
    overtake: random.pick([0, 0, 0.01, 0.2]),
  };
  // Lists that grow are drawn from generators of their own: a new fault leaves everything else of a seed as it was.
  const faultRandom = random.fork();
  const branchRandom = random.fork();
  const themeRandom = new Prng(seed ^ 0x7e3e);
  // Most faults are in a part of the seeds: what one of them hides, its absence shows.
  const faultShare = faultRandom.pick([0.1, 0.3, 0.5]);
  const branchShare = branchRandom.pick([0, 0.2, 0.5]);
  const volumeThinkMs = new Prng(seed ^ 0x701e).pick([0, 0, 1_000, 3_000]);
  const haPercent = new Prng(seed ^ 0x4a11).pick([0, 0, 50, 100]);
  const drawn: SimOptions = {
    seed,
    hosts: random.pick([1, 3, 3, 3, 4, 5, 5, 7]),
    racks: random.pick([0, 2, 3]),
    // A draw of its own, as it came later than the others.
    standbys: new Prng(seed ^ 0x57b5).pick([0, 1, 2, 2_000]),
    chaosMs: random.pick([15_000, 30_000, 30_000, 60_000]),
    clients: 1 + random.below(6),
    keys: 1 + random.below(5),
    thinkMs: random.pick([20, 100, 300]),
    tenants: random.pick([0, 1, 2, 3]),
    tenantThinkMs: 800,
    operatorThinkMs: new Prng(seed ^ 0x0be7).pick([0, 1_500, 6_000]),
    volumeThinkMs,
    verbThinkMs: new Prng(seed ^ 0x5e4b).pick([0, 0, 1_000, 3_000]),
    haPercent,
    servers: 0,
    hostVcpus: 4,
    storage: random.pick(['local', 'rbd'] as const),
    faultEveryMs: random.pick([500, 2_000, 5_000]),
    faultForMs: random.pick([300, 1_500, 5_000, 12_000]),
    faults: faultNames.filter(
      (name) =>
        faultRandom.chance(faultShare) && (volumeThinkMs > 0 || !isOfVolumes(name)) && (haPercent > 0 || !isOfHa(name)),
    ),
    network,
    syncMs: random.pick([0.2, 2, 10]),
    logBytesMax: random.pick([20_000, 100_000, 1_000_000, 64 * 1024 * 1024]),
    graceMs: random.pick([4_000, 15_000, 60_000]),
    unlikely: productionPoints('buggify').filter(() => branchRandom.chance(branchShare)),
    unlikelyChance: branchRandom.pick([0.01, 0.05, 0.25]),
  };
  const options = { ...drawn, ...drawTheme(themeRandom), ...overrides };
  const mistakes = mistakesIn(options);
  if (mistakes.length > 0)
    throw new ShoalError('CONFIG_INVALID', `Simulator: ${mistakes.join('; ')}`, { facts: { mistakes } });
  return options;
}

/** What is wrong with options, each in words. */
function mistakesIn(options: SimOptions): readonly string[] {
  const mistakes: string[] = [];
  for (const [name, [least, most]] of Object.entries(optionBounds) as [NumberOption, readonly [number, number]][]) {
    const value = options[name];
    const isWhole = name === 'syncMs' || Number.isInteger(value);
    if (!isWhole || !(value >= least && value <= most))
      mistakes.push(
        `${name} ${value} must be a${name === 'syncMs' ? ' number' : 'n integer'} from ${least} to ${most}`,
      );
  }
  for (const name of options.unlikely)
    if (!productionPoints('buggify').includes(name)) mistakes.push(`there is no unlikely branch ${String(name)}`);
  if (!(options.unlikelyChance >= 0 && options.unlikelyChance <= 1))
    mistakes.push(`unlikelyChance ${options.unlikelyChance} must be from 0 to 1`);
  for (const name of options.faults) if (!faultNames.includes(name)) mistakes.push(`there is no fault ${String(name)}`);
  if (!['local', 'rbd'].includes(options.storage)) mistakes.push(`storage ${options.storage} must be local or rbd`);
  const { delayMs, jitterMs, ...chances } = options.network;
  for (const [name, value] of Object.entries({ delayMs, jitterMs })) {
    if (!(value >= 0 && value <= 10_000)) mistakes.push(`network.${name} ${value} must be from 0 to 10000`);
  }
  for (const name of ['loss', 'repeat', 'overtake'] as const) {
    const value = chances[name];
    if (!(value >= 0 && value <= 1)) mistakes.push(`network.${name} ${value} must be from 0 to 1`);
  }
  if (options.servers > options.tenants * serversPerTenant)
    mistakes.push(`servers ${options.servers} are more than ${options.tenants} tenants keep, ${serversPerTenant} each`);
  return mistakes;
}
