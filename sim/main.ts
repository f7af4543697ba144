/**
 * `npm run sim -- ...`: runs seeds and says what it found. One line of options first; a failure comes with its seed, the
 * invariant in words, what led to it, and the command that brings it back.
 *
 * Exit status: 0 nothing found; 1 safety; 2 liveness; 64 wrong use; 70 crash (something failed that has no name). With
 * several failures the worst counts: safety before crash before liveness.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ShoalError } from '../node/base/errors.ts';
import { mutants } from './mutants/index.ts';
import { drawOptions, type SimOverrides } from './options.ts';
import { readScenario, scenarioNames } from './scenarios/scenario.ts';
import { type SimResult, simulate } from './simulator.ts';
import { factsText } from './trace.ts';

const help = `Usage: npm run sim -- [options]

  --seed S          run seed S alone (default 1)
  --seeds N         run N seeds, from --seed on
  --scenario NAME   a shipped scenario (${scenarioNames().join(', ') || 'none yet'}), or a YAML file
  --hosts N         agents, 1 to 200             (default: the seed decides)
  --servers N       tenants that keep up to six servers each, 0 to 100
  --hours H         simulated hours of chaos     (default: the seed decides, under a minute)
  --mutant NAME     plant a bug: ${Object.keys(mutants).join(', ')}
  --trace FILE      write the trace of the last run
  --json            one object: {seeds, failures, simulated_seconds, wall_seconds, events}
  --help

Exit status: 0 nothing found, 1 safety violated, 2 liveness violated, 64 wrong use, 70 crash.`;

const exits = { passed: 0, safety: 1, liveness: 2, crash: 70 } as const;
const worstFirst = ['safety', 'crash', 'liveness', 'passed'] as const;

class Misuse extends Error {}

function number(
  name: string,
  text: string | undefined,
  least: number,
  most: number,
  integer = true,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value <= most) || (integer && !Number.isInteger(value))) {
    throw new Misuse(`--${name} ${text}: a${integer ? 'n integer' : ' number'} from ${least} to ${most} is wanted`);
  }
  return value;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      scenario: { type: 'string' },
      hosts: { type: 'string' },
      servers: { type: 'string' },
      hours: { type: 'string' },
      mutant: { type: 'string' },
      trace: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    console.log(help);
    return 0;
  }
  const scenario =
    values.scenario === undefined ? undefined : readScenario(values.scenario, (path) => readFileSync(path, 'utf8'));
  const first = number('seed', values.seed, 0, 2 ** 32 - 1) ?? scenario?.seed ?? 1;
  const count = number('seeds', values.seeds, 1, 10_000_000) ?? 1;
  const hosts = number('hosts', values.hosts, 1, 200);
  const tenants = number('servers', values.servers, 0, 100);
  const hours = number('hours', values.hours, 0.0001, 1_000, false);
  const mutant = values.mutant === undefined ? undefined : mutants[values.mutant];
  if (values.mutant !== undefined && mutant === undefined)
    throw new Misuse(`--mutant ${values.mutant}: there is no such mutant`);
  const overrides: SimOverrides = {
    ...scenario?.overrides,
    ...mutant?.overrides,
    ...(hosts === undefined ? {} : { hosts }),
    ...(tenants === undefined ? {} : { tenants }),
    ...(hours === undefined ? {} : { chaosMs: Math.round(hours * 3_600_000) }),
  };
  const isJson = values.json === true;
  const startedMs = performance.now();
  const failures: SimResult[] = [];
  let simulatedMs = 0;
  let events = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    if (!isJson && count === 1) console.log(`options ${factsText(drawOptions(seed, overrides))}`);
    const file = values.trace === undefined ? undefined : openSync(values.trace, 'w');
    const result = await simulate(seed, {
      overrides,
      ...(mutant === undefined ? {} : { mutant }),
      ...(file === undefined ? {} : { write: (line) => void writeSync(file, line) }),
    });
    if (file !== undefined) closeSync(file);
    simulatedMs += result.simulatedMs;
    events += result.events;
    if (result.verdict !== 'passed') {
      failures.push(result);
      if (!isJson) tell(result, again(seed, values));
    } else if (!isJson && count === 1) {
      console.log(`seed ${seed} passed; ${result.traceLines} lines of trace, sha256 ${result.traceDigest}`);
      console.log(`reached ${JSON.stringify(result.reached)}`);
    }
    const done = seed - first + 1;
    if (!isJson && count > 1 && done % 100 === 0) {
      const seconds = (performance.now() - startedMs) / 1000;
      console.log(
        `${done} seeds, ${(done / seconds).toFixed(1)} a second, ${(simulatedMs / 3_600_000).toFixed(2)} simulated hours, ${failures.length} failures`,
      );
    }
  }
  const wallSeconds = (performance.now() - startedMs) / 1000;
  if (isJson) {
    console.log(
      JSON.stringify({
        seeds: count,
        failures: failures.map(({ options, verdict, violated, detail }) => ({
          seed: options.seed,
          verdict,
          violated,
          detail,
          replay: again(options.seed, values),
        })),
        simulated_seconds: simulatedMs / 1000,
        wall_seconds: wallSeconds,
        events,
      }),
    );
  } else {
    console.log(
      `${count} seeds, ${failures.length} failures, ${(simulatedMs / 1000).toFixed(0)} simulated s in ${wallSeconds.toFixed(1)} s (${(simulatedMs / 1000 / wallSeconds).toFixed(0)} a second), ${events} events`,
    );
  }
  return exits[
    worstFirst.find((verdict) => verdict === 'passed' || failures.some((failure) => failure.verdict === verdict)) ??
      'passed'
  ];
}

function tell(result: SimResult, command: string): void {
  console.log(
    `\nseed ${result.options.seed}: ${result.verdict} (${result.violated})\n  ${result.detail}\n  after ${result.simulatedMs} ms; what led to it:`,
  );
  for (const line of result.lastLines) console.log(`    ${line.trimEnd().slice(0, 300)}`);
  console.log(`  again: ${command}\n`);
}

function again(seed: number, values: Readonly<Record<string, string | boolean | undefined>>): string {
  const kept = ['scenario', 'hosts', 'servers', 'hours', 'mutant'].flatMap((name) =>
    values[name] === undefined ? [] : [`--${name} ${values[name]}`],
  );
  return ['npm run sim --', `--seed ${seed}`, ...kept].join(' ');
}

try {
  process.exitCode = await main();
} catch (error) {
  const isMisuse =
    error instanceof Misuse ||
    ShoalError.is(error, 'CONFIG_INVALID') ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  console.error(isMisuse ? error.message : error);
  process.exitCode = isMisuse ? 64 : 70;
}
