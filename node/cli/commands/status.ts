/** `shoal status`: what this agent knows of the mesh. Answers without quorum too. */
import { styleText } from 'node:util';
import type { Command } from 'commander';
import { type ConfigFlags, withConfigOptions } from '../kit/config-options.ts';
import { dataDirOf } from '../kit/data-dir.ts';
import { jsonText } from '../kit/json-text.ts';

/** Exit status when there is no quorum: the answer may be old. */
const statusStale = 3;

/** Adds the command. */
export function registerStatus(program: Command): void {
  withConfigOptions(program.command('status'))
    .description('show the mesh as this agent sees it; exit status 3 without quorum')
    .option('--json', 'print one JSON object')
    .action(async (flags: ConfigFlags & { readonly json?: boolean }) => {
      const dataDir = dataDirOf(flags);
      const { callOptions, withLocalAgent } = await import('../kit/local-client.ts');
      const { shoal } = await import('../../../proto/messages.ts');
      const status = await withLocalAgent(dataDir, (client) =>
        client.calls(shoal.v1.ClusterService).getStatus({}, callOptions),
      );
      if (!status.hasQuorum) process.exitCode = statusStale;
      if (flags.json) {
        console.log(jsonText(status));
        return;
      }
      const leader = status.voters.find((voter) => voter.hostId === status.leaderHostId);
      console.log(`mesh      ${status.meshId}`);
      console.log(`host      ${status.hostId}  (shoal ${status.version})`);
      console.log(
        `quorum    ${status.hasQuorum ? styleText('green', 'yes') : styleText('red', 'NO: reads are stale, writes are refused')}`,
      );
      console.log(`leader    ${leader?.hostName ?? 'none'}, term ${status.term}`);
      console.log(`log       committed ${status.commitIndex}, applied ${status.appliedIndex}`);
      for (const trouble of status.troubles) console.log(styleText('red', `trouble   ${trouble}`));
      for (const voter of status.voters) {
        const role = voter.learner ? 'learner' : 'voter';
        const reach = voter.reachable ? '' : styleText('red', '  not heard from');
        console.log(`${role.padEnd(9)} ${voter.hostName || `member ${voter.raftId}`}${reach}`);
      }
    });
}
