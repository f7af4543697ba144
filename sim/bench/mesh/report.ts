/** Tables of rows, for people; the JSON has all of them whole. */
import Table from 'cli-table3';
import type { BaselineRow } from './baselines/row.ts';
import type { Figure } from './figures/figure.ts';
import type { Times } from './figures/times.ts';
import type { Usage } from './phases/usage.ts';
import type { RealRow } from './real.ts';
import type { SimulatedRow } from './simulated.ts';

const style = { head: [], border: [] };
/** No lines between rows. */
const chars = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

/** The tables of what was measured on real agents: at rest and joining; under load; losing some. */
export function realTables(rows: readonly RealRow[]): string {
  return [restTable(rows), loadTable(rows), lossTable(rows)].filter((text) => text !== '').join('\n');
}

/** What others' programs did. */
export function baselineTable(rows: readonly BaselineRow[]): string {
  const table = tableOf(['what', 'members', 'p50 ms', 'p99 ms', 'worst', 'cpu each %', 'rss MiB']);
  for (const row of rows) {
    const { p50Ms, p99Ms, worstMs } = row.seenByAll;
    table.push([row.what, row.members, p50Ms, p99Ms, worstMs, row.cpuPercent, row.rssMib]);
  }
  return table.toString();
}

/** Figures of slices or of the state. */
export function figureTable(title: string, figures: readonly Figure[]): string {
  const table = tableOf([title, 'hosts', 'value', 'unit', 'target']);
  for (const { what, hosts, value, unit, target } of figures) {
    table.push([what, hosts, Number(value.toPrecision(4)), unit, target ?? '']);
  }
  return table.toString();
}

/** What the simulator's network says of more hosts than there are. */
export function simulatedTable(rows: readonly SimulatedRow[]): string {
  const table = tableOf(['simulated', 'hosts', 'value', 'unit']);
  for (const { what, hosts, value, unit } of rows) {
    table.push([what.replace('simulated ', ''), hosts, Number(value.toPrecision(4)), unit]);
  }
  return `from the simulator, not from machines\n${table.toString()}`;
}

function restTable(rows: readonly RealRow[]): string {
  const table = tableOf([
    'agents',
    'cpu each %',
    'worst',
    'leader',
    'all',
    'B/s out',
    'B/s in',
    'packets/s out',
    'rss MiB',
    'worst',
    'of slices',
    'pss MiB',
    'start ms',
    'join of all s',
    'refused',
    'create p50',
    'p99',
    'failed',
    'stalls',
    'late below ms',
  ]);
  for (const { agents, rest, creates, startMs, joinSeconds, ticketsRefused, failure } of rows) {
    table.push([
      failure === undefined ? agents : `${agents} (ended early: ${failure.slice(0, 60)})`,
      cell(rest?.cpuPercent),
      cell(rest?.cpuPercentWorst),
      cell(rest?.cpuPercentLeader),
      cell(rest?.cpuPercentAll),
      cell(rest?.sentBytesPerSecond),
      cell(rest?.receivedBytesPerSecond),
      cell(rest?.sentPacketsPerSecond),
      cell(rest?.memory.rssMib),
      cell(rest?.rssMibWorst),
      cell(rest?.rssMibSubscribers),
      cell(rest?.memory.pssMib),
      cell(startMs?.p50Ms),
      joinSeconds,
      ticketsRefused,
      cell(creates?.times?.p50Ms),
      cell(creates?.times?.p99Ms),
      creates === undefined ? '' : `${creates.failed} of ${creates.failed + (creates.times?.count ?? 0)}`,
      cell(rest?.eventLoopStalls),
      cell(rest?.eventLoopDelayMsBelow),
    ]);
  }
  return `at rest, and as it came to be\n${table.toString()}`;
}

function loadTable(rows: readonly RealRow[]): string {
  const table = tableOf([
    'agents',
    'load',
    'done/s',
    'p50 ms',
    'p99',
    'failed',
    'cpu each %',
    'leader',
    'B/s out',
    'B/s in',
    'leader out',
    'stalls',
    'late below ms',
  ]);
  let isEmpty = true;
  const push = (
    agents: number,
    load: string,
    done: number,
    times: Times | undefined,
    failed: number,
    usage?: Usage,
  ) => {
    isEmpty = false;
    table.push([
      agents,
      load,
      done,
      cell(times?.p50Ms),
      cell(times?.p99Ms),
      failed,
      cell(usage?.cpuPercent),
      cell(usage?.cpuPercentLeader),
      cell(usage?.sentBytesPerSecond),
      cell(usage?.receivedBytesPerSecond),
      cell(usage?.leaderSentBytesPerSecond),
      cell(usage?.eventLoopStalls),
      cell(usage?.eventLoopDelayMsBelow),
    ]);
  };
  for (const { agents, capacity, changes } of rows) {
    if (capacity !== undefined) {
      push(agents, `capacity seen by all (looks of ${capacity.lookMs} ms)`, 0, capacity.seenByAll, capacity.notSeen);
    }
    for (const { askedPerSecond, donePerSecond, times, failed, usage } of changes ?? []) {
      push(agents, `${askedPerSecond} changes/s`, donePerSecond, times, failed, usage);
    }
  }
  return isEmpty ? '' : `changes\n${table.toString()}`;
}

function lossTable(rows: readonly RealRow[]): string {
  const table = tableOf([
    'agents',
    'killed',
    'suspected p50 ms',
    'worst',
    'declared p50 ms',
    'worst',
    'falsely suspect',
    'falsely dead',
    'whole view ms',
    'rolling s',
    'calls',
    'failed',
    'restart p50 ms',
  ]);
  let isEmpty = true;
  for (const { agents, kills, rolling } of rows) {
    if (kills === undefined && rolling === undefined) continue;
    isEmpty = false;
    table.push([
      agents,
      cell(kills?.killed),
      cell(kills?.suspected?.p50Ms),
      cell(kills?.suspected?.worstMs),
      cell(kills?.declared?.p50Ms),
      cell(kills?.declared?.worstMs),
      cell(kills?.falselySuspectMax),
      cell(kills?.falselyDeadMax),
      cell(kills?.wholeViewMs),
      cell(rolling?.seconds),
      cell(rolling?.calls),
      cell(rolling?.failed),
      cell(rolling?.restarts?.p50Ms),
    ]);
  }
  return isEmpty ? '' : `a tenth killed; all restarted in turn\n${table.toString()}`;
}

function tableOf(head: readonly string[]): InstanceType<typeof Table> {
  return new Table({
    head: [...head],
    colAligns: head.map((_, at) => (at === 0 ? 'left' : 'right')),
    style,
    chars,
    wordWrap: true,
  });
}

function cell(value: number | undefined): string | number {
  return value ?? '';
}
