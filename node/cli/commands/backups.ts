/** `shoal backup list|verify|expire`: the backups of all volumes, whether they can be read, and which go. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Calls, UnaryOptions } from '../../rpc/client.ts';
import { type ConfigFlags, withConfigOptions } from '../kit/config-options.ts';
import { dataDirOf } from '../kit/data-dir.ts';
import { waitForJob } from '../kit/jobs-shown.ts';
import { jsonText } from '../kit/json-text.ts';

const daySeconds = 86_400;
/** Pages of a list that are asked for, at most: a million backups. */
const pagesMax = 1_000;

type ListFlags = ConfigFlags & { readonly volume: string; readonly json?: boolean };
type JobFlags = ConfigFlags & { readonly wait?: boolean; readonly json?: boolean };
type ExpireFlags = JobFlags & { readonly volume: string; readonly keep?: string; readonly olderThan?: string };

/** Adds the commands. */
export function registerBackups(program: Command): void {
  const backup = program.command('backup').description('backups of volumes: list and verify them, and let old ones go');
  withConfigOptions(backup.command('list'))
    .description('list the backups of all projects, with what was found when they were verified')
    .option('--volume <id>', 'of this volume alone', '')
    .option('--json', 'print one JSON object')
    .action(list);
  withJobOptions(withConfigOptions(backup.command('verify')))
    .description('begin to read all that a backup consists of, and to compare it with its manifest')
    .argument('<id>', 'id of the backup')
    .action(async (id: string, flags: JobFlags) => {
      const { jobId } = await withVolumes(flags, (calls, options) =>
        calls.verifyVolumeBackup({ backupId: id }, options),
      );
      await begun(jobId, flags);
    });
  withJobOptions(withConfigOptions(backup.command('expire')))
    .description('begin to remove backups of all projects that are neither among the newest nor young')
    .option('--keep <count>', 'so many of the newest of each volume stay; 1 when only --older-than is given')
    .option('--older-than <days>', 'younger ones stay')
    .option('--volume <id>', 'of this volume alone', '')
    .addHelpText(
      'after',
      '\nA backup that one which stays adds to stays, too: no chain of incremental backups is broken.\n',
    )
    .action(async (flags: ExpireFlags) => {
      const { jobId } = await withVolumes(flags, (calls, options) =>
        calls.expireVolumeBackups(expiryOf(flags), options),
      );
      await begun(jobId, flags);
    });
}

function withJobOptions(command: Command): Command {
  return command
    .option('--wait', 'wait for its end, saying how far it is; exit status 1 when it did not succeed')
    .option('--json', 'print one JSON object');
}

async function list(flags: ListFlags): Promise<void> {
  const backups: shoal.v1.VolumeBackupView.$Properties[] = [];
  let stale = false;
  let pageToken = '';
  for (let page = 0; page < pagesMax; page += 1) {
    const asked = { allProjects: true, volumeId: flags.volume, pageToken };
    const answer = await withVolumes(flags, (calls, options) => calls.listVolumeBackups(asked, options));
    backups.push(...answer.backups);
    stale ||= answer.stale;
    pageToken = answer.nextPageToken;
    if (pageToken === '') break;
  }
  if (flags.json) {
    console.log(jsonText({ backups, stale }));
    return;
  }
  const table = new Table({
    head: ['id', 'volume', 'status', 'GiB', 'stored MiB', 'adds to', 'content of', 'verified'],
    style: { head: [], border: [] },
  });
  for (const one of backups) {
    const { id, volumeId, status, sizeGib, storedBytes, parentId, dataTimestampMs } = new shoal.v1.VolumeBackupView(
      one,
    );
    const storedMib = Math.ceil(storedBytes / 2 ** 20);
    table.push([id, volumeId, status, sizeGib, storedMib, parentId, timeText(dataTimestampMs), verifiedText(one)]);
  }
  console.log(table.toString());
  if (stale) console.error('shoal: no quorum; this list may be old');
}

/** Throws `INVALID_ARGUMENT` for numbers that are none, and when nothing says what stays. */
function expiryOf({ volume, keep, olderThan }: ExpireFlags): shoal.v1.ExpireVolumeBackupsRequest.$Properties {
  if (keep === undefined && olderThan === undefined) {
    throw new ShoalError('INVALID_ARGUMENT', 'Say what stays: --keep COUNT, --older-than DAYS, or both.');
  }
  return {
    allProjects: true,
    volumeId: volume,
    ...(keep === undefined ? {} : { keepNewest: numberOf('--keep', keep, 100_000) }),
    ...(olderThan === undefined ? {} : { olderThanSeconds: numberOf('--older-than', olderThan, 36_500) * daySeconds }),
  };
}

function numberOf(name: string, text: string, max: number): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= max) return number;
  throw new ShoalError('INVALID_ARGUMENT', `${name} ${text}: expected a whole number from 0 to ${max}`);
}

/** Says which job it is, or waits for its end. */
async function begun(jobId: string, flags: JobFlags): Promise<void> {
  if (flags.wait) await waitForJob(jobId, flags);
  else if (flags.json) console.log(jsonText({ jobId }));
  else console.log(`Job ${jobId} has begun: shoal job wait ${jobId}`);
}

async function withVolumes<T>(
  flags: ConfigFlags,
  run: (calls: Calls<shoal.v1.VolumeService>, options: UnaryOptions) => Promise<T>,
): Promise<T> {
  const { callOptions, withLocalAgent } = await import('../kit/local-client.ts');
  return withLocalAgent(dataDirOf(flags), (client) => run(client.calls(shoal.v1.VolumeService), callOptions));
}

function verifiedText({ verifiedMs = 0, verifyFault = '' }: shoal.v1.VolumeBackupView.$Properties): string {
  if (verifiedMs === 0 || verifiedMs === null) return 'never';
  return verifyFault === '' || verifyFault === null ? timeText(verifiedMs) : `DAMAGED: ${verifyFault}`;
}

function timeText(ms: number): string {
  return ms === 0 ? '' : new Date(ms).toISOString();
}
