/** HashiCorp's memberlist, the gossip of Serf, Consul and Nomad: `memberlist/main.go`, built here when Go is there. */
import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { outputOf } from '../../../../node/raft/bench/machine.ts';
import { rounded, timesOf } from '../figures/times.ts';
import type { BaselineOptions, BaselineRow } from './row.ts';

/** The first build fetches its modules. Unit: milliseconds. */
const buildMsMax = 300_000;
/** Beside rest and broadcasts: members that find one another. Unit: milliseconds. */
const joinMsMax = 240_000;

/** Measures it; a text says why it could not be. */
export async function memberlist(options: BaselineOptions, folder: string): Promise<BaselineRow | string> {
  const go = outputOf('go', ['version']);
  if (go === undefined) return 'memberlist: left out, no Go is installed';
  const source = join(folder, 'memberlist');
  await cp(fileURLToPath(new URL('./memberlist', import.meta.url)), source, { recursive: true });
  const program = join(folder, 'memberlist-bench');
  const run = promisify(execFile);
  try {
    await run('go', ['build', '-o', program, '.'], { cwd: source, timeout: buildMsMax });
  } catch (caught) {
    return `memberlist: left out, it cannot be built: ${String(caught).slice(0, 300)}`;
  }
  const { members, changes, restMs } = options;
  const args = [`-members=${members}`, `-changes=${changes}`, `-rest=${restMs}ms`];
  const { stdout } = await run(program, args, { timeout: joinMsMax + restMs + changes * 31_000 });
  const found = JSON.parse(stdout) as { cpuPercent: number; rssMib: number; seenMs: number[] };
  const seenByAll = timesOf(found.seenMs);
  if (seenByAll === undefined) return 'memberlist: no broadcast reached all members';
  return {
    what: 'memberlist, LAN defaults, a broadcast of 200 bytes',
    version: outputOf('go', ['-C', source, 'list', '-m', 'github.com/hashicorp/memberlist']) ?? '',
    members,
    seenByAll,
    cpuPercent: rounded(found.cpuPercent),
    rssMib: rounded(found.rssMib),
  };
}
