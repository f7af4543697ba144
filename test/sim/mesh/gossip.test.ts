/** What gossip costs and how fast it is, by the figures that the bench prints: smaller meshes, the same bounds. */
import t from 'tap';
import { type GossipRow, runGossip } from '../../../sim/mesh/gossip-bench.ts';

const figureOf = (rows: readonly GossipRow[], what: string): number => {
  const found = rows.filter((row) => row.what.endsWith(what));
  if (found.length !== 1) throw new Error(`${found.length} rows end with ${what}`);
  return found[0]?.value ?? Number.NaN;
};

t.test(
  'a change is known to all within 400 ms, a newcomer knows all within 2 s, and one that was cut off soon',
  async (t) => {
    const rows = await runGossip({ hosts: 300, changes: 6, busyS: 2 });
    t.ok(figureOf(rows, 'important change, until all have it, p99') < 150);
    t.ok(figureOf(rows, 'ordinary change, until all have it, p99') < 400);
    t.equal(figureOf(rows, 'important change, hosts that had it not after 3 s, of 6 changes'), 0);
    t.ok(figureOf(rows, 'newcomer has the whole view after') < 2_000);
    t.ok(figureOf(rows, 'until it knows all, max of 10, 1 % lost') < 5_000);
  },
);

t.test('among a thousand hosts, too, nobody waits for a heartbeat when one message in a hundred is lost', async (t) => {
  const rows = await runGossip({ hosts: 1_000, changes: 20, busyS: 1 });
  t.ok(figureOf(rows, 'ordinary change, until all have it, max') < 400);
  t.ok(figureOf(rows, 'at rest, bytes sent a host, mean') < 2_000);
});

t.test('at rest the cost of a host does not depend on how many there are', async (t) => {
  const atRest = async (hosts: number): Promise<number> =>
    figureOf(await runGossip({ hosts, changes: 1, busyS: 1 }), 'at rest, bytes sent a host, mean');
  const [few, many] = [await atRest(50), await atRest(400)];
  t.ok(many < 1_000, `${many} B/s`);
  t.ok(many < few * 1.05, `${few} B/s of 50, ${many} B/s of 400`);
});

t.test('a tenth of the hosts that pass on nothing and lie about their views delay, and suppress nothing', async (t) => {
  const rows = await runGossip({ hosts: 300, changes: 8, busyS: 1, muteRate: 0.1, seed: 5 });
  t.equal(figureOf(rows, 'important change, hosts that had it not after 3 s, of 8 changes'), 0);
  t.equal(figureOf(rows, 'ordinary change, hosts that had it not after 3 s, of 8 changes'), 0);
  t.ok(figureOf(rows, 'ordinary change, until a host has it, p99') < 1_000);
  t.ok(figureOf(rows, 'newcomer has the whole view after') < 5_000);
  t.ok(figureOf(rows, 'until it knows all, max of 10, 1 % lost') < 60_000);
});

t.test('one seed gives one answer, and losing a tenth of all messages loses no advert', async (t) => {
  const options = { hosts: 120, changes: 5, busyS: 1, seed: 3, lossRate: 0.1 };
  const rows = await runGossip(options);
  t.same(await runGossip(options), rows);
  t.equal(figureOf(rows, 'important change, hosts that had it not after 3 s, of 5 changes'), 0);
  t.ok(figureOf(rows, 'until it knows all, max of 10, 10 % lost') < 60_000);
});
