/** `shoal placement explain|what-if`: where a server would go, and why not elsewhere; nothing is placed. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { ShoalError } from '../base/errors.ts';
import { type ConfigFlags, configFromFlags, withConfigOptions } from './config-options.ts';

interface Wish extends ConfigFlags {
  readonly flavor: string;
  readonly image: string;
  readonly zone: string;
  readonly hint: Readonly<Record<string, string>>;
  readonly json?: boolean;
}

function withWish(command: Command): Command {
  return withConfigOptions(command)
    .requiredOption('--flavor <id>', 'id of the flavor')
    .option('--image <id>', 'id of the image', '')
    .option('--zone <name>', 'availability zone', '')
    .option('--hint <key=value>', 'scheduler hint, such as group=ID; may be repeated', withHint, {})
    .option('--json', 'print one JSON object');
}

function withHint(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new ShoalError('INVALID_ARGUMENT', `--hint ${text}: expected KEY=VALUE, as in --hint group=ID`);
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

function wishOf(flags: Wish) {
  return { flavorId: flags.flavor, imageId: flags.image, zone: flags.zone, schedulerHints: flags.hint };
}

/** Adds the commands. */
export function registerPlacement(program: Command): void {
  const placement = program.command('placement').description('ask placement without placing anything');
  withWish(placement.command('explain'))
    .description('how each filter thins the hosts, and why each host passes or not')
    .action(async (flags: Wish) => {
      const config = configFromFlags(flags);
      const { callOptions, withLocalAgent } = await import('./local-client.ts');
      const { shoal } = await import('../../proto/messages.ts');
      const { filters, hosts } = await withLocalAgent(config, (client) =>
        client.calls(shoal.v1.PlacementService).explain(wishOf(flags), callOptions),
      );
      if (flags.json) {
        console.log(JSON.stringify({ filters, hosts }));
        return;
      }
      const style = { head: [], border: [] };
      const byFilter = new Table({ head: ['filter', 'removed', 'left', 'commonest reason'], style });
      for (const filter of filters) byFilter.push([filter.filter, filter.removed, filter.left, filter.reason]);
      const byHost = new Table({ head: ['host', 'verdict', 'reason', 'score'], style });
      for (const host of hosts) {
        const passes = host.filter === '';
        byHost.push([
          host.hostName,
          passes ? 'passes' : host.filter,
          host.reason,
          passes ? host.weight.toFixed(3) : '',
        ]);
      }
      console.log(byFilter.toString());
      console.log(byHost.toString());
    });

  withWish(placement.command('what-if'))
    .description('how many more servers of this shape fit')
    .option('--max <count>', 'stop counting here, 1 to 100000', '10000')
    .action(async (flags: Wish & { readonly max: string }) => {
      const countMax = Number(flags.max);
      if (!Number.isInteger(countMax) || countMax < 1 || countMax > 100_000) {
        throw new ShoalError('INVALID_ARGUMENT', `--max ${flags.max}: expected a whole number from 1 to 100000`);
      }
      const config = configFromFlags(flags);
      const { callOptions, withLocalAgent } = await import('./local-client.ts');
      const { shoal } = await import('../../proto/messages.ts');
      const { count } = await withLocalAgent(config, (client) =>
        client.calls(shoal.v1.PlacementService).whatIf({ ...wishOf(flags), countMax }, callOptions),
      );
      if (flags.json) console.log(JSON.stringify({ count, isAtMost: count === countMax }));
      else console.log(count === countMax ? `${count} or more` : String(count));
    });
}
