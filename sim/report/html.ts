/** A run's report for operators: one HTML file without anything from elsewhere, readable in light and in dark. */
import { faults as faultKinds } from '../faults/index.ts';
import type { SimResult } from '../run/simulator.ts';
import { availabilityChart, guestChart, timelineChart } from './charts.ts';
import { type Chronicle, type OperationTally, type Times, tallies, timesOf } from './chronicle.ts';
import { escapeHtml, msText } from './text.ts';

const style = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2430; --soft: #5b6675; --line: #dfe4ea; --panel: #f6f8fa;
  --good: #2f7d4f; --bad: #c2402f; --warn: #b7791f; --lead: #3465a4; --lead2: #75507b; --lead3: #0e7c86; --fault: #c2402f; }
@media (prefers-color-scheme: dark) { :root { --paper: #12161c; --ink: #e4e8ee; --soft: #98a3b2; --line: #2b333f;
  --panel: #1a2029; --good: #57b27c; --bad: #e5705f; --warn: #d9a441; --lead: #6d9fe0; --lead2: #b48ead; --lead3: #4fb8c2; --fault: #e5705f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 34px 0 8px; }
p { margin: 6px 0; } .soft { color: var(--soft); } code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.verdict { display: inline-block; padding: 2px 10px; border-radius: 4px; color: var(--paper); font-weight: 600; }
.verdict.passed { background: var(--good); } .verdict.failed { background: var(--bad); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); gap: 12px; margin: 18px 0; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
.card b { display: block; font-size: 22px; line-height: 1.25; font-variant-numeric: tabular-nums; }
.card span { color: var(--soft); font-size: 13px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 5px 8px; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 500; font-size: 13px; } th:first-child, td:first-child, td.words, th.words { text-align: left; }
figure { margin: 0; overflow-x: auto; } svg { display: block; width: 100%; min-width: 640px; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .soft { fill: var(--soft); } svg .grid { stroke: var(--line); }
.key { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 6px 0; color: var(--soft); font-size: 13px; }
.key i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 5px; vertical-align: -1px; }
`;

interface ReportHead {
  /** The command that makes this report again. */
  readonly command: string;
  /** What a scenario tells; empty for a bare seed. */
  readonly story: string;
}

export function reportHtml(chronicle: Chronicle, result: SimResult, { command, story }: ReportHead): string {
  const { options, verdict, violated, detail } = result;
  const isPassed = verdict === 'passed';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Shoal, simulated: seed ${options.seed}</title><style>${style}</style></head><body><main>
<h1>What this does to your cloud</h1>
<p class="soft">Simulated: seed ${options.seed}, ${options.hosts} hosts, ${options.tenants} tenants, ${options.clients} clients of records,
${msText(result.simulatedMs)} of simulated time, of which ${msText(options.chaosMs)} under faults.</p>
${story === '' ? '' : `<p>${escapeHtml(story.trim())}</p>`}
<p><span class="verdict ${isPassed ? 'passed' : 'failed'}">${isPassed ? 'nothing promised was broken' : `${verdict}: ${violated}`}</span></p>
${isPassed ? '' : `<p>${escapeHtml(detail.split('\n', 1)[0] ?? '')}</p>`}
${cards(chronicle)}
<h2>What struck, and who led</h2>
<div class="key">${keyOf(['--fault', 'fault'], ['--soft', 'agent down'], ['--lead', 'leader: host · term'], ['--warn', 'nobody leads'])}</div>
<figure>${timelineChart(chronicle)}</figure>
${faultTable(chronicle)}
<h2>What clients were told</h2>
<div class="key">${keyOf(['--good', 'done'], ['--warn', 'refused'], ['--bad', 'outcome unknown'])}</div>
<figure>${availabilityChart(chronicle)}</figure>
${operationTable(tallies(chronicle.operations))}
${chronicle.operationsLeftOut === 0 ? '' : `<p class="soft">${chronicle.operationsLeftOut} later operations are left out.</p>`}
<p class="soft">Refused: certainly nothing happened, or a rule forbade it (a quota, no room, a conflict). Unknown: the caller must look.</p>
${guestPart(chronicle)}
<h2>How long things took</h2>
${timesTable(chronicle)}
<p class="soft">Looked at every 50 ms. To notice: from an agent's end until the leader misses it or another one is elected; agents that were
back sooner are not counted. Without a leader: nobody led with a quorum. To run again: from a guest's end until it runs, on the host where
it was; nothing restarts a guest on another host yet, and nothing fences.</p>
<h2>The same again</h2>
<p><code>${escapeHtml(command)}</code></p>
<p class="soft">Trace: ${result.traceLines} lines, SHA-256 <code>${result.traceDigest}</code>.</p>
</main></body></html>
`;
}

function cards(chronicle: Chronicle): string {
  const { operations, guestOutages, placed, agentOutages } = chronicle;
  const done = operations.filter(({ answer }) => answer === 'done').length;
  const unknown = operations.filter(({ answer }) => answer === 'unknown').length;
  const share = (count: number): string =>
    operations.length === 0 ? '-' : `${((100 * count) / operations.length).toFixed(1)} %`;
  const leaderless = leaderlessMs(chronicle);
  const noticed = timesOf(agentOutages.flatMap(({ detectedMs }) => (detectedMs === undefined ? [] : [detectedMs])));
  const guests = timesOf(guestOutages.map(({ fromMs, toMs }) => toMs - fromMs));
  const all: (readonly [string, string])[] = [
    [share(done), `of ${operations.length} calls done, ${share(unknown)} of unknown outcome`],
    [msText(leaderless.reduce((sum, ms) => sum + ms, 0)), `without a leader, ${leaderless.length} times`],
    [noticed.count === 0 ? '-' : msText(noticed.medianMs), `to notice a lost agent (median of ${noticed.count})`],
  ];
  if (placed !== undefined && placed.created > 0) {
    all.push(
      [guests.count === 0 ? '-' : msText(guests.medianMs), `until a lost guest ran again (median of ${guests.count})`],
      [`${placed.kept} of ${placed.created - placed.deleted}`, 'placements kept as they were promised'],
      [`${placed.inError}, ${placed.lost}`, 'placements in ERROR with a reason, and lost without one'],
    );
  }
  return `<div class="cards">${all.map(([figure, words]) => `<div class="card"><b>${figure}</b><span>${words}</span></div>`).join('')}</div>`;
}

/** Lengths of the times without a leader, after the mesh was complete. */
function leaderlessMs({ leaders, chaosFromMs = 0 }: Chronicle): readonly number[] {
  return leaders
    .filter(({ member, toMs }) => member === undefined && toMs > chaosFromMs)
    .map(({ fromMs, toMs }) => toMs - Math.max(fromMs, chaosFromMs));
}

function faultTable({ faults }: Chronicle): string {
  if (faults.length === 0) return '<p class="soft">No fault struck.</p>';
  const counts = new Map<string, number>();
  for (const { name } of faults) counts.set(name, (counts.get(name) ?? 0) + 1);
  const rows = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => {
      const words = Object.entries(faultKinds).find(([kind]) => kind === name)?.[1].text ?? '';
      return `<tr><td>${escapeHtml(name)}</td><td>${count}</td><td class="words">${escapeHtml(words)}</td></tr>`;
    });
  return `<table><tr><th>fault</th><th>times</th><th class="words">what it is</th></tr>${rows.join('')}</table>`;
}

function operationTable(rows: readonly OperationTally[]): string {
  if (rows.length === 0) return '<p class="soft">Nobody asked for anything.</p>';
  const part = (count: number, of: number): string =>
    `${count} <span class="soft">(${((100 * count) / of).toFixed(1)} %)</span>`;
  const body = rows.map(
    ({ kind, attempts, done, refused, unknown, times, codes }) =>
      `<tr><td>${kind}</td><td>${attempts}</td><td>${part(done, attempts)}</td><td>${refused}</td><td>${unknown}</td><td>${msText(times.medianMs)}</td><td>${msText(times.p95Ms)}</td><td class="words soft">${codes
        .slice(0, 3)
        .map(([code, count]) => `${code} ${count}`)
        .join(', ')}</td></tr>`,
  );
  return `<table><tr><th>operation</th><th>asked</th><th>done</th><th>refused</th><th>unknown</th><th>median</th><th>95 %</th><th class="words">why not</th></tr>${body.join('')}</table>`;
}

function guestPart(chronicle: Chronicle): string {
  if (!chronicle.guestCounts.some(({ wanted, running }) => wanted + running > 0)) return '';
  return `<h2>Guests that were to run, and did</h2>
<div class="key">${keyOf(['--good', 'running'], ['--bad', 'to run, and not running'])}</div>
<figure>${guestChart(chronicle)}</figure>`;
}

function timesTable(chronicle: Chronicle): string {
  const { agentOutages, guestOutages, chaosFromMs = 0 } = chronicle;
  const rows: (readonly [string, Times])[] = [
    [
      'an agent was away',
      timesOf(agentOutages.filter(({ toMs }) => toMs > chaosFromMs).map(({ fromMs, toMs }) => toMs - fromMs)),
    ],
    ['to notice it', timesOf(agentOutages.flatMap(({ detectedMs }) => (detectedMs === undefined ? [] : [detectedMs])))],
    ['without a leader, until one was elected', timesOf(leaderlessMs(chronicle))],
    ['until a guest ran again', timesOf(guestOutages.map(({ fromMs, toMs }) => toMs - fromMs))],
  ];
  const body = rows.map(([name, { count, medianMs, p95Ms, maxMs }]) =>
    count === 0
      ? `<tr><td>${name}</td><td>0</td><td>-</td><td>-</td><td>-</td></tr>`
      : `<tr><td>${name}</td><td>${count}</td><td>${msText(medianMs)}</td><td>${msText(p95Ms)}</td><td>${msText(maxMs)}</td></tr>`,
  );
  return `<table><tr><th></th><th>times</th><th>median</th><th>95 %</th><th>longest</th></tr>${body.join('')}</table>`;
}

function keyOf(...entries: readonly (readonly [string, string])[]): string {
  return entries.map(([colour, words]) => `<span><i style="background:var(${colour})"></i>${words}</span>`).join('');
}
