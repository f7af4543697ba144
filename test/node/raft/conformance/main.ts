/**
 * Replays scenario files against the core, and says how many cases pass.
 *
 *     node test/node/raft/conformance/main.ts [--data FOLDER] [--failures N]    etcd-io/raft's files
 *     node test/node/raft/conformance/main.ts --own [--rewrite]                 our own, in test/data/raft
 *
 * `--rewrite` replaces the expected outputs of our own files by what came; read the difference before you commit it.
 * Exit status: 0 when the gate is reached (or the files are not there), 1 when not, 2 for a wrong argument.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Failure, replay } from './replay.ts';
import {
  etcdRaftCases,
  etcdRaftFolder,
  etcdRaftGate,
  etcdRaftScenarios,
  ownScenarios,
  type ScenarioSource,
} from './scenario-set.ts';

interface Flags {
  readonly data: string | undefined;
  readonly failures: number;
  readonly own: boolean;
  readonly rewrite: boolean;
}

function main(): number {
  let flags: Flags;
  try {
    flags = parseFlags();
  } catch (caught) {
    console.error(caught instanceof Error ? caught.message : String(caught));
    return 2;
  }
  if (flags.own) return runOwn(flags);
  const scenarios = etcdRaftScenarios(flags.data);
  if (scenarios === undefined) {
    console.log(`conformance: skipped, etcd-io/raft's scenario files are not at ${etcdRaftFolder(flags.data)}`);
    return 0;
  }
  const { passed, cases } = run(scenarios, flags.failures);
  console.log(`conformance: ${passed}/${cases}`);
  return passed >= Math.min(etcdRaftGate, etcdRaftCases) && cases === etcdRaftCases ? 0 : 1;
}

function runOwn(flags: Flags): number {
  const scenarios = ownScenarios();
  if (flags.rewrite) {
    for (const scenario of scenarios) {
      const { rewritten } = replay(scenario.kind, scenario.text);
      if (rewritten !== scenario.text) {
        writeFileSync(scenario.path, rewritten);
        console.log(`rewritten: ${scenario.name}`);
      }
    }
    return 0;
  }
  const { passed, cases } = run(scenarios, flags.failures);
  console.log(`own scenarios: ${passed}/${cases}`);
  return passed === cases ? 0 : 1;
}

function run(scenarios: readonly ScenarioSource[], failuresShown: number): { passed: number; cases: number } {
  let passed = 0;
  let cases = 0;
  let shown = 0;
  for (const scenario of scenarios) {
    const result = replay(scenario.kind, scenario.text);
    passed += result.passed;
    cases += result.cases;
    console.log(`${result.failures.length === 0 ? 'ok  ' : 'FAIL'} ${scenario.name} ${result.passed}/${result.cases}`);
    for (const failure of result.failures) {
      if (shown++ < failuresShown) printFailure(scenario.name, failure);
    }
  }
  return { passed, cases };
}

function printFailure(name: string, failure: Failure): void {
  console.log(`  ${name}:${failure.line} ${failure.command}`);
  console.log(`  expected:\n${failure.expected}\n  actual:\n${failure.actual}`);
}

function parseFlags(): Flags {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      failures: { type: 'string', default: '3' },
      own: { type: 'boolean', default: false },
      rewrite: { type: 'boolean', default: false },
    },
  });
  const failures = Number(values.failures);
  if (!Number.isSafeInteger(failures) || failures < 0) throw new Error(`--failures ${values.failures}: give a number`);
  if (values.rewrite && !values.own) throw new Error('--rewrite is for our own files only: add --own');
  return { data: values.data, failures, own: values.own, rewrite: values.rewrite };
}

process.exitCode = main();
