/** Three agents without CPU for ten seconds, in slices, under clients: calls get slow, none fails, nobody is removed. */
import t from 'tap';
import { starveCloud } from '../support/starve.ts';

t.setTimeout(240_000);

await t.test(
  'agents that get no CPU are slow and not lost; agents that are gone are refused for within a second',
  async (t) => {
    const report = await starveCloud({
      agents: 3,
      starveMs: 10_000,
      clients: 6,
      seed: 1,
      tell: (line) => t.comment(line),
    });
    const starved = report.calls.filter(({ wasStarved }) => wasStarved);
    const slowest = Math.max(...starved.map(({ tookMs }) => tookMs));
    t.comment(`${starved.length} calls to starved agents, the slowest took ${Math.round(slowest)} ms`);
    t.comment(`${report.staleReads} reads were answered from an old view`);
    t.ok(starved.filter(({ isWrite }) => isWrite).length >= 10, 'clients wrote meanwhile');
    t.ok(slowest > 1_000, 'they felt it');
    t.same(report.failures, [], 'no call failed');
    t.equal(report.staleReads, 0, 'no read was old');
    t.same(report.missing, [], 'the voters are the same');
    t.same(report.memberChanges, [], 'and no autopilot changed them');
    t.comment(`writes were quick again ${Math.round(report.recoveredAfterMs)} ms after the last slice`);
    t.comment(`refusals after the loss of two of three: ${report.refusalsMs.join(', ')} ms`);
    for (const text of report.refusalTexts) t.match(text, /^50[34] /);
    t.match(
      report.refusalTexts.at(-1),
      /^503 .*Too few voters are left to commit a write: h2 refuses connections, h3 refuses/,
    );
    t.ok(Math.max(...report.refusalsMs) < 1_000, 'within a second from the moment of the loss');
  },
);
