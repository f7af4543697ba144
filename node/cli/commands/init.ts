/** `shoal init`: makes a new mesh with this host as its first. */
import type { Command } from 'commander';
import { defaultRouteAddress } from '../../config/default-route.ts';
import type { Config } from '../../config/options.ts';
import { type ConfigFlags, configFromFlags, withConfigOptions } from '../kit/config-options.ts';
import { jsonText } from '../kit/json-text.ts';

/** Adds the command. */
export function registerInit(program: Command): void {
  withConfigOptions(program.command('init'))
    .description('make a new mesh with this host as its first; then start it with `shoal agent`')
    .option('-n, --mesh-name <name>', 'what people call the mesh', 'shoal')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      "\nThe administrator's password is taken from SHOAL_ADMIN_PASSWORD, or drawn and printed once.\n",
    )
    .action(async (flags: ConfigFlags & { readonly meshName: string; readonly json?: boolean }) => {
      const config = configFromFlags(flags);
      const { endpointOf, foundMesh } = await import('../../cluster/found-mesh.ts');
      const { apiUrlOf } = await import('../../cluster/become-member.ts');
      const { authorityPathOf } = await import('../../cluster/membership.ts');
      const given = process.env['SHOAL_ADMIN_PASSWORD'];
      const founded = await foundMesh(config, {
        meshName: flags.meshName,
        ...(given === undefined || given === '' ? {} : { adminPassword: given }),
      });
      const shown = given === undefined || given === '' ? founded : { ...founded, adminPassword: undefined };
      if (flags.json) {
        console.log(jsonText(shown));
        return;
      }
      console.log(`mesh      ${founded.meshId}`);
      console.log(`host      ${founded.hostId} (${config.name})`);
      console.log(`address   ${endpointOf(config, config.peer.listen)}${addressNote(config)}`);
      if (config.api.tls === 'on') {
        console.log(`api       ${apiUrlOf(config)}`);
        console.log(`authority ${founded.fingerprint}`);
        console.log(`          clients trust it by: export OS_CACERT=${authorityPathOf(config.dataDir)}`);
      }
      console.log(`data      ${config.dataDir}`);
      if (shown.adminPassword !== undefined) console.log(`admin     ${founded.adminPassword}   (shown this once)`);
      console.log('\nNow:      shoal agent');
    });
}

/** Said since nobody chose it: a machine with several networks may want another. */
function addressNote(config: Config): string {
  return config.advertiseAddress === defaultRouteAddress()
    ? '   (that of the default route; for another one: --set advertiseAddress=ADDRESS)'
    : '';
}
