/**
 * The command line. One file a command; each registers itself. Exit status: 0 done; 1 refused or failed, the reason on
 * standard error; 2 the command line itself was wrong; 3 the answer is stale (no quorum).
 */
import type { Command } from 'commander';
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
import { newProgram, runProgram } from './kit/run-program.ts';
import { registerSim } from './sim.ts';

/** The whole command line. */
export function buildProgram(): Command {
  const program = newProgram().addHelpText(
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

if (process.argv[1] !== undefined && import.meta.url.endsWith('/node/cli/main.ts')) {
  process.exitCode = await runProgram(buildProgram(), process.argv);
}
