/** `shoal hosts`: the hosts of the mesh with their room; `shoal host enable|disable|drain|remove`. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import type { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Calls, UnaryOptions } from '../../rpc/client.ts';
import { type ConfigFlags, withConfigOptions } from '../kit/config-options.ts';
import { dataDirOf } from '../kit/data-dir.ts';
import { jsonText } from '../kit/json-text.ts';
import { registerHostDrains } from './moves/host-drains.ts';

/** Offsets of a clock below this are not told apart from the delay of what tells them, s. */
const clockToldSecondsMin = 5;

/** Adds the commands. */
export function registerHosts(program: Command): void {
  withConfigOptions(program.command('hosts'))
    .description('list the hosts of the mesh')
    .option('--json', 'print one JSON object')
    .action(async (flags: ConfigFlags & { readonly json?: boolean }) => {
      const dataDir = dataDirOf(flags);
      const { callOptions, withLocalAgent } = await import('../kit/local-client.ts');
      const { shoal } = await import('../../../proto/messages.ts');
      const { hosts, stale } = await withLocalAgent(dataDir, (client) =>
        client.calls(shoal.v1.ClusterService).listHosts({}, callOptions),
      );
      if (flags.json) {
        console.log(jsonText({ hosts, stale }));
        return;
      }
      const table = new Table({
        head: [
          'name',
          'condition',
          'zone',
          'address',
          'vCPU used/of',
          'MiB used/of',
          'disk GiB used/of',
          'servers',
          'clock',
        ],
        style: { head: [], border: [] },
      });
      for (const { host, advert, condition, clockOffsetMs, keyUsedTwiceAt } of hosts) {
        const used = (taken = 0, total = 0, reserved = 0, ratio = 1): string =>
          advert ? `${taken}/${Math.floor((total - reserved) * ratio)}` : '';
        table.push([
          host?.name ?? '',
          [
            condition,
            ...(host?.disabled ? ['disabled'] : []),
            ...(keyUsedTwiceAt === '' ? [] : ['key used twice']),
          ].join(', '),
          host?.zone ?? '',
          host?.peerAddress ?? '',
          used(advert?.vcpusUsed, advert?.vcpus, advert?.vcpusReserved, advert?.vcpusRatio),
          used(advert?.memoryMibUsed, advert?.memoryMib, advert?.memoryMibReserved, advert?.memoryRatio),
          used(advert?.diskGibUsed, advert?.diskGib, advert?.diskGibReserved, advert?.diskRatio),
          advert ? String(advert.servers) : '',
          clockText(clockOffsetMs),
        ]);
      }
      console.log(table.toString());
      for (const { host, keyUsedTwiceAt } of hosts) {
        if (keyUsedTwiceAt === '') continue;
        console.error(
          `shoal: two agents use the key of ${host?.name}, the second at ${keyUsedTwiceAt}: one data folder is a copy; stop that agent and join its machine with an empty folder and a ticket`,
        );
      }
      for (const { host, condition, accusedBy } of hosts) {
        if (accusedBy.length > 0)
          console.log(`${host?.name ?? ''} is ${condition}: no answer to ${accusedBy.join(', ')}`);
      }
      for (const { host, serversWithoutSpareRoom, withoutSpareRoom } of hosts) {
        if (withoutSpareRoom === 0) continue;
        const more = withoutSpareRoom - serversWithoutSpareRoom.length;
        const names = serversWithoutSpareRoom.join(', ') + (more > 0 ? ` and ${more} more` : '');
        console.error(`shoal: were ${host?.name ?? ''} lost, the other hosts would have no room for ${names}`);
      }
      if (stale) console.error('shoal: no quorum; this list may be old');
    });

  const host = program.command('host').description('one host of the mesh');
  for (const enabled of [true, false]) {
    withConfigOptions(host.command(enabled ? 'enable' : 'disable'))
      .description(enabled ? 'let a host take new servers again' : 'keep new servers away; those there stay')
      .argument('<name>', 'name or id of the host')
      .option('--reason <text>', 'why, for other operators', '')
      .action(async (name: string, flags: ConfigFlags & { readonly reason: string }) =>
        withHost(flags, name, async (calls, hostId, options) => {
          await calls.setHostEnabled({ hostId, enabled, reason: flags.reason }, options);
        }),
      );
  }
  registerHostDrains(host);
  withConfigOptions(host.command('remove'))
    .description('take a host out of the mesh for good; it must have no servers')
    .argument('<name>', 'name or id of the host')
    .option(
      '--force',
      'also when it is alive and votes, when it can never tear down what is being deleted or release what moves away, or when it alone holds an image or has volumes on its own storage',
    )
    .option(
      '--trusted',
      'nobody else has what is on its disk: users stay logged in and the authority stays; otherwise the mesh is re-keyed',
    )
    .option('--json', 'print one JSON object')
    .action(async (name: string, flags: RemoveFlags) => {
      const { forgottenServerIds, releasedServerIds, lostImageIds, lostVolumeIds } = await withHost(
        flags,
        name,
        (calls, hostId, options) =>
          calls.removeHost({ hostId, force: flags.force ?? false, trusted: flags.trusted ?? false }, options),
      );
      if (flags.json) {
        console.log(jsonText({ removed: name, forgottenServerIds, releasedServerIds, lostImageIds, lostVolumeIds }));
        return;
      }
      console.log(`${name} is no host of this mesh any more. Its agent ends by itself or may be stopped.`);
      if (flags.trusted !== true) console.log(rekeyedText);
      for (const id of forgottenServerIds)
        console.log(
          `server ${id} was being deleted there: its record is gone; what is left of it on ${name} is yours to clear away`,
        );
      for (const id of releasedServerIds)
        console.log(`server ${id} had moved away: its new host shuts ${name} out of the storage and takes its disk`);
      for (const id of lostImageIds) console.log(`image ${id} was held there alone: its content is lost`);
      for (const id of lostVolumeIds) console.log(`volume ${id} was on its own storage: its content is lost`);
    });

  withConfigOptions(program.command('rekey'))
    .description('draw a new mesh key and a new authority: a disk, a backup or a ticket has come into wrong hands')
    .option('--json', 'print one JSON object')
    .action(async (flags: ConfigFlags & { readonly json?: boolean }) => {
      const { callOptions, withLocalAgent } = await import('../kit/local-client.ts');
      const messages = await import('../../../proto/messages.ts');
      const { keyEpoch } = await withLocalAgent(dataDirOf(flags), (client) =>
        client.calls(messages.shoal.v1.ClusterService).rekey({}, callOptions),
      );
      console.log(flags.json ? jsonText({ keyEpoch }) : rekeyedText);
    });
}

/** How far a clock is off, in seconds; what gossip's own delay may be is not told. */
function clockText(offsetMs: number | null | undefined): string {
  if (offsetMs === null || offsetMs === undefined) return '';
  const seconds = Math.round(offsetMs / 1000);
  return Math.abs(seconds) < clockToldSecondsMin ? 'ok' : `${seconds > 0 ? '+' : ''}${seconds} s`;
}

/** What operators have to know after a re-keying. */
const rekeyedText =
  'The mesh has new keys and a new authority: users log in again, unused tickets are void, and clients that trust the ' +
  'authority need its new certificate (shoal ca).';

type RemoveFlags = ConfigFlags & { readonly force?: boolean; readonly trusted?: boolean; readonly json?: boolean };

/** Finds a host by name or id and does something with it. Throws `NOT_FOUND`, naming those that there are. */
async function withHost<T>(
  flags: ConfigFlags,
  name: string,
  run: (calls: Calls<shoal.v1.ClusterService>, hostId: string, options: UnaryOptions) => Promise<T>,
): Promise<T> {
  const dataDir = dataDirOf(flags);
  const { callOptions, withLocalAgent } = await import('../kit/local-client.ts');
  const messages = await import('../../../proto/messages.ts');
  return withLocalAgent(dataDir, async (client) => {
    const calls = client.calls(messages.shoal.v1.ClusterService);
    const { hosts } = await calls.listHosts({}, callOptions);
    const found = hosts.find((view) => view.host?.name === name || view.host?.id === name)?.host;
    if (found === undefined || found === null) {
      throw new ShoalError(
        'NOT_FOUND',
        `no host is called ${name}; there are ${hosts.map((view) => view.host?.name).join(', ')}`,
      );
    }
    return run(calls, found.id, callOptions);
  });
}
