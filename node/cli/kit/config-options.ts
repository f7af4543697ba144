/** The options by which every command finds the agent's configuration. */

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { ShoalError } from '../../base/errors.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/options.ts';

/** Read when there is one and no other is named. */
const configPathDefault = '/etc/shoal/config.yaml';

/** What commander hands to the action. */
export interface ConfigFlags {
  readonly config?: string;
  readonly dataDir?: string;
  readonly set: readonly string[];
}

/** Adds `--config`, `--data-dir` and `--set`. */
export function withConfigOptions(command: Command): Command {
  return command
    .option(
      '-c, --config <file>',
      `configuration file (YAML); also SHOAL_CONFIG; default: ${configPathDefault} if it is there`,
    )
    .option('-d, --data-dir <folder>', 'data folder; the same as --set dataDir=...')
    .option('-s, --set <path=value>', 'one setting, such as peer.listen=10.0.0.1:7401; may be repeated', collect, []);
}

/** Loads the configuration that the flags and the environment name. Throws `CONFIG_INVALID` with all mistakes. */
export function configFromFlags(flags: ConfigFlags): Config {
  const settings: Record<string, string> = {};
  for (const text of flags.set) {
    const at = text.indexOf('=');
    if (at < 1) throw new ShoalError('INVALID_ARGUMENT', `--set ${text}: expected PATH=VALUE, as in --set zone=rack1`);
    settings[text.slice(0, at)] = text.slice(at + 1);
  }
  if (flags.dataDir !== undefined) settings['dataDir'] = flags.dataDir;
  const filePath = configPathOf(flags);
  return loadConfig({ ...(filePath === undefined ? {} : { filePath }), environment: process.env, settings });
}

/** The configuration file that is read: as named, or the default one if it is there. `SHOAL_CONFIG=` (empty): none. */
function configPathOf(flags: ConfigFlags): string | undefined {
  const named = flags.config ?? process.env['SHOAL_CONFIG'];
  if (named !== undefined) return named === '' ? undefined : named;
  return existsSync(configPathDefault) ? configPathDefault : undefined;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
