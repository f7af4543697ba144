import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

/** One figure. Keys are those of the results file; units are in the names. */
export interface BenchRow {
  readonly bench: 'decisions' | 'durable' | 'packing' | 'c1m';
  readonly name: string;
  readonly [key: string]: string | number;
}

/** Where and when, for the results file and the head of the output. */
interface BenchContext {
  readonly command: string;
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly commit: string;
}

export function benchContext(): BenchContext {
  let commit = 'unknown';
  try {
    commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // Not a checkout, or no git: the results say "unknown".
  }
  const model = cpus()[0]?.model ?? 'unknown processor';
  return {
    command: `node placement/bench/main.ts ${process.argv.slice(2).join(' ')}`.trim(),
    date: new Date().toISOString(),
    machine: `${cpus().length} x ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    commit,
  };
}

/** Rows as an aligned table; columns are the union of the rows' keys. */
export function tableOf(rows: readonly BenchRow[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [columns, ...rows.map((row) => columns.map((column) => cellOf(row[column])))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  return cells
    .map((line) =>
      line.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
    )
    .join('\n');
}

function cellOf(value: string | number | undefined): string {
  if (value === undefined) return '-';
  if (typeof value === 'string') return value;
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(value < 2 ? 4 : 2);
}

/** The value at quantile `q` (0..1) of sorted numbers. */
export function quantile(sorted: Float64Array | readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
}

/** The middle of a few numbers and how far they spread, as a share of the middle. */
export function middleOf(values: readonly number[]): { readonly middle: number; readonly spread: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return { middle, spread: middle === 0 ? 0 : ((sorted.at(-1) ?? 0) - (sorted[0] ?? 0)) / middle };
}
