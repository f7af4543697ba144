/** `shoal hosts`: the hosts of the mesh with their room; `shoal host enable|disable`. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { ShoalError } from '../base/errors.ts';
import { type ConfigFlags, configFromFlags, withConfigOptions } from './config-options.ts';

/** Adds the commands. */
export function registerHosts(program: Command): void {
  withConfigOptions(program.command('hosts'))
    .description('list the hosts of the mesh')
    .option('--json', 'print one JSON object')
    .action(async (flags: ConfigFlags & { readonly json?: boolean }) => {
      const config = configFromFlags(flags);
      const { callOptions, withLocalAgent } = await import('./local-client.ts');
      const { shoal } = await import('../../proto/messages.ts');
      const { hosts, stale } = await withLocalAgent(config, (client) =>
        client.calls(shoal.v1.ClusterService).listHosts({}, callOptions),
      );
      if (flags.json) {
        console.log(JSON.stringify({ hosts, stale }));
        return;
      }
      const table = new Table({
        head: ['name', 'condition', 'zone', 'address', 'vCPU used/of', 'MiB used/of', 'disk GiB used/of', 'servers'],
        style: { head: [], border: [] },
      });
      for (const { host, advert, condition } of hosts) {
        const used = (taken = 0, total = 0, reserved = 0, ratio = 1): string =>
          advert ? `${taken}/${Math.floor((total - reserved) * ratio)}` : '';
        table.push([
          host?.name ?? '',
          host?.disabled ? `${condition}, disabled` : condition,
          host?.zone ?? '',
          host?.peerAddress ?? '',
          used(advert?.vcpusUsed, advert?.vcpus, advert?.vcpusReserved, advert?.vcpusRatio),
          used(advert?.memoryMibUsed, advert?.memoryMib, advert?.memoryMibReserved, advert?.memoryRatio),
          used(advert?.diskGibUsed, advert?.diskGib, advert?.diskGibReserved, advert?.diskRatio),
          advert ? String(advert.servers) : '',
        ]);
      }
      console.log(table.toString());
      if (stale) console.error('shoal: no quorum; this list may be old');
    });

  const host = program.command('host').description('one host of the mesh');
  for (const enabled of [true, false]) {
    withConfigOptions(host.command(enabled ? 'enable' : 'disable'))
      .description(enabled ? 'let a host take new servers again' : 'keep new servers away; those there stay')
      .argument('<name>', 'name or id of the host')
      .option('--reason <text>', 'why, for other operators', '')
      .action(async (name: string, flags: ConfigFlags & { readonly reason: string }) => {
        const config = configFromFlags(flags);
        const { callOptions, withLocalAgent } = await import('./local-client.ts');
        const { shoal } = await import('../../proto/messages.ts');
        await withLocalAgent(config, async (client) => {
          const calls = client.calls(shoal.v1.ClusterService);
          const { hosts } = await calls.listHosts({}, callOptions);
          const found = hosts.find((view) => view.host?.name === name || view.host?.id === name)?.host;
          if (found === undefined || found === null) {
            throw new ShoalError(
              'NOT_FOUND',
              `no host is called ${name}; there are ${hosts.map((view) => view.host?.name).join(', ')}`,
            );
          }
          await calls.setHostEnabled({ hostId: found.id, enabled, reason: flags.reason }, callOptions);
        });
      });
  }
}
