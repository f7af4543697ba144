/** A few cycles of attach, detach, snapshot and revert while agents are killed: nothing is left behind. Its long form: `npm run soak:volumes`. */
import t from 'tap';
import { agentPackages, cephPackages, guestImagePackages } from '../../node/dev/packages.ts';
import { killCycles } from '../support/volumes/kill-cycles.ts';

const missing = [...agentPackages, ...guestImagePackages, ...cephPackages].filter((item) => !item.isInstalled());
const why =
  process.getuid?.() !== 0
    ? 'needs root'
    : missing.length > 0
      ? `not installed: ${missing.map((item) => item.name).join(' ')}`
      : false;

t.setTimeout(580_000);
await t.test(
  'five cycles of each kind under kills leave nothing behind',
  { skip: why, timeout: 580_000 },
  async (t) => {
    const report = await killCycles({ cycles: 5, seed: 14, tell: (line) => t.comment(line) });
    t.same(report.left, [], 'watchers, locks, images, snapshots, files, mounts, links, groups, processes, open files');
    t.same(report.descriptors, [], 'no agent has more open');
    t.same(report.wrong, [], 'the volumes hold what was written');
    t.equal(report.boots, 1, 'the guest never noticed');
    t.ok(report.kills >= 40, `${report.kills} kills`);
  },
);
