/** `shoal ticket create`: a single-use ticket for one new host. */
import type { Command } from 'commander';
import { ShoalError } from '../../base/errors.ts';
import { type ConfigFlags, withConfigOptions } from '../kit/config-options.ts';
import { dataDirOf } from '../kit/data-dir.ts';
import { jsonText } from '../kit/json-text.ts';

/** Adds the command. */
export function registerTicket(program: Command): void {
  const ticket = program.command('ticket').description('tickets for new hosts');
  withConfigOptions(ticket.command('create'))
    .description('print a single-use ticket; anybody who has it can join one host')
    .option('--ttl <seconds>', 'how long it is good, 60 to 604800', '3600')
    .option('--json', 'print one JSON object')
    .action(async (flags: ConfigFlags & { readonly ttl: string; readonly json?: boolean }) => {
      const ttlSeconds = Number(flags.ttl);
      if (!Number.isInteger(ttlSeconds) || ttlSeconds < 60 || ttlSeconds > 604_800) {
        throw new ShoalError('INVALID_ARGUMENT', `--ttl ${flags.ttl}: expected whole seconds from 60 to 604800`);
      }
      const dataDir = dataDirOf(flags);
      const { callOptions, withLocalAgent } = await import('../kit/local-client.ts');
      const { shoal } = await import('../../../proto/messages.ts');
      const made = await withLocalAgent(dataDir, (client) =>
        client.calls(shoal.v1.ClusterService).createTicket({ ttlSeconds }, callOptions),
      );
      if (flags.json) console.log(jsonText({ ticket: made.ticket, expiresMs: made.expiresMs }));
      else console.log(made.ticket);
    });
}
