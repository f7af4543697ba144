/** Records that nobody can read: what there is of them, and the one way to get rid of one. For administrators. */
import { ShoalError } from '../../base/errors.ts';
import { Table } from '../../state/table.ts';
import * as tables from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import { type UnreadableRow, unreadableRows } from '../../state/unreadable-rows.ts';
import type { ServiceDependencies } from './dependencies.ts';
import { transact } from './transact.ts';

/** What reading and removing need of a table, whatever its records are. */
type AnyTable = Pick<Table<object>, 'definition' | 'list' | 'removeUnreadable'>;

function allTables(): readonly AnyTable[] {
  return Object.values(tables).filter((table): table is typeof table & AnyTable => table instanceof Table);
}

/** All of them. Reads every record once: for a person who asks, not for a loop. */
export function unreadableRecords(reader: StateReader): readonly UnreadableRow[] {
  for (const table of allTables()) table.list(reader);
  return unreadableRows.in(reader);
}

/**
 * Removes one, with the index entries that name it. What its record counted for (a quota, the uses of a network) stays
 * counted, as nobody knows what it was. Throws `NOT_FOUND`, and `CONFLICT` for a record that can be read.
 */
export async function removeUnreadableRecord(
  deps: ServiceDependencies,
  tableName: string,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const table = allTables().find(({ definition }) => definition.name === tableName);
  if (table === undefined) {
    const names = allTables().map(({ definition }) => definition.name);
    throw new ShoalError('NOT_FOUND', `There is no table ${tableName}; there are ${names.join(', ')}.`);
  }
  await transact(deps, { signal }, ({ reader, change }) => table.removeUnreadable(change, reader, id));
  deps.logger.warn({ table: tableName, id }, 'a record that could not be read was removed by an administrator');
}
