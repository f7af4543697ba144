/** `shoal admin reset-password`: a way back in for root at a host, when a password is lost. */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { type ConfigFlags, withConfigOptions } from '../kit/config-options.ts';
import { dataDirOf } from '../kit/data-dir.ts';
import { jsonText } from '../kit/json-text.ts';

interface ResetFlags extends ConfigFlags {
  readonly domain: string;
  readonly enable?: boolean;
  readonly json?: boolean;
}

/** Adds the command. */
export function registerAdmin(program: Command): void {
  const admin = program.command('admin').description('what root at a host may do without a password');
  withConfigOptions(admin.command('reset-password'))
    .description("give a user a new password through this host's agent; all their tokens end; written to its log")
    .argument('[user]', 'name or id of the user', 'admin')
    .option('--domain <domain>', "name or id of the user's domain", 'Default')
    .option('--enable', 'also enable the user')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nThe new password is taken from SHOAL_ADMIN_PASSWORD, or drawn and printed once. It takes a quorum.\n',
    )
    .action(async (user: string, flags: ResetFlags) => {
      const dataDir = dataDirOf(flags);
      const given = process.env['SHOAL_ADMIN_PASSWORD'] ?? '';
      const password = given === '' ? randomBytes(15).toString('base64url') : given;
      const { callOptions, withLocalAgent } = await import('../kit/local-client.ts');
      const { shoal } = await import('../../../proto/messages.ts');
      const answer = await withLocalAgent(dataDir, (client) =>
        client
          .calls(shoal.v1.ClusterService)
          .resetPassword({ user, domain: flags.domain, password, enable: flags.enable ?? false }, callOptions),
      );
      const { userId, userName, enabled } = answer;
      const drawn = given === '' ? { password } : {};
      if (flags.json) {
        console.log(jsonText({ userId, userName, enabled, ...drawn }));
        return;
      }
      console.log(`user      ${userName} (${userId})`);
      if (given === '') console.log(`password  ${password}   (shown this once)`);
      console.log('tokens    all that this user had have ended');
      if (!enabled) console.error('shoal: the user is disabled; say --enable to let them log in');
    });
}
