/** `shoal placement explain|what-if`: where a server would go, and why not elsewhere; nothing is placed. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import type { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { type ConfigFlags, withConfigOptions } from '../kit/config-options.ts';
import { dataDirOf } from '../kit/data-dir.ts';
import { jsonText } from '../kit/json-text.ts';

interface SpecFlags extends ConfigFlags {
  readonly flavor: string;
  readonly image: string;
  readonly zone: string;
  readonly hint: Readonly<Record<string, string>>;
  readonly json?: boolean;
}

function withSpec(command: Command): Command {
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

function specOf(flags: SpecFlags) {
  return { flavorId: flags.flavor, imageId: flags.image, zone: flags.zone, schedulerHints: flags.hint };
}

/** Adds the commands. */
export function registerPlacement(program: Command): void {
  const placement = program.command('placement').description('ask placement without placing anything');
  withSpec(placement.command('explain'))
    .description('how each filter thins the hosts, and why each host passes or not')
    .action(async (flags: SpecFlags) => {
      const dataDir = dataDirOf(flags);
      const { callOptions, withLocalAgent } = await import('../kit/local-client.ts');
      const { shoal } = await import('../../../proto/messages.ts');
      const { filters, hosts } = await withLocalAgent(dataDir, (client) =>
        client.calls(shoal.v1.PlacementService).explain(specOf(flags), callOptions),
      );
      const explained = explainedOf(filters, hosts);
      console.log(flags.json ? jsonText(explained) : explanationText(explained));
    });

  withSpec(placement.command('what-if'))
    .description('how many more servers of this shape fit')
    .option('--max <count>', 'stop counting here, 1 to 100000', '10000')
    .action(async (flags: SpecFlags & { readonly max: string }) => {
      const countMax = Number(flags.max);
      if (!Number.isInteger(countMax) || countMax < 1 || countMax > 100_000) {
        throw new ShoalError('INVALID_ARGUMENT', `--max ${flags.max}: expected a whole number from 1 to 100000`);
      }
      const dataDir = dataDirOf(flags);
      const { callOptions, withLocalAgent } = await import('../kit/local-client.ts');
      const { shoal } = await import('../../../proto/messages.ts');
      const { count } = await withLocalAgent(dataDir, (client) =>
        client.calls(shoal.v1.PlacementService).whatIf({ ...specOf(flags), countMax }, callOptions),
      );
      if (flags.json) console.log(jsonText({ count, isAtLeast: count === countMax }));
      else console.log(count === countMax ? `${count} or more` : String(count));
    });
}

/** What is printed as JSON: every field, also those that are 0 or empty. */
interface Explained {
  readonly hostCount: number;
  readonly fittingCount: number;
  readonly filters: readonly {
    readonly filter: string;
    readonly removed: number;
    readonly left: number;
    /** The commonest; empty when it removed nothing. */
    readonly reason: string;
  }[];
  /** Those that fit first, the best at the top. The agent tells of so many and no more. */
  readonly hosts: readonly {
    readonly hostId: string;
    readonly hostName: string;
    readonly fits: boolean;
    /** The first filter that the host fails; empty when it fits. */
    readonly filter: string;
    readonly reason: string;
    /** Null when it does not fit. */
    readonly score: number | null;
  }[];
}

function explainedOf(filters: readonly shoal.v1.FilterCount[], hosts: readonly shoal.v1.HostReason[]): Explained {
  const first = filters[0];
  return {
    // Without a filter every host that is told of fits.
    hostCount: first === undefined ? hosts.length : first.removed + first.left,
    fittingCount: filters.at(-1)?.left ?? hosts.length,
    filters: filters.map(({ filter, removed, left, reason }) => ({ filter, removed, left, reason })),
    hosts: hosts
      .map(({ hostId, hostName, filter, reason, weight }) => {
        const fits = filter === '';
        return { hostId, hostName, fits, filter, reason, score: fits ? weight : null };
      })
      .sort((a, b) => (b.score ?? Number.NEGATIVE_INFINITY) - (a.score ?? Number.NEGATIVE_INFINITY) || byName(a, b)),
  };
}

function byName(a: { readonly hostName: string }, b: { readonly hostName: string }): number {
  return a.hostName < b.hostName ? -1 : 1;
}

function explanationText({ hostCount, fittingCount, filters, hosts }: Explained): string {
  const style = { head: [], border: [] };
  const byFilter = new Table({ head: ['filter', 'removed', 'left', 'commonest reason'], style });
  for (const { filter, removed, left, reason } of filters) byFilter.push([filter, removed, left, reason]);
  const byHost = new Table({ head: ['host', 'verdict', 'reason', 'score'], style });
  for (const { hostName, fits, filter, reason, score } of hosts) {
    byHost.push([hostName, fits ? 'fits' : filter, reason, score === null ? '' : score.toFixed(3)]);
  }
  const verdict =
    hostCount === 0
      ? 'This agent knows of no host.'
      : fittingCount === 0
        ? `No host fits; ${hostCount} known to this agent.`
        : `${fittingCount} of ${hostCount} hosts ${fittingCount === 1 ? 'fits' : 'fit'}.`;
  const unlistedCount = hostCount - hosts.length;
  return [
    byFilter.toString(),
    ...(hosts.length === 0 ? [] : [byHost.toString()]),
    ...(unlistedCount > 0 && hosts.length > 0 ? [`${unlistedCount} more hosts are not listed.`] : []),
    verdict,
  ].join('\n');
}
