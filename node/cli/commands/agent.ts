/** `shoal agent`: runs the agent until it is told to stop. */
import type { Command } from 'commander';
import { settings } from '../../config/load.ts';
import { type ConfigFlags, configFromFlags, withConfigOptions } from '../kit/config-options.ts';

/** Exit status when the agent stopped because an invariant broke: its supervisor should start it again. */
const statusBroken = 70;

/** Adds the command. */
export function registerAgent(program: Command): void {
  withConfigOptions(program.command('agent'))
    .description('run the agent; with --join, join a mesh first')
    .option('-j, --join <ticket>', 'ticket of the mesh to join; better by SHOAL_JOIN, which no process list shows')
    .addHelpText('after', () => {
      const lines = settings().map(
        (setting) => `  ${setting.path.padEnd(28)} ${setting.environmentName.padEnd(34)} ${setting.defaultValue}`,
      );
      return `\nSettings (file, environment, default):\n${lines.join('\n')}\n`;
    })
    .action(async (flags: ConfigFlags & { readonly join?: string }) => {
      const config = configFromFlags(flags);
      const { runAgent } = await import('../../agent/run-agent.ts');
      const ticket = flags.join ?? process.env['SHOAL_JOIN'];
      process.exitCode = (await runAgent(config, ticket === '' ? undefined : ticket)) === 'broken' ? statusBroken : 0;
    });
}
