/**
 * `shoal sim`: simulated clusters. The simulator stands above this program and nothing here may import it, so the wrapper
 * `node/bin/shoal.mjs` starts it; what is here is its place in help and completion.
 */
import type { Command } from 'commander';
import { ShoalError } from '../base/errors.ts';

/** Its flags, as sim/main.ts has them (test/sim/main.test.ts compares the two); `true`: with a value. */
export const simFlags: Readonly<Record<string, boolean>> = {
  seed: true,
  seeds: true,
  workers: true,
  scenario: true,
  'list-scenarios': false,
  mutant: true,
  'list-mutants': false,
  trace: true,
  report: true,
  'no-shrink': false,
  'shrink-seconds': true,
  coverage: false,
  ledger: false,
  json: false,
  hosts: true,
  racks: true,
  standbys: true,
  servers: true,
  tenants: true,
  'tenant-think-ms': true,
  'operator-think-ms': true,
  'verb-think-ms': true,
  'volume-think-ms': true,
  'ha-percent': true,
  'host-vcpus': true,
  clients: true,
  keys: true,
  'think-ms': true,
  'chaos-ms': true,
  hours: true,
  'fault-every-ms': true,
  'fault-for-ms': true,
  'sync-ms': true,
  'log-bytes-max': true,
  'grace-ms': true,
  storage: true,
  faults: true,
  unlikely: true,
  network: true,
};

/** Adds the command. */
export function registerSim(program: Command): void {
  const command = program
    .command('sim')
    .description('run simulated clusters of this code: what a failure does, from one seed (shoal sim --help)');
  for (const [name, hasValue] of Object.entries(simFlags)) command.option(`--${name}${hasValue ? ' <value>' : ''}`);
  command.action(() => {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      'the simulator is started by the command shoal itself (node/bin/shoal.mjs)',
    );
  });
}
