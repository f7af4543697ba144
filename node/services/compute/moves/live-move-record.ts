/** A live migration in the records of its server: what ends one, and what stands in the way of another move. Parts of transactions. */
import type { shoal } from '../../../../proto/messages.ts';
import { indexKey } from '../../../state/table.ts';
import { hostTable, jobTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { endJob } from '../../jobs/volume-job-end.ts';
import { liveMove } from '../../kit/server-move.ts';
import type { Attempt } from '../../kit/transact.ts';
import { type MigrationStatus, noteMigration } from '../history/migrations.ts';
import { conflict } from '../kit/refusals.ts';

type Server = shoal.v1.Server;
type Fields = Partial<shoal.v1.Server.$Properties>;

/** The job of that kind. */
export const liveMigrationKind = 'live-migration';

/** Throws `CONFLICT` while a host has a guest of the server that it is to end. */
export function checkDiscarded(reader: StateReader, server: Server): void {
  if (server.discardHostId === '') return;
  throw conflict(
    `Instance ${server.id} cannot move: host ${nameOf(reader, server.discardHostId)} has not removed yet what it has of it ` +
      'from a live migration that came to nothing.',
  );
}

/** Throws `CONFLICT` when the host that somebody names waits, or has waited, for the server's memory. */
export function checkNotAwaiting(
  reader: StateReader,
  server: Server,
  awaiting: string,
  hostName: string | undefined,
): void {
  if (awaiting === '' || hostName === undefined || nameOf(reader, awaiting) !== hostName) return;
  throw conflict(
    `Instance ${server.id} was on its way to host ${hostName} when its own host went down; name another host.`,
  );
}

/**
 * The live migration, which has not switched hosts, has come to nothing: its target is to end what it made, its job ends with it.
 * @param why for people; absent: it was taken back because somebody asked for that.
 */
export function endLiveMove(
  attempt: Pick<Attempt, 'reader' | 'change'>,
  server: Server,
  nowMs: number,
  end: { readonly status: MigrationStatus; readonly why?: string },
): Fields {
  const move = liveMove(server);
  if (move === undefined) return {};
  const { status, why } = end;
  noteMigration(attempt, move.migrationId, { status, ...(why === undefined ? {} : { error: why }) }, nowMs);
  const job = jobTable.one(attempt.reader, 'subject', indexKey(`server/${server.id}`));
  if (job?.record.liveMigration?.migrationId === move.migrationId) {
    endJob(attempt, job, nowMs, { message: why ?? 'It was taken back.' });
  }
  const discardHostId = hostTable.exists(attempt.reader, move.targetHostId) ? move.targetHostId : '';
  return { move: null, discardHostId, discardGeneration: server.generation + 1 };
}

/** The same for a server that is evacuated meanwhile, or deleted; one that does not move so is left alone. */
export function withoutLiveMove(attempt: Attempt, server: Server, nowMs: number): Fields {
  return endLiveMove(attempt, server, nowMs, { status: 'failed', why: 'The server was moved otherwise meanwhile.' });
}

function nameOf(reader: StateReader, hostId: string): string {
  return hostTable.get(reader, hostId)?.record.name ?? hostId;
}
