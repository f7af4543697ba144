/** `shoal policy list`: who may do what on this host's gateways, by the defaults and by its configuration. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { type ConfigFlags, configFromFlags, withConfigOptions } from '../kit/config-options.ts';

/** Adds the command. */
export function registerPolicy(program: Command): void {
  const policy = program.command('policy').description('the rules of who may do what');
  withConfigOptions(policy.command('list'))
    .description('list the rules with their defaults and what the configuration sets (policy: NAME: RULE)')
    .option('--json', 'print one JSON array: name, default, value, isSet, operations')
    .option('--changed', 'only the rules that the configuration sets')
    .action(async (flags: ConfigFlags & { readonly json?: boolean; readonly changed?: boolean }) => {
      const { listedRules } = await import('../../../api-gateway/policies/overrides.ts');
      const rules = listedRules(configFromFlags(flags).policy).filter((rule) => rule.isSet || !flags.changed);
      if (flags.json) {
        console.log(JSON.stringify(rules, undefined, 2));
        return;
      }
      const table = new Table({
        head: ['rule', 'value', 'default, where it is another'],
        style: { head: [], border: [] },
      });
      for (const rule of rules) table.push([rule.name, rule.value, rule.isSet ? rule.default : '']);
      console.log(table.toString());
    });
}
