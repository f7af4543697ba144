import { AssertionError } from '../../../../node/base/assert.ts';
import type { CaseRunner } from './command.ts';
import { interactionRunner } from './interaction-cases.ts';
import { membershipRunner } from './membership-cases.ts';
import { quorumRunner } from './quorum-cases.ts';
import { parseScenario, printable, rewriteScenario } from './scenario-file.ts';

/** The three kinds of files, after the folders they are in. */
export type ScenarioKind = 'interaction' | 'confchange' | 'quorum';

export interface Failure {
  readonly line: number;
  readonly command: string;
  readonly expected: string;
  readonly actual: string;
}

export interface Replay {
  readonly cases: number;
  readonly passed: number;
  readonly failures: readonly Failure[];
  /** The file with the outputs that came in place of the expected ones. */
  readonly rewritten: string;
}

const logLine = /^\s*(DEBUG|INFO|WARN|ERROR|FATAL) /;

/** Log lines are dropped, as their words are nobody's promise; an empty output reads `ok`. All else must be equal. */
export function normalise(lines: readonly string[]): string {
  const kept = lines.filter((line) => !logLine.test(line));
  return kept.length === 0 ? 'ok' : kept.join('\n');
}

/** Runs every case of a file. A broken invariant is the output of its case, so that the others still count. */
export function replay(kind: ScenarioKind, text: string): Replay {
  const run = runnerOf(kind);
  const cases = parseScenario(text);
  const failures: Failure[] = [];
  const outputs: string[] = [];
  for (const one of cases) {
    let output: string;
    try {
      output = run(one);
    } catch (caught) {
      if (!(caught instanceof AssertionError)) throw caught;
      output = `${caught.message}\n`;
    }
    outputs.push(output);
    const actual = normalise(printable(output));
    const expected = normalise(one.expected);
    if (actual !== expected) failures.push({ line: one.line, command: one.command, expected, actual });
  }
  return {
    cases: cases.length,
    passed: cases.length - failures.length,
    failures,
    rewritten: rewriteScenario(text, cases, outputs),
  };
}

function runnerOf(kind: ScenarioKind): CaseRunner {
  if (kind === 'quorum') return quorumRunner();
  return kind === 'confchange' ? membershipRunner() : interactionRunner();
}
