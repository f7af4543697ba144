/** `shoal record list|remove`: records of the mesh that cannot be read. Whole records are `shoal inspect`'s. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { type ConfigFlags, withConfigOptions } from '../kit/config-options.ts';
import { dataDirOf } from '../kit/data-dir.ts';
import { jsonText } from '../kit/json-text.ts';

/** Adds the commands. */
export function registerRecords(program: Command): void {
  const record = program.command('record').description('records of the mesh that cannot be read');
  withConfigOptions(record.command('list'))
    .description('list them; lists and host loops leave them out')
    .option('--json', 'print one JSON object')
    .action(async (flags: ConfigFlags & { readonly json?: boolean }) => {
      const dataDir = dataDirOf(flags);
      const { callOptions, withLocalAgent } = await import('../kit/local-client.ts');
      const { shoal } = await import('../../../proto/messages.ts');
      const { records, stale } = await withLocalAgent(dataDir, (client) =>
        client.calls(shoal.v1.ClusterService).listUnreadableRecords({}, callOptions),
      );
      if (flags.json) {
        console.log(jsonText({ records, stale }));
        return;
      }
      const table = new Table({ head: ['table', 'id', 'revision', 'why'], style: { head: [], border: [] } });
      for (const { table: name, id, revision, why } of records) table.push([name, id, String(revision), why]);
      console.log(records.length === 0 ? 'every record can be read' : table.toString());
      if (stale) console.error('shoal: no quorum; this list may be old');
    });
  withConfigOptions(record.command('remove'))
    .description('remove one for good, with what names it; quotas that it counted for stay as they are')
    .argument('<table>', 'the table, as "shoal record list" names it')
    .argument('<id>', 'the id')
    .action(async (table: string, id: string, flags: ConfigFlags) => {
      const dataDir = dataDirOf(flags);
      const { callOptions, withLocalAgent } = await import('../kit/local-client.ts');
      const { shoal } = await import('../../../proto/messages.ts');
      await withLocalAgent(dataDir, (client) =>
        client.calls(shoal.v1.ClusterService).removeUnreadableRecord({ table, id }, callOptions),
      );
      console.log(`the record ${table} ${id} is removed`);
    });
}
