/** `shoal ca`, `shoal rotate-authority`: the certificate of the mesh's authority, which clients of the API have to trust. */
import type { Command } from 'commander';
import { ShoalError } from '../../base/errors.ts';
import { type ConfigFlags, withConfigOptions } from '../kit/config-options.ts';
import { dataDirOf } from '../kit/data-dir.ts';

/** Adds the command. */
export function registerCa(program: Command): void {
  withConfigOptions(program.command('ca'))
    .description("print the certificate of the mesh's authority (PEM), which clients of the API have to trust")
    .option('--fingerprint', 'print its SHA-256 fingerprint instead')
    .action(async (flags: ConfigFlags & { readonly fingerprint?: boolean }) => {
      const dataDir = dataDirOf(flags);
      const { readMembership } = await import('../../cluster/membership.ts');
      const { shownFingerprint } = await import('../../mesh/identity/authority.ts');
      const membership = readMembership(dataDir);
      if (membership === undefined) throw new ShoalError('NOT_FOUND', `${dataDir} belongs to no mesh`);
      const { authorityCertificatePem } = membership;
      if (flags.fingerprint) console.log(shownFingerprint(authorityCertificatePem));
      else process.stdout.write(authorityCertificatePem);
    });
  withConfigOptions(program.command('rotate-authority'))
    .description(
      'put a new authority in the place of the present one, while all agents run; unused tickets are void then',
    )
    .option('--keep <seconds>', 'how long clients may go on with the certificate of before, at most 2592000', '86400')
    .option('--absent <seconds>', 'how long hosts that are switched off are waited for, at most 2592000', '3600')
    .option('--wait', 'wait for its end, saying how far it is')
    .option('--json', 'print one JSON object')
    .action(async (flags: RotateFlags) => {
      const [keepSeconds, absentSeconds] = [secondsOf('--keep', flags.keep), secondsOf('--absent', flags.absent)];
      const { callOptions, withLocalAgent } = await import('../kit/local-client.ts');
      const { shoal } = await import('../../../proto/messages.ts');
      const { job } = await withLocalAgent(dataDirOf(flags), (client) =>
        client.calls(shoal.v1.JobService).rotateAuthority({ keepSeconds, absentSeconds }, callOptions),
      );
      const { showJob, waitForJob } = await import('../kit/jobs-shown.ts');
      if (flags.wait && job !== null) await waitForJob(job.id, flags);
      else showJob({ job }, flags);
    });
}

type RotateFlags = ConfigFlags & {
  readonly keep: string;
  readonly absent: string;
  readonly wait?: boolean;
  readonly json?: boolean;
};

function secondsOf(name: string, text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= 2_592_000) return seconds;
  throw new ShoalError('INVALID_ARGUMENT', `${name} ${text}: expected whole seconds from 0 to 2592000`);
}
