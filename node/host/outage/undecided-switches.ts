/**
 * Disks of guests between which the records are deciding, noted durably before they are asked. From then on the answer may come at any
 * time, also after the process that asked has died, and after the guest has: were the guest started again on the disk that the records
 * still name, what it writes would be lost when they come to name the other. So it is not, until its job says which it is.
 */
import { shoal } from '../../../proto/messages.ts';
import { coverageMark } from '../../base/buggify/buggify.ts';
import { hasEnded } from '../../services/jobs/job-record.ts';
import { disksOf } from '../../services/volume/kit/disks-of-server.ts';
import { jobTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { HostStore } from '../../store/host/host-store.ts';

const markStartWaitsForSwitch = coverageMark(
  'start-waits-for-switch',
  'a guest is not started while the records decide which of two disks it has',
);

interface SwitchNote {
  readonly jobId: string;
  /** Of the records when they were asked: older ones do not tell. */
  readonly revision: number;
}

const prefix = 'switch/';

/** The job that switches the volume asks the records now. Durable when it resolves. */
export async function noteSwitch(store: HostStore, volumeId: string, note: SwitchNote): Promise<void> {
  await store.write([{ key: `${prefix}${volumeId}`, value: note }]);
}

/** The guest has one of the two disks, or none. Durable when it resolves. */
export async function forgetSwitch(store: HostStore, volumeId: string): Promise<void> {
  const key = `${prefix}${volumeId}`;
  if (store.get(key) !== undefined) await store.write([{ key, value: undefined }]);
}

/** Which volume of the server keeps its guest from being started, in words for people; undefined: none. */
export function undecidedSwitch(
  server: shoal.v1.Server,
  { store, reader }: { readonly store: HostStore; readonly reader: StateReader },
): string | undefined {
  for (const { volumeId } of disksOf(server)) {
    const note = store.get(`${prefix}${volumeId}`) as SwitchNote | undefined;
    if (note === undefined || isDecided(note, reader)) continue;
    markStartWaitsForSwitch();
    return `volume ${volumeId} is being moved, and the records have not said yet whether it has: that takes a quorum`;
  }
  return undefined;
}

function isDecided({ jobId, revision }: SwitchNote, reader: StateReader): boolean {
  if (reader.revision < revision) return false;
  const job = jobTable.get(reader, jobId)?.record;
  if (job === undefined || hasEnded(job) || job.phase !== '') return true;
  // What was asked before the record said one of these finds another record than it was planned on.
  const isGivenUp = job.failures.some(({ subject }) => subject === 'copy');
  return isGivenUp || job.status !== shoal.v1.JobStatus.JOB_STATUS_RUNNING;
}
