/** `shoal pools`: the storage pools of the mesh, who reaches each, and what is in it. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import type { shoal } from '../../../proto/messages.ts';
import { type ConfigFlags, withConfigOptions } from '../kit/config-options.ts';
import { dataDirOf } from '../kit/data-dir.ts';
import { jsonText } from '../kit/json-text.ts';

/** Adds the command. */
export function registerPools(program: Command): void {
  withConfigOptions(program.command('pools'))
    .description('list the storage pools of the mesh')
    .option('--json', 'print one JSON object')
    .action(async (flags: ConfigFlags & { readonly json?: boolean }) => {
      const { callOptions, withLocalAgent } = await import('../kit/local-client.ts');
      const { shoal } = await import('../../../proto/messages.ts');
      const { pools, stale } = await withLocalAgent(dataDirOf(flags), (client) =>
        client.calls(shoal.v1.ClusterService).listStoragePools({}, callOptions),
      );
      if (flags.json) {
        console.log(jsonText({ pools, stale }));
        return;
      }
      const table = new Table({
        head: ['name', 'shared', 'host', 'condition', 'GiB free/of', 'volumes', 'GiB of volumes', 'servers'],
        style: { head: [], border: [] },
      });
      for (const pool of pools) for (const row of rowsOf(pool)) table.push(row);
      console.log(table.toString());
      for (const { name, hosts, volumes, servers } of pools) {
        if (hosts.length > 0) continue;
        console.error(
          `shoal: no host has pool ${name}, in which ${volumes} volumes and ${servers} servers are recorded: set it under "pools" of their hosts again`,
        );
      }
      for (const [name, condition] of troubledOf(pools))
        console.error(`shoal: storage pool ${name} is ${condition}: no new disks are placed there`);
      if (stale) console.error('shoal: no quorum; this list may be old');
    });
}

/** One for each host; what is in the pool stands in the first. */
function rowsOf({ name, shared, hosts, volumes, volumesGib, servers }: shoal.v1.StoragePoolView): readonly string[][] {
  const whole = [String(volumes), String(volumesGib), String(servers)];
  const sharing = shared ? 'yes' : 'no';
  if (hosts.length === 0) return [[name, '', '', 'missing', '', ...whole]];
  return hosts.map((host, at) => [
    at === 0 ? name : '',
    at === 0 ? sharing : '',
    host.hostName,
    host.poolCondition === '' ? host.condition : `${host.condition}, ${host.poolCondition}`,
    `${gibText(host.freeGib)}/${gibText(host.totalGib)}`,
    ...(at === 0 ? whole : ['', '', '']),
  ]);
}

/** Pools that get no new disks, and why, each once. */
function troubledOf(pools: readonly shoal.v1.StoragePoolView[]): ReadonlyMap<string, string> {
  const troubled = new Map<string, string>();
  for (const { name, hosts } of pools) {
    for (const { poolCondition } of hosts) if (poolCondition) troubled.set(name, poolCondition);
  }
  return troubled;
}

function gibText(gib: number | null | undefined): string {
  return gib === undefined || gib === null ? '?' : String(gib);
}
