/**
 * The placement benches: `node placement/bench/main.ts [--quick] [--only NAME] [--json FILE] [--svg FILE] [--trace FILE]`.
 * See README.md in this folder.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { benchAccelerators } from './accelerators.ts';
import { baselineNames } from './baselines.ts';
import { benchC1m } from './c1m.ts';
import { benchDecisions, type DecisionsOptions } from './decisions.ts';
import { runPackingJobs } from './packing-jobs.ts';
import { panelsOf, plotOf } from './plot.ts';
import { type BenchRow, benchContext, tableOf } from './report/report.ts';
import { fittingPart, type HostSize, readTrace, serverSizes, tracesFolder } from './trace.ts';

const benchNames = ['decisions', 'durable', 'packing', 'openb', 'c1m'] as const;

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'string' },
    svg: { type: 'string' },
    trace: { type: 'string' },
    host: { type: 'string' },
    threads: { type: 'string' },
    names: { type: 'string' },
    stale: { type: 'string' },
    variant: { type: 'string' },
    hosts: { type: 'string' },
    servers: { type: 'string' },
    dir: { type: 'string' },
    'cpu-prof': { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help) {
  console.log(`usage: node placement/bench/main.ts [flags]
  --quick       figures 1 and 3 in a small form, within a minute or so
  --only NAME   one of ${benchNames.join(', ')}
  --json FILE   write all rows as a JSON array
  --svg FILE    write a plot
  --trace FILE  pack this trace (columns vmId, tenantId, cores, ram, priority, starttime, endtime in days; .gz or plain)
  --host C/R    with --trace or packing: hosts of this size only, in the trace's units, such as 2400/768
  packing only:
  --threads N        runs at a time; default 2
  --names A,B        some of ${[...baselineNames, 'shoal'].join(', ')}
  --stale S,S        some of 0, 1, 5 (seconds)
  durable only:
  --variant NAME     this way of placing alone, such as shoal
  --hosts N          simulated hosts; default 5000 (500 with --quick)
  --servers N        servers; default 100000 (3000 with --quick)
  --dir FOLDER       work in a new folder below this one, to choose the disk
  --cpu-prof FOLDER  write a CPU profile of every process (summary: node placement/bench/durable/profile.ts FOLDER)`);
  process.exit(0);
}
const only = flags.trace === undefined ? flags.only : 'packing';
if (only !== undefined && !benchNames.some((name) => name === only)) {
  console.error(`--only ${only}: give one of ${benchNames.join(', ')}`);
  process.exit(2);
}

const context = benchContext();
console.log(`# ${context.command}`);
console.log(`# ${context.date}, ${context.machine}, node ${context.node}, commit ${context.commit}`);
console.log(
  '# The machine is not ours alone: ops_per_cpu_s is by processor time of this process, all its threads counted.',
);
const rows: BenchRow[] = [];

const wants = (name: (typeof benchNames)[number]): boolean =>
  only === undefined ? !flags.quick || name === 'decisions' || name === 'packing' : only === name;
if (wants('decisions')) runDecisions();
if (wants('durable')) {
  const { benchDurable } = await import('./durable/durable.ts');
  await benchDurable(
    {
      hosts: countFlag('hosts', flags.quick ? 500 : 5_000),
      servers: countFlag('servers', flags.quick ? 3_000 : 100_000),
      dir: flags.dir,
      variant: flags.variant,
      cpuProf: flags['cpu-prof'],
      quick: flags.quick,
    },
    (row) => show([row]),
  );
}
if (wants('packing')) await runPacking();
if (wants('openb')) runOpenb();
if (wants('c1m'))
  show([benchC1m(flags.quick ? { hosts: 500, servers: 100_000 } : { hosts: 5_000, servers: 1_000_000 })]);

if (flags.json !== undefined) {
  mkdirSync(dirname(flags.json), { recursive: true });
  const full = rows.map((row) => ({
    ...row,
    machine: context.machine,
    date: context.date,
    node: context.node,
    commit: context.commit,
    command: context.command,
  }));
  writeFileSync(flags.json, `${JSON.stringify(full, null, 1)}\n`);
}
if (flags.svg !== undefined) {
  mkdirSync(dirname(flags.svg), { recursive: true });
  writeFileSync(flags.svg, plotOf(panelsOf(rows), `${context.command}; ${context.machine}; ${context.date}`));
}

function show(added: readonly BenchRow[]): void {
  rows.push(...added);
  console.log(`\n${tableOf(added)}`);
}

/** The part of `all` that a flag names, separated by commas; all, when it is not given. */
function chosen<T>(name: 'names' | 'stale', all: readonly T[], is: (text: string, one: T) => boolean): readonly T[] {
  const texts = flags[name]?.split(',');
  if (texts === undefined) return all;
  const unknown = texts.find((text) => !all.some((one) => is(text, one)));
  if (unknown !== undefined) {
    console.error(`--${name} ${unknown}: give some of ${all.join(', ')}`);
    process.exit(2);
  }
  return all.filter((one) => texts.some((text) => is(text, one)));
}

function countFlag(name: 'hosts' | 'servers' | 'threads', otherwise: number): number {
  const text = flags[name];
  const count = text === undefined ? otherwise : Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 10_000_000) {
    console.error(`--${name} ${text}: give a whole number`);
    process.exit(2);
  }
  return count;
}

function runDecisions(): void {
  const quick = flags.quick;
  const added: BenchRow[] = [];
  const add = (options: DecisionsOptions): void => {
    added.push(benchDecisions(options));
    process.stderr.write('.');
  };
  const runs = quick ? 1 : 5;
  for (const hosts of quick ? [1_000, 100_000] : [1_000, 10_000, 100_000]) {
    for (const variant of ['plain', 'groups', 'churn30', 'draw', 'pack'] as const) {
      add({ hosts, decisions: quick ? 50_000 : 200_000, runs, name: 'exact', variant });
    }
    for (const variant of quick ? (['plain'] as const) : (['plain', 'groups', 'churn30'] as const)) {
      // About a second or two of scanning a run.
      add({ hosts, decisions: Math.max(20, Math.floor((quick ? 1e6 : 4e6) / hosts)), runs, name: 'naive', variant });
      add({ hosts, decisions: Math.floor((quick ? 1e7 : 5e7) / hosts), runs, name: 'scan', variant });
      add({ hosts, decisions: quick ? 20_000 : 100_000, runs, name: 'random8', variant });
    }
  }
  process.stderr.write('\n');
  show(added);
}

async function runPacking(): Promise<void> {
  const path =
    flags.trace === undefined
      ? new URL('azure_packing2020_batched_10x1pct.csv.gz', tracesFolder)
      : pathToFileURL(flags.trace);
  const trace = readTrace(path);
  if (trace === undefined) {
    console.log(
      `\npacking: skipped, there is no trace at ${flags.trace ?? '../shared/data/traces/azure_packing2020_batched_10x1pct.csv.gz'}`,
    );
    return;
  }
  const all = serverSizes(new URL('azure_packing2020_server_vm_cores_ram.json.gz', tracesFolder));
  const sizes =
    flags.host === undefined
      ? flags.quick || all.length === 0
        ? [hostSize('2400/768')]
        : all
      : [hostSize(flags.host)];
  // The quick form takes every twelfth guest: fewer hosts, so that rounding to whole hosts weighs more and ratios are higher.
  const each = flags.quick ? 12 : 1;
  const names = chosen('names', [...baselineNames, 'shoal'] as const, (text, name) => text === name);
  const stale = chosen('stale', flags.quick ? [0, 5] : [0, 1, 5], (text, seconds) => Number(text) === seconds);
  const jobs = sizes.flatMap((host) =>
    stale.flatMap((stalenessS) => names.map((name) => ({ host, name, stalenessS }))),
  );
  const common = { path: path.pathname, traceName: basename(path.pathname), each };
  const done = await runPackingJobs(common, jobs, countFlag('threads', 2), () => process.stderr.write('.'));
  process.stderr.write('\n');
  for (const host of sizes) {
    const part = fittingPart(trace, host, each);
    const left = Math.ceil(trace.count / each) - part.count;
    console.log(
      `\npacking on hosts ${host.vcpus}/${host.memory}: ${part.count} guests${each > 1 ? ` (every ${each}th)` : ''}; ${left} left out, too large for one host`,
    );
    show(done.filter((row) => row['host'] === `${host.vcpus}/${host.memory}`));
  }
}

function runOpenb(): void {
  const added = benchAccelerators(tracesFolder);
  if (added.length === 0) console.log('\nopenb: skipped, there is no trace at ../shared/data/traces/openb_*.csv.gz');
  else show(added);
}

function hostSize(text: string): HostSize {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  if (match === null) {
    console.error(`--host ${text}: give cores/ram, such as 2400/768`);
    process.exit(2);
  }
  return { vcpus: Number(match[1]), memory: Number(match[2]) };
}
