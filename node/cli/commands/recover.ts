/**
 * `shoal recover`: the way on from what nothing repairs by itself.
 *
 * - A majority of the voters is lost for good: the stopped agent's member becomes the only voter of its mesh
 *   (node/store/log/make-only-voter.ts says what is done to the log); the others join again.
 * - The replicas hold different states and no majority holds one (`STATE_DIVERGED`): people decide which host is right, and
 *   its stopped agent becomes the only voter with its state, the agents of all others being stopped; they join again.
 *   To start another with an empty log instead is wrong: it takes the state of whichever member leads.
 * - The log of the only voter is damaged, so that its agent refuses to start: with `--force` it goes on with what is left.
 * - The host's own notes are damaged (`--notes`): it goes on with those that hold (node/store/host/salvage-host-store.ts).
 */
import { join } from 'node:path';
import type { Command } from 'commander';
import { ShoalError } from '../../base/errors.ts';
import type { Membership } from '../../cluster/membership.ts';
import type { LogInspection } from '../../store/log/inspect-log.ts';
import type { AppliedRecord, Head } from '../../store/log/records.ts';
import { type ConfigFlags, withConfigOptions } from '../kit/config-options.ts';
import { dataDirOf } from '../kit/data-dir.ts';
import type { VoterAnswer } from '../kit/quorum-probe.ts';

/** How long the other voters are asked: an election takes two seconds at most, and one may have to be repeated. Unit: seconds. */
const waitSeconds = { min: 3, max: 600, default: 6 } as const;

interface RecoverFlags extends ConfigFlags {
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly notes?: boolean;
  readonly wait: string;
}

/** A log that can be recovered. */
interface Candidate {
  readonly membership: Membership;
  /** It votes alone already, and would start if its log were whole. */
  readonly isOnlyVoter: boolean;
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
      'when a majority of the voters is lost for good, when no majority holds one state (STATE_DIVERGED: stop all agents, then recover the host whose state is right), or when the log of the only voter is damaged: make this stopped agent the only voter, with what it has; refused while a quorum can be reached',
    )
    .option('--yes', 'do it; without this it is only said what would be done')
    .option(
      '--force',
      'even though this log is damaged or quarantined, or a voter cannot be asked for want of an address',
    )
    .option('--notes', "not the log: the host's own notes are damaged; go on with those that hold")
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
      if (flags.notes) {
        await recoverNotes(dataDir, flags.yes ?? false);
        return;
      }
      const candidate = await examine(dataDir);
      mustBeSound(candidate, flags.force ?? false);
      if (!candidate.isOnlyVoter) {
        const answers = await askOthers(dataDir, candidate, wait * 1000);
        await mustBeLost(candidate, answers, flags.force ?? false);
      }
      sayWhatIsLost(candidate);
      if (!flags.yes) {
        throw new ShoalError('CONFLICT', 'nothing was changed; say --yes to do it');
      }
      await recover(dataDir, candidate.membership.raftId, flags.force ?? false);
    });
}

async function examine(dataDir: string): Promise<Candidate> {
  const { readMembership } = await import('../../cluster/membership.ts');
  const { openLevelCopy } = await import('../../store/level/level-copy.ts');
  const { inspectLog } = await import('../../store/log/inspect-log.ts');
  const membership = readMembership(dataDir);
  if (membership === undefined) throw new ShoalError('NOT_FOUND', `${dataDir} belongs to no mesh`);
  const copy = await openLevelCopy(join(dataDir, 'log'));
  const { disk, dropped, mark } = copy;
  const inspection = disk && (await inspectLog(disk, {}, mark).finally(() => copy.close()));
  if (inspection === undefined) {
    await copy.close();
    throw new ShoalError('LOG_CORRUPT', `nothing of this log can be read: ${copy.faults.join(' ')}`);
  }
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
  const isOnlyVoter = voters.length === 1 && voters[0] === membership.raftId && votersOutgoing.length === 0;
  const faults = [
    ...copy.faults,
    ...inspection.faults,
    ...dropped.map((line) => `LevelDB left out what is damaged: ${line}`),
  ];
  if (isOnlyVoter && faults.length === 0) {
    throw new ShoalError('CONFLICT', 'this member is the only voter already; start it with: shoal agent');
  }
  return { membership, isOnlyVoter, head, applied, inspection, faults };
}

function mustBeSound({ faults, isOnlyVoter }: Candidate, isForced: boolean): void {
  if (faults.length === 0) return;
  for (const fault of faults) console.error(`shoal: ${fault}`);
  if (isForced) return;
  if (isOnlyVoter) {
    throw new ShoalError(
      'LOG_CORRUPT',
      'this log is damaged, and no other member has it: put back a copy of the whole data folder, or say --force to go on with what is left',
    );
  }
  throw new ShoalError(
    'LOG_CORRUPT',
    'this log is damaged or quarantined; recover another member, or say --force when this is the best there is',
  );
}

async function askOthers(
  dataDir: string,
  { membership, applied }: Candidate,
  forMs: number,
): Promise<readonly VoterAnswer[]> {
  const { probeVoters } = await import('../kit/quorum-probe.ts');
  const { tlsKeyFileName } = await import('../../mesh/identity/identity.ts');
  const { readSecretFile } = await import('../../mesh/identity/secret-file.ts');
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
  const { couldFormQuorum } = await import('../kit/quorum-probe.ts');
  const ruling = answers.find(({ verdict }) => verdict === 'commits' || verdict === 'follows');
  if (ruling !== undefined) {
    throw new ShoalError(
      'CONFLICT',
      `the mesh has a quorum: ${ruling.name} says so. Start this agent instead: it catches up by itself ` +
        '(after STATE_DIVERGED: stop the agents of all other hosts first)',
    );
  }
  const present = new Set([
    membership.raftId,
    ...answers.filter(({ verdict }) => verdict === 'alone').map(({ raftId }) => raftId),
  ]);
  if (couldFormQuorum(applied.confState, present)) {
    throw new ShoalError(
      'CONFLICT',
      'enough voters are there to form a quorum together with this one. Start this agent instead ' +
        '(after STATE_DIVERGED: stop the agents of all other hosts first)',
    );
  }
  const unasked = answers.filter(({ verdict }) => verdict === 'not-asked');
  if (unasked.length > 0 && !isForced) {
    throw new ShoalError(
      'CANNOT_TELL',
      `whether ${unasked.map(({ name }) => name).join(', ')} can be reached is not known; say --force if it is lost for certain`,
    );
  }
}

function sayWhatIsLost({ membership, isOnlyVoter, head, applied, inspection }: Candidate): void {
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
  if (isOnlyVoter) {
    console.log('and every record that lay in what is damaged; a copy of the log as it is now is kept beside it');
    return;
  }
  console.log('if another member that is left has a longer log (shoal inspect), recover that one instead');
  const others = othersOf(applied, membership.raftId).map(nameOf).join(', ');
  console.log(
    `the former voters ${others} must never run again on their old logs: on each that is left, and on nobody else, say ` +
      'shoal reset-membership   and join it again with a ticket; its disks, images and guests stay',
  );
}

async function recover(dataDir: string, raftId: number, salvages: boolean): Promise<void> {
  const { openLevelLogStore } = await import('../../store/index.ts');
  const { makeOnlyVoter } = await import('../../store/log/make-only-voter.ts');
  const opened = await openLevelLogStore({ folder: join(dataDir, 'log'), raftId, salvages });
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

async function recoverNotes(dataDir: string, isConfirmed: boolean): Promise<void> {
  const { faultsOfHostFiles, hostMarkOf, openHostStore } = await import('../../store/host/host-store.ts');
  const { readMarkFile } = await import('../../store/log/log-mark.ts');
  const { salvageHostStore } = await import('../../store/host/salvage-host-store.ts');
  const folder = join(dataDir, 'host');
  const faults = [...(await faultsOfHostFiles(folder, { found: await readMarkFile(hostMarkOf(folder)) }))];
  if (faults.length === 0) {
    // Some damage shows only in what is read.
    const fault = await openHostStore(folder, () => {}).then(
      (store) => store.close(),
      (caught: unknown) => ShoalError.from(caught, 'STORE_FAILED'),
    );
    if (fault === undefined)
      throw new ShoalError('CONFLICT', `the notes in ${folder} are whole; there is nothing to recover`);
    if (fault.code !== 'LOG_CORRUPT') throw fault;
    faults.push(fault.message);
  }
  for (const fault of faults) console.error(`shoal: ${fault}`);
  console.log(
    'what is lost: notes that cannot be read. They may say which claims were admitted in the last two minutes,',
  );
  console.log(
    'what owners asked for without a quorum, and which guests powered themselves off (those are started again)',
  );
  if (!isConfirmed) throw new ShoalError('CONFLICT', 'nothing was changed; say --yes to do it');
  const { kept, broken, aside } = await salvageHostStore(folder);
  for (const key of broken) console.log(`lost: ${key}`);
  console.log(`done: ${kept.length} notes are kept, ${broken.length} were broken`);
  if (aside !== undefined) console.log(`the damaged ones are in ${aside}`);
  console.log('next: start the agent with: shoal agent; it admits no new servers for its first two minutes');
}

function othersOf({ confState }: AppliedRecord, raftId: number): readonly number[] {
  return [...new Set([...confState.voters, ...confState.votersOutgoing])].filter((id) => id !== raftId);
}
