/** Everything that a seed decides before anything runs. Printed first, so that a run can be understood from its head. */
import { ShoalError } from '../node/base/errors.ts';
import { Prng } from '../node/base/prng.ts';
import { type FaultName, faultNames } from './faults/index.ts';
import type { NetworkConditions } from './world/network.ts';

export interface SimOptions {
  readonly seed: number;
  /** Agents. */
  readonly hosts: number;
  /** Time under faults. Unit: ms. */
  readonly chaosMs: number;
  /** Clients that read and write records and counters. */
  readonly clients: number;
  /** Keys that they share. Few, so that they get in each other's way. */
  readonly keys: number;
  /** Mean pause of a client between two operations. Unit: ms. */
  readonly thinkMs: number;
  /** Tenants that create, stop, start, reboot and delete servers; 0: hosts have no guests. */
  readonly tenants: number;
  /** Storage of the servers: this host's own, or one that all hosts share. */
  readonly storage: 'local' | 'rbd';
  /** Mean time between two faults. Unit: ms. */
  readonly faultEveryMs: number;
  /** Mean length of one. Unit: ms. */
  readonly faultForMs: number;
  readonly faults: readonly FaultName[];
  readonly network: NetworkConditions;
  /** Usual time of a disk's sync. Unit: ms. */
  readonly syncMs: number;
  /** Size at which logs are compacted: small ones make snapshots common. Unit: bytes. */
  readonly logBytesMax: number;
  /** How long a voter may be silent before the autopilot replaces it. Unit: ms. */
  readonly graceMs: number;
}

/** What a caller may fix. */
export type SimOverrides = Partial<Omit<SimOptions, 'seed'>>;

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
  // Each fault is in half of the seeds: what one of them hides, its absence shows.
  const chosen = faultNames.filter(() => random.chance(0.5));
  const drawn: SimOptions = {
    seed,
    hosts: random.pick([1, 3, 3, 3, 4, 5, 5, 7]),
    chaosMs: random.pick([15_000, 30_000, 30_000, 60_000]),
    clients: 1 + random.below(6),
    keys: 1 + random.below(5),
    thinkMs: random.pick([20, 100, 300]),
    tenants: random.pick([0, 1, 2, 3]),
    storage: random.pick(['local', 'rbd'] as const),
    faultEveryMs: random.pick([500, 2_000, 5_000]),
    faultForMs: random.pick([300, 1_500, 5_000, 12_000]),
    faults: chosen,
    network,
    syncMs: random.pick([0.2, 2, 10]),
    logBytesMax: random.pick([20_000, 100_000, 1_000_000, 64 * 1024 * 1024]),
    graceMs: random.pick([4_000, 15_000, 60_000]),
  };
  const options = { ...drawn, ...overrides };
  const mistakes: string[] = [];
  const atLeast = (name: 'hosts' | 'chaosMs' | 'clients' | 'keys' | 'tenants', least: number, most: number): void => {
    const value = options[name];
    if (!Number.isInteger(value) || value < least || value > most)
      mistakes.push(`${name} ${value} must be an integer from ${least} to ${most}`);
  };
  atLeast('hosts', 1, 200);
  atLeast('chaosMs', 0, 1_000 * 3_600_000);
  atLeast('clients', 0, 1_000);
  atLeast('keys', 1, 1_000);
  atLeast('tenants', 0, 100);
  for (const name of options.faults) if (!faultNames.includes(name)) mistakes.push(`there is no fault ${String(name)}`);
  if (mistakes.length > 0)
    throw new ShoalError('CONFIG_INVALID', `Simulator: ${mistakes.join('; ')}`, { facts: { mistakes } });
  return options;
}
