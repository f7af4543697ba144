/** The page "how to add a job" shows an example; here it runs, and what the page shows is what runs. */
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { anyJobKind } from '../../../../node/host/jobs/job-kind.ts';
import { JobRunner } from '../../../../node/host/jobs/job-runner.ts';
import { beginJob } from '../../../../node/services/jobs/job-record.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { hostTable, jobTable } from '../../../../node/state/tables/index.ts';
import { until } from '../../../support/raft/raft-group.ts';
import { makeComputeWorld } from '../../services/compute-world.ts';
import { disableLater } from './disable-later.ts';

t.test('the example of node/host/jobs/README.md runs', async (t) => {
  const page = await readFile(new URL('../../../../node/host/jobs/README.md', import.meta.url), 'utf8');
  const shown = /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const source = await readFile(new URL('disable-later.ts', import.meta.url), 'utf8');
  t.ok(shown.length > 500 && source.endsWith(shown), 'the page shows the source');

  const world = await makeComputeWorld();
  const host = (): boolean => hostTable.must(world.state.local, hostId).record.disabled;
  const hostId = hostTable.list(world.state.local)[0]?.record.id ?? '';
  let isTime = false;
  await transact(world.deps, world.admin, (attempt) =>
    beginJob(
      attempt,
      {
        id: 'j1',
        kind: 'disable-later',
        subject: `host/${hostId}`,
        projectId: '',
        userId: '',
        deadlineMs: 0,
        detail: {},
      },
      1,
    ),
  );
  const job = () => jobTable.must(world.state.local, 'j1').record;
  const runner = new JobRunner({
    ...world.deps,
    isOwn: () => true,
    kinds: [anyJobKind(disableLater(world.compute.hosts, world.admin, () => isTime))],
  });
  await runner.start();
  t.teardown(() => runner.stop());
  await until(() => job().message === 'It is not time yet.', 'it waits');
  t.equal(host(), false);
  isTime = true;
  await until(() => job().endedMs > 0, 'it ends');
  t.match(job(), { message: 'The host takes no new servers.', progressDone: 1 });
  t.equal(host(), true);
});
