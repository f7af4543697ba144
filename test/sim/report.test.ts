import t from 'tap';
import { Chronicle, tallies, timesOf } from '../../sim/report/chronicle.ts';
import { reportHtml } from '../../sim/report/html.ts';
import { simulate } from '../../sim/run/simulator.ts';
import type { Picture } from '../../sim/trace/watcher.ts';

// Seeds take their time on a busy machine.
t.setTimeout(170_000);

const healthy = { leader: { member: 1, term: 2 }, isUp: [true, true, true], silent: [], servers: [] } as const;
const none = { created: 0, deleted: 0, kept: 0, inError: 0, lost: 0 };

function chronicle(...pictures: (Partial<Picture> & { readonly atMs: number })[]): Chronicle {
  const made = new Chronicle();
  for (const picture of pictures) made.looked({ ...healthy, ...picture });
  made.placements(none);
  return made;
}

t.test('leaders and the times without one are spans', async (t) => {
  const { leaders } = chronicle(
    { atMs: 0 },
    { atMs: 50 },
    { atMs: 100, leader: undefined },
    { atMs: 900, leader: { member: 2, term: 3 } },
    { atMs: 950, leader: { member: 2, term: 3 } },
  );
  t.same(leaders, [
    { fromMs: 0, toMs: 100, member: 1, term: 2 },
    { fromMs: 100, toMs: 900, member: undefined, term: 2 },
    { fromMs: 900, toMs: 950, member: 2, term: 3 },
  ]);
});

t.test(
  'a lost agent is noticed when the leader misses it or another leader is elected; never when it is back before',
  async (t) => {
    const two = [true, false, true];
    t.same(
      chronicle({ atMs: 0 }, { atMs: 100, isUp: two }, { atMs: 750, isUp: two, silent: [2] }, { atMs: 900 })
        .agentOutages,
      [{ member: 2, fromMs: 100, toMs: 900, detectedMs: 650 }],
    );
    t.same(chronicle({ atMs: 0 }, { atMs: 100, isUp: two }, { atMs: 300 }).agentOutages, [
      { member: 2, fromMs: 100, toMs: 300, detectedMs: undefined },
    ]);
    const one = { isUp: [false, true, true], leader: undefined };
    const elected = { ...one, leader: { member: 3, term: 5 } };
    t.match(chronicle({ atMs: 0 }, { atMs: 100, ...one }, { atMs: 1_500, ...elected }).agentOutages, [
      { member: 1, detectedMs: 1_400 },
    ]);
  },
);

t.test('a guest is missed from when it stops though it is wanted until it runs or is wanted no more', async (t) => {
  const server = (isWanted: boolean, isRunning: boolean) => ({ servers: [{ id: 'a', host: 2, isWanted, isRunning }] });
  const { guestOutages, guestCounts } = chronicle(
    { atMs: 0, ...server(true, false) },
    { atMs: 50, ...server(true, true) },
    { atMs: 100, ...server(true, false) },
    { atMs: 600, ...server(true, true) },
    { atMs: 700, ...server(false, false) },
  );
  t.same(guestOutages, [{ server: 'a', host: 2, fromMs: 100, toMs: 600 }], 'its first start is no outage');
  t.same(
    guestCounts.map(({ wanted, running }) => [wanted, running]),
    [
      [1, 0],
      [1, 1],
      [1, 0],
      [1, 1],
      [0, 0],
    ],
  );
});

t.test('faults are read from the trace, with whom they struck and for how long', async (t) => {
  const made = new Chronicle();
  for (const line of [
    '  100.000 fault  net-partition 1,3 | 2\n',
    '  150.000 fault  agent-pause n2 300 ms\n',
    '  200.000 fault  net-partition ends\n',
    '  250.000 fault  agents-all-down \n',
    '  300.000 fault  disk-full n3\n',
  ])
    made.line(line);
  made.phase('chaos', 10);
  made.phase('healed', 400);
  made.looked({ ...healthy, atMs: 500 });
  made.placements(none);
  t.same(
    made.faults.map(({ name, members, fromMs, toMs }) => [name, members, fromMs, toMs]),
    [
      ['net-partition', [1, 2, 3], 100, 200],
      ['agent-pause', [2], 150, 450],
      ['agents-all-down', [], 250, 250],
      ['disk-full', [3], 300, 500],
    ],
  );
  t.equal(made.chaosFromMs, 10);
  t.equal(made.healedMs, 400);
});

t.test('operations are counted by kind and answer', async (t) => {
  const base = { kind: 'create', startedMs: 0, endedMs: 40, code: '' } as const;
  const rows = tallies([
    { ...base, answer: 'done' },
    { ...base, answer: 'refused', code: 'NO_QUORUM' },
    { ...base, answer: 'unknown', code: 'AGENT_DIED' },
    { ...base, kind: 'read', answer: 'done' },
  ]);
  t.match(rows, [
    { kind: 'create', attempts: 3, done: 1, refused: 1, unknown: 1, times: { count: 1, medianMs: 40 } },
    { kind: 'read', attempts: 1, done: 1 },
  ]);
  t.same(timesOf([]), { count: 0, medianMs: 0, p95Ms: 0, maxMs: 0 });
  t.same(timesOf([5, 1, 3]), { count: 3, medianMs: 3, p95Ms: 5, maxMs: 5 });
});

t.test('a report holds everything itself, and nothing of the run depends on it', async (t) => {
  const overrides = {
    hosts: 3,
    tenants: 2,
    chaosMs: 8_000,
    faults: ['agent-down', 'guest-crash'],
    faultEveryMs: 1_000,
  } as const;
  const made = new Chronicle();
  const result = await simulate(4, { overrides, watcher: made, write: (line) => made.line(line) });
  t.equal(result.traceDigest, (await simulate(4, { overrides })).traceDigest);
  const html = reportHtml(made, result, { command: 'npm run sim -- --seed 4 <b>', story: 'A "story".' });
  t.notMatch(html, /(src|href)=|url\(|<script/, 'nothing from elsewhere');
  t.match(html, '&#60;b&#62;', 'what comes from outside is escaped');
  t.match(html, 'prefers-color-scheme: dark');
  for (const part of ['agent-down', 'guest-crash', 'nothing promised was broken', 'placements kept', 'create', 'write'])
    t.match(html, part);
  t.equal(html.match(/<svg/g)?.length, 3);
  t.notMatch(html, /NaN|undefined|Infinity/);
});
