/**
 * Nova's migrations: one record for each move of a server to another host or flavor, from when it is asked for until it has
 * ended and beyond. Moves write them in the transactions that move the server; this is what they write them with, and how
 * operators see them.
 */
import { shoal } from '../../../../proto/messages.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import { hostTable, migrationTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import type { Attempt, Change } from '../../kit/transact.ts';

/** Counter of the numbers given away. */
const numberKey = 'c/migration-number';
/** Migrations kept of one server: all of them go with its record, in one transaction. */
const keptMax = 16;

/** In Nova's words. */
export type MigrationKind = 'resize' | 'migration' | 'live-migration' | 'evacuation';

/** Nova's statuses, as far as they are used; those of a migration that has ended first. */
const endedStatuses = ['completed', 'confirmed', 'reverted', 'error', 'failed', 'cancelled', 'done'] as const;
const openStatuses = [
  'accepted',
  'queued',
  'preparing',
  'running',
  'post-migrating',
  'pre-migrating',
  'migrating',
  'finished',
  'confirming',
  'reverting',
] as const;

/** See above. */
export type MigrationStatus = (typeof endedStatuses)[number] | (typeof openStatuses)[number];

const ended: ReadonlySet<string> = new Set(endedStatuses);

/** Whether nothing becomes of it any more. */
function hasMigrationEnded({ status }: Pick<shoal.v1.Migration, 'status'>): boolean {
  return ended.has(status);
}

/** What a new one says. */
interface MigrationDraft {
  readonly id: string;
  readonly kind: MigrationKind;
  readonly status: MigrationStatus;
  readonly server: Pick<shoal.v1.Server, 'id' | 'hostId'>;
  readonly targetHostId: string;
  readonly oldFlavorId: string;
  readonly newFlavorId: string;
  /** Of the server at the target. */
  readonly generation: number;
}

/** Records a migration, and forgets the oldest of the server that have ended, if there are too many. */
export function beginMigration(
  { reader, change }: Attempt,
  context: Pick<RequestContext, 'projectId' | 'userId'>,
  draft: MigrationDraft,
  nowMs: number,
): shoal.v1.Migration {
  const rows = migrationsOf(reader, draft.server.id);
  const surplus = rows
    .filter(({ record }) => hasMigrationEnded(record))
    .slice(0, Math.max(0, rows.length + 1 - keptMax));
  for (const row of surplus) migrationTable.remove(change, row);
  const nameOf = (hostId: string): string => hostTable.get(reader, hostId)?.record.name ?? '';
  const { id, kind, status, server, targetHostId, oldFlavorId, newFlavorId, generation } = draft;
  const migration = new shoal.v1.Migration({
    ...{ id, kind, status, targetHostId, oldFlavorId, newFlavorId, generation },
    // Should somebody be faster, the number's index fails the transaction, and the next attempt reads a higher one.
    number: reader.counter(numberKey) + 1,
    serverId: server.id,
    projectId: context.projectId,
    userId: context.userId,
    sourceHostId: server.hostId,
    sourceHostName: nameOf(server.hostId),
    targetHostName: nameOf(targetHostId),
    createdMs: nowMs,
    updatedMs: nowMs,
  });
  change.add(numberKey, 1, { min: 0, max: 2 ** 31 - 1 });
  migrationTable.insert(change, migration);
  return migration;
}

/** Changes what a migration says; one that is not there any more is left. */
export function noteMigration(
  { reader, change }: { readonly reader: StateReader; readonly change: Change },
  id: string,
  fields: Partial<shoal.v1.Migration.$Properties> & { readonly status?: MigrationStatus },
  nowMs: number,
): void {
  const row = migrationTable.get(reader, id);
  if (row === undefined) return;
  migrationTable.update(change, row, new shoal.v1.Migration({ ...row.record, ...fields, updatedMs: nowMs }));
}

/** All of a server, oldest first. */
function migrationsOf(reader: StateReader, serverId: string): readonly Row<shoal.v1.Migration>[] {
  return migrationTable.by(reader, 'server', indexKey(serverId)).toSorted((a, b) => a.record.number - b.record.number);
}

/** The one of a server that has not ended; undefined: there is none. */
export function openMigration(reader: StateReader, serverId: string): shoal.v1.Migration | undefined {
  return migrationsOf(reader, serverId).findLast(({ record }) => !hasMigrationEnded(record))?.record;
}

/** For the transaction that removes the server's record. */
export function removeMigrationsOf(change: Change, reader: StateReader, serverId: string): void {
  for (const row of migrationsOf(reader, serverId)) migrationTable.remove(change, row);
}

/** Migrations as operators see them. */
export class Migrations {
  /** Newest first. */
  list(reader: StateReader): readonly shoal.v1.Migration[] {
    return migrationTable
      .list(reader)
      .map(({ record }) => record)
      .toSorted((a, b) => b.updatedMs - a.updatedMs || b.number - a.number);
  }

  /** Those of a server that are under way, oldest first. */
  underWay(reader: StateReader, serverId: string): readonly shoal.v1.Migration[] {
    const all = migrationsOf(reader, serverId).map(({ record }) => record);
    return all.filter((migration) => !hasMigrationEnded(migration) && migration.status !== 'finished');
  }
}
