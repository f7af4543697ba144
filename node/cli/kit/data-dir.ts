/** Which data folder a command that needs no agent is about. */
import { type ConfigFlags, configFromFlags } from './config-options.ts';

/**
 * `--data-dir` as it is, whatever else the configuration says: a machine whose network or configuration is broken is just
 * where one looks into a folder. Without it, what the configuration says.
 */
export function dataDirOf(flags: ConfigFlags): string {
  return flags.dataDir ?? configFromFlags(flags).dataDir;
}
