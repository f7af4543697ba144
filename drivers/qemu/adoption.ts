/** Guests that an earlier agent left: which process is which, and what became of those without one. */
import { ShoalError } from '../../node/base/errors.ts';
import type { ServerId } from '../../node/base/ids.ts';
import { type ProcessIdentity, scanProcesses } from '../process.ts';
import { generationOfName } from './arguments.ts';
import type { ProcessRecord, RunFiles } from './confinement/run-files.ts';

/** A guest of the run folder. */
interface LeftGuest {
  readonly serverId: ServerId;
  /** As it was started, by the record; absent: it was told to stop and is gone, or there is no record of it. */
  readonly record: ProcessRecord | undefined;
  /** Why there may be a record and nobody can read it. It concerns this guest alone. */
  readonly unreadable: ShoalError | undefined;
  readonly living: { readonly identity: ProcessIdentity; readonly generation: number } | undefined;
}

/** Every guest of this run folder, alive or not. Changes none. `CANNOT_TELL` for a process that does not name its generation. */
export async function guestsLeft(files: RunFiles): Promise<readonly LeftGuest[]> {
  const servers = await files.servers();
  const byPidFile = new Map(servers.map((serverId) => [files.guestPaths(serverId).pidFile, serverId]));
  const living = new Map<ServerId, { readonly identity: ProcessIdentity; readonly generation: number | undefined }>();
  for (const { identity, selected } of await scanProcesses((argv) => guestOfArguments(argv, byPidFile))) {
    living.set(selected.serverId, { identity, generation: selected.generation });
  }
  const left: LeftGuest[] = [];
  for (const serverId of servers) {
    const { record, unreadable } = await recordOf(files, serverId);
    const process = living.get(serverId);
    const generation = process?.generation ?? record?.generation;
    if (process !== undefined && generation === undefined) {
      throw new ShoalError(
        'CANNOT_TELL',
        `process ${process.identity.pid} of ${serverId} does not name its generation`,
      );
    }
    const isLiving = process !== undefined && generation !== undefined;
    left.push({
      serverId,
      record,
      unreadable,
      living: isLiving ? { identity: process.identity, generation } : undefined,
    });
  }
  return left;
}

async function recordOf(
  files: RunFiles,
  serverId: ServerId,
): Promise<{ readonly record: ProcessRecord | undefined; readonly unreadable: ShoalError | undefined }> {
  try {
    return { record: await files.readProcess(serverId), unreadable: undefined };
  } catch (caught) {
    if (!(caught instanceof ShoalError)) throw caught;
    return { record: undefined, unreadable: caught };
  }
}

/** Which guest of this agent a command line is: the UUID and the pid file must both be its own. */
function guestOfArguments(
  argv: readonly string[],
  byPidFile: ReadonlyMap<string, ServerId>,
): { readonly serverId: ServerId; readonly generation: number | undefined } | undefined {
  const after = (option: string): string | undefined => {
    const at = argv.indexOf(option);
    return at < 0 ? undefined : argv[at + 1];
  };
  const pidFile = after('-pidfile');
  const serverId = pidFile === undefined ? undefined : byPidFile.get(pidFile);
  if (serverId === undefined || after('-uuid') !== serverId) return undefined;
  const name = /^guest=([^,]*)/.exec(after('-name') ?? '')?.[1];
  return { serverId, generation: name === undefined ? undefined : generationOfName(name) };
}
