/**
 * What a run is made of, as flags of the command line: so that every run, a shrunk one too, can be written as one command
 * and comes back from it. Names, ranges and help of each option are here once.
 */

import { ShoalError } from '../../node/base/errors.ts';
import { type FaultName, faultNames } from '../settings/fault-names.ts';
import {
  type NumberOption,
  optionBounds,
  type SimOptions,
  type SimOverrides,
  serversPerTenant,
} from '../settings/options.ts';
import { productionPoints } from '../settings/production-points.ts';
import { calmNetwork } from '../world/network.ts';

/** Flags that are numbers, with what they set. */
const numberFlags = {
  hosts: ['hosts', 'agents'],
  racks: ['racks', 'racks that the hosts stand in, in turn; 0: none is known'],
  standbys: ['standbys', 'hosts beside the voters that hold the whole state; all others hold slices of it'],
  servers: ['servers', `servers there from the start, and tenants for them, ${serversPerTenant} each`],
  tenants: ['tenants', `tenants, which keep up to ${serversPerTenant} servers each`],
  'tenant-think-ms': ['tenantThinkMs', 'mean pause of a tenant between two operations'],
  'volume-think-ms': ['volumeThinkMs', "mean pause of each tenant's user of volumes; 0: there are none"],
  'verb-think-ms': ['verbThinkMs', "mean pause of each tenant's user of all server verbs; 0: there are none"],
  'ha-percent': ['haPercent', 'servers of a hundred that ask for another host when theirs is lost'],
  'operator-think-ms': ['operatorThinkMs', 'mean pause of an operator who empties hosts; 0: there is none'],
  'host-vcpus': ['hostVcpus', 'virtual CPUs that a host gives away'],
  clients: ['clients', 'clients that read and write records'],
  keys: ['keys', 'keys that they share'],
  'think-ms': ['thinkMs', 'mean pause of a client between two operations'],
  'chaos-ms': ['chaosMs', 'time under faults; --hours H is the same in hours'],
  'fault-every-ms': ['faultEveryMs', 'mean time between two faults'],
  'fault-for-ms': ['faultForMs', 'mean length of a fault'],
  'sync-ms': ['syncMs', 'usual time of a sync'],
  'log-bytes-max': ['logBytesMax', 'size at which logs are compacted'],
  'grace-ms': ['graceMs', 'silence after which a voter is replaced'],
} as const satisfies Readonly<Record<string, readonly [NumberOption, string]>>;

type NumberFlag = keyof typeof numberFlags;

const numberFlagNames = Object.keys(numberFlags) as NumberFlag[];

/** Hours of chaos that may be asked for. */
const hoursBounds = [0.0001, 1_000] as const;

/** For `parseArgs`. */
export const overrideFlags: Readonly<Record<string, { readonly type: 'string' }>> = Object.fromEntries(
  [...numberFlagNames, 'hours', 'storage', 'faults', 'unlikely', 'network'].map((name) => [name, { type: 'string' }]),
);

/** The other flags of the command, for `parseArgs`. */
export const mainFlags = {
  seed: { type: 'string' },
  seeds: { type: 'string' },
  workers: { type: 'string' },
  scenario: { type: 'string' },
  'list-scenarios': { type: 'boolean' },
  mutant: { type: 'string' },
  'list-mutants': { type: 'boolean' },
  trace: { type: 'string' },
  report: { type: 'string' },
  'no-shrink': { type: 'boolean' },
  'shrink-seconds': { type: 'string' },
  coverage: { type: 'boolean' },
  ledger: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** One line for each flag. */
export function overridesHelp(): string {
  const lines = numberFlagNames.map((name): readonly [string, string] => {
    const [option, text] = numberFlags[name];
    const [least, most] = optionBounds[option];
    return [`--${name} N`, `${text}, ${least} to ${most}`];
  });
  lines.push(
    ['--hours H', `time under faults, ${hoursBounds[0]} to ${hoursBounds[1]} hours`],
    ['--storage S', 'local or rbd'],
    ['--faults A,B', 'the kinds of faults that may strike; none: no faults'],
    ['--unlikely A,B', 'unlikely branches of production code that are forced now and then; none: none'],
    ['--network calm', 'a network that loses, repeats and delays nothing by itself'],
  );
  return lines.map(([flag, text]) => `  ${flag.padEnd(20)}${text}`).join('\n');
}

/** A number from the command line. Throws `CONFIG_INVALID` that names flag, value and range. */
export function numberOf(
  name: string,
  text: string | undefined,
  [least, most]: readonly [number, number],
  integer = true,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value <= most) || (integer && !Number.isInteger(value)))
    throw misuse(`--${name} ${text}: a${integer ? 'n integer' : ' number'} from ${least} to ${most} is wanted`);
  return value;
}

/** Wrong use of the command line. */
export function misuse(message: string): ShoalError {
  return new ShoalError('CONFIG_INVALID', message);
}

/** What flags fix of a run's options. Throws `CONFIG_INVALID`. */
export function overridesOf(values: Readonly<Record<string, string | boolean | undefined>>): SimOverrides {
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  const overrides: { -readonly [Name in keyof SimOverrides]: SimOverrides[Name] } = {};
  for (const name of numberFlagNames) {
    const [option] = numberFlags[name];
    const value = numberOf(name, text(name), optionBounds[option], option !== 'syncMs');
    if (value !== undefined) overrides[option] = value;
  }
  const hours = numberOf('hours', text('hours'), hoursBounds, false);
  if (hours !== undefined && overrides.chaosMs !== undefined)
    throw misuse('--hours and --chaos-ms say the same; give one');
  if (hours !== undefined) overrides.chaosMs = Math.round(hours * 3_600_000);
  if (overrides.servers !== undefined) {
    const tenants = Math.ceil(overrides.servers / serversPerTenant);
    overrides.tenants ??= tenants;
    // However many tenants there are, together they ask for some four things a second.
    overrides.tenantThinkMs ??= Math.max(800, tenants * 250);
    // Half as much again as the servers need: the small ones take one virtual CPU, the large ones two.
    if (overrides.hosts !== undefined)
      overrides.hostVcpus ??= Math.max(4, Math.ceil((2 * overrides.servers) / overrides.hosts));
  }
  const storage = text('storage');
  if (storage !== undefined) {
    if (storage !== 'local' && storage !== 'rbd') throw misuse(`--storage ${storage}: local or rbd is wanted`);
    overrides.storage = storage;
  }
  const faults = text('faults');
  if (faults !== undefined) overrides.faults = faults === 'none' ? [] : faults.split(',').map(faultOf);
  const unlikely = text('unlikely');
  if (unlikely !== undefined) overrides.unlikely = unlikely === 'none' ? [] : unlikely.split(',').map(branchOf);
  const network = text('network');
  if (network !== undefined) {
    if (network !== 'calm') throw misuse(`--network ${network}: calm is wanted; other conditions are for scenarios`);
    overrides.network = calmNetwork;
  }
  return overrides;
}

/** Overrides as the flags that give them. What has no flag (a troubled network) is left out. */
export function flagsOf(overrides: SimOverrides): readonly string[] {
  const flags: string[] = [];
  for (const name of numberFlagNames) {
    const value = overrides[numberFlags[name][0]];
    if (value !== undefined) flags.push(`--${name} ${value}`);
  }
  if (overrides.storage !== undefined) flags.push(`--storage ${overrides.storage}`);
  if (overrides.faults !== undefined)
    flags.push(`--faults ${overrides.faults.length === 0 ? 'none' : overrides.faults.join()}`);
  if (overrides.unlikely !== undefined)
    flags.push(`--unlikely ${overrides.unlikely.length === 0 ? 'none' : overrides.unlikely.join()}`);
  if (overrides.network !== undefined && isCalm(overrides.network)) flags.push('--network calm');
  return flags;
}

function isCalm(network: SimOptions['network']): boolean {
  return Object.entries(calmNetwork).every(([name, value]) => Reflect.get(network, name) === value);
}

function faultOf(name: string): FaultName {
  const known = faultNames.find((fault) => fault === name);
  if (known === undefined) throw misuse(`--faults ${name}: there is no such fault; there are ${faultNames.join(', ')}`);
  return known;
}

function branchOf(name: string): string {
  const known = productionPoints('buggify').find((branch) => branch === name);
  if (known === undefined)
    throw misuse(`--unlikely ${name}: there is no such branch; there are ${productionPoints('buggify').join(', ')}`);
  return known;
}
