/** `shoal ca`: the certificate of the mesh's authority, which clients of the API have to trust. */
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
}
