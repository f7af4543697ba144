/** `shoal cloud-backup set|create|list|verify|restore`: backups of the cloud itself, its records and keys. */
import { setTimeout as delay } from 'node:timers/promises';
import Table from 'cli-table3';
import type { Command } from 'commander';
import type { BackupStore } from '../../../../drivers/backup/store.ts';
import { shoal } from '../../../../proto/messages.ts';
import { systemClock } from '../../../base/clock.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { OpenedBackup } from '../../../host/cloud-backup/read.ts';
import type { Calls, UnaryOptions } from '../../../rpc/client.ts';
import { mustBeNamedSecret, namedSecret, type SecretFlags, withSecretOptions } from '../../kit/backup-secret.ts';
import { type ConfigFlags, configFromFlags, withConfigOptions } from '../../kit/config-options.ts';
import { dataDirOf } from '../../kit/data-dir.ts';
import { jsonText } from '../../kit/json-text.ts';

/** How often it is looked whether a backup that was asked for is made, ms. */
const lookMs = 500;
/** How long it is waited for, ms. */
const createMsMax = 1_800_000;
/** How long reading all of a backup may take an agent, ms. */
const verifyMsMax = 1_800_000;
/** A store that does not answer at all is given up by its own bound; this command has none of its own. */
const { signal: forever } = new AbortController();

type JsonFlags = ConfigFlags & { readonly json?: boolean };
type FromFlags = JsonFlags & SecretFlags & { readonly from?: string };
type SetFlags = JsonFlags & SecretFlags & { readonly store?: string; readonly every: string; readonly keep: string };
type RestoreFlags = FromFlags & { readonly yes?: boolean };

/** Adds the commands. */
export function registerCloudBackups(program: Command): void {
  const backup = program
    .command('cloud-backup')
    .description('backups of the cloud itself: its records and keys, no volumes');
  withSecretOptions(withConfigOptions(backup.command('set')))
    .description('say where backups go, how often they are made, and what opens them')
    .option(
      '--store <url>',
      'file:///FOLDER that all hosts see, or s3://BUCKET/PREFIX; none: no backups are made any more',
    )
    .option('--every <hours>', 'make one so often, 0 to 8760; 0: only when one is asked for', '24')
    .option('--keep <count>', 'so many of the newest stay, 0 to 10000; 0: all', '30')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nKeep the passphrase or the key file somewhere else than in this cloud: nothing opens a backup without it.\n',
    )
    .action(set);
  withConfigOptions(backup.command('create'))
    .description('make one now, and wait for it')
    .option('--json', 'print one JSON object')
    .action(create);
  withConfigOptions(backup.command('list'))
    .description('what is set, how the last one went, and which backups lie in the store')
    .option('--from <url>', 'look into this store, of whichever cloud; needs no agent')
    .option('--json', 'print one JSON object')
    .action(list);
  withSecretOptions(withConfigOptions(backup.command('verify')))
    .description('read a backup from its first byte to its last, and compare all of it with its digests')
    .argument('[id]', 'which one; default: the newest', '')
    .option('--from <url>', 'in this store, with a passphrase or key file; needs no agent')
    .option('--json', 'print one JSON object')
    .action(verify);
  withSecretOptions(withConfigOptions(backup.command('restore')))
    .description('make a new mesh with this host as its first, out of a backup; then start it with `shoal agent`')
    .argument('[id]', 'which one; default: the newest', '')
    .requiredOption('--from <url>', 'the store that it lies in')
    .option('--yes', 'do it; without this it is only said what would be done')
    .option('--json', 'print one JSON object')
    .action(restore);
}

async function set(flags: SetFlags): Promise<void> {
  const { newKeyOrigin, backupKey } = await import('../../../host/cloud-backup/key.ts');
  const secret = await namedSecret(flags);
  const origin = secret === undefined ? undefined : newKeyOrigin(secret.kind);
  const key = secret === undefined || origin === undefined ? undefined : await backupKey(secret, origin);
  const request = {
    store: flags.store ?? '',
    everyHours: numberOf('--every', flags.every),
    keep: numberOf('--keep', flags.keep),
    ...(origin === undefined || key === undefined ? {} : { origin, key }),
  };
  await withCluster(flags, (calls, options) => calls.setCloudBackups(request, options));
  if (flags.json) console.log(jsonText({ store: request.store, everyHours: request.everyHours, keep: request.keep }));
  else if (request.store === '') console.log('No backups of the cloud are made any more. Those that were made stay.');
  else console.log(`Backups of the cloud go to ${request.store}, ${scheduleText(request)}.`);
}

async function create(flags: JsonFlags): Promise<void> {
  const { asked } = await withCluster(flags, (calls, options) => calls.createCloudBackup({}, options));
  const endMs = performance.now() + createMsMax;
  for (;;) {
    const { settings } = await withCluster(flags, (calls, options) =>
      calls.listCloudBackups({ onlyStatus: true }, options),
    );
    // Another one that was asked for meanwhile is as new.
    if (settings !== null && settings.answered === settings.asked) {
      if (settings.failure !== '') throw new ShoalError('DRIVER_FAILED', `the backup failed: ${settings.failure}`);
      const { made } = settings;
      if (flags.json) console.log(jsonText({ made }));
      else
        console.log(
          `Backup ${made?.backupId} of revision ${made?.revision} is made: ${mibText(made?.storedBytes)} MiB.`,
        );
      return;
    }
    if (performance.now() > endMs) throw new ShoalError('DEADLINE_EXCEEDED', `the backup ${asked} is still not made`);
    await delay(lookMs);
  }
}

async function list(flags: FromFlags): Promise<void> {
  const answer =
    flags.from === undefined
      ? await withCluster(flags, (calls, options) => calls.listCloudBackups({}, options))
      : { settings: null, backups: await listIn(storeOf(flags, flags.from)), stale: false };
  const { settings, backups, stale } = answer;
  if (flags.json) {
    console.log(jsonText({ settings, backups, stale }));
    return;
  }
  const table = new Table({
    head: ['id', 'made', 'revision', 'MiB', 'mesh', 'release'],
    style: { head: [], border: [] },
  });
  for (const one of backups) {
    const { backupId, createdMs, revision, contentBytes, meshName, version, fault } = new shoal.v1.CloudBackupView(one);
    const text =
      fault === '' ? [revision, mibText(contentBytes), meshName, version] : [`DAMAGED: ${fault}`, '', '', ''];
    table.push([backupId, timeText(createdMs), ...text]);
  }
  console.log(table.toString());
  if (settings !== null) console.log(statusText(settings));
  else if (flags.from === undefined)
    console.log('Nothing is set: shoal cloud-backup set --store URL --passphrase-file FILE');
  if (stale) console.error('shoal: no quorum; this may be old');
}

async function verify(backupId: string, flags: FromFlags): Promise<void> {
  const told =
    flags.from === undefined ? await verifyByAgent(backupId, flags) : await verifyHere(backupId, flags, flags.from);
  if (flags.json) console.log(jsonText(told));
  else {
    const { revision, contentBytes, keys } = told;
    console.log(
      `Backup ${told.backupId} is whole: revision ${revision}, ${keys} keys, ${mibText(contentBytes)} MiB of state.`,
    );
  }
}

function verifyByAgent(backupId: string, flags: FromFlags): Promise<shoal.v1.IVerifyCloudBackupResponse> {
  return withCluster(flags, (calls) => calls.verifyCloudBackup({ backupId }, { timeoutMs: verifyMsMax }));
}

async function verifyHere(
  backupId: string,
  flags: FromFlags,
  from: string,
): Promise<shoal.v1.IVerifyCloudBackupResponse> {
  const { manifest, machine } = await open(backupId, flags, from);
  const { revision, contentBytes } = manifest;
  return { backupId: manifest.backupId, revision, contentBytes, keys: machine.keyCount };
}

async function restore(backupId: string, flags: RestoreFlags): Promise<void> {
  const config = configFromFlags(flags);
  const { manifest, machine, meshKeys } = await open(backupId, flags, flags.from ?? '');
  const { tooOldFor } = await import('../../../state/tables/feature-level.ts');
  const tooOld = tooOldFor(manifest.featureLevel);
  if (tooOld !== undefined) throw tooOld;
  if (!flags.json) {
    console.log(
      `backup    ${manifest.backupId} of mesh ${manifest.meshName}, made ${timeText(manifest.createdMs)}, is whole`,
    );
    console.log('lost:     every change since then. What was made since runs on where it runs, and no record knows it');
    console.log('void:     all tokens, tickets and certificates of the former mesh; its agents must not run any more');
  }
  if (!flags.yes) throw new ShoalError('CONFLICT', 'nothing was changed; say --yes to do it');
  const { restoreMesh } = await import('../../../cluster/restore-mesh.ts');
  const kept = { machine, meshKeys, createdMs: manifest.createdMs };
  const restored = await restoreMesh(config, kept, systemClock.nowMs());
  if (flags.json) {
    console.log(jsonText(restored));
    return;
  }
  console.log(`mesh      ${restored.meshId}`);
  console.log(`host      ${restored.hostId} (${config.name})`);
  console.log(`authority ${restored.fingerprint}`);
  if (restored.aside !== undefined)
    console.log(`aside     what the folder held of a state before lies in ${restored.aside}`);
  console.log('next:     here: shoal agent');
  if (restored.awaited.length === 0) return;
  console.log(
    `          on each of ${restored.awaited.join(', ')} whose data folder is left: shoal reset-membership --yes`,
  );
  console.log('          and shoal agent --join TICKET, a ticket each; what is lost for good: shoal host remove NAME');
}

async function open(backupId: string, flags: SecretFlags & ConfigFlags, from: string): Promise<OpenedBackup> {
  const store = storeOf(flags, from);
  const { findCloudBackup } = await import('../../../host/cloud-backup/catalog.ts');
  const { openCloudBackup, readManifest } = await import('../../../host/cloud-backup/read.ts');
  const { backupKey } = await import('../../../host/cloud-backup/key.ts');
  const secret = await mustBeNamedSecret(flags);
  const name = await findCloudBackup(await store, { backupId }, forever);
  const shown = await readManifest(await store, name, forever);
  const key = await backupKey(secret, shown.manifest.origin ?? {});
  return openCloudBackup(await store, name, shown, key, forever);
}

async function listIn(store: Promise<BackupStore>): Promise<readonly shoal.v1.CloudBackupView[]> {
  const { listCloudBackups } = await import('../../../host/cloud-backup/catalog.ts');
  return listCloudBackups(await store, undefined, forever);
}

async function storeOf(flags: ConfigFlags, url: string): Promise<BackupStore> {
  const { backupStores } = await import('../../../host/backup-stores.ts');
  return backupStores(systemClock, configFromFlags(flags).backups)(url);
}

async function withCluster<T>(
  flags: ConfigFlags,
  run: (calls: Calls<shoal.v1.ClusterService>, options: UnaryOptions) => Promise<T>,
): Promise<T> {
  const { callOptions, withLocalAgent } = await import('../../kit/local-client.ts');
  return withLocalAgent(dataDirOf(flags), (client) => run(client.calls(shoal.v1.ClusterService), callOptions));
}

function statusText(settings: shoal.v1.ICloudBackups): string {
  const { store, made, failure, beganMs, ...schedule } = new shoal.v1.CloudBackups(settings);
  if (store === '') return 'No backups are made any more.';
  const last = made === null ? 'none was made yet' : `the last one was made ${timeText(made.createdMs ?? 0)}`;
  const failed = failure === '' ? '' : `; the last attempt (${timeText(beganMs)}) FAILED: ${failure}`;
  return `Backups go to ${store}, ${scheduleText(schedule)}; ${last}${failed}.`;
}

function scheduleText({ everyHours, keep }: { readonly everyHours: number; readonly keep: number }): string {
  const often = everyHours === 0 ? 'when one is asked for' : `every ${everyHours} h`;
  return `${often}; ${keep === 0 ? 'all are kept' : `the newest ${keep} are kept`}`;
}

/** Throws `INVALID_ARGUMENT`. What is in range is the service's to say. */
function numberOf(name: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new ShoalError('INVALID_ARGUMENT', `${name} ${text}: expected a whole number`);
}

function mibText(bytes: number | null | undefined): string {
  return ((bytes ?? 0) / 2 ** 20).toFixed(1);
}

function timeText(ms: number): string {
  return ms === 0 ? '' : new Date(ms).toISOString();
}
