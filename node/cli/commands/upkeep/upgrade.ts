/** `shoal upgrade status|finalize`: which release each host runs, and putting into force what all of them can do. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { shoal } from '../../../../proto/messages.ts';
import type { Calls, UnaryOptions } from '../../../rpc/client.ts';
import { type ConfigFlags, withConfigOptions } from '../../kit/config-options.ts';
import { dataDirOf } from '../../kit/data-dir.ts';
import { jsonText } from '../../kit/json-text.ts';

type JsonFlags = ConfigFlags & { readonly json?: boolean };

/** Adds the commands. */
export function registerUpgrade(program: Command): void {
  const upgrade = program.command('upgrade').description('upgrades of the agents, one by one or all at once');
  withConfigOptions(upgrade.command('status'))
    .description('the release and the feature level of each host, and the level in force')
    .option('--json', 'print one JSON object')
    .action(status);
  withConfigOptions(upgrade.command('finalize'))
    .description(
      'put into force what all hosts can do now; agents of an earlier release do not start any more afterwards',
    )
    .option('--json', 'print one JSON object')
    .action(finalize);
}

async function status(flags: JsonFlags): Promise<void> {
  const answer = await withCluster(flags, (calls, options) => calls.getUpgrade({}, options));
  if (flags.json) {
    console.log(jsonText(answer));
    return;
  }
  const { featureLevel, ownFeatureLevel, members, stale } = answer;
  const table = new Table({ head: ['host', 'condition', 'release', 'feature level'], style: { head: [], border: [] } });
  for (const one of members) table.push([one.hostName, one.condition, one.version, one.featureLevel]);
  console.log(table.toString());
  console.log(nextText({ featureLevel, ownFeatureLevel }, members));
  if (stale) console.error('shoal: no quorum; this may be old');
}

function nextText(
  { featureLevel, ownFeatureLevel }: { readonly featureLevel: number; readonly ownFeatureLevel: number },
  members: readonly shoal.v1.IMemberRelease[],
): string {
  const inForce = `Feature level ${featureLevel} is in force.`;
  if (featureLevel >= ownFeatureLevel) return inForce;
  const older = members.filter((one) => (one.featureLevel ?? 0) < ownFeatureLevel).map((one) => one.hostName);
  if (older.length > 0) return `${inForce} Level ${ownFeatureLevel} waits for ${older.join(', ')}.`;
  return `${inForce} All hosts can do level ${ownFeatureLevel}: shoal upgrade finalize. Until then any of them can go back.`;
}

async function finalize(flags: JsonFlags): Promise<void> {
  const { featureLevel } = await withCluster(flags, (calls, options) => calls.finalizeUpgrade({}, options));
  console.log(flags.json ? jsonText({ featureLevel }) : `Feature level ${featureLevel} is in force.`);
}

async function withCluster<T>(
  flags: ConfigFlags,
  run: (calls: Calls<shoal.v1.ClusterService>, options: UnaryOptions) => Promise<T>,
): Promise<T> {
  const { callOptions, withLocalAgent } = await import('../../kit/local-client.ts');
  return withLocalAgent(dataDirOf(flags), (client) => run(client.calls(shoal.v1.ClusterService), callOptions));
}
