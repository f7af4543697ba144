/** Rows of figures: what `--json` writes, and the tables for people. */
import Table from 'cli-table3';
import type { LoadResult } from './load.ts';
import { quantile } from './load.ts';

/** One figure. */
export interface BenchRow {
  readonly name: string;
  readonly nodes: number;
  readonly clients: number;
  /** Of the middle run. 0 for leaders killed. */
  readonly ops_per_s: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** Processor time of all members during the middle run; of load inside of a member, with the load. */
  readonly cpu_s: number;
  /** `cpu_s` for one request. Unit: milliseconds. 0 for leaders killed. */
  readonly cpu_ms_per_op: number;
  readonly runs: number;
  /** Slowest and fastest run. */
  readonly ops_per_s_min: number;
  readonly ops_per_s_max: number;
  /** p99 of the best and the worst run. */
  readonly p99_ms_min: number;
  readonly p99_ms_max: number;
  /** The longest of all. */
  readonly worst_ms: number;
  /** Requests refused or lost, in all runs. */
  readonly failed: number;
}

/** One run, as it was measured. */
export interface Run {
  readonly load: LoadResult;
  readonly cpuSeconds: number;
}

/** The row of several runs: the middle one by requests a second, and how far the others lie from it. */
export function rowOf(name: string, nodes: number, clients: number, runs: readonly Run[]): BenchRow {
  const sorted = [...runs].sort((a, b) => rateOf(a) - rateOf(b));
  const middle = sorted[Math.floor(sorted.length / 2)];
  const first = sorted[0];
  const last = sorted.at(-1);
  if (middle === undefined || first === undefined || last === undefined) throw new Error('a row without a run');
  const p99s = runs.map((run) => quantile(run.load.latenciesMs, 0.99)).sort((a, b) => a - b);
  return {
    name,
    nodes,
    clients,
    ops_per_s: rounded(rateOf(middle)),
    p50_ms: rounded(quantile(middle.load.latenciesMs, 0.5)),
    p99_ms: rounded(quantile(middle.load.latenciesMs, 0.99)),
    cpu_s: rounded(middle.cpuSeconds),
    cpu_ms_per_op: rounded((middle.cpuSeconds * 1000) / Math.max(1, middle.load.ops)),
    runs: runs.length,
    ops_per_s_min: rounded(rateOf(first)),
    ops_per_s_max: rounded(rateOf(last)),
    p99_ms_min: rounded(p99s[0] ?? 0),
    p99_ms_max: rounded(p99s.at(-1) ?? 0),
    worst_ms: rounded(Math.max(...runs.map((run) => run.load.latenciesMs.at(-1) ?? 0))),
    failed: runs.reduce((sum, run) => sum + run.load.failed, 0),
  };
}

/** The row of leaders killed: how long no write succeeded. */
export function killedRowOf(name: string, nodes: number, gapsMs: readonly number[], cpuSeconds: number): BenchRow {
  const sorted = [...gapsMs].sort((a, b) => a - b);
  const p99 = rounded(quantile(sorted, 0.99));
  return {
    name,
    nodes,
    clients: 1,
    ops_per_s: 0,
    p50_ms: rounded(quantile(sorted, 0.5)),
    p99_ms: p99,
    cpu_s: rounded(cpuSeconds),
    cpu_ms_per_op: 0,
    runs: sorted.length,
    ops_per_s_min: 0,
    ops_per_s_max: 0,
    p99_ms_min: p99,
    p99_ms_max: p99,
    worst_ms: rounded(sorted.at(-1) ?? 0),
    failed: 0,
  };
}

/** Ours over etcd's, for what both did. Above 1 is better for throughput, below 1 for time. */
interface Ratio {
  readonly name: string;
  readonly against: string;
  readonly nodes: number;
  readonly clients: number;
  readonly ops_per_s: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpu_per_op: number;
}

/** Pairs `shoal X`, `shoal X in agent` and `shoal X forwarded` with `etcd X`. */
export function ratiosOf(rows: readonly BenchRow[]): readonly Ratio[] {
  return rows.flatMap((row) => {
    if (!row.name.startsWith('shoal ')) return [];
    const against = row.name.replace('shoal ', 'etcd ').replace(/ in agent| forwarded/, '');
    const other = rows.find((o) => o.name === against && o.nodes === row.nodes && o.clients === row.clients);
    // A read of a map in memory has no counterpart there.
    if (other === undefined || row.name === 'shoal read stale in agent') return [];
    return [
      {
        name: row.name,
        against,
        nodes: row.nodes,
        clients: row.clients,
        ops_per_s: share(row.ops_per_s, other.ops_per_s),
        p50: share(row.p50_ms, other.p50_ms),
        p99: share(row.p99_ms, other.p99_ms),
        cpu_per_op: share(row.cpu_ms_per_op, other.cpu_ms_per_op),
      },
    ];
  });
}

const style = { head: [], border: [] };
/** No lines between rows. */
const chars = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

export function tableOf(rows: readonly BenchRow[]): string {
  const table = new Table({
    head: [
      'what',
      'nodes',
      'clients',
      'ops/s',
      'of runs',
      'p50 ms',
      'p99 ms',
      'of runs',
      'worst',
      'cpu s',
      'cpu ms/op',
    ],
    colAligns: ['left', ...Array.from({ length: 10 }, () => 'right' as const)],
    style,
    chars,
  });
  for (const row of rows) {
    table.push([
      row.failed === 0 ? row.name : `${row.name} (${row.failed} failed)`,
      row.nodes,
      row.clients,
      row.ops_per_s === 0 ? '' : row.ops_per_s.toFixed(0),
      row.ops_per_s === 0 ? `${row.runs} rounds` : `${row.ops_per_s_min.toFixed(0)}-${row.ops_per_s_max.toFixed(0)}`,
      row.p50_ms,
      row.p99_ms,
      `${row.p99_ms_min}-${row.p99_ms_max}`,
      row.worst_ms,
      row.cpu_s,
      row.cpu_ms_per_op === 0 ? '' : row.cpu_ms_per_op,
    ]);
  }
  return table.toString();
}

export function ratioTableOf(ratios: readonly Ratio[]): string {
  const table = new Table({
    head: ['ours over theirs', 'nodes', 'clients', 'ops/s', 'p50', 'p99', 'cpu/op'],
    colAligns: ['left', ...Array.from({ length: 6 }, () => 'right' as const)],
    style,
    chars,
  });
  for (const { name, against, nodes, clients, ops_per_s, p50, p99, cpu_per_op } of ratios) {
    const cell = (ratio: number): string => (ratio === 0 ? '' : ratio.toFixed(2));
    table.push([`${name} / ${against}`, nodes, clients, cell(ops_per_s), cell(p50), cell(p99), cell(cpu_per_op)]);
  }
  return table.toString();
}

function rateOf(run: Run): number {
  return run.load.ops / run.load.seconds;
}

function share(ours: number, theirs: number): number {
  return theirs === 0 ? 0 : rounded(ours / theirs);
}

/** Four digits are more than the measurement is worth. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
