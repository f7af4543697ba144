/**
 * `shoal agent` alone, as `node/bin/shoal.mjs` runs it from one script: the text of the other commands would be in memory for as
 * long as the agent runs.
 */
import { registerAgent } from './commands/agent.ts';
import { newProgram, runProgram } from './kit/run-program.ts';

/** Runs one command line whose command is `agent`; returns the exit status. */
export async function runAgentCommand(argv: readonly string[]): Promise<number> {
  const program = newProgram();
  registerAgent(program);
  return runProgram(program, argv);
}
