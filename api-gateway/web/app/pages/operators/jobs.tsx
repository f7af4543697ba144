/** Long work, and what changes in the cloud as it changes. */
import { useState } from 'preact/hooks';
import { type Answer, native } from '../../api/client.ts';
import { useChanges, useEveryChange } from '../../kit/changes.ts';
import { useResource } from '../../kit/resource.ts';
import { texts } from '../../kit/texts.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { Page } from '../../parts/page.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { Status, Time } from '../../parts/values.tsx';

const words = texts.operators;
/** Lines of changes that are kept on the page. */
const linesMax = 100;

type Job = Answer<'JobService/ListJobs'>['jobs'][number];

const stateOf = ({ status }: Job): string => status.replace('JOB_STATUS_', '').toLowerCase().replace('_', ' ');
const timeOf = (ms: number): string => (ms === 0 ? '' : new Date(ms).toISOString());

function columnsFor(refresh: () => void): readonly Column<Job>[] {
  const isOpen = (job: Job): boolean => ['running', 'rolling back'].includes(stateOf(job)) && !job.cancel_requested;
  const cancel = async (id: string): Promise<void> => {
    await native('JobService/CancelJob', { id });
    refresh();
  };
  return [
    { key: 'kind', title: words.job, text: ({ kind }) => kind },
    { key: 'subject', title: words.about, text: ({ subject }) => subject },
    {
      key: 'state',
      title: texts.status,
      text: stateOf,
      show: (job) => <Status value={stateOf(job)} task={job.phase} />,
    },
    {
      key: 'progress',
      title: words.progress,
      text: ({ progress_done, progress_total }) => words.of(progress_done, progress_total),
    },
    { key: 'message', title: words.message, text: ({ message }) => message },
    {
      key: 'begun',
      title: words.begun,
      text: ({ created_ms }) => timeOf(created_ms),
      show: ({ created_ms }) => <Time at={timeOf(created_ms)} />,
    },
    {
      key: 'cancel',
      title: texts.actions,
      text: () => '',
      show: (job) =>
        isOpen(job) ? (
          <button type="button" onClick={() => void cancel(job.id)}>
            {words.cancelJob}
          </button>
        ) : null,
    },
  ];
}

/** See above. */
export default function Jobs() {
  const jobs = useResource(async (signal) => (await native('JobService/ListJobs', { ended: true }, signal)).jobs, []);
  useChanges(['job'], jobs.refresh);
  return (
    <Page title={words.jobs}>
      <Loaded of={jobs}>
        {(rows) => <Table what={words.rows.jobs} rows={rows} columns={columnsFor(jobs.refresh)} />}
      </Loaded>
      <h2>{words.changes}</h2>
      <p>{words.changesAre}</p>
      <Changes />
    </Page>
  );
}

function Changes() {
  const [lines, setLines] = useState<readonly { readonly key: string; readonly text: string }[]>([]);
  useEveryChange((changes, revision) => {
    const made = changes.map(({ kind, id, deleted }, at) => ({
      key: `${revision}-${at}`,
      text: words.change(revision, kind, id, deleted),
    }));
    setLines((before) => [...made.reverse(), ...before].slice(0, linesMax));
  });
  return (
    <ul class="change-log" aria-label={words.changes}>
      {lines.map(({ key, text }) => (
        <li key={key}>{text}</li>
      ))}
    </ul>
  );
}
