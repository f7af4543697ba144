/**
 * `shoal recover`: the one way back when a majority of the voters is lost for good. The stopped agent's member becomes the
 * only voter of its mesh (node/store/make-only-voter.ts says what is done to the log); the others join anew.
 */
import { join } from 'node:path';
import type { Command } from 'commander';
import { ShoalError } from '../base/errors.ts';
import type { Membership } from '../membership.ts';
import type { LogInspection } from '../store/inspect-log.ts';
import type { AppliedRecord, Head } from '../store/records.ts';
import { type ConfigFlags, withConfigOptions } from './config-options.ts';
import { dataDirOf } from './data-dir.ts';
import type { VoterAnswer } from './quorum-probe.ts';

/** How long the other voters are asked: an election takes two seconds at most, and one may have to be repeated. Unit: seconds. */
const waitSeconds = { min: 3, max: 600, default: 6 } as const;

interface RecoverFlags extends ConfigFlags {
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly wait: string;
}

/** A log that can be recovered. */
interface Candidate {
  readonly membership: Membership;
  readonly head: Head;
  readonly applied: AppliedRecord;
  readonly inspection: LogInspection;
  /** What is wrong with it. */
  readonly faults: readonly string[];
}

/** Adds the command. */
export function registerRecover(program: Command): void {
  withConfigOptions(program.command('recover'))
    .description(
      'when a majority of the voters is lost for good: make this stopped agent the only voter; refused while a quorum can be reached',
    )
    .option('--yes', 'do it; without this it is only said what would be done')
    .option('--force', 'even though this log is damaged or in doubt, or a voter cannot be asked for want of an address')
    .option(
      '--wait <seconds>',
      `how long to ask the other voters, ${waitSeconds.min} to ${waitSeconds.max}`,
      String(waitSeconds.default),
    )
    .action(async (flags: RecoverFlags) => {
      const wait = Number(flags.wait);
      if (!(wait >= waitSeconds.min && wait <= waitSeconds.max)) {
        throw new ShoalError(
          'INVALID_ARGUMENT',
          `--wait ${flags.wait}: expected seconds from ${waitSeconds.min} to ${waitSeconds.max}`,
        );
      }
      const dataDir = dataDirOf(flags);
      const candidate = await examine(dataDir);
      mustBeSound(candidate, flags.force ?? false);
      const answers = await askOthers(dataDir, candidate, wait * 1000);
      await mustBeLost(candidate, answers, flags.force ?? false);
      sayWhatIsLost(candidate);
      if (!flags.yes) {
        throw new ShoalError('CONFLICT', 'nothing was changed; say --yes to do it');
      }
      await recover(dataDir, candidate.membership.raftId);
    });
}

async function examine(dataDir: string): Promise<Candidate> {
  const { readMembership } = await import('../membership.ts');
  const { openLevelCopy } = await import('../store/level-copy.ts');
  const { inspectLog } = await import('../store/inspect-log.ts');
  const membership = readMembership(dataDir);
  if (membership === undefined) throw new ShoalError('NOT_FOUND', `${dataDir} belongs to no mesh`);
  const copy = await openLevelCopy(join(dataDir, 'log'));
  const { dropped } = copy;
  const inspection = await inspectLog(copy.disk).finally(() => copy.close());
  const { identity, head, applied } = inspection;
  if (identity !== undefined && identity.raftId !== membership.raftId) {
    throw new ShoalError(
      'IDENTITY_MISMATCH',
      `the log in ${dataDir} belongs to member ${identity.raftId}, not to ${membership.raftId}`,
    );
  }
  if (head === undefined || applied === undefined) {
    throw new ShoalError(
      'LOG_CORRUPT',
      `this log cannot be recovered, for its records are damaged: ${inspection.faults.join(' ')}`,
    );
  }
  if (applied.index === 0) {
    throw new ShoalError('CONFLICT', 'this member has never had the state of its mesh; recover another one');
  }
  const { voters, votersOutgoing } = applied.confState;
  if (voters.length === 1 && voters[0] === membership.raftId && votersOutgoing.length === 0) {
    throw new ShoalError('CONFLICT', 'this member is the only voter already; start it with: shoal agent');
  }
  const faults = [...inspection.faults, ...dropped.map((line) => `LevelDB left out what is damaged: ${line}`)];
  return { membership, head, applied, inspection, faults };
}

function mustBeSound({ faults }: Candidate, isForced: boolean): void {
  if (faults.length === 0) return;
  for (const fault of faults) console.error(`shoal: ${fault}`);
  if (isForced) return;
  throw new ShoalError(
    'LOG_CORRUPT',
    'this log is damaged or in doubt; recover another member, or say --force when this is the best there is',
  );
}

async function askOthers(
  dataDir: string,
  { membership, applied }: Candidate,
  forMs: number,
): Promise<readonly VoterAnswer[]> {
  const { probeVoters } = await import('./quorum-probe.ts');
  const { tlsKeyFileName } = await import('../mesh/identity.ts');
  const { readSecretFile } = await import('../mesh/secret-file.ts');
  const key = await readSecretFile(join(dataDir, tlsKeyFileName));
  if (key === undefined) {
    throw new ShoalError('CANNOT_TELL', `the other voters cannot be asked: ${tlsKeyFileName} is not in ${dataDir}`);
  }
  const others = othersOf(applied, membership.raftId);
  console.log(`asking ${others.length} other voters for ${forMs / 1000} s ...`);
  const answers = await probeVoters(others, { membership, tlsPrivateKeyPem: key.toString(), forMs });
  for (const { raftId, name, verdict, detail } of answers) console.log(`  ${raftId}  ${name}: ${verdict} (${detail})`);
  return answers;
}

async function mustBeLost(
  { membership, applied }: Candidate,
  answers: readonly VoterAnswer[],
  isForced: boolean,
): Promise<void> {
  const { couldFormQuorum } = await import('./quorum-probe.ts');
  const ruling = answers.find(({ verdict }) => verdict === 'commits' || verdict === 'follows');
  if (ruling !== undefined) {
    throw new ShoalError(
      'CONFLICT',
      `the mesh has a quorum: ${ruling.name} says so. Start this agent instead: it catches up by itself`,
    );
  }
  const present = new Set([
    membership.raftId,
    ...answers.filter(({ verdict }) => verdict === 'alone').map(({ raftId }) => raftId),
  ]);
  if (couldFormQuorum(applied.confState, present)) {
    throw new ShoalError(
      'CONFLICT',
      'enough voters are there to form a quorum together with this one. Start this agent instead',
    );
  }
  const unasked = answers.filter(({ verdict }) => verdict === 'not-asked');
  if (unasked.length > 0 && !isForced) {
    throw new ShoalError(
      'CANNOT_TELL',
      `whether ${unasked.map(({ name }) => name).join(', ')} can be reached could not be found out; say --force if it is lost for certain`,
    );
  }
}

function sayWhatIsLost({ membership, head, applied, inspection }: Candidate): void {
  const { lastIndex, lastTerm } = head;
  const nameOf = (raftId: number): string =>
    membership.hosts.find((host) => host.raftId === raftId)?.name ?? `member ${raftId}`;
  console.log(
    `this log ends at entry ${lastIndex} of term ${lastTerm}, and is applied up to ${applied.index}; all of it is kept`,
  );
  console.log('what may be lost: every write behind that entry, also if a client was told that it succeeded');
  for (const [raftId, { match, matchTerm }] of inspection.peers) {
    const isAhead = matchTerm > lastTerm || (matchTerm === lastTerm && match > lastIndex);
    if (isAhead)
      console.log(`  ${nameOf(raftId)} is known to have had entry ${match} of term ${matchTerm}: writes ARE lost`);
  }
  console.log('if another member that is left has a longer log (shoal inspect), recover that one instead');
  const others = othersOf(applied, membership.raftId).map(nameOf).join(', ');
  console.log(
    `the former voters ${others} must never run again on their old logs: on each that is left, and on nobody else, say ` +
      'shoal reset-membership   and join it anew with a ticket; its disks, images and guests stay',
  );
}

async function recover(dataDir: string, raftId: number): Promise<void> {
  const { openLevelLogStore } = await import('../store/index.ts');
  const { makeOnlyVoter } = await import('../store/make-only-voter.ts');
  const opened = await openLevelLogStore({ folder: join(dataDir, 'log'), raftId });
  try {
    const { lastIndex, index, term } = await makeOnlyVoter(opened);
    console.log(
      `done: member ${raftId} is the only voter; state as of entry ${lastIndex}, log behind ${index}, term ${term}`,
    );
  } finally {
    await opened.store.close();
  }
  console.log('next: start it with: shoal agent; then add hosts with: shoal ticket create');
}

function othersOf({ confState }: AppliedRecord, raftId: number): readonly number[] {
  return [...new Set([...confState.voters, ...confState.votersOutgoing])].filter((id) => id !== raftId);
}
