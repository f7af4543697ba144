/**
 * `npm run bench:mesh`: what a host costs, by real agents on this machine, by the simulator's network, and beside others'
 * programs. See README.md in this folder.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { memoryFileSystemOf, outputOf } from '../../../node/raft/bench/machine.ts';
import { type Baselines, runBaselines } from './baselines/baselines.ts';
import type { Figure } from './figures/figure.ts';
import { type Phase, phases, type RealOptions, type RealRow, realRow } from './real.ts';
import { baselineTable, figureTable, realTables, simulatedTable } from './report.ts';
import { type SimulatedRow, simulatedRows } from './simulated.ts';
import { feedLoad } from './slices/feed-load.ts';
import { oneSlice } from './slices/one-slice.ts';
import { largeState } from './state/large-state.ts';

const parts = ['real', 'slices', 'state', 'simulated', 'baselines'] as const;
const agentsMax = 250;

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    agents: { type: 'string' },
    only: { type: 'string' },
    phases: { type: 'string' },
    hosts: { type: 'string' },
    'host-days': { type: 'string' },
    checkout: { type: 'string' },
    dir: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help) {
  console.log(`usage: npm run bench:mesh -- [flags]
  --quick            four agents, short phases, 20 members beside them; ends within three minutes
  --agents N,M       meshes of real agents, one after the other, each agent a process; default 4,12,20,30
  --hosts N,M        sizes of simulated meshes, and of cells of slices; default 1000 and 100,1000,10000 (10000 simulated takes many minutes)
  --host-days N      how long false alarms are looked for in the first simulated mesh; default 20. A host-day is 4 s of processor
                     among 100 hosts, 34 s among 1,000; none in 30,000 would show 0.1 in 1,000
  --only PARTS       of ${parts.join(',')}, by commas
  --phases PHASES    what to measure of real agents, of ${phases.join(',')}, by commas
  --checkout FOLDER  whose agents to run: a work tree of an earlier version, with its node_modules
  --dir FOLDER       work in a new folder below this one, to choose the disk; default ${tmpdir()}
  --json FILE        write everything that was measured`);
  process.exit(0);
}

const agentCounts = (flags.agents ?? (flags.quick ? '4' : '4,12,20,30')).split(',').map(Number);
const wantedParts = chosen('--only', flags.only, parts);
const wantedPhases: readonly Phase[] = chosen('--phases', flags.phases, phases);
if (agentCounts.some((count) => !Number.isInteger(count) || count < 2 || count > agentsMax)) {
  fail(`--agents ${flags.agents ?? ''}: give whole numbers from 2 to ${agentsMax}, by commas`);
}

const simulatedHosts = (flags.hosts ?? (flags.quick ? '100' : '1000')).split(',').map(Number);
if (simulatedHosts.some((count) => !Number.isInteger(count) || count < 20 || count > 10_000)) {
  fail(`--hosts ${flags.hosts ?? ''}: give whole numbers from 20 to 10000, by commas`);
}

const hostDays = Number(flags['host-days'] ?? (flags.quick ? 1 : 20));
if (!(hostDays >= 1 && hostDays <= 100_000)) fail(`--host-days ${flags['host-days'] ?? ''}: give 1 to 100000`);

const root = fileURLToPath(new URL('../../..', import.meta.url));
const checkout = flags.checkout ?? root;
const isRoot = process.getuid?.() === 0;
const options: RealOptions = {
  dir: flags.dir,
  checkout,
  isRoot,
  phases: wantedPhases,
  settleMs: flags.quick ? 5_000 : 20_000,
  restMs: flags.quick ? 10_000 : 30_000,
  creates: flags.quick ? 20 : 60,
  capacityChanges: flags.quick ? 5 : 30,
  changesPerSecond: [10, 100],
  changesMs: flags.quick ? 5_000 : 20_000,
  say: (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`),
};
const context = {
  date: new Date().toISOString(),
  command: `npm run bench:mesh -- ${process.argv.slice(2).join(' ')}`.trim(),
  machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
  node: process.version,
  commit: outputOf('git', ['-C', checkout, 'describe', '--always', '--dirty']) ?? 'unknown',
  /** Of one minute: what others use of the machine. */
  loadBefore: rounded(loadavg()[0] ?? 0),
};
console.log(
  `# ${context.command}\n# ${context.date}, ${context.machine}, node ${context.node}, commit ${context.commit}`,
);
console.log(`# load of the machine before: ${context.loadBefore}`);
if (!isRoot) console.log('# without root the agents share loopback, and their bytes are not counted');

const memoryFileSystem = await memoryFileSystemOf(flags.dir ?? tmpdir());
if (memoryFileSystem !== undefined)
  console.log(`# on ${memoryFileSystem}: syncs cost nothing there, which flatters creates; use --dir`);

const abort = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => abort.abort(new Error(`ended by ${name}`)));
}

const real: RealRow[] = [];
const failures: string[] = [];
const slices: Figure[] = [];
let state: readonly Figure[] = [];
let simulated: readonly SimulatedRow[] = [];
let baselines: Baselines | undefined;
try {
  if (wantedParts.includes('real')) {
    for (const count of agentCounts) {
      if (abort.signal.aborted) break;
      try {
        real.push(await realRow(count, options, abort.signal));
      } catch (caught) {
        abort.signal.throwIfAborted();
        failures.push(`${count} agents: ${caught instanceof Error ? caught.message : String(caught)}`);
      }
    }
  }
  if (wantedParts.includes('slices')) slices.push(...(await inFolder(measureSlices)));
  if (wantedParts.includes('state')) {
    const size = flags.quick ? { hosts: 100, servers: 4_000 } : { hosts: 1_000, servers: 100_000 };
    state = await inFolder((folder) => largeState({ ...size, folder, say: options.say }));
  }
  if (wantedParts.includes('simulated')) {
    simulated = await simulatedRows({
      hosts: simulatedHosts,
      deaths: flags.quick ? 3 : 20,
      hostDays,
      say: options.say,
    });
  }
  if (wantedParts.includes('baselines')) {
    const size = flags.quick ? { members: 20, watchers: 100 } : { members: 100, watchers: 1_000 };
    options.say('baselines');
    baselines = await inFolder((folder) =>
      runBaselines({ ...size, changes: flags.quick ? 10 : 30, restMs: options.restMs }, folder),
    );
  }
} finally {
  report();
}

async function inFolder<T>(measure: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(flags.dir ?? tmpdir(), 'shoal-mesh-bench-'));
  try {
    return await measure(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureSlices(folder: string): Promise<readonly Figure[]> {
  const sizes = flags.hosts === undefined && !flags.quick ? [100, 1_000, 10_000] : simulatedHosts;
  const figures: Figure[] = [];
  for (const hosts of sizes) {
    options.say(`slices: one busy host among ${hosts}`);
    figures.push(...(await oneSlice(hosts, await mkdtemp(join(folder, 'one-')))));
  }
  const load = flags.quick
    ? { hosts: 50, watchers: 100, writesPerSecond: 100, forMs: 3_000, sharedChanges: 5 }
    : { hosts: 100, watchers: 1_000, writesPerSecond: 1_000, forMs: 20_000, sharedChanges: 30 };
  const failed = (text: string): void => void failures.push(text);
  return [...figures, ...(await feedLoad({ ...load, folder, say: options.say, failed }))];
}

function report(): void {
  if (real.length > 0) console.log(realTables(real));
  if (slices.length > 0) console.log(figureTable('slices', slices));
  if (state.length > 0) console.log(figureTable('state', state));
  if (simulated.length > 0) console.log(simulatedTable(simulated));
  if (baselines !== undefined && baselines.rows.length > 0) console.log(baselineTable(baselines.rows));
  for (const text of [...(baselines?.skipped ?? []), ...failures]) console.log(`# ${text}`);
  const loadAfter = rounded(loadavg()[0] ?? 0);
  if (flags.json !== undefined) {
    mkdirSync(dirname(flags.json), { recursive: true });
    const everything = { ...context, loadAfter, real, slices, state, simulated, baselines, failures };
    writeFileSync(flags.json, `${JSON.stringify(everything, undefined, 2)}\n`);
  }
  if (failures.length > 0 || real.some((row) => row.failure !== undefined)) process.exitCode = 1;
}

function chosen<T extends string>(flag: string, text: string | undefined, known: readonly T[]): readonly T[] {
  const names = text?.split(',') ?? known;
  const strange = names.filter((name) => !known.some((one) => one === name));
  if (strange.length > 0) fail(`${flag} ${strange.join(',')}: give some of ${known.join(',')}`);
  return known.filter((one) => names.includes(one));
}

function fail(text: string): never {
  console.error(text);
  process.exit(2);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
