/** What was measured, and its table. */
import Table from 'cli-table3';
import { rounded, type Times, timesOf } from '../mesh/figures/times.ts';

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
  /** What the figures are made of, in the order in which it was measured. Unit: ms. */
  readonly samples: { readonly shoalMs: readonly number[]; readonly bareMs: readonly number[] };
}

/** From the tenth to the ninetieth hundredth of the samples: how much two runs differ. Unit: ms. */
function spreadMs(samples: readonly number[]): number | '' {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return sorted.length < 2 ? '' : Math.round((at(0.9) - at(0.1)) * 10) / 10;
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
    'spread',
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
      spreadMs(row.samples.shoalMs),
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
  /** Runs before those that are measured: they do what no later one does again, such as to fetch an image. Default 0. */
  readonly warmUps?: number;
}

/** With the cause: of a request that failed the message says no more than that. */
function wordsOf(caught: unknown): string {
  if (!(caught instanceof Error)) return String(caught);
  return caught.cause instanceof Error ? `${caught.message}: ${caught.cause.message}` : caught.message;
}

/** What came of it. */
interface Timed {
  readonly times: Times | undefined;
  readonly samples: readonly number[];
  readonly failed: number;
  readonly failure?: string;
}

/** Runs it so often and keeps how long each took; one that fails is counted. */
export async function timed<T>(runs: number, { prepare, act, undo, warmUps = 0 }: Measured<T>): Promise<Timed> {
  const ms: number[] = [];
  let failed = 0;
  let failure: string | undefined;
  for (let run = -warmUps; run < runs; run += 1) {
    try {
      const prepared = await prepare(run);
      const startedMs = performance.now();
      await act(prepared);
      if (run >= 0) ms.push(rounded(performance.now() - startedMs));
      await undo(prepared);
    } catch (caught) {
      failed += 1;
      failure ??= wordsOf(caught);
    }
  }
  return { times: timesOf(ms), samples: ms, failed, ...(failure === undefined ? {} : { failure }) };
}
