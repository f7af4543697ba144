/** A few cycles of attach, detach, snapshot and revert while agents are killed: nothing is left behind. Its long form: `npm run soak:volumes`. */
import t from 'tap';
import { killCycles } from '../support/volumes/kill-cycles.ts';
import { whyNoVolumeCloud } from '../support/volumes/volume-cloud.ts';

const why = whyNoVolumeCloud();

t.setTimeout(580_000);
await t.test(
  'two cycles of each kind under kills leave nothing behind',
  { skip: why === '' ? false : why, timeout: 580_000 },
  async (t) => {
    const report = await killCycles({ cycles: 2, seed: 14, tell: (line) => t.comment(line) });
    t.same(report.left, [], 'watchers, locks, images, snapshots, files, mounts, links, groups, processes, open files');
    t.same(report.descriptors, [], 'no agent has more open');
    t.same(report.wrong, [], 'the volumes hold what was written');
    t.equal(report.boots, 1, 'the guest never noticed');
    t.ok(report.kills >= 20, `${report.kills} kills`);
  },
);
