/**
 * Whose volumes, snapshots, backups and groups a request names. What the operation is about is asked by the operation's own
 * rule; what it merely names is the project's own, or anybody's for administrators. Everything else is 404, as what nobody has.
 */

import type { shoal } from '../../../../proto/messages.ts';
import { indexKey, type Row, type Table } from '../../../state/table.ts';
import { volumeSnapshotTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { isOwner, mayActOn } from '../../kit/permissions.ts';
import { notFound, type VolumeThing } from './refusals.ts';

interface Owned {
  readonly projectId: string;
}

/** What the operation is about. Throws `NOT_FOUND`. */
export function see<T extends Owned & object>(
  table: Table<T>,
  kind: VolumeThing,
  { context, reader, id }: { readonly context: RequestContext; readonly reader: StateReader; readonly id: string },
): Row<T> {
  const row = table.get(reader, id);
  if (row === undefined || !mayActOn(context, row.record)) throw notFound(kind, id);
  return row;
}

/** The volume that the operation is about. */
export function seeVolume(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Volume> {
  return see(volumeTable, 'volume', { context, reader, id });
}

/** A volume that the request names beside what it is about. */
export function ownVolume(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Volume> {
  const row = volumeTable.get(reader, id);
  if (row === undefined || !isOwner(context, row.record)) throw notFound('volume', id);
  return row;
}

/** The snapshot that the operation is about. */
export function seeSnapshot(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.VolumeSnapshot> {
  return see(volumeSnapshotTable, 'snapshot', { context, reader, id });
}

/** A snapshot that the request names beside what it is about. */
export function ownSnapshot(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.VolumeSnapshot> {
  const row = volumeSnapshotTable.get(reader, id);
  if (row === undefined || !isOwner(context, row.record)) throw notFound('snapshot', id);
  return row;
}

/** Records of the caller's project, or everybody's, newest first. @param allProjects the caller's to ask for. */
export function listOf<T extends Owned & { readonly id: string; readonly createdMs: number }>(
  table: Table<T>,
  {
    context,
    reader,
    allProjects,
  }: { readonly context: RequestContext; readonly reader: StateReader; readonly allProjects: boolean },
): readonly T[] {
  const rows = allProjects ? table.list(reader) : table.by(reader, 'project', indexKey(context.projectId));
  return rows.map(({ record }) => record).sort((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? 1 : -1));
}
