/**
 * The way back from a quorum that is lost for good: a log becomes that of a group whose only voter is its owner.
 *
 * What is done, in one batch: everything in the log counts as committed and is applied (the lost majority may have
 * acknowledged it; what it acknowledged beyond is lost); changes of members among it are passed over; the membership is
 * the owner alone; the term is raised as far as in a quarantine. The log itself is emptied behind a place that no other
 * member can have reached: `recoveredIndexGap` ahead, in the new term. So every other member needs a snapshot of this
 * state, membership included, before it can take part; none can bring back what this one does not have; and a revision
 * that somebody remembers from before is never given to another change.
 */
import { ShoalError } from '../../base/errors.ts';
import { type ConfState, emptyConfState } from '../../raft/index.ts';
import { decodeCommand } from '../../state/command.ts';
import type { StoredRow } from '../../state/rows.ts';
import type { StateMachine } from '../../state/state-machine.ts';
import type { LogStore } from './log-store.ts';
import { quarantineTermMargin } from './records.ts';
import type { OpenedLog } from './recovery.ts';

/**
 * Entries by which the log jumps ahead: more than a group commits in a week at 6,000 a second. Indexes have room for
 * two million.
 */
export const recoveredIndexGap = 2 ** 32;
/** Entries read at a time. Unit: bytes. */
const readBytesMax = 1024 * 1024;
/** Rows written at a time. Unit: bytes. */
const writeBytesMax = 1024 * 1024;

/** What became of the log. */
export interface RecoveredLog {
  /** The last entry that it held. Nothing behind it is there. */
  readonly lastIndex: number;
  /** Where it begins now. */
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
}

/**
 * Makes the owner of an opened log the only voter, and lifts any quarantine. Durable when it resolves; a crash before
 * leaves the log as it was. Close the store behind it. Throws `CONFLICT` when the log holds no state yet,
 * `LOG_CORRUPT`, `STORE_FAILED`.
 */
export async function makeOnlyVoter({ store, machine }: OpenedLog): Promise<RecoveredLog> {
  if (machine.appliedIndex === 0) {
    throw new ShoalError('CONFLICT', 'This member has never had the state of its mesh; recover another one.');
  }
  applyAll(store, machine);
  const lastIndex = machine.appliedIndex;
  const index = lastIndex + recoveredIndexGap;
  const heardTerms = [...store.peers.values()].map((peer) => peer.term);
  const term = Math.max(store.initialState().hardState.term, ...heardTerms) + quarantineTermMargin;
  const confState: ConfState = { ...emptyConfState, voters: [store.identity.raftId] };
  const install = store.install();
  for (const rows of rowBatches(machine.view().rows())) await install.write(rows);
  await install.commit({ index, term, confState }, machine.digest, { term, vote: 0, commit: index });
  if (store.quarantine !== undefined) await store.setQuarantine(undefined);
  return { lastIndex, index, term, confState };
}

function applyAll(store: LogStore, machine: StateMachine): void {
  const end = store.lastIndex() + 1;
  while (machine.appliedIndex + 1 < end) {
    const entries = store.entries(machine.appliedIndex + 1, end, readBytesMax);
    if (typeof entries === 'string') {
      throw new ShoalError('LOG_CORRUPT', `Entry ${machine.appliedIndex + 1} cannot be read (${entries}).`);
    }
    for (const { index, type, data } of entries) {
      if (type === 'normal' && data.length > 0) machine.apply(index, decodeCommand(data));
      else machine.skip(index);
    }
  }
}

/**
 * Makes a state that comes from elsewhere that of a new log, whose owner is the only voter: no entries, behind its revision. Durable
 * when it resolves; a crash before leaves the log as it was. Throws `STORE_FAILED`.
 */
export async function installState({ store }: OpenedLog, machine: StateMachine, term: number): Promise<void> {
  const { appliedIndex: index } = machine;
  const confState: ConfState = { ...emptyConfState, voters: [store.identity.raftId] };
  const install = store.install();
  for (const rows of rowBatches(machine.view().rows())) await install.write(rows);
  await install.commit({ index, term, confState }, machine.digest, { term, vote: 0, commit: index });
}

function* rowBatches(rows: Iterable<StoredRow>): Generator<readonly StoredRow[]> {
  let batch: StoredRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    batch.push(row);
    bytes += row.key.length + row.value.length;
    if (bytes < writeBytesMax) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}
