/** `shoal network trace`: where a packet would go, and what would stop it. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { ShoalError } from '../../base/errors.ts';
import { type ConfigFlags, withConfigOptions } from '../kit/config-options.ts';
import { dataDirOf } from '../kit/data-dir.ts';
import { jsonText } from '../kit/json-text.ts';

interface TraceFlags extends ConfigFlags {
  readonly protocol: string;
  readonly port: string;
  readonly from: string;
  readonly json?: boolean;
}

/** Adds the commands. */
export function registerNetwork(program: Command): void {
  const network = program.command('network').description('ask about networks');
  withConfigOptions(network.command('trace'))
    .description('walk a packet through every rule, table and host that the records make; nothing is sent')
    .argument('<server>', 'the server that sends it: its id, or a name that only one has')
    .argument('<destination>', 'an address, or a server: its first address then')
    .option('--protocol <name>', 'icmp (an echo request), tcp or udp', 'icmp')
    .option('--port <number>', 'where a tcp or udp packet goes, 1 to 65535', '0')
    .option('--from <port-id>', "the server's port that it leaves by, if it has several", '')
    .option('--json', 'print one JSON object')
    .action(async (source: string, destination: string, flags: TraceFlags) => {
      const destinationPort = Number(flags.port);
      if (!Number.isInteger(destinationPort) || destinationPort < 0 || destinationPort > 65_535) {
        throw new ShoalError('INVALID_ARGUMENT', `--port ${flags.port}: expected a whole number from 1 to 65535`);
      }
      const { callOptions, withLocalAgent } = await import('../kit/local-client.ts');
      const { shoal } = await import('../../../proto/messages.ts');
      const request = { source, destination, sourcePortId: flags.from, protocol: flags.protocol, destinationPort };
      const { end, steps, stale } = await withLocalAgent(dataDirOf(flags), (client) =>
        client.calls(shoal.v1.NetworkService).tracePacket(request, callOptions),
      );
      // Every field by name: those that are false or empty are not the message's own.
      const told = steps.map(({ hostName, table, passes, detail, recordId }) => ({
        hostName,
        table,
        passes,
        detail,
        recordId,
      }));
      if (flags.json) console.log(jsonText({ end, steps: told, stale }));
      else {
        const table = new Table({
          head: ['host', 'where', '', 'what'],
          style: { head: [], border: [] },
          colWidths: [null, null, null, 90],
          wordWrap: true,
        });
        for (const step of steps)
          table.push([step.hostName, step.table, step.passes ? 'passes' : 'STOPS', step.detail]);
        console.log(table.toString());
        console.log(end);
      }
      if (stale) console.error('shoal: no quorum; what is walked may be old');
      if (end === 'stopped') process.exitCode = 1;
    });
}
