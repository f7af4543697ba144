import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { killRounds } from '../../support/raft/raft-kill.ts';

await t.test('what was acknowledged is there after members were killed at random moments', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-kill-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const report = await killRounds(folder, 5, 42);
  t.comment(JSON.stringify({ ...report, recoveryMs: report.recoveryMs.map(Math.round) }));
  t.same(report.lost, []);
  t.same(report.differing, []);
  t.ok(report.compared > 0);
  t.same(report.quarantines, []);
  t.ok(report.acknowledged > 50, 'there was load');
});
