import t from 'tap';
import { forgetSwitch, noteSwitch, undecidedSwitch } from '../../../../node/host/outage/undecided-switches.ts';
import { MemoryStateClient } from '../../../../node/state/client/memory-state-client.ts';
import { TransactionBuilder } from '../../../../node/state/table.ts';
import { hostTable, jobTable } from '../../../../node/state/tables/index.ts';
import { memoryHostStore } from '../../../../node/store/host/host-store.ts';
import { shoal } from '../../../../proto/messages.ts';

const { JobStatus } = shoal.v1;
const server = new shoal.v1.Server({ id: 's', disks: [{ volumeId: 'v', kind: 'volume' }] });
const running = { id: 'j', kind: 'volume-migrate', subject: 'volume/v', status: JobStatus.JOB_STATUS_RUNNING };

/** Records of which the job is this one. */
async function records(job?: shoal.v1.Job.$Properties): Promise<MemoryStateClient> {
  const state = new MemoryStateClient();
  const builder = new TransactionBuilder();
  if (job !== undefined) jobTable.insert(builder, new shoal.v1.Job(job));
  hostTable.insert(builder, new shoal.v1.Host({ id: 'h', name: 'h' }));
  await state.commit(builder.build());
  return state;
}

t.test('a guest waits while the records may still come to name the other disk, and no longer', async (t) => {
  for (const { name, job, isUndecided } of [
    { name: 'under way', job: running, isUndecided: true },
    {
      name: 'it is to be cancelled, and that may come too late',
      job: { ...running, cancelRequested: true },
      isUndecided: true,
    },
    { name: 'it did not work', job: { ...running, failures: [{ subject: 'copy', message: 'm' }] }, isUndecided: false },
    { name: 'switched', job: { ...running, phase: 'switched' }, isUndecided: false },
    { name: 'taken back', job: { ...running, status: JobStatus.JOB_STATUS_ROLLING_BACK }, isUndecided: false },
    { name: 'ended', job: { ...running, status: JobStatus.JOB_STATUS_FAILED, endedMs: 1 }, isUndecided: false },
    { name: 'forgotten', job: undefined, isUndecided: false },
  ]) {
    const reader = (await records(job)).local;
    const store = memoryHostStore();
    t.equal(undecidedSwitch(server, { store, reader }), undefined, 'nothing is switched');
    await noteSwitch(store, 'v', { jobId: 'j', revision: reader.revision });
    t.equal(undecidedSwitch(server, { store, reader }) !== undefined, isUndecided, name);
    t.equal(undecidedSwitch(new shoal.v1.Server({ id: 'other' }), { store, reader }), undefined, 'another server');
    await forgetSwitch(store, 'v');
    t.equal(undecidedSwitch(server, { store, reader }), undefined, 'the note is dropped');
  }
});

t.test('records that are older than the question do not tell', async (t) => {
  const reader = (await records()).local;
  const store = memoryHostStore();
  await noteSwitch(store, 'v', { jobId: 'j', revision: reader.revision + 1 });
  t.ok(undecidedSwitch(server, { store, reader }));
});
