/** `shoal reset-membership`: lets a former voter join its recovered mesh again without losing a disk. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { ShoalError } from '../../base/errors.ts';
import { type ConfigFlags, withConfigOptions } from '../kit/config-options.ts';
import { dataDirOf } from '../kit/data-dir.ts';

interface ResetFlags extends ConfigFlags {
  readonly yes?: boolean;
  readonly force?: boolean;
}

/** Adds the command. */
export function registerResetMembership(program: Command): void {
  withConfigOptions(program.command('reset-membership'))
    .description(
      'after a recover elsewhere: make this stopped former voter a host without a mesh; disks, images and guests stay',
    )
    .option('--yes', 'do it; without this it is only said what would be done')
    .option('--force', 'even though the log cannot be read')
    .action(async (flags: ResetFlags) => {
      const dataDir = dataDirOf(flags);
      const { readMembership } = await import('../../cluster/membership.ts');
      const membership = readMembership(dataDir);
      if (membership === undefined) throw new ShoalError('NOT_FOUND', `${dataDir} belongs to no mesh`);
      await mustNotBeTheMesh(dataDir, membership.raftId, flags.force ?? false);
      console.log(`set aside: the log, the membership in mesh ${membership.meshId} and its key`);
      console.log(
        'kept:      the host key (so its servers stay its own), disks, images, guests, networks, and their notes',
      );
      console.log(
        'lost:      nothing but what only this log has; recover it instead if it is the longest (shoal inspect)',
      );
      if (!flags.yes) throw new ShoalError('CONFLICT', 'nothing was changed; say --yes to do it');
      const { resetMembership } = await import('../../cluster/reset-membership.ts');
      console.log(`done: all of that lies in ${await resetMembership(dataDir)}`);
      console.log('next: on a member: shoal ticket create   and here: shoal agent --join TICKET');
    });
}

/** A log whose owner is the only voter is the mesh: nobody else has it. Throws `CONFLICT`, or `CANNOT_TELL`. */
async function mustNotBeTheMesh(dataDir: string, raftId: number, isForced: boolean): Promise<void> {
  const { openLevelCopy } = await import('../../store/level/level-copy.ts');
  const { inspectLog } = await import('../../store/log/inspect-log.ts');
  let voters: readonly number[];
  try {
    const copy = await openLevelCopy(join(dataDir, 'log'));
    const { disk, mark } = copy;
    const applied = disk && (await inspectLog(disk).finally(() => copy.close())).applied;
    if (disk === undefined) await copy.close();
    // Where nothing of the log can be read, the mark beside it still says whether anybody else voted.
    voters = applied?.confState.voters ?? (mark?.isAlone ? [raftId] : []);
  } catch (caught) {
    if (isForced) return;
    throw ShoalError.from(caught, 'CANNOT_TELL', 'whether this host is the only voter cannot be told (--force)');
  }
  if (voters.length === 1 && voters[0] === raftId) {
    throw new ShoalError(
      'CONFLICT',
      'this host is the only voter of its mesh: its log is the mesh. Start it with: shoal agent',
    );
  }
  if (voters.length === 0 && !isForced) {
    throw new ShoalError('CANNOT_TELL', 'the log does not say who votes; say --force if another host was recovered');
  }
}
