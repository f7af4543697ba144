/** What was measured, and its table. */
import Table from 'cli-table3';
import { type Times, timesOf } from '../mesh/figures/times.ts';

/** One operation on one storage. */
export interface OperationRow {
  readonly storage: string;
  readonly operation: string;
  /** From the request to the record that says it is done. */
  readonly shoal: Times | undefined;
  /** The commands that do the same by hand, in the same run; undefined: there is no such command. */
  readonly bare: Times | undefined;
  /** What was done by hand, for people. */
  readonly bareCommand: string;
  readonly failed: number;
  /** Why the first that failed did. */
  readonly failure?: string;
}

/** What is added to it by Shoal at the median, ms; undefined where there is nothing to compare with. */
function shareMs({ shoal, bare }: OperationRow): number | undefined {
  return shoal === undefined || bare === undefined ? undefined : Math.round((shoal.p50Ms - bare.p50Ms) * 10) / 10;
}

/** The table of all rows. */
export function volumesTable(rows: readonly OperationRow[]): string {
  const head = [
    'storage',
    'operation',
    'runs',
    'p50 ms',
    'p99',
    'worst',
    'bare p50 ms',
    'p99',
    "Shoal's share",
    'failed',
  ];
  const table = new Table({
    head,
    colAligns: head.map((_, at) => (at < 2 ? 'left' : 'right')),
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const row of rows) {
    const { storage, operation, shoal, bare, failed } = row;
    table.push([
      storage,
      operation,
      shoal?.count ?? 0,
      shoal?.p50Ms ?? '',
      shoal?.p99Ms ?? '',
      shoal?.worstMs ?? '',
      bare?.p50Ms ?? '',
      bare?.p99Ms ?? '',
      shareMs(row) ?? '',
      failed,
    ]);
  }
  return table.toString();
}

/** What is measured: `act` alone. */
export interface Measured<T> {
  readonly prepare: (run: number) => Promise<T>;
  readonly act: (prepared: T) => Promise<void>;
  /** Takes back what both made. */
  readonly undo: (prepared: T) => Promise<void>;
}

/** Runs it so often and keeps how long each took; one that fails is counted. */
export async function timed<T>(
  runs: number,
  { prepare, act, undo }: Measured<T>,
): Promise<{ readonly times: Times | undefined; readonly failed: number; readonly failure?: string }> {
  const ms: number[] = [];
  let failed = 0;
  let failure: string | undefined;
  for (let run = 0; run < runs; run += 1) {
    try {
      const prepared = await prepare(run);
      const startedMs = performance.now();
      await act(prepared);
      ms.push(performance.now() - startedMs);
      await undo(prepared);
    } catch (caught) {
      failed += 1;
      failure ??= caught instanceof Error ? caught.message : String(caught);
    }
  }
  return { times: timesOf(ms), failed, ...(failure === undefined ? {} : { failure }) };
}
