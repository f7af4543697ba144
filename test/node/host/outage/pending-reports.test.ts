/** What a host did on its own is told to the owner also when it could not be recorded at first. */
import t from 'tap';
import { ShoalError } from '../../../../node/base/errors.ts';
import { PendingReports } from '../../../../node/host/outage/pending-reports.ts';
import type { HostReports } from '../../../../node/services/kit/reporting/host-reporting.ts';
import { shoal } from '../../../../proto/messages.ts';

void t.test('a restart without a quorum is told once there is one, and once', async (t) => {
  let hasQuorum = false;
  const told: (string | undefined)[] = [];
  const nothing = async (): Promise<void> => {};
  const inner: HostReports = {
    power: async (_server, _power, _rebootsDone, notice) => {
      if (!hasQuorum) throw new ShoalError('NO_QUORUM', 'nobody answers');
      told.push(notice);
    },
    rebuilt: nothing,
    unrescued: nothing,
    offloaded: nothing,
    shutdown: nothing,
    fault: nothing,
    cleaned: async () => {},
    released: nothing,
    deleted: nothing,
    task: nothing,
  };
  const reports = new PendingReports(inner);
  const server = new shoal.v1.Server({ id: 's', generation: 1 });
  await t.rejects(reports.power(server, 'running', 0, 'it had crashed'), { code: 'NO_QUORUM' });
  await t.rejects(reports.power(server, 'running', 0), { code: 'NO_QUORUM' }, 'as the loop says it again');
  hasQuorum = true;
  await reports.power(server, 'running', 0);
  await reports.power(server, 'running', 0);
  t.same(told, ['it had crashed', undefined]);
});
