/**
 * `npm run sim -- ...`, also `shoal sim ...`: runs seeds and says what it found. A failure comes with its seed, the
 * invariant in words, what led to it, the command that brings it back, and the smallest one that does.
 *
 * Exit status: 0 nothing found; 1 safety; 2 liveness; 64 wrong use; 70 crash (an unexpected error); 130 ended
 * from the keyboard with nothing found. With several failures the worst counts: safety before crash before liveness.
 */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { ShoalError } from '../node/base/errors.ts';
import { mutants } from './mutants/index.ts';
import { Chronicle } from './report/chronicle.ts';
import { reportHtml } from './report/html.ts';
import { exitStatus } from './run/exit-status.ts';
import { mainFlags, misuse, numberOf, overrideFlags, overridesHelp, overridesOf } from './run/flags.ts';
import { appendToLedger } from './run/ledger.ts';
import { runSeeds } from './run/pool.ts';
import { Progress, statusText } from './run/progress.ts';
import { type RunSpec, replayCommand, runSpec, settingsOf } from './run/run-spec.ts';
import { type Shrunk, shrink } from './run/shrink.ts';
import { type SimResult, simulate } from './run/simulator.ts';
import { readScenario, scenarioNames } from './scenarios/scenario.ts';
import { drawOptions } from './settings/draw-options.ts';
import { pointNames, unreached } from './settings/points.ts';
import { causesOf } from './trace/causes.ts';
import { factsText } from './trace/trace.ts';

const seedMax = 2 ** 32 - 1;
const seedsMax = 10_000_000;
const workersMax = 256;
/** Failures that are told in full and made smaller; of the others the command alone. */
const toldMax = 5;
/** Lines of trace in which the story of a failure is looked for. */
const storyLinesMax = 300_000;

const help = `Usage: npm run sim -- [options]

  --seed S            run seed S alone (default 1)
  --seeds N           run N seeds, from --seed on, on several cores
  --workers N         threads for that (default: one for each core)
  --scenario NAME     a shipped scenario, or a YAML file
  --list-scenarios    the shipped scenarios with their stories
  --mutant NAME       plant a bug
  --list-mutants      the planted bugs
  --trace FILE        write the trace (one seed)
  --report FILE       write a report for operators as one HTML file (one seed)
  --no-shrink         do not look for a smaller failure
  --shrink-seconds N  time for that, for each failure (default 60)
  --coverage          how often each thing was reached, summed over all seeds
  --ledger            add a line to sim/LEDGER.md
  --json              one object: {seeds, failures, simulated_seconds, wall_seconds, events}
  --help

What a seed decides can be fixed:

${overridesHelp()}

Exit status: 0 nothing found, 1 safety violated, 2 liveness violated, 64 wrong use, 70 crash, 130 ended by Ctrl-C.`;

/** What a failure is told with. */
interface Told {
  readonly result: SimResult;
  readonly replay: string;
  readonly causes: readonly string[];
  readonly smaller: Shrunk | undefined;
}

const readText = (path: string | URL): string => readFileSync(path, 'utf8');

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { ...overrideFlags, ...mainFlags } });
  if (values.help === true) {
    console.log(help);
    return 0;
  }
  if (values['list-scenarios'] === true) {
    for (const name of scenarioNames()) console.log(`${name}\n  ${readScenario(name, readText).story.trim()}`);
    return 0;
  }
  if (values['list-mutants'] === true) {
    for (const [name, { text }] of Object.entries(mutants)) console.log(`${name.padEnd(28)}${text}`);
    return 0;
  }
  const scenario = values.scenario === undefined ? undefined : readScenario(values.scenario, readText);
  const spec = runSpec({
    scenario: values.scenario,
    scenarioOverrides: scenario?.overrides,
    mutant: values.mutant,
    flags: overridesOf(values),
  });
  const first = numberOf('seed', values.seed, [0, seedMax]) ?? scenario?.seed ?? 1;
  const count = numberOf('seeds', values.seeds, [1, seedsMax]) ?? 1;
  const workers = numberOf('workers', values.workers, [1, workersMax]) ?? availableParallelism();
  const shrinkMs = 1000 * (numberOf('shrink-seconds', values['shrink-seconds'], [1, 3_600]) ?? 60);
  if (count > 1 && (values.trace !== undefined || values.report !== undefined))
    throw misuse('--trace and --report are of one seed; --seeds runs many');
  const options = drawOptions(first, spec.overrides);

  const isJson = values.json === true;
  const startedMs = performance.now();
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  if (!isJson && count === 1) console.log(`options ${factsText(options)}`);
  const results =
    count === 1
      ? [await runOne(first, spec, values.trace, values.report, stop.signal)]
      : await runMany({ spec, first, count, workers, signal: stop.signal }, isJson);
  const failures = results.filter(({ verdict }) => verdict !== 'passed');
  const wallSeconds = (performance.now() - startedMs) / 1000;

  const told: Told[] = [];
  for (const [at, result] of failures.entries()) {
    const isFull = at < toldMax && !stop.signal.aborted;
    const one = await describe(result, spec, isFull, values['no-shrink'] === true ? 0 : shrinkMs, stop.signal, isJson);
    told.push(one);
    if (!isJson) tell(one);
  }
  const simulatedMs = results.reduce((sum, result) => sum + result.simulatedMs, 0);
  const events = results.reduce((sum, result) => sum + result.events, 0);
  if (values.ledger === true) {
    const [from, to] = [first, first + results.length - 1];
    const line = appendToLedger({ from, to, simulatedMs, failures: failures.map(({ options: { seed } }) => seed) });
    if (!isJson) console.log(`sim/LEDGER.md has a new line: ${line}`);
  }
  if (isJson) {
    console.log(
      JSON.stringify({
        seeds: results.length,
        failures: told.map(jsonOf),
        simulated_seconds: simulatedMs / 1000,
        wall_seconds: wallSeconds,
        events,
        ...(values.coverage === true ? { reached: reachedIn(results) } : {}),
      }),
    );
  } else {
    const [only] = results;
    if (count === 1 && only?.verdict === 'passed') {
      console.log(`seed ${first} passed; ${only.traceLines} lines of trace, sha256 ${only.traceDigest}`);
      console.log(`reached ${JSON.stringify(only.reached)}`);
    }
    if (values.coverage === true) tellCoverage(results);
    console.log(
      `${stop.signal.aborted ? `ended early, ${results.length} of ${count}` : count} seeds, ${failures.length} failures, ${(simulatedMs / 1000).toFixed(0)} simulated s in ${wallSeconds.toFixed(1)} s (${(simulatedMs / 1000 / wallSeconds).toFixed(0)} a second), ${events} events`,
    );
  }
  return exitStatus(
    failures.map(({ verdict }) => verdict),
    stop.signal.aborted,
  );
}

// --- Running ---------------------------------------------------------------------------------------------------------

/** In this thread, so that its trace and its report can be taken. */
async function runOne(
  seed: number,
  spec: RunSpec,
  traceFile: string | undefined,
  reportFile: string | undefined,
  signal: AbortSignal,
): Promise<SimResult> {
  const file = traceFile === undefined ? undefined : openSync(traceFile, 'w');
  const chronicle = reportFile === undefined ? undefined : new Chronicle();
  try {
    const result = await simulate(seed, {
      ...settingsOf(spec),
      isCancelled: () => signal.aborted,
      ...(file === undefined && chronicle === undefined
        ? {}
        : {
            write: (line) => {
              if (file !== undefined) writeSync(file, line);
              chronicle?.line(line);
            },
          }),
      ...(chronicle === undefined ? {} : { watcher: chronicle }),
    });
    if (reportFile !== undefined && chronicle !== undefined) {
      const story = spec.scenario === undefined ? '' : readScenario(spec.scenario, readText).story;
      writeFileSync(reportFile, reportHtml(chronicle, result, { command: replayCommand(seed, spec), story }));
    }
    return result;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

async function runMany(options: Parameters<typeof runSeeds>[0], isJson: boolean): Promise<SimResult[]> {
  const startedMs = performance.now();
  if (!isJson) console.log(`${options.count} seeds from ${options.first} on ${options.workers} threads`);
  const progress = new Progress(process.stdout, () => performance.now());
  const status = { seedsDone: 0, seeds: options.count, failures: 0, simulatedMs: 0, wallMs: 0 };
  const results = await runSeeds(options, (result) => {
    status.seedsDone += 1;
    status.simulatedMs += result.simulatedMs;
    status.wallMs = performance.now() - startedMs;
    if (isJson) return;
    if (result.verdict !== 'passed') {
      status.failures += 1;
      progress.clear();
      console.log(`seed ${result.options.seed}: ${result.verdict} (${result.violated})`);
    }
    progress.show(status);
  });
  progress.clear();
  if (!isJson) console.log(statusText({ ...status, wallMs: performance.now() - startedMs }));
  return results;
}

// --- Failures --------------------------------------------------------------------------------------------------------

async function describe(
  result: SimResult,
  spec: RunSpec,
  isFull: boolean,
  shrinkMs: number,
  signal: AbortSignal,
  isJson: boolean,
): Promise<Told> {
  const { seed } = result.options;
  const told = { result, replay: replayCommand(seed, spec), causes: [], smaller: undefined };
  if (!isFull) return told;
  const smaller =
    shrinkMs === 0
      ? undefined
      : await shrink(result, spec, {
          msMax: shrinkMs,
          nowMs: () => (signal.aborted ? Number.POSITIVE_INFINITY : performance.now()),
          onStep: ({ options }) => {
            if (!isJson && process.stderr.isTTY) process.stderr.write(`\r\u001b[Kshrinking: ${sizeText(options)}`);
          },
        });
  if (!isJson && process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  // The story of the smallest one is the shortest. A run that is not started again has no trace: it is run once more.
  const [storySeed, storySpec] = [smaller?.result.options.seed ?? seed, smaller?.spec ?? spec];
  const lines: string[] = [];
  const again = await simulate(storySeed, {
    ...settingsOf(storySpec),
    isCancelled: () => signal.aborted,
    write: (line) => {
      lines.push(line);
      if (lines.length > 2 * storyLinesMax) lines.splice(0, storyLinesMax);
    },
  });
  const isSmaller = smaller !== undefined && smaller.spec !== spec;
  return { ...told, causes: causesOf(lines, again.detail), smaller: isSmaller ? smaller : undefined };
}

function tell({ result, replay, causes, smaller }: Told): void {
  const { options, verdict, violated, detail, simulatedMs } = result;
  console.log(`\nseed ${options.seed}: ${verdict} (${violated})\n  ${detail}\n  after ${simulatedMs} ms`);
  if (smaller !== undefined) {
    const { result: small, spec, runs } = smaller;
    console.log(`  made smaller in ${runs} runs: ${sizeText(small.options)}; it fails after ${small.simulatedMs} ms`);
    console.log(`  ${small.detail.split('\n', 1)[0] ?? ''}`);
    console.log(`  smallest: ${replayCommand(small.options.seed, spec)}`);
  }
  if (causes.length > 0) console.log(`  what led to it${smaller === undefined ? '' : ', in the smallest'}:`);
  for (const line of causes) console.log(`    ${line.slice(0, 300)}`);
  console.log(`  again: ${replay}\n`);
}

function jsonOf({ result, replay, causes, smaller }: Told): object {
  const { options, verdict, violated, detail } = result;
  return {
    seed: options.seed,
    verdict,
    violated,
    detail,
    causes,
    replay,
    ...(smaller === undefined ? {} : { smallest: replayCommand(smaller.result.options.seed, smaller.spec) }),
  };
}

function sizeText({ hosts, tenants, clients, chaosMs, faults }: SimResult['options']): string {
  return `${hosts} hosts, ${tenants} tenants, ${clients} clients, ${chaosMs} ms, ${faults.length === 0 ? 'no faults' : faults.join(' ')}`;
}

// --- Coverage --------------------------------------------------------------------------------------------------------

function reachedIn(results: readonly SimResult[]): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const { reached } of results)
    for (const [name, times] of Object.entries(reached)) sums.set(name, (sums.get(name) ?? 0) + times);
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function tellCoverage(results: readonly SimResult[]): void {
  console.log('\nreached, in how many seeds, and how often in all:');
  for (const [name, times] of Object.entries(reachedIn(results))) {
    const seeds = results.filter(({ reached }) => (reached[name] ?? 0) > 0).length;
    console.log(`  ${name.padEnd(56)} ${String(seeds).padStart(7)} ${String(times).padStart(10)}`);
  }
  console.log('');
  const all = pointNames();
  for (const [group, missing] of Object.entries(unreached(reachedIn(results)))) {
    const count = all[group as keyof typeof all].length;
    const left = missing.length === 0 ? '' : `; not ${missing.map((name) => name.replace(`${group} `, '')).join(', ')}`;
    console.log(`${group}: ${count - missing.length} of ${count} reached${left}`);
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const isMisuse =
    ShoalError.is(error, 'CONFIG_INVALID') ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  console.error(isMisuse ? error.message : error);
  process.exitCode = isMisuse ? 64 : 70;
}
