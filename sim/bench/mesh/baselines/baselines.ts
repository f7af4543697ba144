/** The same work done by others' programs, on the same machine, in the same run. */
import { etcdWatchers } from './etcd-watchers.ts';
import { memberlist } from './memberlist.ts';
import type { BaselineOptions, BaselineRow } from './row.ts';

/** What was measured, and of what was not, why. */
export interface Baselines {
  readonly rows: readonly BaselineRow[];
  readonly skipped: readonly string[];
}

/** Runs all of them, one after the other; what this machine lacks is left out with a word. */
export async function runBaselines(options: BaselineOptions, folder: string): Promise<Baselines> {
  const rows: BaselineRow[] = [];
  const skipped: string[] = [];
  for (const run of [memberlist, etcdWatchers]) {
    const result = await run(options, folder);
    if (typeof result === 'string') skipped.push(result);
    else rows.push(result);
  }
  return { rows, skipped };
}
