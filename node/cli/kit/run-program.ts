/** Runs one command line. */
import { Command, CommanderError } from 'commander';
import { ShoalError } from '../../base/errors.ts';
import { agentVersion } from '../../base/version.ts';

/** The command `shoal`, without its commands. */
export function newProgram(): Command {
  return new Command('shoal')
    .description('A cloud without controllers: the same agent on every machine.')
    .version(agentVersion)
    .showHelpAfterError()
    .showSuggestionAfterError();
}

/** Runs `argv`, Node and the script among it; returns the exit status. */
export async function runProgram(program: Command, argv: readonly string[]): Promise<number> {
  // What the agent and its tools write is for them alone; another user that must read something is let in by name.
  process.umask(0o077);
  forEachCommand(program, (command) => command.exitOverride());
  try {
    await program.parseAsync(argv);
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (caught) {
    if (caught instanceof CommanderError) return caught.exitCode === 0 ? 0 : 2;
    if (caught instanceof ShoalError) {
      console.error(`shoal: ${caught.message}`);
      return caught.code === 'CONFIG_INVALID' || caught.code === 'INVALID_ARGUMENT' ? 2 : 1;
    }
    throw caught;
  }
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const inner of command.commands) forEachCommand(inner, visit);
}
