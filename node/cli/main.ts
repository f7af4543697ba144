/**
 * The command line. One file a command; each registers itself. Exit status: 0 done; 1 refused or failed, the reason on
 * standard error; 2 the command line itself was wrong; 3 the answer is stale (no quorum).
 */
import { Command, CommanderError } from 'commander';
import { ShoalError } from '../base/errors.ts';
import { agentVersion } from '../base/version.ts';
import { registerAdmin } from './commands/admin.ts';
import { registerAgent } from './commands/agent.ts';
import { registerBackups } from './commands/backups.ts';
import { registerCa } from './commands/ca.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerHosts } from './commands/hosts.ts';
import { registerInit } from './commands/init.ts';
import { registerInspect } from './commands/inspect.ts';
import { registerJobs } from './commands/jobs.ts';
import { registerJoin } from './commands/join.ts';
import { registerNetwork } from './commands/network.ts';
import { registerPlacement } from './commands/placement.ts';
import { registerPolicy } from './commands/policy.ts';
import { registerPools } from './commands/pools.ts';
import { registerRecords } from './commands/records.ts';
import { registerRecover } from './commands/recover.ts';
import { registerResetMembership } from './commands/reset-membership.ts';
import { registerStatus } from './commands/status.ts';
import { registerTicket } from './commands/ticket.ts';
import { registerCloudBackups } from './commands/upkeep/cloud-backup.ts';
import { registerUpgrade } from './commands/upkeep/upgrade.ts';
import { registerSim } from './sim.ts';

/** The whole command line. */
export function buildProgram(): Command {
  const program = new Command('shoal');
  program
    .description('A cloud without controllers: the same agent on every machine.')
    .version(agentVersion)
    .showHelpAfterError()
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      '\nA first host:   shoal init && shoal agent\nOne more:       shoal ticket create   (there)   shoal agent --join TICKET   (here)\n',
    );
  registerInit(program);
  registerAgent(program);
  registerJoin(program);
  registerTicket(program);
  registerStatus(program);
  registerHosts(program);
  registerPools(program);
  registerJobs(program);
  registerBackups(program);
  registerCloudBackups(program);
  registerUpgrade(program);
  registerCa(program);
  registerRecords(program);
  registerAdmin(program);
  registerNetwork(program);
  registerPlacement(program);
  registerPolicy(program);
  registerInspect(program);
  registerRecover(program);
  registerResetMembership(program);
  registerSim(program);
  registerCompletion(program);
  return program;
}

/** Runs one command line; returns the exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  // What the agent and its tools write is for them alone; another user that must read something is let in by name.
  process.umask(0o077);
  const program = buildProgram();
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

if (process.argv[1] !== undefined && import.meta.url.endsWith('/node/cli/main.ts')) {
  process.exitCode = await run(process.argv);
}
