/** `shoal host drain|undrain`: a host, or all of a zone or a failure domain, is emptied, or takes servers again. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import type { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { type ConfigFlags, withConfigOptions } from '../../kit/config-options.ts';
import { dataDirOf } from '../../kit/data-dir.ts';
import { jsonText } from '../../kit/json-text.ts';

type DrainFlags = ConfigFlags & {
  readonly zone: string;
  readonly domain: string;
  readonly stop?: boolean;
  readonly parallel: string;
  readonly timeout: string;
  readonly plan?: boolean;
  readonly wait?: boolean;
  readonly json?: boolean;
};

/** Adds the commands to `shoal host`. */
export function registerHostDrains(host: Command): void {
  withConfigOptions(host.command('drain'))
    .description('move all servers away from a host, which takes no new ones from then on')
    .argument('[name]', 'name or id of the host; or --zone or --domain')
    .option(
      '--zone <name>',
      'all hosts of the availability zone, unless the mesh would have no quorum without them',
      '',
    )
    .option('--domain <name>', 'all hosts of the failure domain, unless the mesh would have no quorum without them', '')
    .option('--stop', 'also servers that cannot move while they run: each is stopped, moved, and started again')
    .option('--parallel <count>', 'servers on their way at once, 1 to 32', '4')
    .option('--timeout <seconds>', 'when it is taken back by itself, 60 to 604800', '86400')
    .option('--plan', 'only tell what it would do, server by server, and what could not move and why')
    .option('--wait', 'wait for its end, saying how far it is')
    .option('--json', 'print one JSON object')
    .action(async (name: string | undefined, flags: DrainFlags) => drain(name ?? '', flags));
  withConfigOptions(host.command('undrain'))
    .description('let a host take new servers again; a drain of it that is under way is taken back')
    .argument('<name>', 'name or id of the host')
    .option('--json', 'print one JSON object')
    .action(async (name: string, flags: ConfigFlags & { readonly json?: boolean }) => {
      const { callOptions, withLocalAgent } = await import('../../kit/local-client.ts');
      const messages = await import('../../../../proto/messages.ts');
      const { job } = await withLocalAgent(dataDirOf(flags), (client) =>
        client.calls(messages.shoal.v1.JobService).undrainHost({ host: name }, callOptions),
      );
      const { showJob } = await import('../../kit/jobs-shown.ts');
      if (job !== null) showJob({ job }, flags);
      else console.log(flags.json ? jsonText({ job: null }) : `${name} takes new servers.`);
    });
}

async function drain(host: string, flags: DrainFlags): Promise<void> {
  const timeoutSeconds = wholeNumber('timeout', flags.timeout, 60, 604_800);
  const parallel = wholeNumber('parallel', flags.parallel, 1, 32);
  const scope = { host, zone: flags.zone, failureDomain: flags.domain, stopRunning: flags.stop ?? false };
  const { callOptions, withLocalAgent } = await import('../../kit/local-client.ts');
  const messages = await import('../../../../proto/messages.ts');
  if (flags.plan) {
    const plan = await withLocalAgent(dataDirOf(flags), (client) =>
      client.calls(messages.shoal.v1.JobService).planDrain(scope, callOptions),
    );
    showPlan(plan, flags);
    return;
  }
  const { job } = await withLocalAgent(dataDirOf(flags), (client) =>
    client.calls(messages.shoal.v1.JobService).drainHost({ ...scope, timeoutSeconds, parallel }, callOptions),
  );
  const { showJob, waitForJob } = await import('../../kit/jobs-shown.ts');
  if (flags.wait && job !== null) await waitForJob(job.id, flags);
  else showJob({ job }, flags);
}

function showPlan({ steps, warnings, refusal, stale }: shoal.v1.PlanDrainResponse, flags: DrainFlags): void {
  if (flags.json) {
    console.log(jsonText({ steps, warnings, refusal, stale }));
    return;
  }
  const table = new Table({
    head: ['server', 'name', 'on', 'how', 'to, as things are', 'MiB', 'why'],
    style: { head: [], border: [] },
    colWidths: [null, null, null, null, null, null, 60],
    wordWrap: true,
  });
  for (const step of steps) {
    const { serverId = '', serverName = '', hostName = '', how = '', targetHostName = '', memoryMib = 0 } = step;
    table.push([serverId, serverName, hostName, how, targetHostName, String(memoryMib), step.reason ?? '']);
  }
  console.log(table.toString());
  for (const warning of warnings) console.error(`shoal: ${warning}`);
  if (refusal !== '') console.error(`shoal: it would not begin: ${refusal}`);
  if (stale) console.error('shoal: no quorum; this may be old');
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^[0-9]{1,6}$/.test(text) && value >= min && value <= max) return value;
  throw new ShoalError('INVALID_ARGUMENT', `--${name} ${text}: expected a whole number from ${min} to ${max}`);
}
