/** `shoal join`: joins a mesh and ends; `shoal agent` runs the new member then. */
import type { Command } from 'commander';
import { ShoalError } from '../../base/errors.ts';
import { type ConfigFlags, configFromFlags, withConfigOptions } from '../kit/config-options.ts';
import { jsonText } from '../kit/json-text.ts';

/** Adds the command. */
export function registerJoin(program: Command): void {
  withConfigOptions(program.command('join'))
    .description('join a mesh with a ticket, without starting the agent')
    .argument('[ticket]', 'the ticket; better by SHOAL_JOIN, which no process list shows')
    .option('--json', 'print one JSON object')
    .action(async (argument: string | undefined, flags: ConfigFlags & { readonly json?: boolean }) => {
      const ticket = argument ?? process.env['SHOAL_JOIN'];
      if (ticket === undefined || ticket === '') {
        throw new ShoalError('INVALID_ARGUMENT', 'A ticket is needed; on a member: shoal ticket create');
      }
      const config = configFromFlags(flags);
      const { becomeMember } = await import('../../cluster/become-member.ts');
      const { createLogger } = await import('../../agent/log.ts');
      const { systemClock } = await import('../../base/clock.ts');
      const membership = await becomeMember(
        { clock: systemClock, logger: createLogger('error', {}) },
        config,
        ticket,
        AbortSignal.timeout(60_000),
      );
      const { meshId, hostId, raftId } = membership;
      if (flags.json) console.log(jsonText({ meshId, hostId, raftId }));
      else console.log(`host ${hostId} (${config.name}) is a member of mesh ${meshId}\n\nNow:      shoal agent`);
    });
}
